"""Goldens of the cells PyTorch does not have, from the loops of cells.py.

Each is tied to something known before it is written: peepholes to each other by diagonal
matrices and to the plain LSTM by zeros, the coupled gates to the LSTM with f = 1-i, reset-before
to reset-after with r = 1, Jordan to Elman with an identity readout, the leaky unit to Elman at
τ = 1.
"""

import cells
import torch
from goldenfile import normal, random_source, uniform
from proofs import LOSS, agree, close, prove
from recurrent import D, H, LAYOUT, N, T

O = 2  # the width of Jordan's output


def looped(step, states=("h",), output="y"):
    def run(p):
        y, final = cells.scan(step, p, p["x"], tuple(p[s + "0"] for s in states))
        return {output: y, **{s + "N": value for s, value in zip(states, final)}}

    return run


def inputs_of(generator, gates, states=("h",), **extra):
    p = {
        "x": normal(generator, T, N, D),
        "wx": uniform(generator, 0.8, D, gates * H),
        "wh": uniform(generator, 0.8, H, gates * H),
        "b": uniform(generator, 0.8, gates * H),
    }
    p.update({name: uniform(generator, 0.8, *shape) for name, shape in extra.items()})
    p.update({s + "0": normal(generator, N, H) for s in states})
    return p


def written(generator, inputs, model, states, equations):
    tensors = prove(generator, inputs, model, ["y"] + [s + "N" for s in states])
    return tensors, {
        "source": "a loop of PyTorch operations",
        "equations": equations,
        "layout": LAYOUT,
        "derivatives": LOSS,
    }


def replaced(model, change):
    return lambda p: model({**p, **change(p)})


LSTM_STATE = ("h", "c")


def peephole_matrix(name):
    generator = random_source(name)
    square = (H, H)
    inputs = inputs_of(generator, 4, LSTM_STATE, wci=square, wcf=square, wco=square)
    model = looped(cells.lstm_peephole_matrix, LSTM_STATE)
    without = replaced(model, lambda p: {k: 0 * p[k] for k in ("wci", "wcf", "wco")})
    agree(inputs, without, looped(cells.lstm, LSTM_STATE), ["y", "hN", "cN"], name)
    return written(generator, inputs, model, LSTM_STATE,
        "(i f g o) = x wx + h' wh + b; i += c' wci; f += c' wcf; c = s(f) c' + s(i) tanh(g);"
        " o += c wco (the new c); h = s(o) tanh(c); wci wcf wco [H,H]")


def peephole_diagonal(name):
    generator = random_source(name)
    inputs = inputs_of(generator, 4, LSTM_STATE, pi=(H,), pf=(H,), po=(H,))
    model = looped(cells.lstm_peephole_diagonal, LSTM_STATE)
    matrix = replaced(
        looped(cells.lstm_peephole_matrix, LSTM_STATE),
        lambda p: {"wci": p["pi"].diag(), "wcf": p["pf"].diag(), "wco": p["po"].diag()},
    )
    agree(inputs, model, matrix, ["y", "hN", "cN"], name)
    return written(generator, inputs, model, LSTM_STATE,
        "(i f g o) = x wx + h' wh + b; i += pi * c'; f += pf * c'; c = s(f) c' + s(i) tanh(g);"
        " o += po * c (the new c); h = s(o) tanh(c); pi pf po [H]")


def coupled(name):
    generator = random_source(name)
    inputs = inputs_of(generator, 3, LSTM_STATE)
    model = looped(cells.lstm_coupled, LSTM_STATE)

    def with_forget(p):
        def gates(w):
            i, g, o = w.chunk(3, -1)
            return torch.cat([i, -i, g, o], -1)

        return {k: gates(p[k]) for k in ("wx", "wh", "b")}

    whole = replaced(looped(cells.lstm, LSTM_STATE), with_forget)
    agree(inputs, model, whole, ["y", "hN", "cN"], name)
    return written(generator, inputs, model, LSTM_STATE,
        "(i g o) = x wx + h' wh + b; c = (1 - s(i)) c' + s(i) tanh(g); h = s(o) tanh(c);"
        " wx [D,3H], wh [H,3H], b [3H], gate order i g o")


