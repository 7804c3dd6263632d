"""Compares the training step of two builds of the program, in turn.

    python3 benchmarks/two-programs.py OLD NEW [--rounds N] [--models A,B] [--sparsities 0,0.9] [--bf16] [--out FILE]

OLD and NEW are built command lines (`boosting-ticket` or `boosting-ticket.dll`). Each round times each PGD-10 training step once
in OLD and once in NEW (with --bf16, in NEW with attacks in bfloat16 too), so that what disturbs the machine disturbs both. A row
shows the median of the rounds' ratios, the lowest and highest one, and the ratio of the fastest rounds, which other guests of a
shared machine disturb least. The step of a round is the fastest of its batches. The results that are written hold all times, the
processor and the load before each round. Run it on a quiet machine.
"""
import argparse
import json
import math
import os
import statistics
import subprocess

MODELS = {"lenet-madry": 128, "resnet18-w16": 128, "resnet18": 128, "vgg16": 64, "wrn-16-4": 64}
BATCHES = {"lenet-madry": 10, "resnet18-w16": 5}


def step(program, model, sparsity, precision):
    """Milliseconds of one training step of PGD-10."""
    start = ["dotnet", program] if program.endswith(".dll") else [program]
    command = [*start, "profile", "--model", model, "--method", "pgd", "--steps", "10", "--batch", str(MODELS[model]), "--device",
               "cpu", "--sparsity", str(sparsity), "--batches", str(BATCHES.get(model, 2)), "--warmup", "1", "--json", "--quiet"]
    command += ["--precision", precision] if precision != "float32" else []
    return 1000 * json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["secondsPerBatchMin"]


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("old")
    options.add_argument("new")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--models", default=",".join(MODELS))
    options.add_argument("--sparsities", default="0,0.8,0.9,0.95")
    options.add_argument("--bf16", action="store_true")
    options.add_argument("--out")
    chosen = options.parse_args()
    programs = {"old": (chosen.old, "float32"), "new": (chosen.new, "float32")}
    if chosen.bf16:
        programs["new, bf16 attacks"] = (chosen.new, "bf16")
    sparsities = [float(text) for text in chosen.sparsities.split(",")]
    rows = [{"model": model, "sparsity": sparsity, "milliseconds": {name: [] for name in programs}}
            for sparsity in sparsities for model in chosen.models.split(",")]
    loads = []
    for _ in range(chosen.rounds):
        loads.append(os.getloadavg()[0])
        for row in rows:
            for name, (program, precision) in programs.items():
                row["milliseconds"][name].append(step(program, row["model"], row["sparsity"], precision))
            print(f"{row['model']:14} {row['sparsity']:5} "
                  + "  ".join(f"{name} {times[-1]:8.1f} ms" for name, times in row["milliseconds"].items()), flush=True)

    print(f"\n{processor()}, {os.cpu_count()} processors, load before each round {', '.join(f'{load:.1f}' for load in loads)}")
    for name in list(programs)[1:]:
        for sparsity in sparsities:
            medians, fastest = [], []
            for row in (row for row in rows if row["sparsity"] == sparsity):
                ratios = [old / new for old, new in zip(row["milliseconds"]["old"], row["milliseconds"][name])]
                medians.append(statistics.median(ratios))
                fastest.append(min(row["milliseconds"]["old"]) / min(row["milliseconds"][name]))
                print(f"{name:18} {sparsity:5} {row['model']:14} {medians[-1]:5.2f} times faster "
                      f"({min(ratios):.2f} to {max(ratios):.2f}), of the fastest rounds {fastest[-1]:.2f}")
            means = (math.exp(statistics.mean(map(math.log, values))) for values in (medians, fastest))
            print(f"{name:18} {sparsity:5} {'geometric mean':14} {next(means):5.2f}, of the fastest rounds {next(means):.2f}")
    if chosen.out:
        with open(chosen.out, "w", encoding="utf-8") as file:
            json.dump({"processor": processor(), "processors": os.cpu_count(), "loads": loads, "rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
