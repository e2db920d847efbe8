"""Goldens of the optimisers, the learning-rate schedules and gradient clipping."""

import math

import torch
from goldenfile import normal, random_source

STEPS = 8  # RAdam with beta2 = 0.999 leaves its warm-up at step 6
OPTIMISERS = {
    "sgd": (torch.optim.SGD, dict(lr=0.1)),
    "sgd.momentum": (torch.optim.SGD, dict(lr=0.1, momentum=0.9)),
    "sgd.dampening": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, dampening=0.4)),
    "sgd.nesterov": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, nesterov=True)),
    "sgd.weightDecay": (torch.optim.SGD, dict(lr=0.1, weight_decay=0.05)),
    "sgd.momentum.weightDecay": (
        torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.05)),
    "adagrad": (torch.optim.Adagrad, dict(lr=0.1)),
    "adagrad.all": (torch.optim.Adagrad, dict(
        lr=0.1, lr_decay=0.2, weight_decay=0.05, initial_accumulator_value=0.3, eps=1e-6)),
    "adadelta": (torch.optim.Adadelta, dict(lr=1.0, rho=0.9, eps=1e-6)),
    "adadelta.weightDecay": (
        torch.optim.Adadelta, dict(lr=0.5, rho=0.8, eps=1e-4, weight_decay=0.05)),
    "rmsprop": (torch.optim.RMSprop, dict(lr=0.01, alpha=0.99, eps=1e-8)),
    "rmsprop.centered": (torch.optim.RMSprop, dict(lr=0.01, alpha=0.9, centered=True)),
    "rmsprop.momentum": (torch.optim.RMSprop, dict(lr=0.01, alpha=0.9, momentum=0.8)),
    "rmsprop.all": (torch.optim.RMSprop, dict(
        lr=0.01, alpha=0.9, momentum=0.8, centered=True, weight_decay=0.05)),
    "adam": (torch.optim.Adam, dict(lr=0.01, betas=(0.9, 0.999), eps=1e-8)),
    "adam.amsgrad": (torch.optim.Adam, dict(lr=0.01, betas=(0.8, 0.6), amsgrad=True)),
    "adam.weightDecay": (torch.optim.Adam, dict(lr=0.01, weight_decay=0.05)),
    "adamw": (torch.optim.AdamW, dict(lr=0.01, weight_decay=0.1)),
    "adamw.amsgrad": (
        torch.optim.AdamW, dict(lr=0.01, betas=(0.8, 0.6), weight_decay=0.1, amsgrad=True)),
    "nadam": (torch.optim.NAdam, dict(lr=0.01, betas=(0.9, 0.999), momentum_decay=4e-3)),
    "nadam.weightDecay": (torch.optim.NAdam, dict(lr=0.01, weight_decay=0.05)),
    "radam": (torch.optim.RAdam, dict(lr=0.01, betas=(0.9, 0.999))),
    "radam.weightDecay": (torch.optim.RAdam, dict(lr=0.01, betas=(0.9, 0.9), weight_decay=0.05)),
}


def run(kind, options, start, gradients):
    parameter = torch.nn.Parameter(start.clone())
    optimiser = kind([parameter], **options)
    trajectory = []
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimiser.step()
        trajectory.append(parameter.detach().clone())
    return torch.stack(trajectory)


def adam_by_hand(start, gradients, lr, beta1, beta2, eps, decoupled):
    p, m, v = start.clone(), torch.zeros_like(start), torch.zeros_like(start)
    for t, g in enumerate(gradients, 1):
        p = p - lr * decoupled * p
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        p = p - lr * (m / (1 - beta1**t)) / ((v / (1 - beta2**t)).sqrt() + eps)
    return p


