"""Writes the files of NumPy that the tests of Npy and Npz read.

    /usr/bin/python3 nn/src/test/python/numpyfiles.py

Every array is known to the tests by a formula: element k, in the order of the rows, is k/4 - 1 of a
floating type, 3k - 2 of an integer, k % 3 == 0 of a boolean.
"""

from pathlib import Path

import numpy as np
from numpy.lib import format

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "numpy"


def array(dtype, *shape):
    k = np.arange(int(np.prod(shape)))
    dtype = np.dtype(dtype)
    values = {"f": k / 4 - 1, "i": 3 * k - 2, "u": k, "b": k % 3 == 0}[dtype.kind]
    return values.astype(dtype).reshape(shape)


def save(name, values, version=None):
    with open(FOLDER / f"{name}.npy", "wb") as file:
        format.write_array(file, values, version, allow_pickle=True)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for dtype in ("f2", "f4", "f8", "i4", "i8", "?"):
        save(dtype.replace("?", "b1"), array(dtype, 2, 3))
    save("scalar", array("f4"))
    save("vector", array("f4", 5))
    save("empty", array("f8", 3, 0, 2))
    save("columns", np.asfortranarray(array("f4", 2, 3, 4)))
    save("version2", array("f4", 2, 3), (2, 0))
    save("version3", array("f4", 2, 3), (3, 0))
    save("bigendian", array(">f4", 2, 3))
    save("objects", np.array([{}, "x"], dtype=object))
    save("record", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
    save("complex", np.zeros(2, dtype="<c16"))
    several = {
        "layer.0.wx": array("f4", 2, 3),
        "columns": np.asfortranarray(array("f8", 4, 5)),
        "é": array("i8", 7),
        "half": array("f2", 40, 50),
        "empty": array("f4", 0, 3),
    }
    np.savez(FOLDER / "stored.npz", **several)
    np.savez_compressed(FOLDER / "compressed.npz", **several)
