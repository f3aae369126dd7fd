"""What every saved study has: its choice, its facts, and a curvature that needs what was not saved."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.choice import Agreement, Choice, Confidence
from eigenshrink.curvature import Curvature
from eigenshrink.errors import InputError
from eigenshrink.facts import Facts

Array = NDArray[np.float64]

SURE = ("interval", "optimism", "corrected")  # what is kept of how sure the choice is


class LostCurvature(Curvature):
    """The curvature of a study whose rows or model were not saved: it knows its size and what it needs.

    Parameters
    ----------
    dim : int
    needs : str
        What is said where a product is asked for.
    """

    def __init__(self, dim: int, needs: str) -> None:
        self._dim = dim
        self.needs = needs

    @property
    def dim(self) -> int:
        """Number of weights."""
        return self._dim

    def matvec(self, v: Array) -> Array:
        """Refuse."""
        raise InputError(self.needs)


def choice_arrays(choice: Choice) -> dict[str, Any]:
    """Numbers of a choice and of how sure it is, by the names that they are read by."""
    confidence = choice.confidence
    sure = {key: getattr(confidence, key) for key in SURE}
    found = {f"choice.{key}": np.asarray(value) for key, value in sure.items() if value is not None}
    return found | {"chosen": np.asarray(choice.alpha)}


def choice_words(choice: Choice) -> dict[str, Any]:
    """The rest of it, for JSON."""
    confidence = choice.confidence
    return {
        "choice": [choice.criterion, choice.reason],
        "agreement": _agreement(confidence.agreement),
        "sure": [key for key in SURE if getattr(confidence, key) is not None],
    }


def read_choice(meta: dict[str, Any], arrays: dict[str, Any], boundary: Any, **more: Any) -> Choice:
    """The choice again; ``boundary`` is a str or has one for each target."""
    one, agreement = meta["facts"]["one_target"], meta["agreement"]
    sure = {key: arrays[f"choice.{key}"] for key in SURE if key in meta["sure"]}
    sure = {key: value if value.ndim else float(value) for key, value in sure.items()}
    if one and "interval" in sure:
        sure["interval"] = tuple(sure["interval"].tolist())
    found = None if agreement is None else tuple(Agreement(**each) for each in agreement)
    return Choice(
        float(arrays["chosen"]) if one else arrays["chosen"],
        str(boundary) if one else boundary,
        criterion=meta["choice"][0],
        reason=meta["choice"][1],
        one_target=one,
        saved=Confidence(**sure, agreement=found[0] if found and one else found),
        **more,
    )


def facts_words(facts: Facts) -> dict[str, Any]:
    """Facts for JSON; the spread of the targets is an array."""
    return {key: value for key, value in asdict(facts).items() if key != "target_sd"}


def read_facts(saved: dict[str, Any], target_sd: Array) -> Facts:
    """They again."""
    shares = tuple(saved.get("class_shares", ()))
    return Facts(**(saved | {"class_shares": shares}), target_sd=target_sd)


def as_json(meta: dict[str, Any]) -> str:
    """Write numbers of numpy as plain ones."""
    return json.dumps(meta, default=_number)


def other_version(meta: dict[str, Any], reads: int) -> InputError:
    """What to say of a file that another version wrote."""
    return InputError(
        f"this file has format {meta['format']}, this version reads {reads}: "
        f"read it with eigenshrink {meta.get('version')}"
    )


def _agreement(agreement: Agreement | tuple[Agreement, ...] | None) -> list[dict[str, Any]] | None:
    if agreement is None:
        return None
    return [asdict(one) for one in (agreement if isinstance(agreement, tuple) else (agreement,))]


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value.tolist()
