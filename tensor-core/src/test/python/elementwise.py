"""Goldens of the elementwise functions at the points where implementations go wrong.

unary-<dtype>:  `x` [n]; per function `<f>` [n] and `<f>.dx` [n], the derivative as autograd has it.
binary-<dtype>: `x` [n]; per function `<f>` [n,n] with [i,j] = f(x[i], x[j]); `<f>.da`, `<f>.db`.

The f32 files hold the f64 result at f32 points, rounded to f32, because PyTorch's own f32 functions
cancel in their tails; its f32 results must agree, exactly as to NaN and infinity.
"""

import math

import torch
from goldenfile import normal, random_source
from torch.nn import functional as F

INF, NAN = math.inf, math.nan
COMMON = [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 100.0, -100.0,
          1e-8, -1e-8, 10.0, -10.0, 30.0, -30.0, 40.0, -40.0]
POINTS = {
    torch.float64: COMMON + [1e-300, -1e-300, 5e-324, -5e-324, 709.0, -709.0, 710.0, -746.0, 800.0,
        -800.0, 1e155, -1e155, 1e300, -1e300, 0.49999999999999994, 4503599627370497.5],
    torch.float32: COMMON + [1e-37, -1e-37, 1e-45, -1e-45, 88.0, -88.0, 89.0, -104.0, 200.0, -200.0,
        1e20, -1e20, 9e37, -9e37, 0.49999997, 8388607.5],
}
PAIRS = {
    torch.float64: [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 3.0, -3.0, 2.5, -2.5,
        100.0, -700.0, 1e-300, -1e-290, 1e300, -1e300],
    torch.float32: [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 3.0, -3.0, 2.5, -2.5,
        50.0, -80.0, 1e-37, -1e-30, 3e38, -3e38],
}

UNARY = {
    "neg": torch.neg, "abs": torch.abs, "sign": torch.sign, "square": torch.square,
    "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "reciprocal": torch.reciprocal,
    "exp": torch.exp, "expm1": torch.expm1, "log": torch.log, "log1p": torch.log1p,
    "sin": torch.sin, "cos": torch.cos, "tan": torch.tan, "tanh": torch.tanh,
    "sigmoid": torch.sigmoid, "relu": torch.relu, "leakyRelu": F.leaky_relu, "elu": F.elu,
    "softplus": F.softplus, "silu": F.silu, "gelu": F.gelu, "erf": torch.erf,
    "floor": torch.floor, "ceil": torch.ceil, "round": torch.round,
    "clamp": lambda x: torch.clamp(x, -1.0, 1.0),
}
PREDICATES = {"isNan": torch.isnan, "isInf": torch.isinf, "isFinite": torch.isfinite}
BINARY = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow,
    "max": torch.maximum, "min": torch.minimum,
}
COMPARISONS = {
    "eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge,
}


def derived(function, *operands):
    leaves = [operand.clone().requires_grad_() for operand in operands]
    value = function(*leaves)
    return value, torch.autograd.grad(value.sum(), leaves)


def reference(case, function, *operands):
    """Value and derivatives in f64, rounded to the dtype of the operands, and held against it."""
    dtype = operands[0].dtype
    value, gradients = derived(function, *operands)
    wide, wide_gradients = derived(function, *(operand.double() for operand in operands))
    rounded = [t.detach().to(dtype) for t in (wide, *wide_gradients)]
    for exact, native in zip(rounded, (value.detach(), *gradients)):
        # An f32 derivative may overflow or vanish halfway where the whole does not.
        torch.testing.assert_close(native, exact, rtol=2e-5, atol=1e-6, equal_nan=True,
            msg=lambda m: f"{case}: {m}")
    return rounded


def one_by_one(case, function, x, value):
    """Point by point PyTorch takes its scalar path: special values must not depend on the path."""
    alone = torch.stack([function(point.reshape(1))[0] for point in x.double()])
    torch.testing.assert_close(alone.to(x.dtype), value, rtol=1e-14, atol=0.0, equal_nan=True,
        msg=lambda m: f"{case}: {m}")


