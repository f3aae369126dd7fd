"""A study of columns in one file: arrays in npz, the rest as JSON inside it."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink._version import __version__
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
from eigenshrink.errors import InputError
from eigenshrink.fit import Fit, Sample
from eigenshrink.inference import dispersion
from eigenshrink.models import Loss, find_loss
from eigenshrink.path import AnchoredPath, QuadraticPath
from eigenshrink.path import Path as AnyPath
from eigenshrink.path.tabled import BEYOND, LOST, read_table, table_path
from eigenshrink.risk import NEEDS_ROWS
from eigenshrink.risk.tabulated import tabulate
from eigenshrink.spectrum.record import DenseBasis, FreeBlock, Spectrum

if TYPE_CHECKING:
    from eigenshrink.record import Study

Array = NDArray[np.float64]

FORMAT = 3
EARLIER = {2: {"kind": "quadratic", "classes": []}}  # formats that can be read too, and what they lack
TABLE = ("places", "values", "slopes", "limits", "unit")


def write_study(study: Study, path: str | Path) -> None:
    """Write a study; see :meth:`eigenshrink.Study.save`.

    Raises
    ------
    InputError
        If the file cannot be written, or the loss is none that eigenshrink knows by name.
    """
    _named(study.loss)
    arrays, sample, spectrum = _numbers(study), study.path.sample, study.spectrum
    tabled = [name for name in NEEDS_ROWS if name in study.risk]
    for name in tabled:
        table = (study.tables or {}).get(name) or _table(study, name)
        arrays |= {f"table.{name}.{key}": value for key, value in table.items()}
    arrays |= choice_arrays(study.choice)
    scalars = {key: value for key, value in asdict(sample).items() if key not in arrays}
    meta = {
        "format": FORMAT,
        "version": __version__,
        "kind": "anchored" if isinstance(study.path, AnchoredPath) else "quadratic",
        "loss": study.loss,
        "classes": list(study.classes),
        "names": [list(study.feature_names), list(study.target_names)],
        "sample": scalars,
        "facts": facts_words(study.facts),
        "spectrum": [spectrum.at, spectrum.route, spectrum.floor, spectrum.free.rank, spectrum.one_target],
        "tables": tabled,
        **choice_words(study.choice),
        "findings": [asdict(finding) for finding in study.audit],
    }
    text = as_json(meta).encode()
    with new_file(path) as beside, beside.open("wb") as file:
        np.savez_compressed(file, meta=np.frombuffer(text, dtype=np.uint8), **arrays)


def _numbers(study: Study) -> dict[str, Any]:
    """Arrays of the path and of the choice, by the names that they are read by."""
    quadratic, sample = study.local, study.path.sample
    fit, spectrum = quadratic.fit, quadratic.spectrum
    return _solutions(study) | {
        "eigenvalues": spectrum.eigenvalues,
        "basis": spectrum.basis,
        "numerators": spectrum.numerators,
        "onto": spectrum.free.onto,
        "offset": spectrum.free.offset,
        "root": spectrum.free.root,
        "outside": spectrum.outside,
        "weights": fit.weights,
        "gradient": fit.gradient,
        "penalty_factor": fit.penalty_factor,
        "active": fit.active,
        "boundary": np.asarray(study.choice.boundary),
        "column_mean": sample.column_mean,
        "column_sd": sample.column_sd,
        "target_mean": sample.target_mean,
        "target_sd": sample.target_sd,
    }


def _table(study: Study, name: str) -> dict[str, Any]:
    """A curve that needs rows: along anchors to where the limits are near, and at the chosen strength."""
    curve, path = study.risk[name], study.path
    if not isinstance(path, AnchoredPath) or curve.span is None:
        return tabulate(curve)
    below = BEYOND if path.lowest == 0 else 0.0
    table = tabulate(replace(curve, span=(curve.span[0] - below, curve.span[1] + BEYOND)))
    with np.errstate(divide="ignore"):
        chosen = float(np.log(np.ravel(study.alpha)[0]))
    place = int(np.searchsorted(table["places"], chosen))
    if not 0 < place < len(table["places"]) or chosen in table["places"]:
        return table
    here = dict(zip(("values", "slopes"), curve.evaluate(np.exp([[chosen]]), slopes=True), strict=True))
    here["places"] = np.array(chosen)
    return table | {key: np.insert(table[key], place, value, axis=0) for key, value in here.items()}


def _solutions(study: Study) -> dict[str, Any]:
    """Arrays of a path of anchors; what is not exact from one spectrum."""
    path = study.path
    if not isinstance(path, AnchoredPath):
        return {}
    alpha = float(np.ravel(study.alpha)[0])
    for each in (alpha, path.anchors_.all[0].alpha, path.anchors_.infinite.alpha):
        dispersion(path, each)  # the path remembers what is left about the fit
    return {f"path.{name}": value for name, value in table_path(path, alpha).items()}


def read_study(file: IO[bytes]) -> dict[str, Any]:
    """Read the parts of a study, by the names of its fields; anything else is a ValueError or KeyError.

    Raises
    ------
    InputError
        If another version wrote it.
    """
    arrays = _arrays(file)
    meta = json.loads(arrays["meta"].tobytes())
    if meta["format"] != FORMAT and meta["format"] not in EARLIER:
        raise other_version(meta, FORMAT)
    return _parts(EARLIER.get(meta["format"], {}) | meta, arrays)


def _arrays(file: IO[bytes]) -> dict[str, Any]:
    """Arrays by name; anything else in the file is a ValueError."""
    found = np.load(file, allow_pickle=False)
    if not isinstance(found, np.lib.npyio.NpzFile):
        raise ValueError("one array and no archive")
    with found:
        arrays = {name: found[name] for name in found.files}
    if not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise ValueError("a member that is no array")
    return arrays


def _parts(meta: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    at, route, floor, rank, one_target = meta["spectrum"]
    spectrum = Spectrum(
        eigenvalues=arrays["eigenvalues"],
        directions=DenseBasis(arrays["basis"]),
        numerators=arrays["numerators"],
        at=at,
        route=route,
        floor=floor,
        free=FreeBlock(rank, arrays["onto"], arrays["offset"], arrays["root"]),
        outside=arrays["outside"],
        one_target=one_target,
    )
    own = {field.name: arrays[field.name] for field in fields(Sample) if field.name in arrays}
    sample, loss = Sample(**meta["sample"], **own), find_loss(meta["loss"])
    fit = Fit(
        weights=arrays["weights"],
        gradient=arrays["gradient"],
        alpha=at,
        curvature=LostCurvature(len(arrays["penalty_factor"]), LOST),
        penalty_factor=arrays["penalty_factor"],
        active=arrays["active"],
    )
    tables = {name: {key: arrays[f"table.{name}.{key}"] for key in TABLE} for name in meta["tables"]}
    return dict(
        path=_path(meta["kind"], QuadraticPath(fit, spectrum), sample, loss, arrays),
        facts=read_facts(meta["facts"], arrays["target_sd"]),
        feature_names=tuple(meta["names"][0]),
        target_names=tuple(meta["names"][1]),
        loss=meta["loss"],
        tables=tables,
        decided=read_choice(meta, arrays, arrays["boundary"]),
        findings=tuple(Finding(**finding) for finding in meta["findings"]),
        classes=tuple(meta["classes"]),
    )


def _path(kind: str, quadratic: QuadraticPath, sample: Sample, loss: Loss, arrays: dict[str, Any]) -> AnyPath:
    """The path: the quadratic itself, or a table of solutions with that one at the chosen strength."""
    if kind == "quadratic":
        return QuadraticPath(replace(quadratic.fit, sample=sample, loss=loss), quadratic.spectrum)
    if kind != "anchored":
        raise ValueError(f"a path of kind {kind!r}")
    local, p = quadratic.fit, len(sample.column_mean)
    c = len(local.active) // p
    fit = replace(
        local,
        weights=np.zeros((p, c)),
        gradient=np.full((p, c), np.nan),
        alpha=float("inf"),
        curvature=LostCurvature(p, LOST),
        penalty_factor=local.penalty_factor[:p],
        active=local.active[:p],
        sample=sample,
        loss=loss,
    )
    own = {name.removeprefix("path."): arrays[name] for name in arrays if name.startswith("path.")}
    return read_table(own, fit, loss, quadratic)


def _named(loss: str) -> None:
    """Refuse a loss that somebody made: its functions cannot be written."""
    try:
        find_loss(loss)
    except InputError as error:
        raise InputError(
            f"this study minimises a loss of your own, {loss!r}, which a file cannot hold: keep the weights, "
            "study.coef(), or what study.to_dict() gives"
        ) from error
