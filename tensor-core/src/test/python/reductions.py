"""Goldens of reductions, softmax, cumulative sum, sort and top-k, with NaN, infinities and ties.

`x` holds one situation per row, named in the metadata; `<f>` is over the last axis, `<f>.dx` is the
gradient of sum(w * value) with a fixed random w. Cases named `axes.*` are of the finite `cube`.
"""

import math

import torch
from goldenfile import normal, random_source

INF, NAN = math.inf, math.nan
ROWS = {
    "plain": [0.3, -1.2, 2.0, 0.7, -0.1],
    "descending": [5.0, 4.0, 3.0, 2.0, 1.0],
    "oneZero": [2.0, 0.0, -3.0, 0.5, 1.5],
    "twoZeros": [2.0, 0.0, -3.0, 0.0, 1.5],
    "allZero": [0.0, 0.0, 0.0, 0.0, 0.0],
    "signedZeros": [0.0, -0.0, 1.0, -0.0, 0.0],
    "ties": [1.0, 3.0, -2.0, 3.0, -2.0],
    "allEqual": [1.5, 1.5, 1.5, 1.5, 1.5],
    "nan": [1.0, NAN, 3.0, -1.0, 0.5],
    "twoNan": [NAN, 2.0, NAN, 1.0, 0.25],
    "inf": [1.0, INF, -2.0, 0.5, 4.0],
    "minusInf": [1.0, -INF, -2.0, 0.5, 4.0],
    "bothInf": [INF, 1.0, -INF, 2.0, 3.0],
    "allMinusInf": [-INF, -INF, -INF, -INF, -INF],
    "nanAndInf": [INF, NAN, 1.0, -INF, 2.0],
    "hundreds": [1000.0, 999.0, -1000.0, 998.5, 0.0],
    "farBelow": [-1000.0, -1001.0, -1002.0, -1000.5, -1003.0],
    "enormous": [1e150, -1e150, 1e140, 5e149, -3.0],
}
REDUCTIONS = {
    "sum": lambda x, a, k: x.sum(a, k),
    "mean": lambda x, a, k: x.mean(a, k),
    "max": lambda x, a, k: x.amax(a, k),
    "min": lambda x, a, k: x.amin(a, k),
    "logsumexp": lambda x, a, k: x.logsumexp(a, k),
    "variance": lambda x, a, k: x.var(a, unbiased=True, keepdim=k),
    "variance.biased": lambda x, a, k: x.var(a, unbiased=False, keepdim=k),
    "norm": lambda x, a, k: x.norm(2, a, k),
    "norm.one": lambda x, a, k: x.norm(1, a, k),
}
CONVENTIONS = (
    "max and min give NaN where there is one, and split the gradient evenly over ties; norm has"
    " gradient 0 at 0; argmax and argmin give the first of equals, and the first NaN; logsumexp and"
    " softmax of all -inf: -inf and NaN; sorting puts NaN last ascending and first descending, is"
    " stable, and takes 0 and -0 for equal. Values are specification everywhere; gradients of"
    " rows with"
    " NaN or an infinity are what PyTorch's rules leave (inf/inf, 0 times NaN), for information"
)


def rows():
    return torch.tensor(list(ROWS.values()), dtype=torch.float64)


def metadata(meaning):
    return {"meaning": meaning, "rows": " ".join(ROWS), "conventions": CONVENTIONS}


def differentiated(tensors, case, function, x, w):
    x = x.detach().clone().requires_grad_()
    value = function(x)
    (tensors[case + ".dx"],) = torch.autograd.grad((w * value).sum(), x)
    tensors[case] = value


