// Elementwise functions of two tensors: y_i = f(a_i, b_i). A line per row of carousel.tensor.op.Binary, which defines it.
#include "map.cuh"
#include "scalar.cuh"

// a, b, y: elements laid out as `at` says, y first.
#define BINARY(name, type, In, Out, expression)                                                           \
  extern "C" __global__ void binary_##name##_##type(const In *a, const In *b, Out *y, Positions<3> at) {  \
    map(at, Inputs<1, 2>(), [](In a, In b) -> Out { return expression; }, y, a, b);                       \
  }

#include "binary_rows.cuh"
