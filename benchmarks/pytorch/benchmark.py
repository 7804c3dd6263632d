#!/usr/bin/env python3
"""Times steps of natural, FGSM and PGD training in PyTorch on a GPU: the same work as `boosting-ticket profile` times.

Writes one line of JSON for each result as soon as it has it; README.md beside this file describes the fields."""

import argparse
import gc
import json
import math
import os
import platform
import statistics
import sys
import time

import torch

import models
import workload

SCHEMA = 1
VARIANTS = ("eager", "graph", "compile", "compile-graph")
METHODS = ("pgd", "fgsm", "natural")
PRECISIONS = ("bf16", "tf32", "float32")
REPETITION_SECONDS = 0.5
WARMUP_STEPS = 3


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", default="resnet18,wrn-34-10,vgg16,lenet", help="comma-separated, the most important first")
    parser.add_argument("--methods", default="pgd,fgsm,natural")
    parser.add_argument("--precisions", default="bf16,tf32")
    parser.add_argument("--variants", default=",".join(VARIANTS))
    parser.add_argument("--batch", type=int, default=128, help="images a step")
    parser.add_argument("--steps", type=int, default=10, help="steps of PGD")
    parser.add_argument("--batches", type=int, default=391, help="steps of a repetition, at most")
    parser.add_argument("--repetitions", type=int, default=7, help="timed repetitions of each result")
    parser.add_argument("--images", type=int, default=10_000, help="synthetic images on the device")
    parser.add_argument("--compile-mode", default=None, help="mode of torch.compile")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, eager and graph only")
    parser.add_argument(
        "--time-budget", type=float, default=math.inf, metavar="SECONDS", help="start no further result after this")
    parser.add_argument("--out", help="file that lines are appended to; standard output in any case")
    parser.add_argument(
        "--self-test", action="store_true", help="check data, attack and networks on the processor; times nothing")
    options = parser.parse_args(arguments)
    if options.quick:
        options.repetitions = min(options.repetitions, 3)
        options.batches = min(options.batches, 50)
        options.variants = ",".join(v for v in options.variants.split(",") if v in ("eager", "graph"))
    for name, known in (("models", models.MODELS), ("methods", METHODS), ("precisions", PRECISIONS), ("variants", VARIANTS)):
        chosen = [word for word in getattr(options, name).split(",") if word]
        unknown = [word for word in chosen if word not in known]
        if unknown:
            parser.error(f"--{name} {unknown[0]}: choose from {', '.join(known)}")
        setattr(options, name, chosen)
    for name in ("batch", "steps", "batches", "repetitions"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} has to be at least 1")
    if options.images < options.batch:
        parser.error("--images has to be at least --batch")
    return options


def plan(options):
    """What to time, the most important first. What has to be compiled takes minutes, so of that only the first model's first
    result comes early, and the rest last."""
    jobs = [
        (model, method, precision, variant)
        for method in options.methods for precision in options.precisions for variant in options.variants
        for model in options.models
    ]

    def rank(job):
        model, method, precision, variant = job
        is_first_method = method == options.methods[0]
        if variant.startswith("compile"):
            return 1 if is_first_method and precision == options.precisions[0] and model == options.models[0] else 3
        return 0 if is_first_method else 2

    return sorted(jobs, key=rank)


def environment():
    properties = torch.cuda.get_device_properties(0)
    return {
        "engine": "pytorch",
        "device": properties.name,
        "compute_capability": f"{properties.major}.{properties.minor}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }


def set_precision(precision):
    allowed = precision != "float32"
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def measure(options, job, deadline):
    """One result; stops between repetitions when the time is up."""
    model, method, precision, variant = job
    set_precision(precision)
    torch.manual_seed(1)
    started = time.perf_counter()
    training = workload.Training(
        model, method, precision, variant.startswith("compile"), options.batch, options.steps, options.images, "cuda",
        options.compile_mode)
    for _ in range(WARMUP_STEPS):
        training.step()
    # What the search for the fastest convolutions took is not counted.
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    if variant.endswith("graph"):
        training.capture()
        training.step()
    torch.cuda.synchronize()
    warmup = time.perf_counter() - started

    seconds = seconds_of(training, 1)
    batches = max(1, min(options.batches, math.ceil(REPETITION_SECONDS / max(seconds, 1e-6))))
    training.loss_sum.zero_()
    training.correct.zero_()
    times = []
    for _ in range(options.repetitions):
        times.append(seconds_of(training, batches) / batches)
        if time.perf_counter() > deadline:
            break
    steps = len(times) * batches
    loss = training.loss_sum.item() / steps
    if not math.isfinite(loss):
        raise RuntimeError(f"the loss is {loss}: what was timed is not training")
    median = statistics.median(times)
    images = models.MODELS[model].epoch_images
    return {
        "attack_steps": 0 if method == "natural" else training.steps,
        "batch": options.batch,
        "repetitions": len(times),
        "batches_per_repetition": batches,
        "seconds_per_batch_median": median,
        "seconds_per_batch_min": min(times),
        "seconds_per_batch_max": max(times),
        "images_per_second": options.batch / median,
        "seconds_per_epoch": median * math.ceil(images / options.batch),
        "epoch_images": images,
        "peak_memory_bytes": torch.cuda.max_memory_allocated(),
        "peak_reserved_bytes": torch.cuda.max_memory_reserved(),
        "warmup_seconds": warmup,
        "mean_loss": loss,
        "accuracy": training.correct.item() / (steps * options.batch),
    }


def seconds_of(training, batches):
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(batches):
        training.step()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def clean_up():
    gc.collect()
    if hasattr(torch, "_dynamo"):
        torch._dynamo.reset()
    torch.cuda.empty_cache()


def write(options, line):
    text = json.dumps(line)
    print(text, flush=True)
    if options.out:
        with open(options.out, "a", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())


def main(arguments):
    options = parse(arguments)
    if options.self_test:
        import self_test

        self_test.run()
        return 0
    if not torch.cuda.is_available():
        print(
            "PyTorch sees no GPU (torch.cuda.is_available() is false); install a CUDA build of it and a driver.", file=sys.stderr)
        return 4
    torch.backends.cudnn.benchmark = True
    started = time.perf_counter()
    deadline = started + options.time_budget
    common = {"schema": SCHEMA, **environment()}
    failures = 0
    for job in plan(options):
        line = {**common, **dict(zip(("model", "method", "precision", "variant"), job))}
        if time.perf_counter() > deadline:
            write(options, {**line, "status": "skipped", "reason": f"--time-budget of {options.time_budget:g} s was used up"})
            continue
        print(f"{time.perf_counter() - started:6.1f} s: {' '.join(job)}", file=sys.stderr, flush=True)
        try:
            write(options, {**line, "status": "ok", **measure(options, job, deadline)})
        except Exception as error:  # One result that fails (out of memory, a compiler that gives up) must not cost the others.
            failures += 1
            write(options, {**line, "status": "failed", "reason": f"{type(error).__name__}: {error}"[:2000]})
        clean_up()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
