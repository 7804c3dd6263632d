"""What can be checked of the benchmark without a GPU: data, attack and training step, and the networks against the project's
golden values, where its tests lie beside it."""

import json
import math
import os
import struct

import torch

import models
import workload

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "golden")
GOLDEN_NETWORKS = {
    "lenet-4-8-32": ("lenet", lambda: models.LeNet(4, 8, 32)),
    "vgg16-w4": ("vgg16", lambda: models.Vgg16(4)),
    "resnet18-w4": ("resnet18", lambda: models.ResNet18(4)),
    "wrn-10-1": ("wrn-34-10", lambda: models.WideResNet(10, 1)),
}
# In float64: golden values were made so and rounded to float32 once.
TOLERANCE = 1e-6


def run():
    """Raises AssertionError where something is not as it should be."""
    torch.manual_seed(7)
    check_data()
    for name in models.MODELS:
        for method in ("natural", "fgsm", "pgd"):
            check_step(name, method)
        print(f"{name}: {models.MODELS[name].parameters} parameters; natural, FGSM and PGD steps as they should be")
    if os.path.isdir(GOLDEN):
        for golden, (name, create) in GOLDEN_NETWORKS.items():
            check_golden(golden, name, create())
            print(f"{golden}: golden logits, losses, gradients and adversarial images met")
    else:
        print("golden values: not checked, tests/golden is not here")


def check_data():
    data = workload.SyntheticImages((3, 32, 32), 64, True, "cpu")
    index = torch.arange(16)
    images, labels = data.batch(index)
    assert images.shape == (16, 3, 32, 32) and images.is_contiguous(memory_format=torch.channels_last)
    assert 0 <= images.min() and images.max() <= 1 and torch.equal(labels, data.labels[:16])
    assert not torch.equal(data.batch(index)[0], images), "crops differ from batch to batch"
    # Every image is a window of the padded one, mirrored or not.
    padded = data.images[:16].permute(0, 3, 1, 2).float() / 255
    for image, whole in zip(images, padded):
        windows = whole.unfold(1, 32, 1).unfold(2, 32, 1).permute(1, 2, 0, 3, 4).reshape(-1, 3, 32, 32)
        assert any(torch.equal(image, window) or torch.equal(image.flip(2), window) for window in windows)


def check_step(name, method):
    shape = models.MODELS[name].shape
    training = workload.Training(name, method, "float32", False, 4, 2, 8, "cpu")
    before = {key: value.clone() for key, value in training.network.state_dict().items()}
    clean, labels = training.data.batch(torch.arange(4))
    attacked = training.adversarial(clean, labels)
    assert attacked.shape == (4, *shape) and not attacked.requires_grad
    assert (attacked - clean).abs().max() <= workload.EPSILON + 1e-6
    assert attacked.min() >= 0 and attacked.max() <= 1
    assert torch.equal(attacked, clean) == (method == "natural")
    assert all(p.grad is None for network in (training.target, training.network) for p in network.parameters())
    after = training.network.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before), "an attack changes no weight and no statistic"
    training.step()
    pairs = list(zip(training.network.state_dict().values(), training.target.state_dict().values()))
    assert all(ours.data_ptr() == theirs.data_ptr() for ours, theirs in pairs), "the attack sees what a step did"
    assert all(not torch.equal(before[key], after[key]) for key in before if key.endswith("conv1.weight"))
    assert math.isfinite(training.loss_sum.item())


def check_golden(golden, name, network):
    tensors, metadata = read_safetensors(os.path.join(GOLDEN, golden + ".safetensors"))
    state = {key[len("initial."):]: value for key, value in tensors.items() if key.startswith("initial.")}
    if golden.startswith("lenet"):
        network.normalization = torch.nn.Identity()
    missing, unexpected = network.load_state_dict(state, strict=False)
    assert not unexpected and all(key.endswith("num_batches_tracked") for key in missing), (missing, unexpected)

    training = workload.Training(name, "pgd", "float32", False, 4, 10, 8, "cpu")
    network = network.double().to(memory_format=torch.channels_last)
    training.target = training.attack_forward = workload.share(network, True)
    images, labels = tensors["input"].double().to(memory_format=torch.channels_last), tensors["labels"]
    close(training.target(images), tensors["eval.logits"], "evaluation logits")
    epsilon, size = float(metadata["attack.epsilon"]), float(metadata["attack.step_size"])
    close(training.ascend(images, tensors["attack.start"].double(), labels, epsilon, size), tensors["attack.pgd.10"], "PGD")
    training.steps = 1
    close(training.ascend(images, images, labels, epsilon, epsilon), tensors["attack.fgsm"], "FGSM")

    network.train()
    training.network = training.train_forward = network
    training.loss_sum = training.loss_sum.double()
    training.optimizer = torch.optim.SGD(
        network.parameters(), lr=float(metadata["sgd.learning_rate"]), momentum=workload.MOMENTUM,
        weight_decay=workload.WEIGHT_DECAY)
    training.method = "natural"
    training.data.batch = lambda index: (images, labels)
    losses = []
    for _ in range(5):
        training.loss_sum.zero_()
        training.step()
        losses.append(training.loss_sum.clone())
    close(torch.stack(losses), tensors["sgd.loss"], "losses of five steps")
    after = network.state_dict()
    for key, expected in tensors.items():
        if key.startswith("sgd.after.") and not key.endswith("classifier.0.bias"):
            close(after[key[len("sgd.after."):]], expected, key)


def close(value, expected, name):
    error = (value.detach() - expected).norm() / expected.norm()
    assert error < TOLERANCE, f"{name}: relative error {error:.2e}"


def read_safetensors(path):
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    metadata = header.pop("__metadata__")
    types = {"F32": torch.float32, "I64": torch.int64, "U8": torch.uint8}
    tensors = {}
    for name, entry in header.items():
        first, end = entry["data_offsets"]
        data = bytearray(content[8 + length + first:8 + length + end])
        tensors[name] = torch.frombuffer(data, dtype=types[entry["dtype"]]).reshape(entry["shape"]).clone()
    return tensors, metadata
