"""Cross entropy: ``ℓ = −Σ_c q_c log p_c`` with class weights, smoothing, ignored targets, soft targets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eigenshrink.errors import InputError
from eigenshrink.models.loss import Loss
from eigenshrink.models.multinomial import MULTINOMIAL
from eigenshrink.networks.losses.base import NetLoss, Product, like, logits_of


@dataclass(frozen=True, eq=False)
class CrossEntropy(NetLoss):
    """``nn.CrossEntropyLoss`` of logits ``(n, c)`` or ``(n, c, ...)``, and ``nn.NLLLoss`` of log shares.

    The mean divides by the weights of the classes that are seen and not ignored, by the number of targets
    where these are probabilities. The softmax of log probabilities is themselves: NLLLoss is the same.
    """

    weight: Tensor | None = None
    ignore_index: int = -100
    label_smoothing: float = 0.0

    modules = (nn.CrossEntropyLoss, nn.NLLLoss)
    functions = (F.cross_entropy, F.nll_loss)

    @property
    def house(self) -> Loss:
        """Log loss of classes."""
        unit = "log loss" if self.weight is None else "class-weighted log loss"
        unit += " of smoothed labels" if self.label_smoothing else ""
        return replace(MULTINOMIAL, name="cross_entropy", convex=False, unit=unit)

    def arrange(self, output: Any, target: Any) -> Tensor:
        """Logits with classes on the second axis; models of tokens have them on the last."""
        tensor = logits_of(output)
        labels = not target.is_floating_point()
        last = labels and tensor.ndim > 2 and tensor.shape[:-1] == target.shape
        second = tensor.shape[:1] + tensor.shape[2:] == target.shape
        if last and (tensor is not output or not second):
            tensor = tensor.movedim(-1, 1)
        self.fits(tensor, target)
        return tensor

    def fits(self, output: Tensor, target: Any) -> None:
        """Labels without the axis of classes, or probabilities with it."""
        soft = target.is_floating_point()
        wanted = output.shape if soft else output.shape[:1] + output.shape[2:]
        if output.ndim < 2 or tuple(target.shape) != tuple(wanted):
            raise InputError(
                f"the model gives {tuple(output.shape)} for a target of shape {tuple(target.shape)}; cross "
                "entropy takes logits (n, c) or (n, c, ...) and labels (n,) or (n, ...), as integers, or "
                "probabilities of the shape of the logits"
            )

    def terms(self, output: Tensor, target: Any) -> Tensor:
        """``−Σ_c q_c log p_c``, ``(n, ...)``."""
        return F.cross_entropy(
            output,
            target.to(output.dtype) if target.is_floating_point() else target,
            weight=like(self.weight, output),
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            reduction="none",
        )

    def counts(self, output: Tensor, target: Any) -> Tensor:
        """Weight of the class that is seen, 0 where it is ignored."""
        if target.is_floating_point():
            return torch.ones_like(output[:, 0])
        seen: Tensor = target != self.ignore_index
        weight = like(self.weight, output)
        if weight is None:
            return seen.to(output.dtype)
        counted: Tensor = weight[torch.where(seen, target, 0)] * seen
        return counted

    def observations(self, target: Any, output: Tensor) -> float:
        """Number of targets that are not ignored."""
        if target.is_floating_point():
            return float(target[:, 0].numel())
        return float((target != self.ignore_index).sum())

    def middle(self, output: Tensor, target: Any) -> Product:
        """``m (diag p − ppᵀ)`` of each target, ``m = Σ_c q_c``.

        A constant added to a vector changes nothing: its entry of the likeliest class is taken off first.
        Else ``p − p²`` cancels where a row is fitted well, and the curvature of a good network is noise.
        """
        share = output.softmax(1) * self._mass(output, target).unsqueeze(1)
        mass = share.sum(1, keepdim=True)
        safe = torch.where(mass > 0, mass, 1.0)
        likeliest = output.argmax(1, keepdim=True).unsqueeze(0)

        def product(vectors: Tensor) -> Tensor:
            vectors = vectors - vectors.take_along_dim(likeliest, 2)
            part = share * vectors
            return part - share * (part.sum(2, keepdim=True) / safe)

        return product

    def _mass(self, output: Tensor, target: Any) -> Tensor:
        """``Σ_c q_c`` of each target, ``(n, ...)``."""
        classes = output.shape[1]
        weight = like(self.weight, output)
        weight = torch.ones(classes, dtype=output.dtype, device=output.device) if weight is None else weight
        smooth = self.label_smoothing
        if target.is_floating_point():
            soft = target.to(output.dtype) * (1.0 - smooth) + smooth / classes
            return torch.einsum("nc...,c->n...", soft, weight)
        seen = target != self.ignore_index
        own = weight[torch.where(seen, target, 0)]
        mass: Tensor = ((1.0 - smooth) * own + smooth / classes * weight.sum()) * seen
        return mass

    def wrong(self, output: Tensor, target: Any) -> Tensor:
        """Share of targets whose largest logit belongs to another class."""
        if target.is_floating_point():
            target = target.argmax(1)
        seen: Tensor = target != self.ignore_index
        off: Tensor = ((output.argmax(1) != target) & seen).reshape(len(seen), -1)
        return off.sum(1) / seen.reshape(len(seen), -1).sum(1).clamp(min=1)
