"""Few rows: the Gauss-Newton matrix as ``H = BᵀB`` with one row of B for each output (M19)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import vjp, vmap

from eigenshrink.networks.batches import Batch, Batches
from eigenshrink.networks.network import Network
from eigenshrink.networks.shapes import put_together, taken_apart
from eigenshrink.networks.state import undisturbed

Floats = NDArray[np.floating]

WIDEST = 256  # outputs of a row, whose curvature is decomposed
SPAN = 1 << 25  # numbers of the factor that are computed at once


def factor(
    network: Network,
    weights: Sequence[Tensor],
    data: Batches,
    denominator: float,
    dtype: np.dtype[np.floating],
) -> Floats:
    """``B = (H_L/d)^{½}J`` with ``H = BᵀB``, ``(r, p)``, r the number of outputs of all rows.

    Cost: about one backward pass for each output of a row, where rows do not depend on each other; else one
    for each output of each row.

    Parameters
    ----------
    network : Network
    weights : sequence of Tensor
        ``w₀``.
    data : Batches
    denominator : float
        d, that of the mean over all rows.
    dtype : dtype
        Of B.
    """
    parts = []
    with undisturbed(network.model):
        for batch in data:
            with torch.no_grad():
                roots = _roots(network, network.output(weights, batch), batch)
            rows = _by_row(network, weights, batch, roots)
            for start in range(0, len(rows[0]), max(SPAN // network.parameters.dim, 1)):
                stop = start + max(SPAN // network.parameters.dim, 1)
                joined = network.parameters.join([row[start:stop] for row in rows]).T
                parts.append((joined / np.sqrt(denominator)).astype(dtype))
    return np.concatenate(parts)


def _roots(network: Network, output: Tensor, batch: Batch) -> Tensor:
    """``R_i`` with ``H_L = R_i R_iᵀ`` of each row, its columns as directions of all outputs: (n, q, ...)."""
    n, q = len(output), output[0].numel()
    units = torch.eye(q, dtype=output.dtype, device=output.device).reshape(q, 1, *output.shape[1:])
    bent = network.loss.curve(output, batch.target, units.expand(q, *output.shape).contiguous())
    blocks = bent.reshape(q, n, q).movedim(0, 1).double()
    values, vectors = torch.linalg.eigh(0.5 * (blocks + blocks.mT))
    roots: Tensor = (vectors * values.clamp(min=0.0).sqrt()[:, None, :]).mT
    return roots.to(output.dtype).reshape(n, q, *output.shape[1:])


def _by_row(network: Network, weights: Sequence[Tensor], batch: Batch, roots: Tensor) -> list[Tensor]:
    """``J_iᵀ R_i``, ``(n q, ...)`` for each tensor of weights: all rows at once, if that gives the same."""
    leaves = [weight.detach().requires_grad_() for weight in weights]
    output = network.output(leaves, batch)
    try:
        found = _at_once(network, weights, batch, roots)
    except RuntimeError:  # no rule for it
        return _one_by_one(output, leaves, roots)
    with torch.no_grad():
        ours = [part.double().sum(0) for part in found]
    whole = torch.autograd.grad(output, leaves, roots.sum(1), retain_graph=True, allow_unused=True)
    slack = 10.0 * torch.finfo(output.dtype).eps ** 0.5
    pairs = [(part, other) for part, other in zip(ours, whole, strict=True) if other is not None]
    apart = sum(float((part - other).square().sum()) for part, other in pairs)
    size = sum(float(other.double().square().sum()) for _, other in pairs)
    return found if apart <= slack**2 * size else _one_by_one(output, leaves, roots)


def _at_once(network: Network, weights: Sequence[Tensor], batch: Batch, roots: Tensor) -> list[Tensor]:
    tensors, kind = taken_apart((batch.inputs, batch.target))
    n, q = roots.shape[:2]

    def one(directions: Tensor, *row: Tensor) -> Sequence[Tensor]:
        inputs, target = put_together(kind, [part[None] for part in row])
        _, pull = vjp(lambda *leaves: network.output(leaves, Batch(inputs, target))[0], *weights)[:2]
        return cast("tuple[Tensor, ...]", vmap(pull)(directions))

    chunk = max(SPAN // (q * network.parameters.dim), 1)
    with torch.no_grad():
        found = vmap(one, chunk_size=chunk)(roots, *tensors)
    return [part.reshape(n * q, *part.shape[2:]) for part in found]


def _one_by_one(output: Tensor, leaves: Sequence[Tensor], roots: Tensor) -> list[Tensor]:
    """One backward pass for each: rows depend on each other."""
    n, q = roots.shape[:2]
    found = [torch.zeros(n * q, *leaf.shape, dtype=leaf.dtype, device=leaf.device) for leaf in leaves]
    for row in range(n):
        for place in range(q):
            slopes = torch.autograd.grad(
                output[row], leaves, roots[row, place], retain_graph=True, allow_unused=True
            )
            for whole, slope in zip(found, slopes, strict=True):
                if slope is not None:
                    whole[row * q + place] = slope
    return found
