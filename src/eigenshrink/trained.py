"""The study of a trained network: the record of every study, and what can be done to the model with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.digits import number
from eigenshrink.errors import InputError
from eigenshrink.path import KrylovPath, Layer
from eigenshrink.path.hypergradient import Hypergradient
from eigenshrink.path.weight_names import WeightNames
from eigenshrink.penalty import one_strength
from eigenshrink.record import Study

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class NetworkStudy(Study):
    """One trained network, every strength; what :func:`eigenshrink.networks.study` returns."""

    @property
    def krylov(self) -> KrylovPath:
        """The path."""
        assert isinstance(self.path, KrylovPath)
        return self.path

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Modules with weights of their own, in the order of the flat vector."""
        return self.krylov.layers

    @property
    def hypergradient(self) -> Hypergradient:
        """Slope of the validation loss in log α where the training stopped, whole and by layer (M13).

        Raises
        ------
        InputError
            If nothing judges, or the network was trained without decay.
        """
        found = self.krylov.hypergradient
        if found is None:
            raise InputError(
                "the hypergradient needs rows that judge and a network that was trained with decay: give "
                "val_loader=, and weight_decay= or optimizer= with a decay above 0"
            )
        return found

    def apply_(self, model: Any, alpha: float | None = None, force: bool = False) -> Any:
        """Write ``w̃(α)`` into a model, in place, without training (M5); return the model.

        Parameters
        ----------
        model : torch.nn.Module
            With the parameters of the one that was studied, by name and shape.
        alpha : float, optional
            House units, which is the ``weight_decay`` of SGD; None: as chosen.
        force : bool
            Also outside :attr:`KrylovPath.trusted`, where the quadratic no longer holds.

        Raises
        ------
        InputError
            If the strength is not trusted, or a parameter is missing or of another shape; nothing is
            written then.
        """
        strength = float(np.ravel(self.alpha)[0]) if alpha is None else one_strength(alpha)
        low, high = self.krylov.trusted
        if not force and strength != self.krylov.fit.alpha and not low <= strength <= high:
            raise InputError(
                f"alpha = {number(strength, 3)} is outside the range in which the quadratic was found to "
                f"hold, {number(low, 3)} to {number(high, 3)}: train at that strength, or give force=True"
            )
        for parameter, values in self._beside(model, self.coef(strength)):
            parameter.data.copy_(parameter.new_tensor(values))
        return model

    def _beside(self, model: Any, flat: NDArray[np.floating]) -> list[tuple[Any, Array]]:
        """Each parameter that was studied, with its new values; all are found before one is written."""
        assert isinstance(self.feature_names, WeightNames)
        if isinstance(model, type) or not hasattr(model, "named_parameters"):
            raise InputError(
                f"model is {model!r}: give a torch.nn.Module, built like the one that was studied"
            )
        known = dict(getattr(model, "module", model).named_parameters(remove_duplicate=False))
        pairs, place = [], 0
        for name, shape in self.feature_names.parameters:
            if name not in known or tuple(known[name].shape) != shape:
                have = f"shape {tuple(known[name].shape)}" if name in known else "none of that name"
                raise InputError(
                    f"the model that was studied had a parameter {name!r} of shape {shape}, this one has "
                    f"{have}: give a model that is built alike"
                )
            size = math.prod(shape)
            values = np.asarray(flat[place : place + size], dtype=np.float64)
            pairs.append((known[name], values.reshape(shape)))
            place += size
        return pairs

    def __repr__(self) -> str:
        return f"NetworkStudy(loss={self.loss!r}, weights={self.facts.columns}): print(study.summary())"
