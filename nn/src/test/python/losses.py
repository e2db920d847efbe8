"""Goldens of the losses and of the layers around a recurrence.

Naming: `<group>.<input>` once per group; per case `<case>` is the value and `<case>.d<input>` the
gradient: of the value itself where it is a scalar, of sum(<group>.w * value) where it is a tensor.
"""

import torch
from goldenfile import normal, random_source
from torch.nn import functional as F


def differentiated(tensors, case, function, leaves, w=None):
    """Adds value and gradients of function(*leaves); `leaves` maps short names to tensors."""
    leaves = {name: value.detach().clone().requires_grad_() for name, value in leaves.items()}
    value = function(*leaves.values())
    scalar = value if value.dim() == 0 else (w * value).sum()
    tensors[case] = value
    for name, grad in zip(leaves, torch.autograd.grad(scalar, list(leaves.values()))):
        tensors[f"{case}.d{name}"] = grad


def cross_entropy(name):
    generator = random_source(name)
    rows, classes = 7, 5
    logits = 2 * normal(generator, rows, classes)
    logits[2] *= 400  # far beyond where exp overflows
    logits[3, 1] = -torch.inf
    targets = torch.tensor([0, 4, 2, 3, 1, 2, 0])
    holes = targets.clone()
    holes[[1, 4]] = -100
    class_weight = torch.tensor([0.5, 1.0, 2.0, 0.0, 1.5], dtype=torch.float64)
    finite = logits.clone()
    finite[3, 1] = -3.0
    w = normal(generator, rows)
    none = torch.full((rows,), -100)
    tensors = {
        "ce.x": logits, "ce.finite": finite, "ce.targets": targets, "ce.holes": holes,
        "ce.nothing": none, "ce.w": w, "ce.weight": class_weight,
    }
    for reduction in ("mean", "sum", "none"):
        for key, target in (("all", targets), ("holes", holes)):
            differentiated(tensors, f"ce.{key}.{reduction}",
                lambda x: F.cross_entropy(x, target, reduction=reduction), {"x": logits}, w)
            differentiated(tensors, f"ce.smooth.{key}.{reduction}",
                lambda x: F.cross_entropy(x, target, reduction=reduction, label_smoothing=0.1),
                {"x": finite}, w)
            differentiated(tensors, f"ce.weighted.{key}.{reduction}",
                lambda x: F.cross_entropy(x, target, class_weight, reduction=reduction),
                {"x": logits}, w)
            differentiated(tensors, f"ce.weightedSmooth.{key}.{reduction}",
                lambda x: F.cross_entropy(
                    x, target, class_weight, reduction=reduction, label_smoothing=0.1),
                {"x": finite}, w)
            log_p = F.log_softmax(finite, -1)
            tensors["nll.x"] = log_p
            differentiated(tensors, f"nll.{key}.{reduction}",
                lambda x: F.nll_loss(x, target, reduction=reduction), {"x": log_p}, w)
    differentiated(tensors, "ce.nothing.sum",
        lambda x: F.cross_entropy(x, none, reduction="sum"), {"x": logits})
    # 0/0: PyTorch's mean over no target at all is NaN, not 0.
    tensors["ce.nothing.mean"] = F.cross_entropy(logits, none)

    by_hand = -F.log_softmax(finite, -1)[torch.arange(rows), targets]
    assert torch.allclose(F.cross_entropy(finite, targets), by_hand.mean(), rtol=1e-14)
    smooth = 0.9 * by_hand - 0.1 * F.log_softmax(finite, -1).mean(-1)
    assert torch.allclose(tensors["ce.smooth.all.none"], smooth, rtol=1e-13)
    assert torch.allclose(tensors["ce.smooth.holes.mean"], smooth[holes >= 0].mean(), rtol=1e-13)
    return tensors, {
        "equations": "ce[n] = logsumexp(x[n,:]) - x[n,target]; nll[n] = -x[n,target];"
        " mean divides by the number (with class weights: by the weight) of the targets kept;"
        " a target of -100 is ignored: 0 with reduction none",
        "ce.x": "[rows, classes] logits, one row in the hundreds, one -inf",
        "ce.smooth": "label_smoothing 0.1 on ce.finite: (1-e) ce[n] + e mean over classes of"
        " -log p;",
        "ce.weighted": "class weights ce.weight: ce[n] times weight[target]",
        "ce.weightedSmooth": "both: (1-e) weight[target] ce[n] + e mean over classes of"
        " -weight log p; mean divides by the weight of the targets, not of the classes",
        "gradients": "<case>.dx of the value; reduction none: of sum(ce.w * value)",
    }


