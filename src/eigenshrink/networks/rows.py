"""Outputs of the rows of a small network as linear functions of its weights: for leave-one-out (M14)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eigenshrink.networks.batches import Batch, Batches
from eigenshrink.networks.network import Network
from eigenshrink.networks.state import undisturbed
from eigenshrink.path.measured import Linearised

Array = NDArray[np.float64]

LARGEST = 5_000_000  # numbers of all Jacobians together


def linearised(network: Network, data: Batches) -> Linearised | None:
    """Jacobians, slopes and curvatures of every row at the weights of now; None where it would be too large.

    Also None where an output is not one vector per row, such as for the tokens of a text, or the loss cannot
    be taken apart. One backward pass for each output of each row.
    """
    parameters = network.parameters
    weights = [tensor.detach() for tensor in parameters.split(parameters.flat())]
    rows: list[_Rows] = []
    total = sum(batch.rows for batch in data)
    with undisturbed(network.model):
        for batch in data:
            output = network.output(weights, batch)
            known = len(network.loss.rows(output, batch.target).values)
            if output.ndim > 2 or not output.shape[0] == batch.rows == known:
                return None
            if output[0].numel() * total * parameters.dim > LARGEST:
                return None
            rows.append(_Rows.of(network, weights, batch))
    return Linearised(
        jacobian=np.concatenate([one.jacobian for one in rows]),
        slope=np.concatenate([one.slope for one in rows]),
        curvature=np.concatenate([one.curvature for one in rows]),
        weights=np.concatenate([one.weights for one in rows]),
        losses=lambda change: _losses(network, rows, change),
    )


class _Rows:
    """The rows of one batch."""

    def __init__(
        self, output: Tensor, target: object, jacobian: Array, slope: Array, curvature: Array, weights: Array
    ) -> None:
        self.output, self.target = output, target
        self.jacobian, self.slope, self.curvature, self.weights = jacobian, slope, curvature, weights

    @classmethod
    def of(cls, network: Network, tensors: list[Tensor], batch: Batch) -> _Rows:
        leaves = [tensor.clone().requires_grad_() for tensor in tensors]
        output = network.output(leaves, batch)
        n, shape = len(output), output.shape
        flat = output.reshape(n, -1)
        jacobian = np.empty((n, flat.shape[1], network.parameters.dim))
        for i in range(n):
            for j in range(flat.shape[1]):
                slopes = torch.autograd.grad(flat[i, j], leaves, retain_graph=True, allow_unused=True)
                jacobian[i, j] = network.parameters.join(slopes)
        at = output.detach().cpu().double()
        counts = network.loss.rows(at, batch.target).weights
        units = torch.eye(flat.shape[1], dtype=torch.float64)[:, None].expand(-1, n, -1)
        bent = network.loss.curve(at, batch.target, units.reshape(-1, *shape).contiguous())
        curvature = np.moveaxis(bent.reshape(flat.shape[1], n, -1).numpy(), 0, 1)
        safe = np.where(counts > 0, counts, 1.0)
        slope = _slope(network, at, batch.target).reshape(n, -1)
        return cls(at, batch.target, jacobian, slope / safe[:, None], curvature / safe[:, None, None], counts)


def _slope(network: Network, output: Tensor, target: object) -> Array:
    """Of the summed loss in the outputs."""
    leaf = output.clone().requires_grad_()
    (found,) = torch.autograd.grad(network.loss.sum(leaf, target), leaf)
    return np.asarray(found.numpy())


def _losses(network: Network, rows: list[_Rows], change: Array) -> tuple[Array, Array]:
    """``ℓ_i`` of moved outputs, ``(n,)``, and its slopes, ``(n, t)``."""
    values, slopes, start = [], [], 0
    for one in rows:
        stop = start + len(one.output)
        moved = one.output + torch.from_numpy(change[start:stop].reshape(one.output.shape))
        found = network.loss.rows(moved, one.target)
        safe = np.where(found.weights > 0, found.weights, 1.0)
        values.append(found.values)
        slopes.append(_slope(network, moved, one.target).reshape(len(moved), -1) / safe[:, None])
        start = stop
    return np.concatenate(values), np.concatenate(slopes)