def against_python(case, function, points, values, dtype):
    """Where Python's own libm has the function, defined at the point, it must say the same."""
    tolerance = 1e-14 if dtype == torch.float64 else 1e-7
    for point, value in zip(points, values.flatten().tolist()):
        try:
            expected = function(*point)
        except (ValueError, OverflowError):
            continue
        expected = torch.tensor(expected, dtype=torch.float64).to(dtype).item()
        same = math.isclose(value, expected, rel_tol=tolerance, abs_tol=5e-324)
        assert same or (math.isnan(value) and math.isnan(expected)), (case, point, value, expected)


LIBM = {"exp": math.exp, "log1p": math.log1p, "tanh": math.tanh, "erf": math.erf, "sin": math.sin,
        "tan": math.tan, "pow": math.pow}
PRECISION = (
    "functions and their derivatives are good to a few ulp, but where PyTorch subtracts nearly"
    " equal"
    " numbers only to 1e-16 absolute: gelu and the derivatives of expm1, sigmoid, gelu in the tails"
)


def unary(dtype):
    def generate(name):
        generator = random_source(name)
        x = torch.cat([torch.tensor(POINTS[dtype], dtype=dtype),
                       2 * normal(generator, 24).to(dtype)])
        tensors = {"x": x}
        for case, function in UNARY.items():
            tensors[case], tensors[case + ".dx"] = reference(case, function, x)
            one_by_one(case, function, x, tensors[case])
            if case in LIBM:
                against_python(case, LIBM[case], [(p,) for p in x.tolist()], tensors[case], dtype)
        for case, function in PREDICATES.items():
            tensors[case] = function(x)
        return tensors, {
            "meaning": "x [n]; <f> [n] values; <f>.dx [n] derivatives as autograd computes them",
            "parameters": "leakyRelu slope 0.01; elu alpha 1; gelu x/2 (1 + erf(x/sqrt 2));"
            " round half to even; clamp to [-1, 1], derivative 1 at the bounds;"
            " softplus log(1 + exp x), by PyTorch replaced by x above 20",
            "conventions": "at 0: derivative 0 for abs, sign and relu, the slope for leakyRelu;"
            " sign(NaN) = 0;"
            " a derivative at NaN is whatever PyTorch's rule leaves (abs 0, clamp 0, relu 1,"
            " leakyRelu"
            " the slope), and one outside the domain whatever its formula gives (log.dx = 1/x)",
            "precision": PRECISION,
        }

    return generate


def binary(dtype):
    def generate(name):
        x = torch.tensor(PAIRS[dtype], dtype=dtype)
        n = len(x)
        a, b = x[:, None].expand(n, n), x[None, :].expand(n, n)
        tensors = {"x": x}
        for case, function in BINARY.items():
            keys = case, case + ".da", case + ".db"
            tensors.update(zip(keys, reference(case, function, a, b)))
        for case, function in COMPARISONS.items():
            tensors[case] = function(a, b)
        pairs = [(p, q) for p in x.tolist() for q in x.tolist()]
        against_python("pow", math.pow, pairs, tensors["pow"], dtype)
        return tensors, {
            "meaning": "x [n]; <f> [n,n] with [i,j] = f(x[i], x[j]); <f>.da, <f>.db [n,n]"
            " derivatives"
            " by the first and the second operand as autograd computes them",
            "conventions": "max and min give NaN for a NaN operand, and half the gradient to"
            " each of two"
            " equal operands; beside a NaN both operands get the whole; pow(x, 0) = pow(1, x) = 1;"
            " d pow/db is 0 at base 0 with exponent >= 0",
            "precision": PRECISION,
        }

    return generate


GENERATORS = {
    "unary-f64": unary(torch.float64),
    "unary-f32": unary(torch.float32),
    "binary-f64": binary(torch.float64),
    "binary-f32": binary(torch.float32),
}