def regression(name):
    generator = random_source(name)
    x, y = normal(generator, 4, 3), normal(generator, 4, 3)
    x[0] = y[0] + torch.tensor([0.0, 0.5, -0.7], dtype=torch.float64)  # at 0 and at the joints
    x[1, 1] = y[1, 1] + 1e3
    w = normal(generator, 4, 3)
    tensors = {"x": x, "y": y, "w": w}
    cases = {
        "mse": F.mse_loss,
        "l1": F.l1_loss,
        "smoothL1": lambda a, b, reduction: F.smooth_l1_loss(a, b, reduction=reduction, beta=0.5),
        "huber": lambda a, b, reduction: F.huber_loss(a, b, reduction=reduction, delta=0.7),
    }
    for case, function in cases.items():
        for reduction in ("mean", "sum", "none"):
            differentiated(tensors, f"{case}.{reduction}",
                lambda a, b: function(a, b, reduction=reduction), {"x": x, "y": y}, w)

    d = (x - y).abs()
    huber = torch.where(d <= 0.7, 0.5 * d * d, 0.7 * (d - 0.35))
    assert torch.allclose(tensors["huber.none"], huber, rtol=1e-14)
    smooth = torch.where(d < 0.5, 0.5 * d * d / 0.5, d - 0.25)
    assert torch.allclose(tensors["smoothL1.none"], smooth, rtol=1e-14)
    return tensors, {
        "equations": "d = |x-y|; mse d^2 (no half); l1 d; smoothL1, beta 0.5: d < beta ? d^2/(2"
        " beta)"
        " : d - beta/2; huber, delta 0.7: d <= delta ? d^2/2 : delta (d - delta/2)",
        "gradients": "<case>.dx, .dy of the value; reduction none: of sum(w * value)",
    }


def bce(name):
    generator = random_source(name)
    x = 2 * normal(generator, 4, 3)
    x[0] = torch.tensor([1000.0, -1000.0, 0.0], dtype=torch.float64)
    y = torch.rand((4, 3), generator=generator, dtype=torch.float64)
    y[0] = torch.tensor([0.0, 1.0, 1.0], dtype=torch.float64)
    y[1] = torch.tensor([1.0, 0.0, 0.5], dtype=torch.float64)
    w = normal(generator, 4, 3)
    pos_weight = torch.tensor([0.5, 1.0, 3.0], dtype=torch.float64)
    tensors = {"x": x, "y": y, "w": w, "posWeight": pos_weight}
    for reduction in ("mean", "sum", "none"):
        for case, extra in (("bce", {}), ("bcePosWeight", {"pos_weight": pos_weight})):
            differentiated(tensors, f"{case}.{reduction}",
                lambda a: F.binary_cross_entropy_with_logits(a, y, reduction=reduction, **extra),
                {"x": x}, w)
    hand = -(pos_weight * y * F.logsigmoid(x) + (1 - y) * F.logsigmoid(-x))
    assert torch.allclose(tensors["bcePosWeight.none"], hand, rtol=1e-13)
    return tensors, {
        "equations": "bce = -(p y log s(x) + (1-y) log(1 - s(x))), s = logistic, p = 1 or"
        " posWeight [3]",
        "gradients": "<case>.dx of the value; reduction none: of sum(w * value)",
    }


def layer_norm(name):
    generator = random_source(name)
    x = 3 * normal(generator, 3, 5, 6) + 1
    x[0, 0] = 2.0  # a row of variance 0
    w = normal(generator, 3, 5, 6)
    tensors = {"x": x, "w": w}
    for case, shape in (("last", (6,)), ("lastTwo", (5, 6))):
        gain, bias = normal(generator, *shape), normal(generator, *shape)
        tensors[f"{case}.gain"], tensors[f"{case}.bias"] = gain, bias
        differentiated(tensors, case, lambda a, g, b: F.layer_norm(a, shape, g, b, eps=1e-5),
            {"x": x, "gain": gain, "bias": bias}, w)
        differentiated(tensors, f"{case}.plain", lambda a: F.layer_norm(a, shape), {"x": x}, w)
        axes = tuple(range(-len(shape), 0))
        mean, var = x.mean(axes, keepdim=True), x.var(axes, keepdim=True, unbiased=False)
        hand = (x - mean) / (var + 1e-5).sqrt() * gain + bias
        assert torch.allclose(tensors[case], hand, rtol=1e-12, atol=1e-12)
    return tensors, {
        "equations": "(x - mean) / sqrt(var + eps) * gain + bias, var biased, eps = 1e-5,"
        " over the last axis (last) or the last two (lastTwo); plain: gain 1, bias 0",
        "gradients": "<case>.d<input> of sum(w * value)",
    }


def embedding(name):
    generator = random_source(name)
    table = normal(generator, 7, 4)
    indices = torch.tensor([[3, 0, 3], [6, 3, 0], [1, 1, 1], [5, 6, 0], [3, 2, 5]])
    w = normal(generator, 5, 3, 4)
    tensors = {"table": table, "indices": indices, "w": w}
    differentiated(tensors, "embedding", lambda t: F.embedding(indices, t), {"table": table}, w)
    differentiated(tensors, "padded",
        lambda t: F.embedding(indices, t, padding_idx=0), {"table": table}, w)
    hand = torch.zeros_like(table).index_add(0, indices.flatten(), w.reshape(-1, 4))
    assert torch.allclose(tensors["embedding.dtable"], hand, rtol=1e-14)
    assert tensors["padded.dtable"][0].abs().sum() == 0
    return tensors, {
        "equations": "value[t,n,:] = table[indices[t,n],:]; row 4 is never used, row 1 three"
        " times in one step;"
        " padded: index 0 gives its row but gets no gradient",
        "gradients": "<case>.dtable of sum(w * value)",
    }


GENERATORS = {
    "cross-entropy": cross_entropy,
    "regression-losses": regression,
    "bce-with-logits": bce,
    "layer-norm": layer_norm,
    "embedding": embedding,
}
