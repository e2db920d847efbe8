// Elementwise functions of three tensors: y_i = f(a_i, b_i, c_i). A line per row of carousel.tensor.op.Ternary.
#include "map.cuh"
#include "scalar.cuh"

// a, b, c, y: elements laid out as `at` says, y first.
#define TERNARY(name, type, A, T, expression)                                                    \
  extern "C" __global__ void ternary_##name##_##type(const A *a, const T *b, const T *c, T *y,   \
                                                     Positions<4> at) {                          \
    map(at, Inputs<1, 2, 3>(), [](A a, T b, T c) -> T { return expression; }, y, a, b, c);       \
  }

#define FLOATING(name, expression)             \
  TERNARY(name, f32, float, float, expression) \
  TERNARY(name, f64, double, double, expression)
#define NUMERIC(name, expression) \
  FLOATING(name, expression)      \
  TERNARY(name, i32, int, int, expression)
#define MASKED(name, expression)            \
  TERNARY(name, f32, u8, float, expression)  \
  TERNARY(name, f64, u8, double, expression) \
  TERNARY(name, i32, u8, int, expression)    \
  TERNARY(name, bool, u8, u8, expression)

MASKED(where, a ? b : c)
NUMERIC(clamp, smaller(greater(a, b), c))
FLOATING(fma, fma(a, b, c))
