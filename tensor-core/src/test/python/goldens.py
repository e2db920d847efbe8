"""Writes the goldens of the tensor-core module: what PyTorch computes at the awkward points.

    apt-get install python3-torch            # Debian's PyTorch; its NumPy comes with it
    /usr/bin/python3 tensor-core/src/test/python/goldens.py            # writes the files
    /usr/bin/python3 tensor-core/src/test/python/goldens.py --check    # only compares

Writes tensor-core/src/test/resources/pytorch-goldens/*.safetensors; each file's `__metadata__` says
what its keys mean. The tests of the module read the files; they never run this.

    goldenfile.py   the file format, seeds, --check; the nn module's generator uses it too
    elementwise.py  unary and binary functions, values and derivatives
    reductions.py   reductions, softmax, cumulative sum, sort and top-k
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))

import elementwise  # noqa: E402
import goldenfile  # noqa: E402
import reductions  # noqa: E402

if __name__ == "__main__":
    goldenfile.main(
        {**elementwise.GENERATORS, **reductions.GENERATORS},
        HERE.parent / "resources" / "pytorch-goldens",
        __doc__,
    )
