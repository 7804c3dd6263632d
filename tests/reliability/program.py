"""What the benches share: how the program is started, and what of its files must be equal."""
import hashlib
import json
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILT = os.path.join(ROOT, "src", "BoostingTicket.Cli", "bin", "Release", "net10.0", "boosting-ticket.dll")
METHODS = ["natural", "fgsm", "fgsm-rs", "n-fgsm", "free", "yopo", "pgd", "trades"]
DOCUMENTED = [0, 2, 3, 4, 5, 6, 7, 130]

# Times, and what follows from them, differ from run to run; so do places.
TIMES = {
    "seconds", "samplesPerSecond", "times", "pruningSeconds", "trainingSeconds", "totalSeconds", "ruleSeconds", "ratio",
    "elapsed", "processorSeconds", "wallSeconds", "disturbedSeconds"}


def tiny(method, samples=600):
    """Settings of a run that takes two seconds."""
    return [
        "--model", "lenet-2-3-8", "--train-samples", str(samples), "--validation-samples", "60", "--test-samples", "32",
        "--batch", "20", "--epochs", "3", "--dense-epochs", "3", "--donor-epochs", "3", "--donor-method", method,
        "--method", method, "--steps", "2", "--probe-steps", "1", "--evaluation-steps", "2", "--arms", "dense,ticket,reinit",
    ]


def command(program, arguments):
    """The command line of the program: a .dll is started by dotnet."""
    started = ["dotnet", program] if program.endswith(".dll") else [program]
    return [*started, *arguments, "--threads", "1", "--device", "cpu", "--quiet"]


def start(program, arguments, **options):
    """Starts the program with its output thrown away and its errors kept."""
    return subprocess.Popen(
        command(program, arguments), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, **options)


def begun(folder):
    """Whether a folder holds a run that can be resumed."""
    return os.path.exists(os.path.join(folder, "configuration.json"))


def timeless(value):
    """A document without its times."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in TIMES}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def fingerprints(folder):
    """SHA-256 of every file that must not depend on interruptions: weights, tickets, examples, images, and results without
    times."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if name.endswith((".safetensors", ".npy")):
                with open(path, "rb") as file:
                    content = file.read()
            elif name.endswith(".json") and name not in ("environment.json", "command.json"):
                with open(path, encoding="utf-8") as file:
                    content = json.dumps(timeless(json.load(file)), sort_keys=True).encode()
            else:
                continue
            found[os.path.relpath(path, folder)] = hashlib.sha256(content).hexdigest()
    return found


def differences(expected, folder):
    """Names of files that are missing, too much or different."""
    found = fingerprints(folder)
    return sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
