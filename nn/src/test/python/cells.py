"""One step of every recurrent cell, as its equations read, in Carousel's layout.

Row vectors: x [N,D], h [N,H]. Weights multiply from the right and hold the gates side by side,
so `x @ wx` is [N,D]·[D,4H]; chunk(…, -1) takes them apart. A step maps (p, x, state) to
(output, next state); a state is a tuple of [N,·] tensors. p maps names to tensors.
"""

import torch


def elman(p, x, state, f=torch.tanh):
    (h,) = state
    h = f(x @ p["wx"] + h @ p["wh"] + p["b"])
    return h, (h,)


def leaky(p, x, state, tau=3.0):
    (h,) = state
    h = (1 - 1 / tau) * h + (1 / tau) * torch.tanh(x @ p["wx"] + h @ p["wh"] + p["b"])
    return h, (h,)


def jordan(p, x, state, g=lambda z: z):
    (y,) = state
    h = torch.tanh(x @ p["wx"] + y @ p["wy"] + p["b"])
    y = g(h @ p["wo"] + p["c"])
    return y, (y,)


def lstm(p, x, state):
    h, c = state
    i, f, g, o = (x @ p["wx"] + h @ p["wh"] + p["b"]).chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return h, (h, c)


def lstm_coupled(p, x, state):
    h, c = state
    i, g, o = (x @ p["wx"] + h @ p["wh"] + p["b"]).chunk(3, -1)
    i = i.sigmoid()
    c = (1 - i) * c + i * g.tanh()
    h = o.sigmoid() * c.tanh()
    return h, (h, c)


def lstm_peephole_matrix(p, x, state):
    h, c = state
    i, f, g, o = (x @ p["wx"] + h @ p["wh"] + p["b"]).chunk(4, -1)
    i = (i + c @ p["wci"]).sigmoid()
    f = (f + c @ p["wcf"]).sigmoid()
    c = f * c + i * g.tanh()
    h = (o + c @ p["wco"]).sigmoid() * c.tanh()
    return h, (h, c)


def lstm_peephole_diagonal(p, x, state):
    h, c = state
    i, f, g, o = (x @ p["wx"] + h @ p["wh"] + p["b"]).chunk(4, -1)
    i = (i + p["pi"] * c).sigmoid()
    f = (f + p["pf"] * c).sigmoid()
    c = f * c + i * g.tanh()
    h = (o + p["po"] * c).sigmoid() * c.tanh()
    return h, (h, c)


def gru_reset_after(p, x, state):
    (h,) = state
    xr, xz, xn = (x @ p["wx"] + p["b"]).chunk(3, -1)
    hr, hz, hn = (h @ p["wh"]).chunk(3, -1)
    r, z = (xr + hr).sigmoid(), (xz + hz).sigmoid()
    h = z * h + (1 - z) * (xn + r * (hn + p["bh"])).tanh()
    return h, (h,)


def gru_reset_before(p, x, state):
    (h,) = state
    xr, xz, xn = (x @ p["wx"] + p["b"]).chunk(3, -1)
    wr, wz, wn = p["wh"].chunk(3, -1)
    r, z = (xr + h @ wr).sigmoid(), (xz + h @ wz).sigmoid()
    h = z * h + (1 - z) * (xn + (r * h) @ wn).tanh()
    return h, (h,)


def scan(step, p, x, state, lengths=None, reverse=False):
    """x [T,N,D] → y [T,N,·] and the final state.

    A row past its length gives a zero output and keeps its state. In reverse, time runs from
    length-1 down to 0, and the output stands at the time whose input made it.
    """
    steps = x.shape[0]
    outputs = [None] * steps
    for t in reversed(range(steps)) if reverse else range(steps):
        output, following = step(p, x[t], state)
        if lengths is not None:
            alive = (t < lengths)[:, None]
            output = torch.where(alive, output, torch.zeros_like(output))
            following = tuple(torch.where(alive, a, b) for a, b in zip(following, state))
        outputs[t] = output
        state = following
    return torch.stack(outputs), state
