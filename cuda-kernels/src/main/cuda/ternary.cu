// Elementwise functions of three tensors: y_i = f(a_i, b_i, c_i). A line per row of carousel.tensor.op.Ternary.
#include "map.cuh"
#include "scalar.cuh"

// a, b, c, y: elements laid out as `at` says, y first.
#define TERNARY(name, type, A, T, expression)                                                    \
  extern "C" __global__ void ternary_##name##_##type(const A *a, const T *b, const T *c, T *y,   \
                                                     Positions<4> at) {                          \
    map(at, Inputs<1, 2, 3>(), [](A a, T b, T c) -> T { return expression; }, y, a, b, c);       \
  }

#include "ternary_rows.cuh"
