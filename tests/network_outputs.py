"""Outputs of networks with targets of every kind, and the slow second derivatives of their losses."""

from __future__ import annotations

import torch
from torch import nn

import network_models as models
from eigenshrink.networks.state import undisturbed

N, C, T = 13, 5, 3
WEIGHT = torch.tensor([0.5, 2.0, 1.0, 3.0, 0.25], dtype=torch.float64)
COLUMNS = torch.tensor([0.5, 2.0, 1.0], dtype=torch.float64)


def draw(seed=0):
    """Outputs and targets of every kind, some of the targets ignored."""
    with models.drawn(seed):
        logits = 2.0 * torch.randn(N, C, dtype=torch.float64)
        wide = 2.0 * torch.randn(N, C, 4, dtype=torch.float64)
        numbers = torch.randn(N, T, dtype=torch.float64)
        other = torch.randn(N, T, dtype=torch.float64)
        labels, tokens = torch.randint(C, (N,)), torch.randint(C, (N, 4))
        soft = torch.rand(N, C, dtype=torch.float64).softmax(1)
        counts = torch.poisson(torch.full((N, T), 2.0, dtype=torch.float64))
    labels[[1, 4]] = -100
    tokens[2], tokens[:, 3] = -100, -100
    return {
        "labels": (logits, labels),
        "tokens": (wide, tokens),
        "soft": (logits, soft),
        "wide soft": (wide, wide.softmax(1).flip(0)),
        "numbers": (numbers, other),
        "one number": (numbers[:, 0], other[:, 0]),
        "binary": (numbers, (other > 0).double()),
        "shares": (numbers[:, 0], torch.sigmoid(other[:, 0])),
        "counts": (numbers, counts),
        "positive": (numbers.exp(), counts),
        "spread": ((numbers, other.exp()), 0.3 * numbers.flip(0)),
    }


DATA = draw()


def dense(loss, output, target):
    """Second derivatives of the summed loss, one by one."""
    with undisturbed(nn.Linear(1, 1)):
        hessian = torch.func.hessian(lambda place: loss.sum(place, target))(output)
    return hessian.reshape(output.numel(), -1)


def closed(loss, output, target):
    eye = torch.eye(output.numel(), dtype=output.dtype).reshape(-1, *output.shape)
    return loss.curve(output, target, eye).reshape(output.numel(), -1)
