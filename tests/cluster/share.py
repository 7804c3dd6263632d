#!/usr/bin/env python3
"""share.py PROGRAM…: three workers of a Slurm array on two machines share an experiment. One is killed with SIGKILL. The last
is told to save as at its time limit, and is queued again, alone. The files must be those of one process. Prints one line of
JSON; exit code 77 where something that a cluster needs is missing."""

import glob
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from cluster import Cluster, QueuedAgain, missing, wait_for

EXPERIMENT = ["experiment", "table2", "--epochs", "120", "--seeds", "2", "--steps", "1", "--probe-steps", "1", "--threads", "1",
              "--device", "cpu", "--model", "lenet-3-4-8", "--dataset", "synthetic-28", "--train-samples", "240",
              "--validation-samples", "40", "--test-samples", "40"]
WORKERS = 3


def kept(folder):
    """Hashes of weights, tickets and the table by their names."""
    files = glob.glob(f"{folder}/**/*.safetensors", recursive=True) + [f"{folder}/table2/results.csv"]
    hashes = {}
    for path in files:
        with open(path, "rb") as file:
            hashes[os.path.relpath(path, folder)] = hashlib.sha256(file.read()).hexdigest()
    return hashes


def workers(folder):
    """Processes that hold parts now, by the index of their task."""
    held = {}
    for path in glob.glob(f"{folder}/store/*/run.lease"):
        try:
            with open(path, encoding="utf-8") as file:
                process = json.load(file)["Process"]
            with open(f"/proc/{process}/environ", encoding="utf-8", errors="replace") as file:
                words = dict(word.split("=", 1) for word in file.read().split("\0") if "=" in word)
            held[words["SLURM_ARRAY_TASK_ID"]] = process
        except (OSError, ValueError, KeyError):
            pass
    return held


def logs(folder):
    """The last lines that each worker wrote, by the name of its log."""
    ends = {}
    for path in sorted(glob.glob(f"{folder}/table2/*.log")):
        with open(path, encoding="utf-8", errors="replace") as file:
            ends[os.path.basename(path)] = [line.rstrip() for line in file.readlines()[-12:]]
    return ends


def main():
    if (what := missing()) is not None:
        print(f"needs {what}")
        return 77
    program = [os.path.abspath(word) if os.path.exists(word) else word for word in sys.argv[1:]]
    folder = tempfile.mkdtemp(prefix="share-")
    try:
        subprocess.run([*program, *EXPERIMENT, "--quiet", "--out", f"{folder}/whole"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        shared = f"{folder}/shared"
        with Cluster(2) as cluster:
            answer = json.loads(cluster.run(
                "env", "-C", folder, *program, *EXPERIMENT, "--slurm", "--ntasks=1 --cpus-per-task=1 --time=10",
                "--workers", str(WORKERS), "--json", "--out", shared))
            job = answer["job"]
            # The number of the last task is also the number of the whole array. So what is meant for it could reach the others.
            last = f"{job}_{WORKERS}"
            busy = {}

            def together():
                # Between two parts a worker holds none, so all that follows rests on one look.
                busy.clear()
                busy.update(workers(shared))
                return len(busy) > 1 and str(WORKERS) in busy

            wait_for(together, 120, "no two workers have parts at the same time, the last one among them")
            # A machine that is lost: its worker has no time to say anything.
            killed = next(task for task in busy if task != str(WORKERS))
            os.kill(busy[killed], signal.SIGKILL)
            # Slurm notices a moment later.
            wait_for(lambda: "JobState=FAILED" in cluster.run("scontrol", "show", "job", f"{job}_{killed}"), 60,
                     "the killed worker does not end")
            # What Slurm does before the time limit.
            cluster.run("scancel", "--signal=USR1", last)
            wait_for(lambda: "Restarts=1" in cluster.run("scontrol", "show", "job", last), 60, "the worker is not queued again")
            QueuedAgain(cluster, last).wait(lambda: cluster.run("squeue", "-h", "-j", job).strip() == "", 420)
            # Each task's state, and how often it was queued again.
            states = []
            for task in range(1, WORKERS + 1):
                shown = cluster.run("scontrol", "show", "job", f"{job}_{task}").split()
                words = dict(word.split("=", 1) for word in shown if "=" in word)
                states.append(f"{words['JobState']} {words['Restarts']}")
            slurm = cluster.said(job)
        one, many = kept(f"{folder}/whole"), kept(shared)
        print(json.dumps({"files": len(one), "equal": sum(many.get(name) == value for name, value in one.items()),
                          "unexpected": len(many.keys() - one.keys()), "states": states, "killed": int(killed),
                          "logs": logs(shared), "slurm": slurm}))
        return 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
