#!/usr/bin/env python3
"""Writes narrow networks as public repositories save them, and their logits: torch_networks.py FOLDER (made with PyTorch
1.13.1). The modules follow yaodongyu/TRADES (WideResNet), RobustBench (mu and sigma), kuangliu/pytorch-cifar and torchvision
(ResNet-18) in their names and in the order of their layers."""
import collections
import os
import sys

import torch
from torch import nn
from torch.nn import functional


class WideBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.equal = inputs == outputs
        self.convShortcut = None if self.equal else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        active = functional.relu(self.bn1(x))
        y = self.conv2(functional.relu(self.bn2(self.conv1(active))))
        return y + (x if self.equal else self.convShortcut(active))


class WideStage(nn.Module):
    def __init__(self, blocks, inputs, outputs, stride):
        super().__init__()
        self.layer = nn.Sequential(*[
            WideBlock(outputs if i else inputs, outputs, 1 if i else stride) for i in range(blocks)])

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    """A WideResNet; RobustBench's with mu and sigma."""

    def __init__(self, depth, factor, mu=None, sigma=None, sub_block=False):
        super().__init__()
        blocks, widths = (depth - 4) // 6, [16, 16 * factor, 32 * factor, 64 * factor]
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.block1 = WideStage(blocks, widths[0], widths[1], 1)
        if sub_block:
            self.sub_block1 = WideStage(blocks, widths[0], widths[1], 1)
        self.block2 = WideStage(blocks, widths[1], widths[2], 2)
        self.block3 = WideStage(blocks, widths[2], widths[3], 2)
        self.bn1 = nn.BatchNorm2d(widths[3])
        self.fc = nn.Linear(widths[3], 10)
        if mu is not None:
            self.register_buffer("mu", torch.tensor(mu).view(1, 3, 1, 1))
            self.register_buffer("sigma", torch.tensor(sigma).view(1, 3, 1, 1))

    def forward(self, x):
        if hasattr(self, "mu"):
            x = (x - self.mu) / self.sigma
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(functional.avg_pool2d(functional.relu(self.bn1(x)), 8).flatten(1))


class Block(nn.Module):
    def __init__(self, shortcut, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.name = shortcut if stride != 1 or inputs != outputs else None
        if self.name:
            setattr(self, shortcut, nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)))

    def forward(self, x):
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(y + (getattr(self, self.name)(x) if self.name else x))


class ResNet18(nn.Module):
    """A ResNet-18 for small images, with the names of its last layer and its shortcuts."""

    def __init__(self, width, last, shortcut):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for stage in range(4):
            outputs = width << stage
            setattr(self, f"layer{stage + 1}", nn.Sequential(
                Block(shortcut, inputs, outputs, 2 if stage else 1), Block(shortcut, outputs, outputs, 1)))
            inputs = outputs
        setattr(self, last, nn.Linear(inputs, 10))
        self.last = last

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        for stage in range(4):
            x = getattr(self, f"layer{stage + 1}")(x)
        return getattr(self, self.last)(functional.avg_pool2d(x, 4).flatten(1))


def drawn(network, seed):
    """Gives statistics and normalisation values away from 0 and 1, rounded to float16 so that files may hold either."""
    generator = torch.Generator().manual_seed(seed)
    for name, values in network.state_dict().items():
        if values.dtype != torch.float32 or name.endswith(("mu", "sigma")):
            continue
        noise = torch.rand(values.shape, generator=generator)
        if values.dim() > 1:
            fan = values[0].numel()
            drawn_values = (noise - 0.5) * (3.5 * (2 / fan) ** 0.5)
        else:
            drawn_values = noise * 0.5 - 0.25 + (1 if name.endswith("running_var") or "bn" in name and "weight" in name else 0)
        values.copy_(drawn_values.half().float())
    return network.eval()


def logits(network, images):
    with torch.no_grad():
        return network.double()(images).float()


def main(folder):
    images = torch.randint(0, 256, (6, 3, 32, 32), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    pixels = images.double() / 255
    expected = {"images": images}

    def save(name, content, **options):
        torch.save(content, os.path.join(folder, name + ".pt"), **options)

    robust = drawn(WideResNet(10, 1, [0.4914, 0.4822, 0.4465], [0.2471, 0.2435, 0.2616]), 2)
    parallel = nn.DataParallel(robust)
    state = parallel.state_dict()
    # What evaluates is often kept in half the bits.
    half = collections.OrderedDict(
        (name, value.half() if value.dtype == torch.float32 and not name.endswith(("mu", "sigma")) else value)
        for name, value in state.items())
    save("robustbench-wrn", half)
    expected["robustbench-wrn"] = logits(robust, pixels)

    trades = drawn(ResNet18(2, "linear", "shortcut"), 3)
    save("trades-resnet18", nn.DataParallel(trades).state_dict(), _use_new_zipfile_serialization=False)
    expected["trades-resnet18"] = logits(trades, pixels)

    tv, average = drawn(ResNet18(2, "fc", "downsample"), 4), drawn(ResNet18(2, "fc", "downsample"), 5)
    optimizer = torch.optim.SGD(tv.parameters(), lr=0.1)
    save("torchvision-resnet18-ema", {
        "epoch": 110, "model_state_dict": tv.state_dict(), "ema_state_dict": average.state_dict(),
        "optimizer": optimizer.state_dict()})
    expected["torchvision-resnet18"] = logits(tv, pixels)
    expected["torchvision-resnet18-ema"] = logits(average, pixels)

    save("networks", expected)


main(sys.argv[1])
