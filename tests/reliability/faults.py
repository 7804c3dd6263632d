#!/usr/bin/env python3
"""Makes every operation on the files of a run fail once, each in every way that fits it, resumes, and compares every file of
weights and results with those of an undisturbed run.

usage: tests/reliability/faults.py [--command train|run|evaluate|experiment] [--sample N] [--seed 1] [--jobs 1] [--program FILE]
                                   [--scratch FOLDER]

Without --sample, all of them: hours. An operation is an open, write, fsync, rename, close, mkdir, unlink, link, truncate or flock
of a file in the run's folder; it fails with ENOSPC, EIO, EACCES or EINTR, is done by half, or is where the process is killed. gcc
builds the library that does it (faults.c). Exit code 0: nothing was lost; 1: something was, or an exit code is not documented."""
import argparse
import collections
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading

import program

KINDS = {
    "open": ["EACCES", "EIO", "ENOSPC", "EINTR", "KILL"],
    "write": ["ENOSPC", "EIO", "EINTR", "SHORT", "KILL"],
    "fsync": ["EIO", "ENOSPC", "EINTR", "KILL"],
    "close": ["EIO", "EINTR", "KILL"],
    "truncate": ["EIO", "ENOSPC", "KILL"],
    "flock": ["EIO", "EINTR", "KILL"],
}
OTHERS = ["EACCES", "EIO", "ENOSPC", "EINTR", "KILL"]
KILLED = -9


def commands(scratch):
    """The commands by name, each a function of its folder."""
    weights = os.path.join(scratch, "donor", "seed-0", "train.last.safetensors")
    small = [
        "--model", "lenet-2-3-8", "--train-samples", "240", "--validation-samples", "40", "--test-samples", "40", "--steps", "1",
        "--probe-steps", "1"]
    return {
        "train": lambda folder: ["train", *small, "--epochs", "2", "--evaluation-steps", "1", "--out", folder],
        "run": lambda folder: ["run", *program.tiny("pgd", 300), "--out", folder],
        "evaluate": lambda folder: [
            "evaluate", weights, "--attack", "pgd-20,apgd-ce", "--batch", "10", "--save-adversarial",
            os.path.join(folder, "images.npy"), "--out", folder],
        "experiment": lambda folder: [
            "experiment", "table5", *small, "--dataset", "synthetic-28", "--epochs", "2", "--seeds", "1", "--rounds", "2",
            "--out", folder],
    }


def build(scratch):
    """The library that is preloaded."""
    library = os.path.join(scratch, "faults.so")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "faults.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


class Bench:
    """One command, its undisturbed outcome, and its operations."""

    def __init__(self, options, name, library, arguments):
        self.options, self.name, self.library, self.arguments = options, name, library, arguments
        self.codes, self.wrong, self.litter, self.lock = collections.Counter(), [], 0, threading.Lock()

    def line(self, folder):
        resumed = self.name != "experiment" and program.begun(folder)
        return [*self.arguments(folder), *(["--resume"] if resumed else [])]

    def run(self, folder, **faults):
        environment = {**os.environ}
        if faults:
            environment |= {"LD_PRELOAD": self.library, "FAULTS_FOLDER": folder, **faults}
        with program.start(self.options.program, self.line(folder), env=environment) as process:
            error = process.stderr.read()
        return process.returncode, error

    def measure(self):
        folder = os.path.join(self.options.scratch, "whole-" + self.name)
        log = os.path.join(self.options.scratch, self.name + ".operations")
        code, error = self.run(folder, FAULTS_LOG=log)
        if code != 0:
            sys.exit(f"the undisturbed {self.name} ended with {code}: {error}")
        self.expected = program.fingerprints(folder)
        with open(log, encoding="utf-8") as file:
            self.operations = [line.split(" ", 1)[0] for line in file]
        self.cases = [
            (number, kind) for number, operation in enumerate(self.operations, 1) for kind in KINDS.get(operation, OTHERS)]

    def case(self, number, kind):
        folder = os.path.join(self.options.scratch, f"{self.name}-{number}-{kind}")
        title = f"{self.name}, operation {number} of about {len(self.operations)} ({self.operations[number - 1]}), {kind}"
        code, error = self.run(folder, FAULTS_AT=str(number), FAULTS_KIND=kind)
        with self.lock:
            self.codes[code] += 1
        problem = None
        if code not in program.DOCUMENTED and not (code == KILLED and kind == "KILL"):
            problem = f"exit code {code}: {error.strip()}"
        elif code not in (0, KILLED) and len([line for line in error.splitlines() if not line.startswith("Warning:")]) != 1:
            problem = f"more than a sentence: {error.strip()}"
        if problem is None and code != 0:
            again, error = self.run(folder)
            problem = f"resumed after {code}, it ended with {again}: {error.strip()}" if again != 0 else None
        if problem is None:
            different = program.differences(self.expected, folder)
            problem = f"different after {code}: {', '.join(different)}" if different else None
        with self.lock:
            self.litter += any(name.endswith(".tmp") for _, _, names in os.walk(folder) for name in names)
            if problem:
                self.wrong.append(f"{title}: {problem}")
        if problem is None:
            shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--command", default="run")
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--program", default=program.BUILT)
    parser.add_argument("--scratch")
    options = parser.parse_args()
    kept = options.scratch is not None
    options.scratch = os.path.abspath(options.scratch or tempfile.mkdtemp(prefix="faults-"))
    os.makedirs(options.scratch, exist_ok=True)
    library = build(options.scratch)
    known = commands(options.scratch)
    if options.command not in known:
        sys.exit("--command is one of " + ", ".join(known))
    if options.command == "evaluate":
        with program.start(options.program, known["train"](os.path.join(options.scratch, "donor"))) as process:
            if process.wait() != 0:
                sys.exit(process.stderr.read())

    bench = Bench(options, options.command, library, known[options.command])
    bench.measure()
    cases = bench.cases
    if options.sample and options.sample < len(cases):
        cases = random.Random(options.seed).sample(cases, options.sample)
    print(
        f"{bench.name}: {len(bench.operations)} operations, {len(bench.cases)} faults, of which {len(cases)} are tried",
        flush=True)
    waiting, lock = list(cases), threading.Lock()

    def work():
        while True:
            with lock:
                if not waiting:
                    return
                number, kind = waiting.pop(0)
            bench.case(number, kind)
            if len(waiting) % 50 == 0:
                print(f"{len(waiting)} left, {len(bench.wrong)} wrong", flush=True)

    threads = [threading.Thread(target=work) for _ in range(options.jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    print("\n".join(bench.wrong), end="\n" if bench.wrong else "")
    codes = ", ".join(f"{'killed' if code == KILLED else code}: {count}" for code, count in sorted(bench.codes.items()))
    print(f"exit codes {codes}; {bench.litter} folders with a temporary file left")
    print(f"{len(cases)} faults, {len(bench.wrong)} wrong")
    if not bench.wrong and not kept:
        shutil.rmtree(options.scratch)
    return 1 if bench.wrong or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
