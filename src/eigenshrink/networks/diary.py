"""A search on disk: a JSON file of its evaluations, and weights beside it, so that it can go on (M3)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from eigenshrink.data.write import new_file
from eigenshrink.errors import InputError, MissingExtra
from eigenshrink.networks.meter import State
from eigenshrink.networks.tuning import Evaluation

VERSION = 1


@dataclass
class Kept:
    """All that the rest of a search depends on.

    Attributes
    ----------
    evaluations : list of Evaluation
    ahead : State
        The model where the next training starts.
    best : State
        The model of lowest validation loss.
    rows : list of Tensor
        Losses of the rows that judge, of each evaluation that did not diverge.
    weights : Tensor or None
        What these rows count.
    """

    evaluations: list[Evaluation] = field(default_factory=list)
    ahead: State = field(default_factory=dict)
    best: State = field(default_factory=dict)
    rows: list[Tensor] = field(default_factory=list)
    weights: Tensor | None = None


class Diary:
    """Where a search is written down after each evaluation; without a path nowhere.

    ``run.json`` holds the evaluations; the newest ``run.3.safetensors`` beside it holds weights. The JSON
    file is replaced when the weights are whole: a search that is killed goes on from the last evaluation
    that ended.

    Parameters
    ----------
    path : Path or None
    asked : dict
        What decides how a search goes; a diary of another one is refused.
    """

    def __init__(self, path: Path | None, asked: dict[str, Any]) -> None:
        self.path, self.asked = path, asked
        if path is not None:
            _safetensors()

    def read(self) -> Kept | None:
        """What was kept, or None where there is nothing.

        Raises
        ------
        InputError
            If the file cannot be read, or is of another search.
        """
        if self.path is None or not self.path.exists():
            return None
        try:
            told = json.loads(self.path.read_text(encoding="utf-8"))
            asked, each = told["asked"], [Evaluation.of(one) for one in told["evaluations"]]
            tensors = _safetensors().load_file(self._weights(len(each)))
        except (OSError, ValueError, KeyError, TypeError, _safetensors_error()) as error:
            raise InputError(
                f"record {self.path} or the weights beside it cannot be read: remove it, or name another file"
            ) from error
        if asked != self.asked:
            different = [name for name in self.asked if asked.get(name) != self.asked[name]]
            raise InputError(
                f"record {self.path} is of a search with other {', '.join(different)}: "
                "ask for the same, remove it, or name another file"
            )
        rows = [tensors[f"rows.{place}"] for place in range(sum(not one.diverged for one in each))]
        return Kept(each, _part(tensors, "ahead"), _part(tensors, "best"), rows, tensors.get("counts"))

    def write(self, kept: Kept) -> None:
        """Keep a state, and remove the weights of the one before.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        if self.path is None:
            return
        tensors = {f"ahead.{name}": tensor for name, tensor in kept.ahead.items()}
        tensors |= {f"best.{name}": tensor for name, tensor in kept.best.items()}
        tensors |= {f"rows.{place}": tensor for place, tensor in enumerate(kept.rows)}
        if kept.weights is not None:
            tensors["counts"] = kept.weights
        count = len(kept.evaluations)
        with new_file(self._weights(count)) as file:
            _safetensors().save_file(tensors, str(file))
        each = [one.to_dict() for one in kept.evaluations]
        text = json.dumps({"version": VERSION, "asked": self.asked, "evaluations": each}, indent=1)
        with new_file(self.path) as file:
            file.write_text(text + "\n", encoding="utf-8")
        self._weights(count - 1).unlink(missing_ok=True)

    def _weights(self, count: int) -> Path:
        assert self.path is not None
        return self.path.with_name(f"{self.path.stem}.{count}.safetensors")


def _part(tensors: State, name: str) -> State:
    start = name + "."
    return {key.removeprefix(start): tensor for key, tensor in tensors.items() if key.startswith(start)}


def _safetensors() -> Any:
    try:
        import safetensors.torch
    except ImportError as error:
        raise MissingExtra("safetensors", "torch") from error
    return safetensors.torch


def _safetensors_error() -> type[Exception]:
    _safetensors()
    from safetensors import SafetensorError

    return SafetensorError
