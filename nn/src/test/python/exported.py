#!/usr/bin/env python3
"""Writes the files of src/test/resources/pytorch-onnx: language models as PyTorch exports them.

    /usr/bin/python3 nn/src/test/python/exported.py

Made with PyTorch 1.13. ForeignFilesTest reads them, and ONNX Runtime says what they compute.
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


def export(name, model, outputs):
    torch.onnx.export(
        model.eval(),
        (torch.zeros(6, 3, dtype=torch.long),),
        str(OUT / (name + ".onnx")),
        opset_version=17,
        input_names=["tokens"],
        output_names=list(outputs),
        dynamic_axes={"tokens": {0: "T", 1: "N"}, **outputs},
    )


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


if __name__ == "__main__":
    main()
