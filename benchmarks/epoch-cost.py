"""Measures what an epoch costs by samples and by steps of PGD, and draws it.

    python3 benchmarks/epoch-cost.py PROGRAM docs/performance/epoch-cost.svg [--json FILE]

PROGRAM is the built boosting-ticket. Every point is a whole epoch of training on built-in images, every batch timed. The JSON
holds what was measured; with `--from FILE` in the place of PROGRAM the plot is drawn from such a file again.
"""
import json
import subprocess
import sys

MODEL, DATASET, VALIDATION = "lenet-madry", "synthetic-28", 250
STEPS = [0, 1, 2, 5, 10]
SAMPLES = [512, 1024, 2048]
COLOURS = ["#4477aa", "#ee6677", "#228833"]


def measure(program, steps, samples):
    """Seconds of one epoch."""
    method = ["--method", "pgd", "--steps", str(steps)] if steps else ["--method", "natural"]
    command = [program, "profile", "--model", MODEL, "--dataset", DATASET, *method, "--train-samples", str(samples + VALIDATION),
               "--validation-samples", str(VALIDATION), "--batches", "0", "--warmup", "1", "--json", "--quiet"]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if result["epochImages"] != samples:
        raise SystemExit(f"An epoch had {result['epochImages']} images instead of {samples}.")
    return {"steps": steps, "samples": samples, "seconds": result["secondsPerEpoch"], "device": result["deviceDescription"]}


def line(points):
    """Slope, intercept and the largest deviation as a share of the value, of the least-squares line."""
    n, sx, sy = len(points), sum(x for x, _ in points), sum(y for _, y in points)
    slope = (n * sum(x * y for x, y in points) - sx * sy) / (n * sum(x * x for x, _ in points) - sx * sx)
    intercept = (sy - slope * sx) / n
    return slope, intercept, max(abs(slope * x + intercept - y) / y for x, y in points)


def panel(left, title, axis, series, largest):
    """One chart: a series is its label, its colour and its points."""
    width, height, top = 330, 240, 50
    right = max(x for _, _, points in series for x, _ in points)
    place = lambda x, y: (left + width * x / right, top + height * (1 - y / largest))
    out = [f'<text x="{left}" y="{top - 18}" class="title">{title}</text>']
    step = next(s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if largest / s <= 6)
    for i in range(int(largest / step) + 1):
        y = place(0, i * step)[1]
        out.append(f'<line x1="{left}" y1="{y:.1f}" x2="{left + width}" y2="{y:.1f}" class="grid"/>'
                   f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{i * step:g}</text>')
    for x in sorted({x for _, _, points in series for x, _ in points}):
        out.append(f'<text x="{place(x, 0)[0]:.1f}" y="{top + height + 18}" text-anchor="middle">{x}</text>')
    out.append(f'<text x="{left + width / 2}" y="{top + height + 38}" text-anchor="middle">{axis}</text>')
    for label, colour, points in series:
        slope, intercept, _ = line(points)
        (x1, y1), (x2, y2) = place(0, max(intercept, 0)), place(right, slope * right + intercept)
        out.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="1.5"/>')
        out += [f'<circle cx="{place(*point)[0]:.1f}" cy="{place(*point)[1]:.1f}" r="3.5" fill="{colour}"/>' for point in points]
        out.append(f'<text x="{left + width + 6}" y="{y2 + 4:.1f}" fill="{colour}">{label}</text>')
    return out


def draw(rows):
    """Both charts as SVG."""
    largest = 1.08 * max(row["seconds"] for row in rows)
    by_steps = [(f"{n} samples", COLOURS[i % 3], [(r["steps"], r["seconds"]) for r in rows if r["samples"] == n])
                for i, n in enumerate(SAMPLES)]
    by_samples = [(f"PGD-{k}" if k else "natural", COLOURS[i % 3],
                   [(r["samples"], r["seconds"]) for r in rows if r["steps"] == k])
                  for i, k in enumerate(STEPS)]
    for name, _, points in by_steps + by_samples:
        slope, intercept, error = line(points)
        print(f"{name}: {intercept:.3f} s + {slope * 1e3:.3f} ms each, points off the line by at most {error:.1%}")
    body = panel(50, "seconds of an epoch, by steps of PGD", "steps of PGD", by_steps, largest)
    body += panel(530, "seconds of an epoch, by samples", "samples", by_samples, largest)
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 950 340" font-family="sans-serif" font-size="12">'
            '<style>text{fill:#333}.title{font-size:14px}.grid{stroke:#ddd}</style><rect width="950" height="340" fill="#fff"/>'
            + "".join(body).replace("<text", "\n<text") + "</svg>\n")


def main(arguments):
    if arguments[0] == "--from":
        with open(arguments[1]) as file:
            rows = json.load(file)
        arguments = arguments[1:]
    else:
        rows = [measure(arguments[0], steps, samples) for samples in SAMPLES for steps in STEPS]
    if "--json" in arguments:
        with open(arguments[arguments.index("--json") + 1], "w") as file:
            file.write("[\n" + ",\n".join("  " + json.dumps(row) for row in rows) + "\n]\n")
    with open(arguments[1], "w") as file:
        file.write(draw(rows))


main(sys.argv[1:])
