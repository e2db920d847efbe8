"""Writes what NumPy gives for the expressions of docs/coming-from-pytorch.md.

    python3 benchmarks/src/test/python/numpyvalues.py            # writes the file
    python3 benchmarks/src/test/python/numpyvalues.py --check    # only compares

Writes benchmarks/src/test/resources/numpy-values.tsv: an expression, its shape, its values. The test of the page reads
it, and never runs this.
"""

import re
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[4]
PAGE = ROOT / "docs" / "coming-from-pytorch.md"
FILE = ROOT / "benchmarks" / "src" / "test" / "resources" / "numpy-values.tsv"

x = ((np.arange(12) * 7 % 13 - 5.9) / 4).reshape(3, 4)
y = ((np.arange(12) * 5 % 13 - 5.9) / 4).reshape(3, 4)
GIVEN = {
    "np": np,
    "x": x,
    "y": y,
    "a": ((np.arange(24) * 7 % 29 - 13.9) / 9).reshape(2, 3, 4),
    "b": ((np.arange(40) * 7 % 41 - 20.9) / 9).reshape(2, 4, 5),
    "v": x[1],
    "u": y[:, 2],
    "s": y[:, :3],
    "i": np.array([2, 0]),
    "n": np.array([7, -7, 3]),
    "g": np.array([[0, 3], [1, 1], [2, 0]]),
    "m": x > 0.5,
}


def expressions():
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = line.split(" | ")
        if line.startswith("| ") and len(cells) == 3:
            code = re.fullmatch("`(.*)`", cells[1])
            if code:
                yield code.group(1)


def text():
    lines = []
    for expression in dict.fromkeys(expressions()):
        value = np.asarray(eval(expression, dict(GIVEN)))
        shape = ",".join(map(str, value.shape))
        values = " ".join(repr(float(v)) for v in value.ravel())
        lines.append(f"{expression}\t{shape}\t{values}\n")
    return "".join(lines)


if __name__ == "__main__":
    if "--check" in sys.argv:
        same = FILE.read_text(encoding="utf-8") == text()
        sys.exit(0 if same else f"{FILE} is not what NumPy gives")
    FILE.write_text(text(), encoding="utf-8")
