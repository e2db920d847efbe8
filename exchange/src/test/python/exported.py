#!/usr/bin/env python3
"""Writes the files of src/test/resources/pytorch-onnx: models as PyTorch exports them.

    /usr/bin/python3 exchange/src/test/python/exported.py

Made with PyTorch 1.13. ForeignFilesTest and MakersTest read them, and ONNX Runtime says what they compute.
"""

import pathlib
import warnings

import torch

OUT = pathlib.Path(__file__).parents[1] / "resources" / "pytorch-onnx"


class LanguageModel(torch.nn.Module):
    """tokens [T,N] -> logits [T,N,9], or [N,T] -> [N,T,9]."""

    def __init__(self, recurrent, both_ways, batch_first=False):
        super().__init__()
        width = 10 if both_ways else 5
        self.embed = torch.nn.Embedding(9, 4)
        self.recurrent = recurrent(
            4, 5, num_layers=2, bidirectional=both_ways, batch_first=batch_first
        )
        self.norm = torch.nn.LayerNorm(width)
        self.head = torch.nn.Linear(width, 9)

    def forward(self, tokens):
        y, _ = self.recurrent(self.embed(tokens))
        return self.head(self.norm(y))


class Encoder(torch.nn.Module):
    """tokens [T,N] -> y [T,N,10] and the final states h, c [4,N,5], two layers of two directions."""

    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(9, 4)
        self.recurrent = torch.nn.LSTM(4, 5, num_layers=2, bidirectional=True)

    def forward(self, tokens):
        y, (h, c) = self.recurrent(self.embed(tokens))
        return y, h, c


class Classifier(torch.nn.Module):
    """x [N,T,4] -> probabilities of each row, from the last output or the last state."""

    def __init__(self, recurrent, head, state=False, both_ways=False):
        super().__init__()
        self.recurrent = recurrent(
            4, 5, num_layers=2, batch_first=True, bidirectional=both_ways
        )
        self.hidden = torch.nn.Linear(10 if both_ways and not state else 5, 6)
        self.out = torch.nn.Linear(6, 3)
        self.head = head
        self.state = state

    def forward(self, x):
        y, states = self.recurrent(x)
        if self.state:
            h = states[0] if isinstance(states, tuple) else states
            y = h[-1]
        else:
            y = y[:, -1]
        return self.head(self.out(torch.relu(self.hidden(y))))


class Stateful(torch.nn.Module):
    """x [T,N,4], and the states of both layers in one tensor each -> logits and states."""

    def __init__(self, recurrent):
        super().__init__()
        self.recurrent = recurrent(4, 5, num_layers=2)
        self.head = torch.nn.Linear(5, 3)

    def forward(self, x, *states):
        y, states = self.recurrent(x, states if len(states) > 1 else states[0])
        return (self.head(y), *(states if isinstance(states, tuple) else (states,)))


class Translator(torch.nn.Module):
    """source [S,N,4], target [T,N,4] -> logits; the decoder starts from the encoder's state."""

    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.GRU(4, 5)
        self.decoder = torch.nn.GRU(4, 5)
        self.head = torch.nn.Linear(5, 3)

    def forward(self, source, target):
        _, h = self.encoder(source)
        y, _ = self.decoder(target, h)
        return torch.log_softmax(self.head(y), -1)


