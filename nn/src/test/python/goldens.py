"""Writes the goldens of the nn module: reference values in f64, computed by PyTorch.

    apt-get install python3-torch            # Debian's PyTorch; its NumPy comes with it
    /usr/bin/python3 nn/src/test/python/goldens.py            # writes the files
    /usr/bin/python3 nn/src/test/python/goldens.py --check    # only compares

Writes nn/src/test/resources/pytorch-goldens/*.safetensors; each file's `__metadata__` carries its
equations and conventions. The seeds are fixed: on one PyTorch version and one kind of machine the
same bytes come out. The tests of the module read the files; they never run this.

    recurrent.py    nn.RNN, nn.LSTM, nn.GRU: stacked, bidirectional, ragged
    handwritten.py  the cells PyTorch lacks: peepholes, reset-before, CIFG, leaky, Jordan
    cells.py        the equations of one step of every cell
    proofs.py       loss, gradients, Hessian-vector products, and their checks
    losses.py       cross entropy, NLL, regression losses, BCE, layer norm, embedding
    training.py     optimisers, schedules, clipping
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parents[3] / "tensor-core" / "src" / "test" / "python"))

import goldenfile  # noqa: E402
import handwritten  # noqa: E402
import losses  # noqa: E402
import recurrent  # noqa: E402
import training  # noqa: E402

if __name__ == "__main__":
    goldenfile.main(
        {
            **recurrent.GENERATORS,
            **handwritten.GENERATORS,
            **losses.GENERATORS,
            **training.GENERATORS,
        },
        HERE.parent / "resources" / "pytorch-goldens",
        __doc__,
    )
