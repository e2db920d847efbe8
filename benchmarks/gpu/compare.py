#!/usr/bin/env python3
"""Carousel beside PyTorch on one GPU, in one run: recurrent layers, then training steps of a language model.

usage: benchmarks/gpu/run, which starts this; by itself:
  compare.py --carousel "java ... carousel.benchmarks.compare.Carousel" [--quick] [--ours] [--out TABLE.md]

Both start from the same weights (carousel.benchmarks.compare.Values). Every figure is the median over rounds in which
the two take turns; a time ends when the device is done. Ratios are PyTorch's time by Carousel's: above 1, Carousel is
faster. The error is that of the norm of all gradients but the biases', against PyTorch's in double precision.
"""
import argparse
import shlex
import statistics
import subprocess
import sys
import time

SHAPES = [(35, 20, 200), (35, 20, 650), (35, 20, 1500), (512, 16, 1024), (128, 64, 512), (1024, 16, 768)]
CELLS = ["lstm", "peephole", "gru_after", "gru"]
MODELS = {"small": (20, 20, 200), "medium": (35, 20, 650), "large": (35, 20, 1500)}  # T, B, H of two layers
VOCABULARY = 10000
# Of what is rounded: to 24, 11 and 8 bits.
LIMITS = {"f32": 1e-4, "tf32": 2e-2, "bf16": 8e-2}


class Carousel:
    """Carousel in a process of its own, spoken to line by line: see carousel.benchmarks.compare.Server."""

    def __init__(self, command):
        self.process = subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer or answer[0] != "ok":
            raise RuntimeError(" ".join(answer) or "Carousel ended; see above")
        return [float(word) for word in answer[1:]]

    def prepare(self, task, seconds):
        """Warms up, and returns the norm of the gradients."""
        return self.ask(f"warm {seconds} {task}")[0]

    def milliseconds(self, task, what, seconds):
        return self.ask(f"{what} {seconds} {task}")[0]

    def drop(self):
        self.ask("drop")


class Torch:
    """PyTorch in this process; a contender for each way to write a cell."""

    def __init__(self, precision, compiled):
        import peers  # needs PyTorch; Carousel alone does not

        self.peers = peers
        self.precision = precision
        self.compiled = compiled
        self.work = None

    def prepare(self, task, seconds):
        self.peers.allow_tf32(self.precision == "tf32")
        self.work = self.peers.prepare(task, self.compiled, self.precision == "bf16")
        self.milliseconds(task, "time", seconds)
        return self.work.norm()

    def milliseconds(self, task, what, seconds):
        self.peers.allow_tf32(self.precision == "tf32")
        run = self.work.forward if what == "forward" else self.work.run
        times, begun = [], time.perf_counter()
        self.peers.timed(run)
        while len(times) < 2 or time.perf_counter() - begun < seconds:
            times.append(self.peers.timed(run))
        return statistics.median(times)

    def exact(self, task):
        """The norm in double precision."""
        return self.peers.prepare(task.replace(" f32 ", " f64 "), False, False).norm()

    def drop(self):
        self.work = None
        self.peers.release()


def measured(contenders, task, whats, rounds, seconds):
    """Milliseconds by contender and by what is timed, and the norms."""
    norms, times = {}, {}
    for name, contender in contenders.items():
        try:
            norms[name] = contender.prepare(task, seconds)
        except Exception as problem:  # one that fails must not lose the others
            print(f"{task}: {name}: {type(problem).__name__}: {str(problem).splitlines()[0][:200]}", file=sys.stderr)
    for _ in range(rounds):
        for what in whats:
            for name in norms:
                times.setdefault((name, what), []).append(contenders[name].milliseconds(task, what, seconds))
    return norms, {key: statistics.median(values) for key, values in times.items()}


def row(task, precision, what, times, norms, exact, wrong):
    """A line of the table; notes a norm that is off."""
    ours = times.get(("carousel", what))
    cells = [task, precision, {"time": "forward + backward", "forward": "forward"}[what]]
    cells.append(f"{ours:.3f}" if ours else "failed")
    for peer in ("torch", "compiled"):
        theirs = times.get((peer, what))
        cells += [f"{theirs:.3f}" if theirs else "-", f"{theirs / ours:.2f}" if theirs and ours else "-"]
    error = abs(norms["carousel"] / exact - 1) if exact and "carousel" in norms else None
    cells.append(f"{error:.1e}" if error is not None else "-")
    if ours is None:
        wrong.append(f"{task} {precision}: Carousel failed")
    elif exact and not error <= LIMITS[precision]:
        wrong.append(f"{task} {precision}: the norm of the gradients is off by {error:.1e}, more than {LIMITS[precision]}")
    return "| " + " | ".join(cells) + " |"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--carousel", required=True, help="the command that starts Carousel as a contender")
    options.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    options.add_argument("--ours", action="store_true", help="Carousel alone; needs no PyTorch")
    options.add_argument("--shapes", help="T,B,H;T,B,H;... instead of the six")
    options.add_argument("--models", default="small,medium,large", help="of the language model; empty for none")
    options.add_argument("--out", help="a file for the table")
    args = options.parse_args()
    rounds, seconds = (3, 0.2) if args.quick else (7, 0.5)
    shapes = [tuple(map(int, s.split(","))) for s in args.shapes.split(";")] if args.shapes else SHAPES
    tasks = [f"{cell} f32 {t},{b},{h},{h},1" for t, b, h in shapes for cell in CELLS]
    models = [MODELS[name] for name in args.models.split(",") if name]
    tasks += [f"{kind} f32 {t},{b},{h},2,{VOCABULARY}"
              for t, b, h in models for kind in ("language_model", "language_model_replayed")]

    lines = ["| task: T,B,I,H,layers | precision | what | Carousel ms | PyTorch ms | ratio | compiled ms | ratio | error |",
             "|---|---|---|---|---|---|---|---|---|"]
    print("\n".join(lines), flush=True)
    wrong = []
    for precision in ("f32", "bf16") if args.ours else ("f32", "tf32", "bf16"):
        switch = "" if precision == "f32" else f"-Dcarousel.cuda.{precision}=true "
        carousel = Carousel(args.carousel.replace("-Dcarousel", switch + "-Dcarousel", 1))
        for task in tasks:
            contenders = {"carousel": carousel}
            if not args.ours:
                contenders["torch"] = Torch(precision, False)
                if task.startswith(("peephole", "gru ")):
                    contenders["compiled"] = Torch(precision, True)
            exact = None if args.ours else contenders["torch"].exact(task)
            whats = ["time"] if task.startswith("language") else ["forward", "time"]
            norms, times = measured(contenders, task, whats, rounds, seconds)
            for what in whats:
                lines.append(row(task, precision, what, times, norms, exact, wrong))
                print(lines[-1], flush=True)
            for contender in contenders.values():
                contender.drop()
        carousel.process.stdin.close()
        carousel.process.wait()
    if args.out:
        with open(args.out, "w") as file:
            file.write("\n".join(lines) + "\n")
    for message in wrong:
        print(message, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