def gru_reset_before(name):
    generator = random_source(name)
    inputs = inputs_of(generator, 3)
    model = looped(cells.gru_reset_before)

    def open_reset(p):
        return {
            "b": torch.cat([0 * p["b"][:H] + 1e3, p["b"][H:]]),
            "bh": torch.zeros(H, dtype=torch.float64),
        }

    agree(inputs, replaced(model, open_reset),
        replaced(looped(cells.gru_reset_after), open_reset), ["y", "hN"], name)
    # r = 1 cannot see on which side of the matrix the reset stands: n, z, r once more, by indices.
    def spelled_out(p, x, state):
        (h,) = state
        gates = torch.einsum("nd,dg->ng", x, p["wx"]) + p["b"]
        inner = torch.einsum("nk,kg->ng", h, p["wh"])
        r = 1 / (1 + torch.exp(-(gates + inner)[:, :H]))
        z = 1 / (1 + torch.exp(-(gates + inner)[:, H : 2 * H]))
        n = gates[:, 2 * H :] + torch.einsum("nk,nk,kh->nh", r, h, p["wh"][:, 2 * H :])
        h = h * z + n.tanh() * (1 - z)
        return h, (h,)

    agree(inputs, model, looped(spelled_out), ["y", "hN"], name)
    return written(generator, inputs, model, ("h",),
        "r = s(x wxr + h' whr + br); z = s(x wxz + h' whz + bz);"
        " n = tanh(x wxn + (r * h') whn + bn); h = z h' + (1-z) n; reset before;"
        " wx [D,3H], wh [H,3H], b [3H], gate order r z n")


def leaky(name):
    generator = random_source(name)
    inputs = inputs_of(generator, 1)
    at_one = looped(lambda p, x, s: cells.leaky(p, x, s, tau=1.0))
    agree(inputs, at_one, looped(cells.elman), ["y", "hN"], name)
    return written(generator, inputs, looped(cells.leaky), ("h",),
        "h = (1 - 1/tau) h' + (1/tau) tanh(x wx + h' wh + b); tau = 3")


def jordan(function, spelling):
    def generate(name):
        generator = random_source(name)
        shapes = {"wx": (D, H), "wy": (O, H), "b": (H,), "wo": (H, O), "c": (O,), "y0": (N, O)}
        inputs = {"x": normal(generator, T, N, D)}
        inputs.update({key: uniform(generator, 0.8, *shape) for key, shape in shapes.items()})
        step = lambda p, x, s: cells.jordan(p, x, s, function)
        # With wo = I and c = 0 the output is g(h): Elman, where g is the identity.
        elman = inputs_of(random_source(name + ".elman"), 1)
        eye = torch.eye(H, dtype=torch.float64)
        zero = torch.zeros(H, dtype=torch.float64)
        plain = {**elman, "wy": elman["wh"], "y0": elman["h0"], "wo": eye, "c": zero}
        y = looped(lambda p, x, s: cells.jordan(p, x, s), ("y",))(plain)["y"]
        close(y, looped(cells.elman)(elman)["y"], 1e-14, name)
        return written(generator, inputs, looped(step, ("y",)), ("y",),
            f"h = tanh(x wx + y' wy + b); y = g(h wo + c); g = {spelling}; y [T,N,O], O = {O}")

    return generate


GENERATORS = {
    "lstm-peephole-matrix": peephole_matrix,
    "lstm-peephole-diagonal": peephole_diagonal,
    "lstm-cifg": coupled,
    "gru-reset-before": gru_reset_before,
    "leaky": leaky,
    "jordan": jordan(lambda z: z, "identity"),
    "jordan-tanh": jordan(torch.tanh, "tanh"),
}
