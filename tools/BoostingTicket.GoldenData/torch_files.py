#!/usr/bin/env python3
"""Writes small files as torch.save writes them, for the tests of their reader: torch_files.py FOLDER (made with PyTorch
1.13.1)."""
import collections
import os
import sys

import numpy
import torch


class Command:
    """What a hostile file would have run."""

    def __reduce__(self):
        return (os.system, ("touch boosting-ticket-was-here",))


def main(folder):
    base = torch.arange(24.0).reshape(4, 6)
    views = {
        "transposed": base.t(), "rows": base[1:3], "columns": base.double()[:, ::2], "bfloat16": base.bfloat16(),
        "half": base.half(), "flags": base > 3, "count": torch.tensor(5), "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(base), "whole": [base.int(), (base.byte(), base.long())],
    }
    weights = collections.OrderedDict([("conv.weight", base.reshape(2, 3, 2, 2)), ("conv.bias", base[0, :2])])
    optimizer = torch.optim.SGD([torch.nn.Parameter(base.clone())], lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4])
    checkpoint = {
        "epoch": 3, "best": numpy.float64(0.5), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(),
        "state_dict": collections.OrderedDict(("module." + name, value) for name, value in weights.items()),
        "ema": collections.OrderedDict((name, value + 1) for name, value in weights.items()),
    }
    hostile = {"weight": base, "other": Command()}
    for name, content in {
        "views": views, "checkpoint": checkpoint, "hostile": hostile, "module": torch.nn.Linear(2, 3), "nothing": {"epoch": 3},
    }.items():
        torch.save(content, os.path.join(folder, name + ".pt"))
        torch.save(content, os.path.join(folder, name + "-old.pt"), _use_new_zipfile_serialization=False)
    torch.save(views, os.path.join(folder, "views-protocol4.pt"), pickle_protocol=4)
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 3)), os.path.join(folder, "program.pt"))


main(sys.argv[1])
