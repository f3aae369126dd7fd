"""A table → a study → a folder with the page, the numbers and the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eigenshrink.cli.judges import Judged, read_judges
from eigenshrink.cli.model import Model, save_model
from eigenshrink.cli.outcome import AUDIT_FAILED, DONE, say
from eigenshrink.cli.progress import stages
from eigenshrink.cli.target import check_target, settle_loss
from eigenshrink.cli.wishes import Columns, Wishes, in_options
from eigenshrink.data.files import read_table
from eigenshrink.data.table import Design, encode_table
from eigenshrink.data.write import new_folder, said_plainly
from eigenshrink.errors import InputError
from eigenshrink.report.provenance import Origin, fingerprint, now

if TYPE_CHECKING:
    import polars

    from eigenshrink.data.roles import Offset
    from eigenshrink.record import Study

OURS = ("report.html", "result.json", "model.skops", "study.npz")
STAGES = 6
BINOMIAL = "binomial"  # two targets are one: successes and failures


def default_folder(file: Path) -> Path:
    """``out/`` and the name of the file without its endings."""
    return Path("out") / file.name.split(".")[0]


def fit_file(
    file: Path, columns: Columns, wishes: Wishes, folder: Path, strict: bool = False, command: str = ""
) -> int:
    """Fit the rows of a file and write the folder, which says by what command; return the exit code.

    Raises
    ------
    InputError
        If the file, a column, an option or the folder cannot be used; nothing is written then.
    """
    with stages(STAGES) as enter:
        enter("reading")
        table = _read(read_table(file, columns.text, columns.null_values), columns, wishes)
        judged = read_judges(wishes.validation, file, table.design, table.loss, columns, wishes.counts)
        origin = Origin(str(file), command, now())
        outcome = _answer(table, judged, origin, wishes, folder, enter)
    return _finish(outcome, folder, strict)


def fit_frame(
    frame: polars.DataFrame,
    source: str,
    columns: Columns,
    folder: Path,
    strict: bool = False,
    command: str = "",
) -> int:
    """Fit a table in memory, with the settings of the command line, as :func:`fit_file` does."""
    wishes = Wishes()
    with stages(STAGES) as enter:
        enter("reading")
        origin = Origin(source, command, now())
        outcome = _answer(_read(frame, columns, wishes), Judged(), origin, wishes, folder, enter)
    return _finish(outcome, folder, strict)


@dataclass(frozen=True)
class _Outcome:
    text: str
    failed: tuple[str, ...]  # names of the checks that say fail


@dataclass(frozen=True, eq=False)
class _Table:
    design: Design
    loss: str
    offset: Offset | None
    notes: tuple[str, ...]  # sentences for the summary


def _read(frame: polars.DataFrame, columns: Columns, wishes: Wishes) -> _Table:
    """Settle the loss and encode the rows."""
    settled = settle_loss(wishes.loss, frame, columns)
    design = encode_table(
        frame,
        columns.targets,
        weights=columns.weights,
        counts=wishes.counts,
        groups=columns.groups,
        unpenalised=columns.unpenalised,
        categories=columns.categories,
        drop=columns.drop,
        null_values=columns.null_values,
        classes=settled.classes,
        offset=columns.offset,
    )
    names = design.encoder.targets
    check_target(settled.loss, names, design.rows, design.targets, design.sample_weight)
    return _Table(design, settled.loss, columns.offset, (*settled.notes, *design.notes))


def _answer(
    table: _Table, judged: Judged, origin: Origin, wishes: Wishes, folder: Path, enter: Callable[[str], None]
) -> _Outcome:
    """Fit, choose, audit and write; the files take their places together at the end."""
    _check_ours(folder)
    with new_folder(folder) as beside:
        enter("fitting")
        with in_options():
            study = _study(table, validation=judged.validation, **wishes.arguments)
            enter("choosing")
            _ = study.choice
        enter("auditing")
        failed = _failed(study)
        enter("figures and page")
        said = _said(origin.source, table, judged, study)
        known = replace(origin, fingerprint=fingerprint(study))
        study.report(beside / "report.html", notes=said, origin=known)
        enter("numbers and model")
        data = {**asdict(known), "rows_read": table.design.rows_read, "notes": said}
        (beside / "result.json").write_text(_json(study.to_dict() | {"data": data}), encoding="utf-8")
        save_model(_model(table, study), beside / "model.skops")
        study.save(beside / "study.npz")
    return _Outcome("\n  ".join(said) + "\n\n" + study.summary(), failed)


def _study(table: _Table, **arguments: Any) -> Study:
    import polars

    from eigenshrink.chain import study

    design, targets = table.design, table.design.targets
    named: Any
    names = design.encoder.targets
    if table.loss == BINOMIAL and targets.ndim == 2:
        named, names = targets, (f"{names[0]} / ({' + '.join(names)})",)
    elif targets.ndim == 2:
        named = polars.DataFrame(targets, schema=list(names))
    else:
        named = polars.Series(names[0], targets.tolist())
    made = study(
        design.matrix,
        named,
        loss=table.loss,
        offset=design.offset,
        sample_weight=design.sample_weight,
        groups=design.groups,
        penalty_factor=design.penalty_factor,
        feature_names=design.encoder.feature_names,
        **arguments,
    )
    return replace(made, row_numbers=design.rows, target_names=names)


def _model(table: _Table, study: Study) -> Model:
    import numpy as np

    return Model(
        encoder=table.design.encoder,
        coefficients=np.asarray(study.coef(), np.float64),
        intercept=np.asarray(study.intercept(), np.float64),
        loss=study.loss,
        classes=study.classes,
        offset=table.offset,
    )


def _failed(study: Study) -> tuple[str, ...]:
    return tuple(finding.check for finding in study.audit if finding.verdict == "fail")


def _said(source: str, table: _Table, judged: Judged, study: Study) -> list[str]:
    """What was read and what became of it, a sentence each."""
    facts = study.facts
    columns = f"{facts.columns} column{'s' * (facts.columns != 1)} in the design matrix"
    held = f", {facts.held_out} held out to judge by" if facts.held_out_source == "fraction" else ""
    first = f"{source}: {table.design.rows_read} rows read, {facts.rows} used{held}, {columns}"
    return [first, *table.notes, *judged.notes]


def _finish(outcome: _Outcome, folder: Path, strict: bool) -> int:
    print(outcome.text)
    print(f"\nwrote {', '.join(str(folder / name) for name in OURS)}")
    if strict and outcome.failed:
        say(f"--strict: the audit says fail for {', '.join(outcome.failed)}; the summary says what to do")
        return AUDIT_FAILED
    return DONE


def _check_ours(folder: Path) -> None:
    """Refuse to replace files of the same names that somebody else wrote."""
    with said_plainly(folder):
        found = [name for name in OURS if (folder / name).exists()] if folder.is_dir() else []
    if found and not _is_ours(folder / "result.json"):
        raise InputError(
            f"the output folder {folder} holds a {found[0]} that eigenshrink did not write: "
            "choose another --output"
        )


def _is_ours(result: Path) -> bool:
    try:
        return {"version", "objective", "alpha"} <= set(json.loads(result.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return False


def _json(result: dict[str, Any]) -> str:
    return json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
