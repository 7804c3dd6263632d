#!/usr/bin/env python3
"""Kills runs, experiments and evaluations at random instants, resumes them, and compares every file of weights, images and
results with those of an undisturbed one.

usage: tests/reliability/kills.py [--kills 1000] [--seed 1] [--jobs 1] [--signal KILL] [--only NAME,...]
                                  [--program FILE] [--scratch FOLDER]

The program is that of src/BoostingTicket.Cli/bin/Release unless --program names another. Exit code 0: no difference; 1: some, or
an exit code that is not documented. Ctrl-C takes no more kills, and counts."""
import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import program

# Of ten kills one comes while the program starts, when there is little to lose; the others come when it has taken the folder,
# after up to this share of the time of the undisturbed one's work, so that every instant of it is reached.
EARLY = 0.1
SHARE = 0.9

# Then a command is let come to its end, so that all commands are tried and compared many times.
MOST = 12


def owner(folder):
    """What tells one process that works in a folder from the next: the file that it writes when it has taken the lock."""
    try:
        found = os.stat(os.path.join(folder, "run.pid"))
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def wait_for_work(process, folder, before):
    """Waits until a process has taken the folder, or has ended."""
    while process.poll() is None and owner(folder) in (None, before):
        time.sleep(0.005)


class Scenario:
    """A command that is killed: its name and its arguments for a folder."""

    def __init__(self, name, arguments, resumes=True):
        self.name, self.arguments, self.resumes = name, arguments, resumes
        self.kills = self.saved = self.ends = 0
        self.wrong = []
        self.expected = self.startup = self.seconds = None
        self.lock = threading.Lock()

    def line(self, folder):
        return [*self.arguments(folder), *(["--resume"] if self.resumes and program.begun(folder) else [])]

    def measure(self, options, folder):
        """The undisturbed one: its files, its time until the folder is its own, and its time in all."""
        began = time.monotonic()
        with program.start(options.program, self.line(folder)) as process:
            wait_for_work(process, folder, None)
            self.startup = time.monotonic() - began
            error = process.stderr.read()
        if process.returncode != 0:
            sys.exit(f"{self.name}: the undisturbed one ended with {process.returncode}: {error}")
        self.seconds = time.monotonic() - began
        self.expected = program.fingerprints(folder)


def scenarios(scratch):
    """All of them; the evaluations attack the weights of one training."""
    weights = os.path.join(scratch, "donor", "seed-0", "train.last.safetensors")
    experiment = [
        "experiment", "table5", "--model", "lenet-2-3-8", "--dataset", "synthetic-28", "--train-samples", "240",
        "--validation-samples", "40", "--test-samples", "40", "--epochs", "2", "--seeds", "1", "--steps", "1",
        "--probe-steps", "1", "--rounds", "2",
    ]
    yield from (
        Scenario(f"run {method}", lambda folder, method=method: ["run", *program.tiny(method), "--out", folder])
        for method in program.METHODS)
    yield Scenario("experiment", lambda folder: [*experiment, "--out", folder], resumes=False)
    yield Scenario("evaluation", lambda folder: [
        "evaluate", weights, "--attack", "pgd-100,autoattack", "--epsilon", "0.05", "--batch", "10", "--save-adversarial",
        folder + ".npy", "--out", folder])


def ends(options, scenario, folder, final):
    """A process that ended by itself, or was let: whether all is as it should be."""
    code, error = final
    name = f"{scenario.name} in {folder}"
    if code != 0:
        scenario.wrong.append(f"{name}: exit code {code}: {error.strip()}")
        return
    different = program.differences(scenario.expected, folder)
    images = folder + ".npy"
    if os.path.exists(images):
        undisturbed = os.path.join(options.scratch, "whole-" + scenario.name.replace(" ", "-") + ".npy")
        with open(images, "rb") as ours, open(undisturbed, "rb") as whole:
            if ours.read() != whole.read():
                different.append(images)
    if different:
        scenario.wrong.append(f"{name}: {', '.join(different)}")


