// Elementwise functions of one tensor: y_i = f(x_i). A line per row of carousel.tensor.op.Unary, which defines it.
#include "map.cuh"
#include "scalar.cuh"

// x, y: elements laid out as `at` says, y first.
#define UNARY(name, type, In, Out, expression)                                          \
  extern "C" __global__ void unary_##name##_##type(const In *x, Out *y, Positions<2> at) { \
    map(at, Inputs<1>(), [](In x) -> Out { using T = In; return expression; }, y, x);   \
  }

#include "unary_rows.cuh"
