#!/usr/bin/env python3
"""share.py PROGRAM…: three workers of a Slurm array on two machines share an experiment. One is killed with SIGKILL, another is
told to save as at its time limit and is queued again. The files must be those of one process. Prints one line of JSON; exit
code 77 where something that a cluster needs is missing."""

import glob
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from cluster import Cluster, missing, wait_for

EXPERIMENT = ["experiment", "table2", "--epochs", "120", "--seeds", "2", "--steps", "1", "--probe-steps", "1", "--threads", "1",
              "--device", "cpu", "--model", "lenet-3-4-8", "--dataset", "synthetic-28", "--train-samples", "240",
              "--validation-samples", "40", "--test-samples", "40"]


def kept(folder):
    """Hashes of weights, tickets and the table by their names."""
    files = glob.glob(f"{folder}/**/*.safetensors", recursive=True) + [f"{folder}/table2/results.csv"]
    hashes = {}
    for path in files:
        with open(path, "rb") as file:
            hashes[os.path.relpath(path, folder)] = hashlib.sha256(file.read()).hexdigest()
    return hashes


def workers(folder):
    """Processes that hold parts now."""
    held = []
    for path in glob.glob(f"{folder}/store/*/run.lease"):
        try:
            with open(path, encoding="utf-8") as file:
                held.append(json.load(file)["Process"])
        except (OSError, ValueError):
            pass
    return sorted(set(held))


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
                "env", "-C", folder, *program, *EXPERIMENT, "--slurm", "--ntasks=1 --cpus-per-task=1 --time=10", "--workers", "3",
                "--json", "--out", shared))
            job = answer["job"]
            wait_for(lambda: len(workers(shared)) > 1, 120, "no two workers have parts at the same time")
            # A machine that is lost: its worker has no time to say anything.
            os.kill(workers(shared)[0], signal.SIGKILL)
            wait_for(lambda: len(workers(shared)) > 0, 120, "nobody goes on")
            # What Slurm does before the time limit.
            def running():
                return cluster.run("squeue", "-h", "-r", "-j", job, "-t", "RUNNING", "-o", "%A %i").strip().split("\n")

            # Slurm notices a moment later that the killed one has ended.
            wait_for(lambda: len(running()) == 2, 60, "the killed worker does not end")
            told = running()[-1].split()
            cluster.run("scancel", "--signal=USR1", told[1])
            wait_for(lambda: "Restarts=1" in cluster.run("scontrol", "show", "job", told[0]), 60,
                     "the worker is not queued again")
            # Slurm lets it wait for two minutes.
            cluster.run("scontrol", "update", f"JobId={told[0]}", "StartTime=now", check=False)
            wait_for(lambda: cluster.run("squeue", "-h", "-j", job).strip() == "", 300, "the job does not end")
            states = {}
            for line in cluster.run("scontrol", "show", "job", job).split("\n"):
                for word in line.split():
                    if word.startswith("JobState="):
                        states[word[9:]] = states.get(word[9:], 0) + 1
        one, many = kept(f"{folder}/whole"), kept(shared)
        print(json.dumps({"files": len(one), "equal": sum(many.get(name) == value for name, value in one.items()),
                          "unexpected": len(many.keys() - one.keys()), "states": states}))
        return 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
