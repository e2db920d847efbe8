"""What the golden generators of all modules share: seeded tensors, and the safetensors format.

A golden is a small safetensors file: u64 little-endian header length, a JSON header padded with
spaces to a multiple of 8, then the raw little-endian data. It is written here by hand, so that
PyTorch and NumPy are all that is needed. `__metadata__` of each file says what computed it:
the equations, the hyper-parameters, and the conventions a reader of the numbers must know.
"""

import argparse
import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import torch

DTYPES = {
    torch.float64: ("F64", "<f8"),
    torch.float32: ("F32", "<f4"),
    torch.int32: ("I32", "<i4"),
    torch.bool: ("BOOL", "?"),
}


def random_source(name):
    """A generator whose seed is the name of the golden: files do not depend on each other."""
    generator = torch.Generator()
    generator.manual_seed(zlib.crc32(name.encode()))
    return generator


def normal(generator, *shape):
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def uniform(generator, bound, *shape):
    return (torch.rand(shape, generator=generator, dtype=torch.float64) * 2 - 1) * bound


def encode(tensors, metadata):
    """The bytes of a safetensors file. Integers become I32, everything else keeps its dtype."""
    header = {"__metadata__": {key: str(value) for key, value in metadata.items()}}
    blocks = []
    offset = 0
    for name in sorted(tensors):
        tensor = torch.as_tensor(tensors[name]).detach()
        if tensor.dtype == torch.int64:
            tensor = tensor.to(torch.int32)
        dtype, layout = DTYPES[tensor.dtype]
        # Not ascontiguousarray: it would make a scalar a vector of one.
        block = tensor.numpy().astype(layout, order="C").tobytes()
        header[name] = {
            "dtype": dtype,
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + len(block)],
        }
        offset += len(block)
        blocks.append(block)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=True).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(blocks)


def decode(data):
    """Name to NumPy array, the inverse of `encode`."""
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    layouts = dict(DTYPES.values())
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        block = data[8 + length + begin : 8 + length + end]
        tensors[name] = np.frombuffer(block, layouts[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def differences(old, new, tolerance=1e-12):
    """What differs between two golden files, as sentences; rounding is not a difference."""
    old, new = decode(old), decode(new)
    found = [f"{name}: only in one of the two" for name in sorted(set(old) ^ set(new))]
    for name in sorted(set(old) & set(new)):
        a, b = old[name], new[name]
        if a.shape != b.shape or a.dtype != b.dtype:
            found.append(f"{name}: {a.dtype}{a.shape} became {b.dtype}{b.shape}")
        elif a.dtype == np.float32:
            if not np.allclose(a, b, rtol=1e-6, atol=1e-37, equal_nan=True):
                found.append(f"{name}: values differ")
        elif not np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True):
            found.append(f"{name}: values differ")
    return found


def main(generators, folder, description):
    """Runs generators: name → function returning tensors and metadata. `--check` compares."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    torch.set_num_threads(1)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    failures = 0
    total = 0
    for name, generate in generators.items():
        tensors, metadata = generate(name)
        data = encode(tensors, {**metadata, "generator": f"PyTorch {torch.__version__}"})
        path = folder / f"{name}.safetensors"
        total += len(data)
        if check:
            found = differences(path.read_bytes(), data) if path.exists() else ["no such file"]
            failures += len(found)
            for sentence in found:
                print(f"{path.name}: {sentence}")
        else:
            path.write_bytes(data)
            print(f"{path.name}: {len(tensors)} tensors, {len(data)} bytes")
    outcome = f", {failures} differences" if check else ""
    print(f"{len(generators)} files, {total} bytes{outcome}")
    sys.exit(1 if failures else 0)
