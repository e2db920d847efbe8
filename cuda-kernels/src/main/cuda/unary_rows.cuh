// The rows of carousel.tensor.op.Unary, a line each: UNARY(name, type, In, Out, expression) for every type, which the file that
// includes this defines (In x -> Out).
#define FLOATING(name, expression)            \
  UNARY(name, f32, float, float, expression)  \
  UNARY(name, f64, double, double, expression)
#define NUMERIC(name, expression) \
  FLOATING(name, expression)      \
  UNARY(name, i32, int, int, expression)
#define LOGICAL(name, expression) UNARY(name, bool, u8, u8, expression)
#define TEST(name, expression)            \
  UNARY(name, f32, float, u8, expression)  \
  UNARY(name, f64, double, u8, expression) \
  UNARY(name, i32, int, u8, expression)    \
  UNARY(name, bool, u8, u8, expression)

NUMERIC(neg, negated(x))
NUMERIC(abs, magnitude(x))
NUMERIC(sign, sign(x))
NUMERIC(square, times(x, x))
FLOATING(sqrt, sqrt(x))
FLOATING(rsqrt, rsqrt(x))
FLOATING(reciprocal, 1 / x)
FLOATING(exp, exp(x))
FLOATING(expm1, expm1(x))
FLOATING(log, log(x))
FLOATING(log1p, log1p(x))
FLOATING(sin, sin(x))
FLOATING(cos, cos(x))
FLOATING(tan, tan(x))
FLOATING(asin, asin(x))
FLOATING(acos, acos(x))
FLOATING(atan, atan(x))
FLOATING(sinh, sinh(x))
FLOATING(cosh, cosh(x))
FLOATING(tanh, tanh(x))
FLOATING(sigmoid, sigmoid(x))
NUMERIC(relu, x <= 0 ? T(0) : x)
FLOATING(softsign, softsign(x))
FLOATING(softplus, softplus(x))
FLOATING(silu, silu(x))
FLOATING(gelu, gelu(x))
FLOATING(erf, erf(x))
NUMERIC(heaviside, x > 0 ? T(1) : x <= 0 ? T(0) : x)
FLOATING(floor, floor(x))
FLOATING(ceil, ceil(x))
FLOATING(round, rint(x))
LOGICAL(not, x == 0)
TEST(isNan, x != x)
TEST(isFinite, x - x == 0)
#undef FLOATING
#undef NUMERIC
#undef LOGICAL
#undef TEST
