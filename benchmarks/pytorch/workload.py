"""One step of natural, FGSM or PGD training as the project does it, written as PyTorch's users write it when they care for
speed."""

import contextlib
import copy

import torch
import torch.nn.functional as F
from torch import nn

import models

EPSILON = 8 / 255
STEP_SIZE = 2 / 255
CROP_PADDING = 4
LEARNING_RATE = 0.01
MOMENTUM = 0.9
WEIGHT_DECAY = 2e-4


class SyntheticImages:
    """Labelled uint8 images on the device, of which batches are gathered, cropped and mirrored there.

    An image is half its class's pattern, half noise, so that training neither stalls nor diverges."""

    def __init__(self, shape, count, crop_flip, device):
        channels, self.height, self.width = shape
        self.padding = CROP_PADDING if crop_flip else 0
        self.labels = torch.randint(0, models.CLASSES, (count,), device=device)
        size = (self.height, self.width, channels)
        patterns = torch.randint(0, 256, (models.CLASSES, *size), device=device, dtype=torch.uint8)
        noise = torch.randint(0, 256, (count, *size), device=device, dtype=torch.uint8)
        images = patterns[self.labels] // 2 + noise // 2
        p = self.padding
        self.images = F.pad(images, (0, 0, p, p, p, p)).contiguous()
        self.rows = torch.arange(self.height, device=device)
        self.columns = torch.arange(self.width, device=device)

    def batch(self, index):
        """Images in [0, 1], channels last, and labels of the samples in `index`."""
        if self.padding == 0:
            pixels = self.images[index]
        else:
            count = index.shape[0]
            offsets = torch.randint(0, 2 * self.padding + 1, (2, count, 1), device=index.device)
            mirrored = torch.rand(count, 1, device=index.device) < 0.5
            rows = self.rows + offsets[0]
            columns = torch.where(mirrored, self.width - 1 - self.columns, self.columns) + offsets[1]
            pixels = self.images[index[:, None, None], rows[:, :, None], columns[:, None, :]]
        # Permuting n, h, w, c gives a tensor whose memory is channels last already.
        return pixels.permute(0, 3, 1, 2).to(torch.float32).div_(255), self.labels[index]


def share(network, requires_grad):
    """The network in evaluation mode over the same weights and running statistics: what an attack sees.

    Its own module, so that neither mode nor flags are switched in every step, and so that compilers see two functions."""
    twin = copy.deepcopy(network)
    for original, copied in zip(network.modules(), twin.modules()):
        for name, parameter in original.named_parameters(recurse=False):
            setattr(copied, name, nn.Parameter(parameter.detach(), requires_grad=requires_grad))
        for name, buffer in original.named_buffers(recurse=False):
            copied._buffers[name] = buffer
    return twin.eval()


class Training:
    """A network in training. `step()` does one batch and waits for nothing."""

    def __init__(self, model, method, precision, compiled, batch, steps, images, device, compile_mode=None):
        self.method = method
        self.steps = 1 if method == "fgsm" else steps
        self.device = torch.device(device)
        self.bf16 = precision == "bf16"
        description = models.MODELS[model]
        self.data = SyntheticImages(description.shape, images, description.crop_flip, self.device)
        self.network = models.build(model).to(self.device).to(memory_format=torch.channels_last).train()
        # A compiler makes the gradients of every weight that asks for one; eager mode makes only those that are asked for, and
        # autocast keeps the rounded weights over the attack's steps only if they ask.
        self.target = share(self.network, requires_grad=not compiled)
        self.train_forward, self.attack_forward = self.network, self.target
        if compiled:
            self.train_forward = torch.compile(self.network, dynamic=False, mode=compile_mode)
            self.attack_forward = torch.compile(self.target, dynamic=False, mode=compile_mode)
        fused = {"fused": True} if self.device.type == "cuda" else {}
        self.optimizer = torch.optim.SGD(
            self.network.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY, **fused)
        self.batch = batch
        self.index = torch.zeros(batch, dtype=torch.int64, device=self.device)
        self.order = None
        self.position = 0
        self.loss_sum = torch.zeros((), device=self.device)
        self.correct = torch.zeros((), dtype=torch.int64, device=self.device)
        self.graph = None

    def step(self):
        """One batch: images, attack, forward and backward pass, SGD."""
        self._draw()
        if self.graph is not None:
            self.graph.replay()
        else:
            self._work()

    def capture(self):
        """Turns the work of a step into a CUDA graph. Random numbers differ from replay to replay all the same."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self._draw()
                self._work()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._work()
        self.graph = graph

    def adversarial(self, clean, labels):
        """FGSM: one step of epsilon from the clean image. PGD: steps from a random start. Both within the ball and [0, 1]."""
        if self.method == "natural":
            return clean
        if self.method == "fgsm":
            return self.ascend(clean, clean, labels, EPSILON, EPSILON)
        start = torch.empty_like(clean).uniform_(-EPSILON, EPSILON).add_(clean).clamp_(0, 1)
        return self.ascend(clean, start, labels, EPSILON, STEP_SIZE)

    def ascend(self, clean, x, labels, epsilon, size):
        """Signed-gradient steps from x that stay within epsilon of the clean image and in [0, 1]."""
        lower, upper = (clean - epsilon).clamp_(min=0), (clean + epsilon).clamp_(max=1)
        with self._autocast():
            for _ in range(self.steps):
                x = x.detach().requires_grad_(True)
                loss = F.cross_entropy(self.attack_forward(x), labels, reduction="sum")
                with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=False):
                    (gradient,) = torch.autograd.grad(loss, (x,))
                with torch.no_grad():
                    x = torch.clamp(torch.add(x, gradient.sign_(), alpha=size), lower, upper)
        return x.detach()

    def _work(self):
        clean, labels = self.data.batch(self.index)
        inputs = self.adversarial(clean, labels)
        self.optimizer.zero_grad(set_to_none=True)
        with self._autocast():
            logits = self.train_forward(inputs)
            loss = F.cross_entropy(logits, labels)
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            self.loss_sum += loss.detach()
            self.correct += (logits.detach().argmax(1) == labels).sum()

    def _draw(self):
        count = self.data.labels.shape[0]
        if self.order is None or self.position + self.batch > count:
            self.order = torch.randperm(count, device=self.device)
            self.position = 0
        self.index.copy_(self.order[self.position:self.position + self.batch])
        self.position += self.batch

    def _autocast(self):
        return torch.autocast(self.device.type, dtype=torch.bfloat16) if self.bf16 else contextlib.nullcontext()
