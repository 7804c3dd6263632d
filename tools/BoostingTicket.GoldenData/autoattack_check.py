"""Compares tests/golden/attacks.safetensors with AutoAttack's own program.

    python3 autoattack_check.py tests/golden/attacks.safetensors FOLDER

FOLDER is a checkout of github.com/fra31/auto-attack. Needs PyTorch, any version since 1.13, and NumPy. Runs the program's APGD,
targeted APGD, targeted FAB and Square on the recorded network and images, prints by how much its courses depart from the recorded
ones, and ends with 1 where that is more than rounding. Where the program draws random numbers, it is given the recorded ones;
since Square draws a place and a colour for the whole batch, it is run one sample at a time.
"""
import json
import struct
import sys

import numpy
import torch
from torch.nn import functional

TOLERANCE = 2e-5
TYPES = {"F32": "<f4", "I64": "<i8"}


def read(path):
    """Metadata and tensors of a safetensors file."""
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8:8 + length]), data[8 + length:]
    metadata = header.pop("__metadata__")
    return metadata, {
        name: torch.from_numpy(numpy.frombuffer(body[slice(*entry["data_offsets"])], TYPES[entry["dtype"]]).copy())
        .reshape(entry["shape"]) for name, entry in header.items()}


class Victim:
    """The recorded network in float64, offered in float32; keeps the images that it is asked about."""

    def __init__(self, tensors):
        self.weights = {name[len("initial."):]: value.double() for name, value in tensors.items() if name.startswith("initial.")}
        self.asked = []

    def __call__(self, images):
        self.asked.append(images.detach().clone())
        w = self.weights
        x = functional.relu(functional.conv2d(images.double(), w["conv1.weight"], w["conv1.bias"], padding=1))
        x = functional.relu(functional.conv2d(x, w["conv2.weight"], w["conv2.bias"], stride=2, padding=1))
        return functional.linear(x.flatten(1), w["fc.weight"], w["fc.bias"]).float()


class Comparison:
    """Largest departures of one attack, by tensor."""

    def __init__(self, name):
        self.name, self.worst = name, {}

    def add(self, what, actual, expected):
        error = ((actual - expected).abs() / (1 + expected.abs())).max().item() if expected.numel() else 0.0
        self.worst[what] = max(self.worst.get(what, 0.0), error)

    def agrees(self):
        print(f"{self.name}: " + ", ".join(f"{what} {worst:.1e}" for what, worst in self.worst.items()))
        return max(self.worst.values()) <= TOLERANCE


def check_apgd(victim, tensors, epsilon, name, attack_class):
    from_file = lambda tensor: tensors[f"{name}.{tensor}"]
    clean, labels, comparison = from_file("clean"), from_file("labels"), Comparison(name)
    for round_, losses in enumerate(from_file("losses")):
        attack = attack_class(victim, n_iter=len(losses), norm="Linf", eps=epsilon, device="cpu")
        attack.init_hyperparam(clean)
        if attack.loss == "dlr-targeted":
            attack.y_target = victim(clean).sort(dim=1)[1][:, -(round_ + 2)]
            loss = attack.dlr_loss_targeted
        else:
            loss = lambda logits, y: functional.cross_entropy(logits, y, reduction="none")
        victim.asked.clear()
        best, correct, best_loss, _ = attack.attack_single_run(clean, labels, x_init=from_file("start")[round_, 0].clone())
        asked = list(victim.asked)
        for entry, iteration in enumerate(from_file("images.at")):
            comparison.add("images", asked[iteration + 1], from_file("images")[round_, entry])
        for images, expected in zip(asked[1:], losses):
            comparison.add("losses", loss(victim(images), labels), expected)
        comparison.add("best losses", best_loss, from_file("best")[round_, -1])
        robust = from_file("fooled")[round_, 0] < 0
        comparison.add("robust", correct.float(), robust.float())
        comparison.add("images of robust samples", best[robust], from_file("result")[round_, 0][robust])
    return comparison.agrees()