def nadam_by_hand(start, gradients, options, twice):
    """NAdam in f64. `twice` repeats a slip of PyTorch 1.13, whose product of the momenta up to the
    next step counts this step's momentum twice; PyTorch 2 counts it once, and so do the goldens."""
    lr, (beta1, beta2), psi = options["lr"], options["betas"], options["momentum_decay"]
    p, m, v, product = start.clone(), torch.zeros_like(start), torch.zeros_like(start), 1.0
    trajectory = []
    for t, g in enumerate(gradients, 1):
        g = g + options["weight_decay"] * p
        now, following = (beta1 * (1 - 0.5 * 0.96 ** (k * psi)) for k in (t, t + 1))
        product *= now
        ahead = product * following * (now if twice else 1)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        denominator = (v / (1 - beta2**t)).sqrt() + options["eps"]
        p = p - lr * (1 - now) / (1 - product) * g / denominator
        p = p - lr * following / (1 - ahead) * m / denominator
        trajectory.append(p)
    return torch.stack(trajectory)


def optimisers(name):
    generator = random_source(name)
    start = normal(generator, 3, 4)
    gradients = normal(generator, STEPS, 3, 4)
    gradients[:, 0, 0] = 0  # never a gradient: eps is all there is in the denominator
    gradients[3] = 0
    gradients[:, 2] *= 1e3
    gradients[:, 1, 1] *= 1e-6
    tensors = {"start": start, "gradients": gradients}
    metadata = {
        "meaning": "<case> [8,3,4]: the parameter after each of 8 steps from start [3,4],"
        " step k with gradients[k]; PyTorch's formulas and defaults, the hyper-parameters below",
        "nadam and nadam.weightDecay": "by hand in f64, as PyTorch 2 has it: PyTorch 1.13, with"
        " which the hand agrees when it does the same, counts one momentum twice",
    }
    for case, (kind, options) in OPTIMISERS.items():
        tensors[case] = run(kind, options, start, gradients)
        used = kind([torch.nn.Parameter(start.clone())], **options).defaults
        if kind is torch.optim.NAdam:
            # PyTorch keeps the product in f32: hence not closer.
            slip = torch.__version__.startswith("1.")
            hand = nadam_by_hand(start, gradients, used, twice=slip)
            assert torch.allclose(tensors[case], hand, rtol=1e-8, atol=1e-8), case
            tensors[case] = nadam_by_hand(start, gradients, used, twice=False)
        hidden = ("foreach", "maximize", "capturable", "differentiable", "fused")
        metadata[case] = kind.__name__ + " " + " ".join(
            f"{key}={value}" for key, value in used.items() if key not in hidden)
    for case, decay in (("adam", 0.0), ("adamw", 0.1)):
        hand = adam_by_hand(start, gradients, 0.01, 0.9, 0.999, 1e-8, decay)
        assert torch.allclose(tensors[case][-1], hand, rtol=1e-13), case
    assert not torch.equal(tensors["radam"][4], tensors["sgd"][4])
    return tensors, metadata


LENGTH = 20
METRIC = [1.0, 0.9, 0.9, 0.95, 0.89999, 0.91, 0.92, 0.93, 0.5, 0.6,
          0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]


