#!/usr/bin/env python3
"""Compiles every CUDA source for every target, and reports registers, shared memory and spills.

usage: .ci/nvcc-report.py [--arch sm_90]... [FILE.cu ...]

Prints a row per file and target, and every kernel that spills; fails when one does in a recurrent kernel
(recurrent*.cu), or when a file does not compile. cuda-kernels/target/nvcc/kernels.tsv has a row per kernel. What
did not change since it was last compiled is not compiled again.
"""
import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ROOT / "cuda-kernels/src/main/cuda"
KEPT = ROOT / "cuda-kernels/target/nvcc"
TARGETS = ["sm_75", "sm_80", "sm_90", "sm_100"]
FLAGS = ["-std=c++17", "-cubin", "-Werror", "all-warnings", "-Xptxas", "-v", "-o", os.devnull]


def included(file, seen):
    """The file and all that it includes."""
    if file not in seen:
        seen.add(file)
        for name in re.findall(r'^#include "([^"]+)"', file.read_text(), re.MULTILINE):
            included(file.parent / name, seen)
    return seen


def compiled(version, file, target):
    """What ptxas says of a file: kept from last time, or new."""
    digest = hashlib.sha256(f"{version} {FLAGS}".encode())
    for part in sorted(included(file, set())):
        digest.update(f"{part.name} {part.stat().st_size}\n".encode() + part.read_bytes())
    kept = KEPT / f"{file.stem}-{target}-{digest.hexdigest()[:24]}.txt"
    if not kept.exists():
        run = subprocess.run(["nvcc", f"-arch={target}", *FLAGS, str(file)], capture_output=True, text=True)
        if run.returncode != 0:
            return run.stdout + run.stderr
        unfinished = kept.with_suffix(f".{os.getpid()}.tmp")
        unfinished.write_text(run.stderr)
        unfinished.replace(kept)
    return parsed(file, target, kept.read_text())


def parsed(file, target, log):
    """A row per kernel: file, target, name, registers, shared bytes, bytes of stack, of spills."""
    rows = []
    for part in log.split("Compiling entry function '")[1:]:
        name = part[: part.index("'")]
        stack, stores, loads = re.search(
            r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", part
        ).groups()
        registers = re.search(r"Used (\d+) registers", part).group(1)
        shared = re.search(r"(\d+) bytes smem", part)
        spills = int(stores) + int(loads)
        rows.append((file.name, target, name, int(registers), int(shared.group(1)) if shared else 0, int(stack), spills))
    return rows


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--arch", action="append", help="a target; all four when there is none")
    options.add_argument("files", nargs="*", type=pathlib.Path)
    args = options.parse_args()
    files = [file.resolve() for file in args.files] or sorted(SOURCES.glob("*.cu"))
    version = subprocess.run(["nvcc", "--version"], capture_output=True, text=True, check=True).stdout
    KEPT.mkdir(parents=True, exist_ok=True)
    work = [(file, target) for file in files for target in args.arch or TARGETS]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        results = list(threads.map(lambda job: compiled(version, *job), work))

    kernels, wrong = [], []
    print(f"{'file':24} {'target':7} {'kernels':>7} {'registers':>9} {'shared B':>8} {'stack B':>7} {'spills B':>8}")
    for (file, target), rows in zip(work, results):
        if isinstance(rows, str):
            wrong.append(f"{file.name} does not compile for {target}:\n{rows}")
            continue
        kernels += rows
        most = [max((row[i] for row in rows), default=0) for i in (3, 4, 5, 6)]
        print(f"{file.name:24} {target:7} {len(rows):7} {most[0]:9} {most[1]:8} {most[2]:7} {most[3]:8}")
    for file, target, name, registers, _, _, spills in kernels:
        if spills:
            print(f"spills: {name} ({target}): {spills} B with {registers} registers")
            if file.startswith("recurrent"):
                wrong.append(f"{name} spills {spills} B on {target}: a recurrent kernel must not")
    table = ["file\ttarget\tkernel\tregisters\tshared\tstack\tspills", *("\t".join(map(str, row)) for row in kernels)]
    (KEPT / "kernels.tsv").write_text("\n".join(table) + "\n")
    if not kernels:
        wrong.append("no kernel was compiled")
    for message in wrong:
        print(message, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
