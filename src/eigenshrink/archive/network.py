"""A study of a network in one file: arrays as safetensors, the rest as JSON in its header."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink._version import __version__
from eigenshrink.archive import spectra
from eigenshrink.archive.shared import (
    LostCurvature,
    as_json,
    choice_arrays,
    choice_words,
    facts_words,
    other_version,
    read_choice,
    read_facts,
)
from eigenshrink.audit import Finding
from eigenshrink.data.write import new_file
from eigenshrink.errors import MissingExtra
from eigenshrink.fit import Fit, Sample
from eigenshrink.models import Loss
from eigenshrink.models.logistic import LOGISTIC
from eigenshrink.models.squared import SQUARED
from eigenshrink.path import KrylovPath, Layer, Measured, QuadraticPath, TrainingNotes
from eigenshrink.path.hypergradient import Hypergradient
from eigenshrink.path.trust import calibrated
from eigenshrink.path.weight_names import WeightNames
from eigenshrink.risk import RISKS
from eigenshrink.risk.tabulated import FROM_ROWS, tabulate

if TYPE_CHECKING:
    from eigenshrink.record import Study

Array = NDArray[np.float64]

FORMAT = 2
KEY = "eigenshrink"  # of the JSON in the header
HEADER = 100 << 20  # bytes at most
TABLE = ("places", "values", "slopes", "limits")
LOSS = ("name", "unit", "known_dispersion", "convex", "classes")  # what is said of it, never computed again
LOST = "this study was loaded from a file, which holds no network: make it again with en.study(model, ...)"


def is_one(head: bytes) -> bool:
    """Whether a file that begins so is safetensors: the length of its header, and a brace."""
    return len(head) == 9 and head[8:9] == b"{" and 2 <= struct.unpack("<Q", head[:8])[0] <= HEADER


def write_study(study: Study, path: str | Path) -> None:
    """Write a study of a network.

    Raises
    ------
    InputError
        If the file cannot be written.
    MissingExtra
        If safetensors is not installed.
    """
    save_file = _package().numpy.save_file
    own = study.path
    assert isinstance(own, KrylovPath)
    tabled = [name for name in FROM_ROWS if name in study.risk]
    arrays = {
        "weights": own.fit.weights,
        "gradient": own.fit.gradient,
        "penalty_factor": own.fit.penalty_factor,
        "active": own.fit.active,
        "target_sd": study.facts.target_sd,
        **spectra.spectrum_arrays(own, float(study.alpha)),
        **spectra.sums_arrays(own.sums),
        **_measured_arrays(own.measured),
        **choice_arrays(study.choice),
    }
    for name in tabled:
        table = (study.tables or {}).get(name) or tabulate(RISKS[name](own.uncalibrated))
        arrays |= {f"table.{name}.{key}": table[key] for key in TABLE}
    meta = _words(study, own) | {"tables": {name: str(study.risk[name].unit) for name in tabled}}
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    with new_file(path) as beside:
        beside.touch()  # a folder that cannot be written is refused in words, which safetensors has not
        save_file(whole, str(beside), metadata={KEY: as_json(meta)})


def read_study(path: str | Path) -> dict[str, Any]:
    """Read the parts of a study, by the names of its fields; anything else is a ValueError or KeyError.

    Raises
    ------
    InputError
        If another version wrote it.
    MissingExtra
        If safetensors is not installed.
    """
    package = _package()
    try:
        with package.safe_open(str(path), framework="numpy") as file:
            meta = json.loads((file.metadata() or {})[KEY])
            names = file.keys()
            arrays = {name: file.get_tensor(name) for name in names}
    except package.SafetensorError as error:
        raise ValueError(str(error)) from error
    if meta["format"] != FORMAT:
        raise other_version(meta, FORMAT)
    return _parts(meta, arrays)


def _package() -> Any:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError as error:
        raise MissingExtra("safetensors", "torch") from error
    return safetensors


def _words(study: Study, path: KrylovPath) -> dict[str, Any]:
    """All that is no array."""
    sample, names, found = path.sample, study.feature_names, _slopes(study)
    parameters = names.parameters if isinstance(names, WeightNames) else (("weights", (len(names),)),)
    return {
        "format": FORMAT,
        "version": __version__,
        "loss": study.loss,
        "house": {key: getattr(path.loss, key) for key in LOSS},
        "squared": path.loss.value is SQUARED.value,
        "classes": list(study.classes),
        "parameters": parameters,
        "targets": list(study.target_names),
        "sample": [sample.rows, sample.weight_sum, sample.observations, sample.weight_kind, sample.dtype],
        "facts": facts_words(study.facts),
        "alpha": path.fit.alpha,
        "spectrum": spectra.spectrum_words(path.spectrum),
        "sums": spectra.sums_words(path.sums),
        "layers": [[layer.name, layer.start, layer.stop, layer.kind] for layer in path.layers],
        "notes": asdict(path.notes),
        "path": [path.start_loss, path.tolerance, path.rested],
        "hypergradient": None if found is None else asdict(found),
        "boundary": str(study.choice.boundary),
        "seen": list(study.choice.seen),
        **choice_words(study.choice),
        "findings": [asdict(finding) for finding in study.audit],
    }


def _slopes(study: Study) -> Hypergradient | None:
    from eigenshrink.plots.reading import slopes

    return slopes(study)[0]


def _measured_arrays(found: Measured | None) -> dict[str, Array]:
    if found is None:
        return {}
    each = {field.name: getattr(found, field.name) for field in fields(found)}
    return {f"measured.{name}": array for name, array in each.items() if array is not None}


def _parts(meta: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    tables = {
        name: {key: arrays[f"table.{name}.{key}"] for key in TABLE} | {"unit": np.array(unit)}
        for name, unit in meta["tables"].items()
    }
    return dict(
        path=_path(meta, arrays),
        facts=read_facts(meta["facts"], arrays["target_sd"]),
        feature_names=WeightNames(meta["parameters"]),
        target_names=tuple(meta["targets"]),
        loss=meta["loss"],
        tables=tables,
        decided=read_choice(meta, arrays, meta["boundary"], seen=tuple(meta["seen"])),
        findings=tuple(Finding(**finding) for finding in meta["findings"]),
        classes=tuple(meta["classes"]),
    )


def _path(meta: dict[str, Any], arrays: dict[str, Any]) -> KrylovPath:
    start_loss, tolerance, rested = meta["path"]
    own = {name.removeprefix("measured."): arrays[name] for name in arrays if name.startswith("measured.")}
    found = meta["hypergradient"]
    fit = Fit(
        weights=arrays["weights"],
        gradient=arrays["gradient"],
        alpha=meta["alpha"],
        curvature=LostCurvature(len(arrays["weights"]), LOST),
        penalty_factor=arrays["penalty_factor"],
        active=arrays["active"],
        loss=_loss(meta["house"], meta["squared"]),
        sample=_sample(meta["sample"], len(arrays["weights"])),
    )
    bare = replace(fit, sample=None, loss=None)
    if rested:  # the path was taken through the weights as they are
        pull = -fit.alpha * fit.penalty_factor[:, None] * fit.weights
        bare = replace(bare, gradient=pull)
    spectrum = spectra.read_spectrum(meta["spectrum"], arrays, bare)
    sums = spectra.read_sums(meta["sums"], arrays, len(fit.penalised))
    path = KrylovPath(
        fit=fit,
        quadratic=QuadraticPath(bare, spectrum),
        bound=spectra.read_bound(arrays),
        make_sums=lambda: sums,
        layers=tuple(Layer(*each) for each in meta["layers"]),
        start_loss=start_loss,
        tolerance=tolerance,
        measured=Measured(**own) if own else None,
        notes=TrainingNotes(**{key: _tuple(value) for key, value in meta["notes"].items()}),
        rested=rested,
    )
    slopes = None if found is None else Hypergradient(**found)
    return replace(calibrated(path), slopes=slopes)


def _sample(saved: Sequence[Any], p: int) -> Sample:
    rows, weight_sum, observations, kind, dtype = saved
    zeros, ones = np.broadcast_to(0.0, (p,)), np.broadcast_to(1.0, (p,))
    spread = np.array([np.nan])
    return Sample(rows, weight_sum, observations, kind, False, zeros, ones, np.zeros(1), spread, dtype)


def _loss(saved: dict[str, Any], squared: bool) -> Loss:
    """A loss by what is said of it; without its model it is never computed."""
    return replace(SQUARED if squared else LOGISTIC, **{key: saved[key] for key in LOSS})


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
