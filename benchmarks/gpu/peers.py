"""The tasks of carousel.benchmarks.compare in PyTorch, on the GPU: cuDNN's layers, and cells written by hand."""
import contextlib
import gc
import math
import time

import numpy as np
import torch
from torch import nn

DEVICE = "cuda"
GOLDEN = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1
TYPES = {"f32": torch.float32, "f64": torch.float64}
CLIP, RATE, BOUND = 5.0, 1.0, 0.1  # of TrainingStep


def allow_tf32(allowed):
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def rounding(rounded):
    """Where products round their operands to bf16, or as they are; parameters and gradients stay what they are."""
    return torch.autocast(DEVICE, torch.bfloat16) if rounded else contextlib.nullcontext()


def timed(run):
    """Milliseconds until the device is done."""
    torch.cuda.synchronize()
    begun = time.perf_counter()
    run()
    torch.cuda.synchronize()
    return (time.perf_counter() - begun) * 1e3


def release():
    gc.collect()
    torch.cuda.empty_cache()


def unit(name, count):
    """Values.unit for count elements: SplitMix64, started from Java's hash of the name."""
    code = 0
    for letter in name:
        code = (31 * code + ord(letter)) & 0xFFFFFFFF
    code -= (code >> 31) << 32
    with np.errstate(over="ignore"):
        z = np.uint64(code * GOLDEN & MASK) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def values(name, bound, dtype, *dims):
    numbers = bound * (2 * unit(name, math.prod(dims)) - 1)
    return torch.from_numpy(numbers.reshape(dims)).to(DEVICE, dtype)


def indices(name, limit, *dims):
    return torch.from_numpy((unit(name, math.prod(dims)) * limit).astype(np.int64).reshape(dims)).to(DEVICE)


def leaf(name, bound, dtype, *dims):
    return values(name, bound, dtype, *dims).requires_grad_()


def lstm_step(z, state, w):
    h, c = state
    i, f, g, o = (z + h @ w["wh"]).chunk(4, 1)
    i = torch.sigmoid(i + w["pi"] * c)
    f = torch.sigmoid(f + w["pf"] * c)
    c = f * c + i * torch.tanh(g)
    o = torch.sigmoid(o + w["po"] * c)
    return o * torch.tanh(c), c


def gru_step(z, state, w):
    (h,) = state
    width = h.shape[1]
    r, keep = torch.sigmoid(z[:, : 2 * width] + h @ w["wh"]).chunk(2, 1)
    n = torch.tanh(z[:, 2 * width :] + (r * h) @ w["wn"])
    return (n + keep * (h - n),)


def by_hand(step, states):
    """A layer over time, as one writes it in PyTorch: one product for the input, then a loop."""

    def run(x, w):
        z = x @ w["wx"] + w["b"]
        state = tuple(x.new_zeros(x.shape[1], w["wh"].shape[0]) for _ in range(states))
        out = []
        for t in range(x.shape[0]):
            state = step(z[t], state, w)
            out.append(state[0])
        return torch.stack(out)

    return run


class Layer:
    """A recurrent layer, forward and backward; weights by the names of Carousel's."""

    def __init__(self, kind, dtype, sizes, compiled, rounded):
        steps, batch, inputs, hidden, layers = sizes
        if layers != 1:
            raise ValueError("one layer, please")
        self.rounded = rounded
        bound = 1 / math.sqrt(hidden)
        gates = 4 if kind in ("lstm", "peephole") else 3
        shapes = {"wx": (inputs, gates * hidden), "b": (gates * hidden,)}
        shapes["wh"] = (hidden, 2 * hidden if kind == "gru" else gates * hidden)
        shapes.update({"peephole": dict.fromkeys(("pi", "pf", "po"), (hidden,)), "gru": {"wn": (hidden, hidden)},
                       "gru_after": {"bh": (hidden,)}}.get(kind, {}))
        self.x = leaf("x", 1, dtype, steps, batch, inputs)
        self.dy = values("dy", 1, dtype, steps, batch, hidden)
        w = {name: leaf(f"{name}.0", bound, dtype, *shape) for name, shape in shapes.items()}
        if kind in ("lstm", "gru_after"):
            layer = cudnn(kind, w, inputs, hidden, dtype)
            self.apply = lambda: layer(self.x)[0]
            self.leaves = list(layer.parameters())
            self.matrices = [layer.weight_ih_l0, layer.weight_hh_l0]
        else:
            run = by_hand(lstm_step, 2) if kind == "peephole" else by_hand(gru_step, 1)
            run = torch.compile(run) if compiled else run
            self.apply = lambda: run(self.x, w)
            self.leaves = list(w.values())
            self.matrices = [weight for name, weight in w.items() if name != "b"]

    def forward(self):
        with torch.no_grad(), rounding(self.rounded):
            self.apply()

    def run(self):
        for one in (self.x, *self.leaves):
            one.grad = None
        with rounding(self.rounded):
            y = self.apply()
        y.backward(self.dy.to(y.dtype))

    def norm(self):
        self.run()
        return math.sqrt(sum(one.grad.double().norm().item() ** 2 for one in (self.x, *self.matrices)))


