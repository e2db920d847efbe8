// The rows of carousel.tensor.op.Ternary, a line each: TERNARY(name, type, A, T, expression) for every type, which the file that
// includes this defines (A a, T b, T c -> T).
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
#undef FLOATING
#undef NUMERIC
#undef MASKED
