"""A small network on the digits of scikit-learn, trained for real with SGD and L2."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from eigenshrink.networks.decay import param_groups

TRAIN, JUDGES = 1200, 597
EPOCHS, BATCH, RATE, DECAY = 120, 50, 0.05, 3e-3
SEED = 0


def digits() -> dict[str, Any]:
    """Train the network of the demo; the factory of ``eigenshrink demo network``.

    1200 pictures of 8 x 8 pixels train, 597 judge. SGD with momentum in batches, weight decay 0.003 on the
    weights and none on the biases, the learning rate falling to zero, so that the training comes to rest.

    Returns
    -------
    dict
        ``model, loss, loader, val_loader, optimizer``, as ``eigenshrink network`` takes them.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    pixels = torch.tensor(data.images, dtype=torch.float32)[:, None] / 16.0
    labels = torch.tensor(data.target)
    generator = torch.Generator().manual_seed(SEED)
    order = torch.randperm(len(labels), generator=generator)
    train, judges = order[:TRAIN], order[TRAIN : TRAIN + JUDGES]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = network()
    loss = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(param_groups(model, DECAY), lr=RATE, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    for _ in range(EPOCHS):
        for batch in train[torch.randperm(TRAIN, generator=generator)].view(-1, BATCH):
            optimizer.zero_grad()
            loss(model(pixels[batch]), labels[batch]).backward()
            optimizer.step()
        schedule.step()
    return {
        "model": model,
        "loss": loss,
        "loader": DataLoader(TensorDataset(pixels[train], labels[train]), batch_size=400),
        "val_loader": DataLoader(TensorDataset(pixels[judges], labels[judges]), batch_size=400),
        "optimizer": optimizer,
    }


def network() -> nn.Module:
    """One hidden layer of 16 units and a head, 1210 weights and biases."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 10))
