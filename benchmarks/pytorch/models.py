"""The project's networks in PyTorch: the same layers, parameter names and sizes as `boosting-ticket models` lists."""

import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 10
CIFAR10 = ((0.4914, 0.4822, 0.4465), (0.2471, 0.2435, 0.2616))
MNIST = ((0.1307,), (0.3081,))


class InputNormalization(nn.Module):
    """(x - mean) / deviation by channel, for images in [0, 1]; the first layer of every network."""

    def __init__(self, constants):
        super().__init__()
        mean, deviation = constants
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("inverse", 1 / torch.tensor(deviation).view(1, -1, 1, 1), persistent=False)

    def forward(self, x):
        return (x - self.mean) * self.inverse


def conv3x3(inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)


class LeNet(nn.Module):
    """Two 5x5 convolutions without padding and two linear layers, for 1x28x28."""

    def __init__(self, filters1=20, filters2=50, hidden=500):
        super().__init__()
        self.normalization = InputNormalization(MNIST)
        self.conv1 = nn.Conv2d(1, filters1, 5)
        self.conv2 = nn.Conv2d(filters1, filters2, 5)
        self.fc1 = nn.Linear(filters2 * 4 * 4, hidden)
        self.fc2 = nn.Linear(hidden, CLASSES)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(self.normalization(x)), inplace=True), 2)
        x = F.max_pool2d(F.relu(self.conv2(x), inplace=True), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1)), inplace=True))


class Vgg16(nn.Module):
    """VGG-16 with batch normalisation, four poolings and a hidden linear layer, for 3x32x32."""

    PLAN = (1, 1, 0, 2, 2, 0, 4, 4, 4, 0, 8, 8, 8, 0, 8, 8, 8)

    def __init__(self, width=64):
        super().__init__()
        self.normalization = InputNormalization(CIFAR10)
        layers, inputs = [], 3
        for factor in self.PLAN:
            channels = factor * width
            if factor == 0:
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [conv3x3(inputs, channels), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
                inputs = channels
        self.feature = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(inputs, inputs), nn.BatchNorm1d(inputs), nn.ReLU(inplace=True), nn.Linear(inputs, CLASSES))

    def forward(self, x):
        x = F.avg_pool2d(self.feature(self.normalization(x)), 2)
        return self.classifier(x.flatten(1))


class PostActivationBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = conv3x3(inputs, outputs, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = conv3x3(outputs, outputs)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        return F.relu(y + self.shortcut(x), inplace=True)


class ResNet18(nn.Module):
    """ResNet-18 with a 3x3 stem and no pooling after it, for 3x32x32."""

    def __init__(self, width=64):
        super().__init__()
        self.normalization = InputNormalization(CIFAR10)
        self.conv1 = conv3x3(3, width)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for stage in range(4):
            outputs = width << stage
            blocks = nn.Sequential(
                PostActivationBlock(inputs, outputs, 1 if stage == 0 else 2), PostActivationBlock(outputs, outputs, 1))
            setattr(self, f"layer{stage + 1}", blocks)
            inputs = outputs
        self.linear = nn.Linear(inputs, CLASSES)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(self.normalization(x))), inplace=True)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.linear(F.avg_pool2d(x, 4).flatten(1))


class PreActivationBlock(nn.Module):
    """Where the channels change, the shortcut is a 1x1 convolution of the activated input, elsewhere the raw input."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = conv3x3(inputs, outputs, stride)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = conv3x3(outputs, outputs)
        self.convShortcut = None if inputs == outputs else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        activated = F.relu(self.bn1(x), inplace=True)
        y = F.relu(self.bn2(self.conv1(activated)), inplace=True)
        return self.conv2(y) + (x if self.convShortcut is None else self.convShortcut(activated))


class Stage(nn.Module):
    def __init__(self, count, inputs, outputs, stride):
        super().__init__()
        self.layer = nn.Sequential(*(
            PreActivationBlock(inputs if i == 0 else outputs, outputs, stride if i == 0 else 1) for i in range(count)))

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    """WideResNet of depth 6n + 4 without dropout, for 3x32x32."""

    def __init__(self, depth=34, factor=10):
        super().__init__()
        count = (depth - 4) // 6
        self.normalization = InputNormalization(CIFAR10)
        self.conv1 = conv3x3(3, 16)
        self.block1 = Stage(count, 16, 16 * factor, 1)
        self.block2 = Stage(count, 16 * factor, 32 * factor, 2)
        self.block3 = Stage(count, 32 * factor, 64 * factor, 2)
        self.bn1 = nn.BatchNorm2d(64 * factor)
        self.fc = nn.Linear(64 * factor, CLASSES)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(self.normalization(x)))))
        x = F.relu(self.bn1(x), inplace=True)
        return self.fc(F.avg_pool2d(x, 8).flatten(1))


class Model:
    """A network with what is known about it."""

    def __init__(self, network, shape, parameters, epoch_images, crop_flip):
        self.network = network
        self.shape = shape
        self.parameters = parameters
        self.epoch_images = epoch_images
        self.crop_flip = crop_flip


MODELS = {
    "lenet": Model(LeNet, (1, 28, 28), 431_080, 60_000, False),
    "vgg16": Model(Vgg16, (3, 32, 32), 14_987_722, 50_000, True),
    "resnet18": Model(ResNet18, (3, 32, 32), 11_173_962, 50_000, True),
    "wrn-34-10": Model(WideResNet, (3, 32, 32), 46_160_474, 50_000, True),
}


def build(name):
    """A network with initial weights: convolutions by He's rule over the fan-out, linear layers as PyTorch draws them.

    Raises RuntimeError when it does not have as many parameters as the project's network of that name."""
    network = MODELS[name].network()
    count = sum(p.numel() for p in network.parameters())
    if count != MODELS[name].parameters:
        raise RuntimeError(f"{name} has {count} parameters, but the project's has {MODELS[name].parameters}")
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network
