"""PyTorch as the referee of weights that change hands, both ways; PyTorchTest runs it.

    /usr/bin/python3 exchange/src/test/python/referee.py FOLDER

For every *.ours.safetensors of the folder: `__metadata__` says which module it is of, tensors under
`model.` are a state_dict, `x` is an input. The module loads them, strictly. Written beside it, as
*.torch.safetensors:

    ours.y      what the module gives for x with these weights
    model.*     its state_dict with other weights, drawn here
    theirs.y    what it gives for x with those
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

LAYOUTS = {"F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8"}
NAMES = {np.dtype(layout): name for name, layout in LAYOUTS.items()}


def load(path):
    """Tensors and metadata of a safetensors file; `safetensors.torch.load_file` is as good."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        block = data[8 + length + begin : 8 + length + end]
        array = np.frombuffer(block, LAYOUTS[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(array.copy())
    return tensors, metadata


def save(path, tensors):
    header, blocks, offset = {}, [], 0
    for name, tensor in tensors.items():
        array = tensor.detach().numpy()
        block = array.tobytes()
        header[name] = {
            "dtype": NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(block)],
        }
        blocks.append(block)
        offset += len(block)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blocks))


class Recurrent(nn.Module):
    """One recurrent module and nothing else."""

    def __init__(self, kind, sizes, **options):
        super().__init__()
        self.rnn = getattr(nn, kind)(*sizes, **options)

    def forward(self, x):
        return self.rnn(x)[0]


class Cell(nn.Module):
    """One step from zeros."""

    def __init__(self, kind, sizes, **options):
        super().__init__()
        self.rnn = getattr(nn, kind)(*sizes, **options)

    def forward(self, x):
        state = self.rnn(x)
        return state[0] if isinstance(state, tuple) else state


class Tagger(nn.Module):
    """All modules that the table knows, one after the other."""

    def __init__(self, vocabulary, width, hidden, classes):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(width, hidden, num_layers=2, bidirectional=True)
        self.norm = nn.LayerNorm(2 * hidden)
        self.hidden = nn.ModuleList(
            [nn.Linear(2 * hidden, hidden), nn.Linear(hidden, hidden, bias=False)]
        )
        self.head = nn.Linear(hidden, classes)

    def forward(self, x):
        y = self.norm(self.lstm(self.embed(x))[0])
        for layer in self.hidden:
            y = layer(y).tanh()
        return self.head(y)


def module(metadata):
    kind, sizes = metadata["module"], json.loads(metadata["sizes"])
    if kind == "Tagger":
        return Tagger(*sizes)
    options = json.loads(metadata["options"])
    return (Cell if kind.endswith("Cell") else Recurrent)(kind, sizes, **options)


def answer(path):
    tensors, metadata = load(path)
    x = tensors.pop("x")
    model = module(metadata).to(getattr(torch, metadata["dtype"]))
    model.eval()
    weights = {name.removeprefix("model."): value for name, value in tensors.items()}
    model.load_state_dict(weights, strict=True)
    written = {"ours.y": model(x)}
    for parameter in model.parameters():
        nn.init.uniform_(parameter, -0.5, 0.5)
    written["theirs.y"] = model(x)
    written.update({"model." + name: value for name, value in model.state_dict().items()})
    save(path.with_name(path.name.replace(".ours.", ".torch.")), written)


if __name__ == "__main__":
    torch.manual_seed(20261121)
    torch.set_num_threads(1)
    files = sorted(Path(sys.argv[1]).glob("*.ours.safetensors"))
    with torch.no_grad():
        for file in files:
            answer(file)
    print(f"PyTorch {torch.__version__}: {len(files)} models")
