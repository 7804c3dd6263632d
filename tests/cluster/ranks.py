#!/usr/bin/env python3
"""ranks.py PROGRAM…: two processes on two machines train a network together, joined by srun --mpi=pmix; then again as a batch
job whose time limit comes before the end, so that it saves, is queued again and goes on. The weights must be those of one
process. Prints one line of JSON; exit code 77 where something that a cluster needs is missing."""

import glob
import hashlib
import json
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from cluster import Cluster, QueuedAgain, missing

TRAIN = ["train", "--model", "lenet-4-8-32", "--train-samples", "240", "--validation-samples", "40", "--test-samples", "40",
         "--steps", "2", "--evaluation-steps", "2", "--batch", "40", "--replicas", "2", "--device", "cpu"]
JOIN = ["srun", "--mpi=pmix", "-N2", "-n2", "-K1"]

# Slurm looks at time limits every half a minute, and sends the signal up to so much too early: within the first half minute.
LIMIT_MINUTES, SIGNAL_SECONDS, TRAINING_SECONDS = 1, 30, 50
ENOUGH_MINUTES = 30
FEW_EPOCHS = 20

JOB = """#!/bin/bash
#SBATCH --nodes=2 --ntasks=2 --time={minutes} --signal=USR1@{seconds} --requeue --open-mode=append
#SBATCH --output={folder}/job.log
cd {folder} || exit 1
if [ -e limited ]; then
  {join} {program} train --resume --threads 1 --out limited
else
  {join} {train} --out limited
fi
code=$?
echo "ended with $code"
if [ "$code" = 130 ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
"""


def weights(folder):
    """Hashes of weights by their names."""
    hashes = {}
    for path in glob.glob(f"{folder}/**/*.safetensors", recursive=True):
        with open(path, "rb") as file:
            hashes[os.path.relpath(path, folder)] = hashlib.sha256(file.read()).hexdigest()
    return hashes


def main():
    if (what := missing()) is not None:
        print(f"needs {what}")
        return 77
    program = [os.path.abspath(word) if os.path.exists(word) else word for word in sys.argv[1:]]
    folder = tempfile.mkdtemp(prefix="ranks-")

    def alone(epochs, name):
        subprocess.run([*program, *TRAIN, "--epochs", str(epochs), "--quiet", "--out", f"{folder}/{name}"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        return weights(f"{folder}/{name}")

    try:
        with Cluster(2) as cluster:
            if not cluster.has_pmix():
                print("needs Slurm's plugin mpi/pmix, and PMIx")
                return 77
            train = [*program, *TRAIN, "--threads", "1", "--epochs", str(FEW_EPOCHS), "--out", f"{folder}/together"]
            said = cluster.run("sh", "-c", f"{shlex.join([*JOIN, *train])} 2>&1")
            seconds = float(re.search(r"Trained in ([0-9.]+) s", said).group(1))
            epochs = math.ceil(FEW_EPOCHS * TRAINING_SECONDS / max(seconds, 0.1))
            with open(f"{folder}/job", "w", encoding="utf-8") as file:
                file.write(JOB.format(
                    minutes=LIMIT_MINUTES, seconds=SIGNAL_SECONDS, folder=shlex.quote(folder), join=shlex.join(JOIN),
                    program=shlex.join(program),
                    train=shlex.join([*program, *TRAIN, "--threads", "1", "--epochs", str(epochs)])))
            job = cluster.run("sbatch", "--parsable", f"{folder}/job").strip()

            # Once is enough: on a busy machine it would be queued again and again.
            again = QueuedAgain(cluster, job, f"TimeLimit={ENOUGH_MINUTES}")

            def log():
                path = f"{folder}/job.log"
                if not os.path.exists(path):
                    return ""
                with open(path, encoding="utf-8") as file:
                    return file.read()

            def ended():
                # On its way to the queue a job is in no state that says so.
                codes = re.findall("ended with ([0-9]+)", log())
                return codes != [] and codes[-1] != "130" and cluster.run("squeue", "-h", "-j", job).strip() == ""

            again.wait(ended, 420)
            words = dict(word.split("=", 1) for word in again.look().split() if "=" in word)
            said_by_job = log()
        print(json.dumps({
            "joined": "2 processes on 2 machines compute together" in said,
            "together": weights(f"{folder}/together") == alone(FEW_EPOCHS, "few"),
            "limited": weights(f"{folder}/limited") == alone(epochs, "many"),
            "files": len(weights(f"{folder}/limited")), "state": words["JobState"], "restarts": int(words["Restarts"]),
            "saved": said_by_job.count("ended with 130"), "epochs": epochs}))
        return 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
