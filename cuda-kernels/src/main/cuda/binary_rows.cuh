// The rows of carousel.tensor.op.Binary, a line each: BINARY(name, type, In, Out, expression) for every type, which the file that
// includes this defines (In a, In b -> Out).
#define FLOATING(name, expression)             \
  BINARY(name, f32, float, float, expression)  \
  BINARY(name, f64, double, double, expression)
#define NUMERIC(name, expression) \
  FLOATING(name, expression)      \
  BINARY(name, i32, int, int, expression)
#define LOGICAL(name, expression) BINARY(name, bool, u8, u8, expression)
#define ORDERED(name, expression)           \
  BINARY(name, f32, float, u8, expression)  \
  BINARY(name, f64, double, u8, expression) \
  BINARY(name, i32, int, u8, expression)
#define ANY(name, expression) \
  ORDERED(name, expression)   \
  BINARY(name, bool, u8, u8, expression)

NUMERIC(add, plus(a, b))
NUMERIC(sub, minus(a, b))
NUMERIC(mul, times(a, b))
FLOATING(div, a / b)
NUMERIC(fmod, rest(a, b))
FLOATING(atan2, atan2(a, b))
FLOATING(pow, pow(a, b))
NUMERIC(max, greater(a, b))
NUMERIC(min, smaller(a, b))
FLOATING(leakyRelu, a > 0 ? a : b * a)
FLOATING(elu, a > 0 ? a : b * expm1(a))
ANY(eq, a == b)
ANY(ne, a != b)
ORDERED(lt, a < b)
ORDERED(le, a <= b)
ORDERED(gt, a > b)
ORDERED(ge, a >= b)
LOGICAL(and, a & b)
LOGICAL(or, a | b)
LOGICAL(xor, a ^ b)
#undef FLOATING
#undef NUMERIC
#undef LOGICAL
#undef ORDERED
#undef ANY