class Residual(torch.nn.Module):
    """x [T,N,5] -> y [T,N,5], each layer with a norm before it and its input added."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.LSTM(5, 5) for _ in range(2))
        self.norms = torch.nn.ModuleList(torch.nn.LayerNorm(5) for _ in range(2))
        self.norms.apply(self.shake)

    @staticmethod
    def shake(norm):
        if isinstance(norm, torch.nn.LayerNorm):
            torch.nn.init.normal_(norm.weight, 1)
            torch.nn.init.normal_(norm.bias)

    def forward(self, x):
        for norm, layer in zip(self.norms, self.layers):
            x = x + layer(norm(x))[0]
        return x


class TwoWays(torch.nn.Module):
    """x [T,N,4] -> [T,N,10]: the second layer reads the sequence backwards, by hand."""

    def __init__(self):
        super().__init__()
        self.there = torch.nn.GRU(4, 5)
        self.back = torch.nn.GRU(4, 5)

    def forward(self, x):
        back, _ = self.back(torch.flip(x, [0]))
        return torch.cat([self.there(x)[0], torch.flip(back, [0])], -1)


class Attention(torch.nn.Module):
    """x [N,T,4] -> [N,3]: outputs weighted by what they say of themselves."""

    def __init__(self):
        super().__init__()
        self.recurrent = torch.nn.LSTM(4, 5, batch_first=True, bidirectional=True)
        self.score = torch.nn.Linear(10, 1)
        self.head = torch.nn.Linear(10, 3)

    def forward(self, x):
        y, _ = self.recurrent(x)
        weights = torch.softmax(self.score(torch.tanh(y)), dim=1)
        return self.head(torch.sum(weights * y, dim=1))


def export(name, model, outputs, inputs=None, opset=17):
    tokens = {"tokens": (torch.zeros(6, 3, dtype=torch.long), {0: "T", 1: "N"})}
    inputs = inputs or tokens
    torch.onnx.export(
        model.eval(),
        tuple(value for value, _ in inputs.values()),
        str(OUT / (name + ".onnx")),
        opset_version=opset,
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_axes={**{n: axes for n, (_, axes) in inputs.items()}, **outputs},
    )


def classifiers():
    x = {"x": (torch.zeros(3, 6, 4), {0: "N", 1: "T"})}
    out = {"y": {0: "N"}}
    export("last-output", Classifier(torch.nn.LSTM, torch.nn.Softmax(-1)), out, x)
    export("last-state", Classifier(torch.nn.GRU, torch.nn.LogSoftmax(-1), True), out, x)
    both = Classifier(torch.nn.LSTM, torch.nn.Sigmoid(), both_ways=True)
    export("last-output-bidirectional", both, out, x, 12)
    export("last-state-rnn", Classifier(torch.nn.RNN, torch.nn.Tanh(), True), out, x, 9)
    export("attention", Attention(), out, x, 13)


def others():
    x = {"x": (torch.zeros(6, 3, 4), {0: "T", 1: "N"})}
    h = {"h0": (torch.zeros(2, 3, 5), {1: "N"})}
    c = {"c0": (torch.zeros(2, 3, 5), {1: "N"})}
    logits = {"logits": {0: "T", 1: "N"}}
    export("stateful-gru", Stateful(torch.nn.GRU), {**logits, "h": {1: "N"}}, {**x, **h})
    outputs = {**logits, "h": {1: "N"}, "c": {1: "N"}}
    export("stateful-lstm", Stateful(torch.nn.LSTM), outputs, {**x, **h, **c}, 11)
    source = {"source": (torch.zeros(7, 3, 4), {0: "S", 1: "N"})}
    target = {"target": (torch.zeros(6, 3, 4), {0: "T", 1: "N"})}
    export("translator", Translator(), logits, {**source, **target})
    wide = {"x": (torch.zeros(6, 3, 5), {0: "T", 1: "N"})}
    export("residual", Residual(), {"y": {0: "T", 1: "N"}}, wide, 17)
    export("residual-old-norm", Residual(), {"y": {0: "T", 1: "N"}}, wide, 13)
    export("two-ways", TwoWays(), {"y": {0: "T", 1: "N"}}, x)


def main():
    warnings.simplefilter("ignore")
    torch.manual_seed(20261121)
    models = {
        "lstm": LanguageModel(torch.nn.LSTM, False),
        "lstm-bidirectional": LanguageModel(torch.nn.LSTM, True),
        "gru": LanguageModel(torch.nn.GRU, False),
        "rnn-bidirectional": LanguageModel(torch.nn.RNN, True),
        "lstm-batch-first": LanguageModel(torch.nn.LSTM, False, batch_first=True),
        "gru-bidirectional-batch-first": LanguageModel(torch.nn.GRU, True, batch_first=True),
    }
    for name, model in models.items():
        export(name, model, {"logits": {0: "T", 1: "N"}})
    states = {"h": {1: "N"}, "c": {1: "N"}}
    export("lstm-states", Encoder(), {"y": {0: "T", 1: "N"}, **states})
    classifiers()
    others()


if __name__ == "__main__":
    main()
