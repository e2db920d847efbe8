"""Goldens of the recurrent layers that PyTorch has: nn.RNN, nn.LSTM, nn.GRU, whole and ragged.

The weights of a file are leaves in Carousel's layout; PyTorch's are made from them by transposing,
so that the gradients come back in Carousel's layout too.

    nn.RNN   weight_ih [H,D]          = wxᵀ   weight_hh [H,H]  = whᵀ   bias_ih = b, bias_hh = 0
    nn.LSTM  weight_ih [4H,D] i f g o = wxᵀ   weight_hh [4H,H] = whᵀ   bias_ih = b, bias_hh = 0
    nn.GRU   weight_ih [3H,D] r z n   = wxᵀ   weight_hh [3H,H] = whᵀ   bias_ih = b,
                                                                       bias_hh = (0, 0, bh)

Every file is also computed by the loops of cells.py, and must agree to 1e-12.
"""

import cells
import torch
from goldenfile import normal, random_source, uniform
from proofs import LOSS, agree, prove
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

T, N, D, H = 5, 3, 4, 6

LAYOUT = f"T={T} N={N} D={D} H={H}; x [T,N,D] time-major, weights multiply from the right"
EQUATIONS = {
    "rnn": "h = f(x wx + h' wh + b)",
    "lstm": "(i f g o) = x wx + h' wh + b; c = s(f) c' + s(i) tanh(g); h = s(o) tanh(c); s ="
    " logistic;"
    " wx [D,4H], wh [H,4H], b [4H], gate order i f g o",
    "gru": "r = s(x wxr + h' whr + br); z = s(x wxz + h' whz + bz);"
    " n = tanh(x wxn + bn + r * (h' whn + bh)); h = z h' + (1-z) n; reset after;"
    " wx [D,3H], wh [H,3H], b [3H], bh [H], gate order r z n",
}
STATES = {"rnn": ("h",), "lstm": ("h", "c"), "gru": ("h",)}
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def weights(generator, kind, width, prefix=""):
    gates = GATES[kind]
    p = {
        prefix + "wx": uniform(generator, 0.8, width, gates * H),
        prefix + "wh": uniform(generator, 0.8, H, gates * H),
        prefix + "b": uniform(generator, 0.8, gates * H),
    }
    if kind == "gru":
        p[prefix + "bh"] = uniform(generator, 0.8, H)
    return p


def initial(generator, kind, batch, prefix=""):
    return {f"{prefix}{s}0": normal(generator, batch, H) for s in STATES[kind]}


def part(p, prefix):
    return {name[len(prefix) :]: value for name, value in p.items() if name.startswith(prefix)}


def bind(module, suffix, p):
    """Puts tensors, not Parameters, in the module: gradients flow to the leaves they come from."""
    zeros = torch.zeros_like(p["b"])
    bias_hh = torch.cat([zeros[: 2 * H], p["bh"]]) if "bh" in p else zeros
    for name, value in {
        "weight_ih": p["wx"].t(),
        "weight_hh": p["wh"].t(),
        "bias_ih": p["b"],
        "bias_hh": bias_hh,
    }.items():
        delattr(module, name + suffix)
        setattr(module, name + suffix, value)


def torch_model(kind, prefixes, layers=1, bidirectional=False, lengths=None, f="tanh"):
    """`prefixes` name the layers or directions in PyTorch's order: l0, l0_reverse, l1, ..."""

    def run(p):
        arguments = dict(num_layers=layers, bidirectional=bidirectional, dtype=torch.float64)
        if kind == "rnn":
            module = torch.nn.RNN(D, H, nonlinearity=f, **arguments)
        else:
            module = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](D, H, **arguments)
        for index, prefix in enumerate(prefixes):
            layer, reverse = divmod(index, 2) if bidirectional else (index, 0)
            bind(module, f"_l{layer}" + ("_reverse" if reverse else ""), part(p, prefix))
        states = tuple(torch.stack([p[f"{q}{s}0"] for q in prefixes]) for s in STATES[kind])
        x = p["x"]
        if lengths is not None:
            x = pack_padded_sequence(x, lengths, enforce_sorted=False)
        y, final = module(x, states if kind == "lstm" else states[0])
        if lengths is not None:
            y, _ = pad_packed_sequence(y, total_length=T)
        final = final if kind == "lstm" else (final,)
        outputs = {"y": y}
        for s, state in zip(STATES[kind], final):
            outputs.update({f"{q}{s}N": state[k] for k, q in enumerate(prefixes)})
        return outputs

    return run


