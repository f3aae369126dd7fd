"""A study in one file: arrays in npz, the rest as JSON inside it. Nothing is ever executed on reading."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import asdict, fields
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink._version import __version__
from eigenshrink.audit import Finding
from eigenshrink.choice import Agreement, Choice, Confidence
from eigenshrink.curvature import Curvature
from eigenshrink.data.write import new_file
from eigenshrink.errors import InputError
from eigenshrink.facts import Facts
from eigenshrink.fit import Fit, Sample
from eigenshrink.models import LOSSES
from eigenshrink.path import QuadraticPath
from eigenshrink.risk import NEEDS_ROWS
from eigenshrink.risk.tabulated import tabulate
from eigenshrink.spectrum.record import DenseBasis, FreeBlock, Spectrum

if TYPE_CHECKING:
    from eigenshrink.record import Study

Array = NDArray[np.float64]

FORMAT = 2
TABLE = ("places", "values", "slopes", "limits", "unit")
SURE = ("interval", "optimism", "corrected")  # what is kept of how sure the choice is


class LostCurvature(Curvature):
    """The curvature of a study whose rows were not saved: it knows its size, and says what it needs."""

    def __init__(self, dim: int) -> None:
        self._dim = dim

    @property
    def dim(self) -> int:
        """Number of weights."""
        return self._dim

    def matvec(self, v: Array) -> Array:
        """Refuse: products with H need the rows."""
        raise InputError(
            "this study was loaded from a file, which holds no rows: make it again with es.study(X, y)"
        )


def write_study(study: Study, path: str | Path) -> None:
    """Write a study; see :meth:`eigenshrink.Study.save`."""
    arrays, sample, spectrum = _numbers(study), study.path.sample, study.spectrum
    tabled = [name for name in NEEDS_ROWS if name in study.risk]
    for name in tabled:
        table = (study.tables or {}).get(name)
        for key, value in (table or tabulate(study.risk[name])).items():
            arrays[f"table.{name}.{key}"] = value
    confidence = study.choice.confidence
    sure = [key for key in SURE if getattr(confidence, key) is not None]
    arrays |= {f"choice.{key}": np.asarray(getattr(confidence, key)) for key in sure}
    scalars = {key: value for key, value in asdict(sample).items() if key not in arrays}
    meta = {
        "format": FORMAT,
        "version": __version__,
        "loss": study.loss,
        "names": [list(study.feature_names), list(study.target_names)],
        "sample": scalars,
        "facts": {key: value for key, value in asdict(study.facts).items() if key != "target_sd"},
        "spectrum": [spectrum.at, spectrum.route, spectrum.floor, spectrum.free.rank, spectrum.one_target],
        "choice": [study.choice.criterion, study.choice.reason],
        "agreement": _agreement(confidence.agreement),
        "tables": tabled,
        "sure": sure,
        "findings": [asdict(finding) for finding in study.audit],
    }
    text = json.dumps(meta, default=_number).encode()
    with new_file(path) as beside, beside.open("wb") as file:
        np.savez_compressed(file, meta=np.frombuffer(text, dtype=np.uint8), **arrays)


def _numbers(study: Study) -> dict[str, Any]:
    """Arrays of the path and of the choice, by the names that they are read by."""
    fit, spectrum, sample = study.path.fit, study.spectrum, study.path.sample
    return {
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
        "chosen": np.asarray(study.alpha),
        "boundary": np.asarray(study.choice.boundary),
        "column_mean": sample.column_mean,
        "column_sd": sample.column_sd,
        "target_mean": sample.target_mean,
        "target_sd": sample.target_sd,
    }


def read_study(path: str | Path) -> dict[str, Any]:
    """Read the parts of a study, by the names of its fields; see :func:`eigenshrink.load`."""
    try:
        with Path(path).open("rb") as file:
            arrays = _arrays(file)
        meta = json.loads(arrays["meta"].tobytes())
        if meta["format"] == FORMAT:
            return _parts(meta, arrays)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            f"{path} is no study saved by eigenshrink: give the file that study.save wrote"
        ) from error
    raise InputError(
        f"{path} has format {meta['format']}, this version reads {FORMAT}: "
        f"read it with eigenshrink {meta.get('version')}"
    )


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
    fit = Fit(
        weights=arrays["weights"],
        gradient=arrays["gradient"],
        alpha=at,
        curvature=LostCurvature(len(arrays["penalty_factor"])),
        penalty_factor=arrays["penalty_factor"],
        active=arrays["active"],
        loss=LOSSES.get(meta["loss"]),
        sample=Sample(**meta["sample"], **own),
    )
    tables = {name: {key: arrays[f"table.{name}.{key}"] for key in TABLE} for name in meta["tables"]}
    return dict(
        path=QuadraticPath(fit, spectrum),
        facts=Facts(**meta["facts"], target_sd=arrays["target_sd"]),
        feature_names=tuple(meta["names"][0]),
        target_names=tuple(meta["names"][1]),
        loss=meta["loss"],
        tables=tables,
        decided=_choice(meta, arrays),
        findings=tuple(Finding(**finding) for finding in meta["findings"]),
    )


def _agreement(agreement: Agreement | tuple[Agreement, ...] | None) -> list[dict[str, Any]] | None:
    if agreement is None:
        return None
    return [asdict(one) for one in (agreement if isinstance(agreement, tuple) else (agreement,))]


def _choice(meta: dict[str, Any], arrays: dict[str, Any]) -> Choice:
    one, agreement = meta["facts"]["one_target"], meta["agreement"]
    sure = {key: arrays[f"choice.{key}"] for key in SURE if key in meta["sure"]}
    sure = {key: value if value.ndim else float(value) for key, value in sure.items()}
    if one and "interval" in sure:
        sure["interval"] = tuple(sure["interval"].tolist())
    found = None if agreement is None else tuple(Agreement(**each) for each in agreement)
    return Choice(
        float(arrays["chosen"]) if one else arrays["chosen"],
        str(arrays["boundary"]) if one else arrays["boundary"],
        criterion=meta["choice"][0],
        reason=meta["choice"][1],
        one_target=one,
        saved=Confidence(**sure, agreement=found[0] if found and one else found),
    )


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value.tolist()