def check_fab(victim, tensors, epsilon, attack_class):
    clean, labels, comparison = tensors["fab-t.clean"], tensors["fab-t.labels"], Comparison("fab-t")
    for round_, distances in enumerate(tensors["fab-t.distances"]):
        attack = attack_class(victim, norm="Linf", n_iter=len(distances), eps=epsilon, targeted=True, device="cpu")
        attack.target_class = round_ + 2
        victim.asked.clear()
        found = attack.attack_single_run(clean, labels, is_targeted=True)
        # Two calls at the start; then one at an iteration's beginning and one after its step.
        beginnings = victim.asked[2::2]
        for entry, iteration in enumerate(tensors["fab-t.images.at"]):
            if iteration + 1 < len(beginnings):
                comparison.add("images", beginnings[iteration + 1], tensors["fab-t.images"][round_, entry])
        reached = (found - clean).abs().amax((1, 2, 3))
        fooled = distances[-1] < 1e9
        comparison.add("fooled", (reached > 0).float(), fooled.float())
        comparison.add("least distances", reached[fooled], distances[-1][fooled])
    return comparison.agrees()


def check_square(victim, tensors, epsilon, stream, queries, attack_class):
    comparison = Comparison("square")
    for sample, identity in enumerate(tensors["square.samples"].tolist()):
        clean, labels = (tensors[f"square.{name}"][sample:sample + 1] for name in ("clean", "labels"))
        attack = attack_class(
            victim, norm="Linf", n_queries=queries, eps=epsilon, p_init=0.8, resc_schedule=False, device="cpu")
        attack.init_hyperparam(clean)
        give_recorded_numbers(attack, stream, identity)
        victim.asked.clear()
        _, best = attack.attack_single_run(clean, labels)
        asked = list(victim.asked)
        for entry, query in enumerate(tensors["square.images.at"]):
            if query < len(asked):
                comparison.add("images", asked[query], tensors["square.images"][0, entry, sample:sample + 1])
        for images, expected in zip(asked, tensors["square.margins"][0, :, sample:sample + 1]):
            comparison.add("margins", attack.margin_and_loss(images, labels)[0], expected)
        comparison.add("result", best, tensors["square.result"][0, 0, sample:sample + 1])
    return comparison.agrees()


def give_recorded_numbers(attack, stream, identity):
    """Replaces what Square draws: colours of stripes; then row, column and colours of each query's square."""
    query, drawn = 0, 0

    def choose(shape):
        nonlocal query, drawn
        if len(shape) == 4:
            signs = words(stream, identity, shape[1] * shape[3], 3, 0)
        else:
            signs = words(stream, identity, 2 + shape[0], 4, query)[2:]
            query, drawn = query + 1, 0
        return torch.tensor([-1.0 if word >> 31 else 1.0 for word in signs]).reshape(shape)

    def integer(low=0, high=1, shape=(1,)):
        nonlocal drawn
        word = words(stream, identity, 2, 4, query)[drawn]
        drawn += 1
        # The program never draws the last place; the paper does.
        return torch.tensor([low + (word * (high - low + 1) >> 32)])

    attack.random_choice, attack.random_int = choose, integer


def words(key, sample, count, purpose, round_):
    """Words of Philox4x32-10."""
    result = []
    for block in range((count + 3) // 4):
        c, k0, k1 = [block, sample, purpose, round_], key & 0xffffffff, key >> 32
        for _ in range(10):
            left, right = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
            c = [(right >> 32) ^ c[1] ^ k0, right & 0xffffffff, (left >> 32) ^ c[3] ^ k1, left & 0xffffffff]
            k0, k1 = (k0 + 0x9E3779B9) & 0xffffffff, (k1 + 0xBB67AE85) & 0xffffffff
        result += c
    return result[:count]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.path.insert(0, sys.argv[2])
    from autoattack.autopgd_base import APGDAttack, APGDAttack_targeted
    from autoattack.fab_pt import FABAttack_PT
    from autoattack.square import SquareAttack

    metadata, tensors = read(sys.argv[1])
    epsilon, victim = float(metadata["epsilon"]), Victim(tensors)
    agree = [
        check_apgd(victim, tensors, epsilon, "apgd-ce", APGDAttack),
        check_apgd(victim, tensors, epsilon, "apgd-t", APGDAttack_targeted),
        check_fab(victim, tensors, epsilon, FABAttack_PT),
        check_square(victim, tensors, epsilon, int(metadata["stream"]), int(metadata["square.queries"]), SquareAttack),
    ]
    sys.exit(0 if all(agree) else 1)


if __name__ == "__main__":
    main()