def loop_model(kind, prefixes, bidirectional=False, lengths=None, f=torch.tanh):
    """The same from cells.py: a stack of scans, or a forward and a reverse one side by side."""
    step = {
        "rnn": lambda p, x, s: cells.elman(p, x, s, f),
        "lstm": cells.lstm,
        "gru": cells.gru_reset_after,
    }[kind]

    def run(p):
        y, outputs, sides = p["x"], {}, []
        for index, prefix in enumerate(prefixes):
            q = part(p, prefix)
            start = tuple(q[s + "0"] for s in STATES[kind])
            reverse = bidirectional and index == 1
            x = p["x"] if bidirectional else y
            side, final = cells.scan(step, q, x, start, lengths, reverse)
            outputs.update({f"{prefix}{s}N": value for s, value in zip(STATES[kind], final)})
            sides.append(side)
            y = side
        outputs["y"] = torch.cat(sides, -1) if bidirectional else y
        return outputs

    return run


def golden(kind, prefixes=("",), bidirectional=False, lengths=None, f="tanh"):
    def generate(name):
        generator = random_source(name)
        batch = N if lengths is None else len(lengths)
        inputs = {"x": normal(generator, T, batch, D)}
        for index, prefix in enumerate(prefixes):
            width = D if bidirectional or index == 0 else H
            inputs.update(weights(generator, kind, width, prefix))
            inputs.update(initial(generator, kind, batch, prefix))
        cut = None if lengths is None else torch.tensor(lengths)
        loops = loop_model(
            kind, prefixes, bidirectional, cut, {"tanh": torch.tanh, "relu": torch.relu}.get(f, f)
        )
        by_torch = not callable(f) and (lengths is None or min(lengths) > 0)
        outputs = ["y"] + [f"{q}{s}N" for q in prefixes for s in STATES[kind]]
        model = loops
        if by_torch:
            layers = 1 if bidirectional else len(prefixes)
            model = torch_model(kind, prefixes, layers, bidirectional, cut, f)
            agree(inputs, model, loops, outputs, name)
        tensors = prove(generator, inputs, model, outputs)
        layout = LAYOUT.replace(f"N={N}", f"N={batch}")
        if cut is not None:
            tensors["lengths"] = cut
            layout += "; y is 0 past a row's length, final state from length-1"
            layout += ", reverse starts there"
        if bidirectional:
            layout += "; fwd. runs forward, bwd. in reverse, y [T,N,2H] = (forward, reverse)"
        elif len(prefixes) > 1:
            layout += "; layer 1 reads the outputs of layer 0"
        source = f"torch.nn.{kind.upper()}" if by_torch else "a loop of PyTorch operations"
        function = f if isinstance(f, str) else "identity"
        equations = EQUATIONS[kind] + (f"; f = {function}" if kind == "rnn" else "")
        return tensors, {
            "source": source, "equations": equations, "layout": layout, "derivatives": LOSS
        }

    return generate


BOTH = ("fwd.", "bwd.")

GENERATORS = {
    "rnn-tanh": golden("rnn"),
    "rnn-relu": golden("rnn", f="relu"),
    "rnn-identity": golden("rnn", f=lambda z: z),
    "lstm": golden("lstm"),
    "lstm-two-layer": golden("lstm", ("0.", "1.")),
    "lstm-bidirectional": golden("lstm", BOTH, bidirectional=True),
    "gru": golden("gru"),
    "gru-bidirectional": golden("gru", BOTH, bidirectional=True),
    "lstm-ragged": golden("lstm", lengths=[5, 3, 1]),
    "lstm-ragged-zero": golden("lstm", lengths=[3, 0, 5, 1]),
    "lstm-ragged-bidirectional": golden("lstm", BOTH, bidirectional=True, lengths=[2, 5, 1, 4]),
    "gru-ragged-bidirectional": golden("gru", BOTH, bidirectional=True, lengths=[5, 3, 1]),
}
