"""A recurrent golden: outputs, the gradients of a fixed loss, and two kinds of second derivatives.

loss      = Σ over outputs k of Σ w.k ⊙ k, with random fixed weights w.k
grad.p    = ∂loss/∂p for every input p: the sequence x, the initial state, the weights
hvp.p     = Σ over inputs q of ∂²loss/∂p∂q · v.q, for one random direction v
penalty   = ½ Σ over inputs q of |grad.q|², a gradient penalty
penalty.p = ∂penalty/∂p

What autograd says is compared with central differences before it is believed.
"""

import torch
from goldenfile import normal

LOSS = "loss = sum over outputs k of sum(w.k * k); grad.p = dloss/dp; hvp.p = (Hessian of loss) v;"
LOSS += " penalty = half the sum of the squares of all grad; penalty.p = dpenalty/dp"


def total(outputs, weights):
    return sum((weights[name] * outputs[name]).sum() for name in weights)


def gradients(model, inputs, weights, create_graph=False):
    """∂loss/∂p for every input, and the loss. Zero where the loss does not depend on p."""
    leaves = {name: value.detach().clone().requires_grad_() for name, value in inputs.items()}
    loss = total(model(leaves), weights)
    grads = torch.autograd.grad(
        loss, list(leaves.values()), create_graph=create_graph, allow_unused=True
    )
    grads = [torch.zeros_like(p) if g is None else g for g, p in zip(grads, leaves.values())]
    return loss, leaves, dict(zip(leaves, grads))


def by_name(leaves, scalar, retain_graph=False):
    """The gradient of a scalar by every leaf, zero where it does not depend on it."""
    grads = torch.autograd.grad(
        scalar, list(leaves.values()), allow_unused=True, retain_graph=retain_graph
    )
    return {
        name: torch.zeros_like(leaves[name]) if g is None else g for name, g in zip(leaves, grads)
    }


def moved(inputs, direction, distance):
    return {name: value + distance * direction[name] for name, value in inputs.items()}


def close(a, b, tolerance, what):
    error = (a - b).abs().max().item()
    scale = max(1.0, b.abs().max().item())
    assert error <= tolerance * scale, f"{what}: differs by {error:.3g} at scale {scale:.3g}"


def prove(generator, inputs, model, loss_outputs):
    """The tensors of a golden. `model` maps named inputs to named outputs."""
    outputs = model(inputs)
    weights = {name: normal(generator, *outputs[name].shape) for name in loss_outputs}
    direction = {name: normal(generator, *value.shape) for name, value in inputs.items()}

    loss, leaves, grads = gradients(model, inputs, weights, create_graph=True)
    slope = sum((grads[name] * direction[name]).sum() for name in inputs)
    hvp = by_name(leaves, slope, retain_graph=True)
    penalty = sum(g.square().sum() for g in grads.values()) / 2
    penalised = by_name(leaves, penalty)

    step = 1e-6
    ahead, _, grads_ahead = gradients(model, moved(inputs, direction, step), weights)
    behind, _, grads_behind = gradients(model, moved(inputs, direction, -step), weights)
    close(slope, (ahead - behind) / (2 * step), 1e-7, "slope along v")
    for name in inputs:
        difference = (grads_ahead[name] - grads_behind[name]) / (2 * step)
        close(hvp[name], difference, 1e-7, f"hvp.{name}")
    along = sum((penalised[name] * direction[name]).sum() for name in inputs)
    sides = (grads_ahead, grads_behind)
    penalties = (sum(g.square().sum() for g in side.values()) / 2 for side in sides)
    close(along, torch.sub(*penalties) / (2 * step), 1e-6, "slope of the penalty along v")

    tensors = {**inputs, **outputs, "loss": loss, "penalty": penalty}
    tensors.update({f"w.{name}": value for name, value in weights.items()})
    tensors.update({f"v.{name}": value for name, value in direction.items()})
    tensors.update({f"grad.{name}": value for name, value in grads.items()})
    tensors.update({f"hvp.{name}": value for name, value in hvp.items()})
    tensors.update({f"penalty.{name}": value for name, value in penalised.items()})
    return tensors


def agree(inputs, one, other, outputs, what, tolerance=1e-12):
    """Two models of the same inputs: equal outputs and equal gradients."""
    weights = {name: torch.ones_like(one(inputs)[name]).cumsum(0) for name in outputs}
    a, b = one(inputs), other(inputs)
    for name in outputs:
        close(a[name], b[name], tolerance, f"{what}: {name}")
    _, _, da = gradients(one, inputs, weights)
    _, _, db = gradients(other, inputs, weights)
    for name in inputs:
        close(da[name], db[name], tolerance, f"{what}: gradient of {name}")