def schedules(name):
    s = torch.optim.lr_scheduler
    cases = {
        "step": (s.StepLR, dict(step_size=6, gamma=0.5)),
        "multiStep": (s.MultiStepLR, dict(milestones=[3, 9, 10], gamma=0.1)),
        "exponential": (s.ExponentialLR, dict(gamma=0.9)),
        "cosine": (s.CosineAnnealingLR, dict(T_max=20, eta_min=0.01)),
        "cosine.beyond": (s.CosineAnnealingLR, dict(T_max=8, eta_min=0.0)),
        "linear": (s.LinearLR, dict(start_factor=0.1, end_factor=1.0, total_iters=8)),
        "linear.down": (s.LinearLR, dict(start_factor=1.0, end_factor=0.25, total_iters=15)),
        "lambda.halvedAfter4": (s.LambdaLR, dict(lr_lambda=lambda k: 0.5 ** max(0, k - 3))),
    }
    plateaus = {
        "plateau": dict(factor=0.5, patience=2, cooldown=0, min_lr=0.05),
        "plateau.cooldown": dict(factor=0.1, patience=1, cooldown=3),
        "plateau.max.abs": dict(
            mode="max", factor=0.5, patience=1, threshold=0.05, threshold_mode="abs"),
    }
    lr = 0.8
    metadata = {
        "meaning": "<case> [20]: the learning rate of epochs 0..19, base rate 0.8; schedules count"
        " epochs from 0. plateau.*: the rate after it has seen metric[k]"
    }
    tensors = {"metric": torch.tensor(METRIC, dtype=torch.float64)}

    def optimiser():
        return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)

    def vector(values):
        return torch.tensor(values, dtype=torch.float64)

    def spelled(options):
        return " ".join(f"{k}={v}" for k, v in options.items() if not callable(v))

    for case, (kind, options) in cases.items():
        o = optimiser()
        schedule = kind(o, **options)
        rates = []
        for _ in range(LENGTH):
            rates.append(o.param_groups[0]["lr"])
            o.step()
            schedule.step()
        tensors[case] = vector(rates)
        metadata[case] = f"{kind.__name__} {spelled(options)}".strip()
    metadata["lambda.halvedAfter4"] = "LambdaLR factor = 0.5 ^ max(0, epoch - 3)"
    for case, options in plateaus.items():
        o = optimiser()
        schedule = s.ReduceLROnPlateau(o, **options)
        rates = []
        for value in METRIC:
            schedule.step(value)
            rates.append(o.param_groups[0]["lr"])
        tensors[case] = vector(rates)
        metadata[case] = (
            f"ReduceLROnPlateau {spelled(options)}; mode=min patience=10 threshold=1e-4 rel,"
            " a change below 1e-8 is not made, where not said otherwise")

    for case, end, low in (("cosine", 20, 0.01), ("cosine.beyond", 8, 0.0)):
        closed = [low + (lr - low) * (1 + math.cos(math.pi * k / end)) / 2 for k in range(LENGTH)]
        assert torch.allclose(tensors[case], vector(closed), rtol=1e-12, atol=1e-14), case
    warm = [lr * (0.1 + 0.9 * min(k, 8) / 8) for k in range(LENGTH)]
    assert torch.allclose(tensors["linear"], vector(warm), rtol=1e-12)
    return tensors, metadata


def clipping(name):
    generator = random_source(name)
    shapes = {"a": (3, 4), "b": (5,), "c": ()}
    gradients = {key: normal(generator, *shape) for key, shape in shapes.items()}
    tensors = {f"grad.{key}": value for key, value in gradients.items()}

    def clipped(case, clip):
        parameters = []
        for value in gradients.values():
            parameter = torch.nn.Parameter(torch.zeros_like(value))
            parameter.grad = value.clone()
            parameters.append(parameter)
        result = clip(parameters)
        if result is not None:
            tensors[f"{case}.norm"] = result
        for key, parameter in zip(gradients, parameters):
            tensors[f"{case}.{key}"] = parameter.grad

    by_norm = torch.nn.utils.clip_grad_norm_
    clipped("norm.small", lambda p: by_norm(p, 0.5))
    clipped("norm.large", lambda p: by_norm(p, 50.0))
    clipped("norm.one", lambda p: by_norm(p, 0.5, norm_type=1.0))
    clipped("norm.inf", lambda p: by_norm(p, 0.5, norm_type=math.inf))
    clipped("value", lambda p: torch.nn.utils.clip_grad_value_(p, 0.4))
    whole = torch.cat([g.flatten() for g in gradients.values()]).norm()
    assert torch.allclose(tensors["norm.small.norm"], whole, rtol=1e-14)
    factor = 0.5 / (whole + 1e-6)
    assert torch.allclose(tensors["norm.small.a"], gradients["a"] * factor, rtol=1e-14)
    return tensors, {
        "equations": "by norm: n = p-norm of all gradients together, g *= min(1, max_norm / (n +"
        " 1e-6));"
        " by value: g clamped to [-0.4, 0.4]",
        "cases": "norm.small max_norm 0.5 p 2; norm.large max_norm 50 p 2; norm.one max_norm 0.5"
        " p 1;"
        " norm.inf max_norm 0.5 p inf; <case>.norm is n, before clipping",
    }


GENERATORS = {"optimisers": optimisers, "schedules": schedules, "clipping": clipping}