def episode(options, scenario, folder, chance, take, give_back):
    """Kills one command again and again until it comes to its end, or has been killed often enough."""
    sent = 0
    while True:
        before, began = owner(folder), time.monotonic()
        with program.start(options.program, scenario.line(folder)) as process:
            killed = False
            chosen = sent < MOST and take()
            if chosen:
                sent += 1
                if chance.random() < EARLY:
                    delay = scenario.startup * chance.random()
                else:
                    wait_for_work(process, folder, before)
                    delay = (scenario.seconds - scenario.startup) * chance.random() * SHARE
                try:
                    process.wait(delay)
                except subprocess.TimeoutExpired:
                    process.send_signal(options.number)
                    killed = True
            error = process.stderr.read()
        if killed and process.returncode != 0:
            with scenario.lock:
                scenario.kills += 1
                scenario.saved += program.begun(folder) or not scenario.resumes
            if process.returncode not in (-options.number, 130):
                scenario.wrong.append(
                    f"{scenario.name} in {folder}: exit code {process.returncode} after the signal: {error.strip()}")
                return
            continue
        if chosen:
            give_back()
        with scenario.lock:
            scenario.ends += 1
            # The machine may have become faster than it was when the undisturbed one ran.
            if sent == 1 and before is None:
                scenario.seconds = min(scenario.seconds, max(time.monotonic() - began, scenario.startup))
        ends(options, scenario, folder, (process.returncode, error))
        return


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--signal", default="KILL")
    parser.add_argument("--only", default="")
    parser.add_argument("--program", default=program.BUILT)
    parser.add_argument("--scratch")
    options = parser.parse_args()
    options.number = getattr(signal, "SIG" + options.signal)
    scratch = options.scratch or tempfile.mkdtemp(prefix="kills-")
    options.scratch = scratch
    os.makedirs(scratch, exist_ok=True)

    donor = [
        "train", "--model", "lenet-2-3-8", "--train-samples", "600", "--validation-samples", "60", "--test-samples", "32",
        "--epochs", "3"]
    with program.start(options.program, [*donor, "--out", os.path.join(scratch, "donor")]) as process:
        if process.wait() != 0:
            sys.exit(process.stderr.read())
    chosen = [scenario for scenario in scenarios(scratch) if not options.only or scenario.name in options.only.split(",")]
    if not chosen:
        sys.exit(
            "--only names nothing that is tried; choose among " + ", ".join(scenario.name for scenario in scenarios(scratch)))
    for scenario in chosen:
        scenario.measure(options, os.path.join(scratch, "whole-" + scenario.name.replace(" ", "-")))
        print(f"{scenario.name}: {len(scenario.expected)} files, {scenario.seconds:.1f} s", flush=True)

    lock, left, began = threading.Lock(), [options.kills], time.monotonic()

    def take():
        with lock:
            left[0] -= 1
            return left[0] >= 0

    def give_back():
        with lock:
            left[0] += 1

    def work(job):
        chance, number = random.Random(f"{options.seed}/{job}"), job
        while left[0] > 0:
            scenario, folder = chosen[number % len(chosen)], os.path.join(scratch, f"killed-{job}-{number}")
            number += options.jobs
            before = scenario.kills
            wrong = len(scenario.wrong)
            episode(options, scenario, folder, chance, take, give_back)
            if len(scenario.wrong) == wrong:
                shutil.rmtree(folder, ignore_errors=True)
                if os.path.exists(folder + ".npy"):
                    os.remove(folder + ".npy")
            print(
                f"{scenario.name}: {scenario.kills - before} kills, "
                f"{'as undisturbed' if len(scenario.wrong) == wrong else 'DIFFERENT'}", flush=True)

    threads = [threading.Thread(target=work, args=(job,)) for job in range(options.jobs)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        print("no more kills; what is in progress is let come to its end", flush=True)
        left[0] = 0
        for thread in threads:
            thread.join()

    print(f"\n{'':12} {'kills':>6} {'of begun':>9} {'ends':>6} {'wrong':>6}")
    for scenario in chosen:
        print(f"{scenario.name:12} {scenario.kills:6} {scenario.saved:9} {scenario.ends:6} {len(scenario.wrong):6}")
    wrong = [text for scenario in chosen for text in scenario.wrong]
    print("\n".join(wrong), end="\n" if wrong else "")
    seconds = time.monotonic() - began
    print(
        f"{sum(scenario.kills for scenario in chosen)} kills in {seconds:.0f} s, "
        f"{sum(scenario.ends for scenario in chosen)} ends, {len(wrong)} differences")
    if not wrong and options.scratch != "" and not any(argument.startswith("--scratch") for argument in sys.argv):
        shutil.rmtree(scratch)
    return 1 if wrong or sum(scenario.kills for scenario in chosen) == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