def cudnn(kind, w, inputs, hidden, dtype):
    """PyTorch's own layer with these weights; its second bias is zero but for what Carousel has there."""
    layer = (nn.LSTM if kind == "lstm" else nn.GRU)(inputs, hidden).to(DEVICE, dtype)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(w["wx"].T)
        layer.weight_hh_l0.copy_(w["wh"].T)
        layer.bias_ih_l0.copy_(w["b"])
        layer.bias_hh_l0.zero_()
        if kind == "gru_after":
            layer.bias_hh_l0[2 * hidden :] = w["bh"]
    return layer


class LanguageModel:
    """A training step of the language model: see TrainingStep.java."""

    def __init__(self, dtype, sizes, rounded):
        self.rounded = rounded
        self.steps, batch, hidden, layers, vocabulary = sizes
        self.embed = nn.Embedding(vocabulary, hidden)
        self.lstm = nn.LSTM(hidden, hidden, layers)
        self.head = nn.Linear(hidden, vocabulary)
        parts = nn.ModuleList([self.embed, self.lstm, self.head]).to(DEVICE, dtype)
        with torch.no_grad():
            self.embed.weight.copy_(values("embed", BOUND, dtype, vocabulary, hidden))
            self.head.weight.copy_(values("head", BOUND, dtype, hidden, vocabulary).T)
            self.head.bias.copy_(values("bias", BOUND, dtype, vocabulary))
            for i in range(layers):
                getattr(self.lstm, f"weight_ih_l{i}").copy_(values(f"wx.{i}", BOUND, dtype, hidden, 4 * hidden).T)
                getattr(self.lstm, f"weight_hh_l{i}").copy_(values(f"wh.{i}", BOUND, dtype, hidden, 4 * hidden).T)
                getattr(self.lstm, f"bias_ih_l{i}").copy_(values(f"b.{i}", BOUND, dtype, 4 * hidden))
                getattr(self.lstm, f"bias_hh_l{i}").zero_().requires_grad_(False)  # Carousel has one bias
        self.parameters = [p for p in parts.parameters() if p.requires_grad]
        self.sgd = torch.optim.SGD(self.parameters, RATE)
        self.tokens = indices("tokens", vocabulary, self.steps, batch)
        self.targets = indices("targets", vocabulary, self.steps, batch)
        self.state = None
        self.first = None

    def run(self):
        self.sgd.zero_grad(set_to_none=True)
        with rounding(self.rounded):
            y, state = self.lstm(self.embed(self.tokens), self.state)
            logits = self.head(y).flatten(0, 1)
            loss = nn.functional.cross_entropy(logits, self.targets.flatten()) * self.steps
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters, CLIP)
        self.sgd.step()
        self.state = tuple(part.detach() for part in state)
        self.first = norm if self.first is None else self.first

    def norm(self):
        if self.first is None:
            self.run()
        return self.first.item()


class ReplayedModel:
    """The same step as a CUDA graph: https://pytorch.org/docs/stable/notes/cuda.html#cuda-graphs."""

    def __init__(self, dtype, sizes, rounded):
        self.model = LanguageModel(dtype, sizes, rounded)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.model.run()
        torch.cuda.current_stream().wait_stream(stream)
        self.carried = tuple(part.clone() for part in self.model.state)
        self.model.state = self.carried
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.model.run()
            for to, part in zip(self.carried, self.model.state):
                to.copy_(part)

    def run(self):
        self.graph.replay()

    def norm(self):
        return self.model.first.item()


def prepare(task, compiled, rounded):
    kind, dtype, sizes = task.split(" ")
    sizes = [int(size) for size in sizes.split(",")]
    if kind == "language_model_replayed" and dtype == "f32":
        return ReplayedModel(TYPES[dtype], sizes, rounded)
    if kind.startswith("language_model"):
        return LanguageModel(TYPES[dtype], sizes, rounded)
    return Layer(kind, TYPES[dtype], sizes, compiled, rounded)