def reductions(name):
    generator = random_source(name)
    x = rows()
    w = normal(generator, len(x)).abs() + 0.5
    cube = normal(generator, 2, 3, 4)
    tensors = {"x": x, "w": w, "cube": cube}
    for case, function in REDUCTIONS.items():
        differentiated(tensors, case, lambda v: function(v, -1, False), x, w)
        for axes in ((0,), (1,), (0, 2), (0, 1, 2)):
            spelled = "".join(map(str, axes))
            shape = function(cube, axes, True).shape
            over = normal(generator, *shape)
            tensors[f"axes.{case}.{spelled}.w"] = over
            differentiated(
                tensors, f"axes.{case}.{spelled}", lambda v: function(v, axes, True), cube, over)
    differentiated(tensors, "prod", lambda v: v.prod(-1), x, w)
    tensors["argmax"], tensors["argmin"] = x.argmax(-1), x.argmin(-1)
    tensors["any"], tensors["all"] = x.bool().any(-1), x.bool().all(-1)

    empty = torch.zeros(3, 0, dtype=torch.float64)
    tensors["empty.sum"], tensors["empty.prod"] = empty.sum(-1), empty.prod(-1)
    tensors["empty.mean"], tensors["empty.logsumexp"] = empty.mean(-1), empty.logsumexp(-1)
    tensors["empty.norm"] = empty.norm(2, -1)

    at = list(ROWS).index
    assert tensors["prod.dx"][at("oneZero")].nonzero().tolist() == [[1]]
    assert tensors["prod.dx"][at("twoZeros")].abs().sum() == 0
    half = w[at("ties")] / 2
    assert tensors["max.dx"][at("ties")].tolist() == [0, half, 0, half, 0]
    assert tensors["norm.dx"][at("allZero")].abs().sum() == 0
    assert tensors["argmax"][at("ties")] == 1 and tensors["argmin"][at("ties")] == 2
    assert tensors["argmax"][at("twoNan")] == 0 and tensors["argmin"][at("nan")] == 1
    assert tensors["logsumexp"][at("allMinusInf")] == -INF
    assert math.isclose(tensors["logsumexp"][at("hundreds")], 1000 + math.log(
        1 + math.exp(-1) + math.exp(-1.5)), rel_tol=1e-15)
    return tensors, metadata(
        "x [rows,5], w [rows]: <f> [rows] over the last axis; axes.<f>.<axes> of cube [2,3,4]"
        " over those"
        " axes, kept with size 1, with its own w; empty.<f> [3] over the last axis of a [3,0]")


def softmax(name):
    generator = random_source(name)
    x = rows()
    w = normal(generator, *x.shape)
    cube = 3 * normal(generator, 2, 3, 4)
    over = normal(generator, 2, 3, 4)
    tensors = {"x": x, "w": w, "cube": cube, "cube.w": over}
    for case, function in (("softmax", torch.softmax), ("logSoftmax", torch.log_softmax)):
        differentiated(tensors, case, lambda v: function(v, -1), x, w)
        differentiated(tensors, f"axes.{case}.1", lambda v: function(v, 1), cube, over)
    finite = x.isfinite().all(-1)
    assert torch.allclose(tensors["softmax"][finite].sum(-1), torch.ones((), dtype=torch.float64))
    assert torch.allclose(tensors["logSoftmax"].exp(), tensors["softmax"], equal_nan=True)
    return tensors, metadata(
        "x, w [rows,5]: <f> [rows,5] over the last axis; axes.<f>.1 over axis 1 of cube, with"
        " cube.w")


def cumulative(name):
    generator = random_source(name)
    x = rows()
    w = normal(generator, *x.shape)
    cube, over = normal(generator, 2, 3, 4), normal(generator, 2, 3, 4)
    tensors = {"x": x, "w": w, "cube": cube, "cube.w": over}
    differentiated(tensors, "cumsum", lambda v: v.cumsum(-1), x, w)
    for axis in range(3):
        differentiated(tensors, f"axes.cumsum.{axis}", lambda v: v.cumsum(axis), cube, over)
    return tensors, metadata(
        "x, w [rows,5]: cumsum [rows,5] along the last axis; axes.cumsum.<axis> of cube, with"
        " cube.w")


def ordering(name):
    generator = random_source(name)
    x = rows()
    w = normal(generator, *x.shape)
    tensors = {"x": x, "w": w}
    for case, descending in (("ascending", False), ("descending", True)):
        values, indices = torch.sort(x, dim=-1, descending=descending, stable=True)
        tensors[case + ".indices"] = indices
        differentiated(tensors, case, lambda v: v.gather(-1, indices), x, w)
        assert torch.equal(tensors[case].nan_to_num(9e9), values.nan_to_num(9e9))
        tensors[f"topk.{case}"] = torch.topk(x, 3, -1, largest=descending)[0]
        same = tensors[f"topk.{case}"], values[:, :3]
        torch.testing.assert_close(*same, rtol=0, atol=0, equal_nan=True)
    cube = normal(generator, 2, 4, 3)
    over = normal(generator, 2, 2, 3)
    tensors["cube"], tensors["cube.w"] = cube, over
    tensors["axes.topk.1.indices"] = cube.topk(2, 1)[1]
    differentiated(tensors, "axes.topk.1", lambda v: v.topk(2, 1)[0], cube, over)
    return tensors, metadata(
        "x, w [rows,5]: ascending, descending [rows,5] sorted along the last axis, .indices"
        " where each"
        " came from; topk.descending the 3 largest, topk.ascending the 3 smallest, in that order;"
        " axes.topk.1 the 2 largest along axis 1 of cube, with cube.w")


GENERATORS = {
    "reductions": reductions, "softmax": softmax, "cumsum": cumulative, "ordering": ordering,
}
