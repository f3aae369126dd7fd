"""A table → a study → a folder with the page, the numbers and the model."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eigenshrink.cli.judges import Judged, read_judges
from eigenshrink.cli.model import Model, save_model
from eigenshrink.cli.outcome import AUDIT_FAILED, DONE, say
from eigenshrink.cli.progress import stages
from eigenshrink.data.files import read_table
from eigenshrink.data.table import Design, encode_table
from eigenshrink.data.write import new_folder, said_plainly
from eigenshrink.errors import InputError

if TYPE_CHECKING:
    import polars

    from eigenshrink.record import Study

OURS = ("report.html", "result.json", "model.skops", "study.npz")
STAGES = 6
QUOTE = "'"
ARGUMENT = re.compile(r"\b(criterion|select|folds|validation|weight_kind)=('[^']*'|\d[\d.]*)")


@dataclass(frozen=True)
class Columns:
    """What the columns of a table are for, as the user said it."""

    targets: tuple[str, ...]
    weights: str | None = None
    groups: str | None = None
    unpenalised: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    null_values: tuple[str, ...] = ()

    @property
    def text(self) -> tuple[str, ...]:
        """Columns whose values are names, whatever they look like."""
        return self.categories if self.groups is None else (*self.categories, self.groups)


@dataclass(frozen=True)
class Wishes:
    """How to fit, in the words of :func:`eigenshrink.study`."""

    loss: str = "auto"
    alpha: str = "auto"
    criterion: str = "auto"
    select: str = "best"
    weight_kind: str = "precision"
    standardize: bool = True
    folds: int = 5
    validation: str | None = None
    seed: int = 0

    @property
    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of :func:`eigenshrink.study`, but for the rows that judge."""
        if self.criterion == "validation" and self.validation is None:
            raise InputError(
                "--criterion validation needs rows that were not fitted: give --validation with a file, or "
                "with the fraction of the rows to hold out"
            )
        return {
            "loss": "squared" if self.loss == "auto" else self.loss,
            "alpha": _alpha(self.alpha),
            "criterion": self.criterion,
            "select": self.select,
            "weight_kind": self.weight_kind,
            "standardize": self.standardize,
            "folds": self.folds,
            "random_state": self.seed,
        }

    @property
    def counts(self) -> bool:
        """Whether weights say how often a row occurred."""
        return self.weight_kind == "frequency"


def default_folder(file: Path) -> Path:
    """``out/`` and the name of the file without its endings."""
    return Path("out") / file.name.split(".")[0]


def fit_file(file: Path, columns: Columns, wishes: Wishes, folder: Path, strict: bool = False) -> int:
    """Fit the rows of a file and write the folder; return the exit code.

    Raises
    ------
    InputError
        If the file, a column, an option or the folder cannot be used; nothing is written then.
    """
    with stages(STAGES) as enter:
        enter("reading")
        design = _encoded(read_table(file, columns.text, columns.null_values), columns, wishes)
        judged = read_judges(wishes.validation, file, design.encoder, columns.weights, wishes.counts)
        outcome = _answer(design, judged, str(file), wishes, folder, enter)
    return _finish(outcome, folder, strict)


def fit_frame(
    frame: polars.DataFrame, source: str, columns: Columns, folder: Path, strict: bool = False
) -> int:
    """Fit a table in memory, with the settings of the command line, as :func:`fit_file` does."""
    wishes = Wishes()
    with stages(STAGES) as enter:
        enter("reading")
        outcome = _answer(_encoded(frame, columns, wishes), Judged(), source, wishes, folder, enter)
    return _finish(outcome, folder, strict)


@dataclass(frozen=True)
class _Outcome:
    text: str
    failed: tuple[str, ...]  # names of the checks that say fail


def _encoded(frame: polars.DataFrame, columns: Columns, wishes: Wishes) -> Design:
    return encode_table(
        frame,
        columns.targets,
        weights=columns.weights,
        counts=wishes.counts,
        groups=columns.groups,
        unpenalised=columns.unpenalised,
        categories=columns.categories,
        drop=columns.drop,
        null_values=columns.null_values,
    )


def _answer(
    design: Design, judged: Judged, source: str, wishes: Wishes, folder: Path, enter: Callable[[str], None]
) -> _Outcome:
    """Fit, choose, audit and write; the files take their places together at the end."""
    _check_ours(folder)
    with new_folder(folder) as beside:
        enter("fitting")
        with _as_options():
            study = _study(design, validation=judged.validation, **wishes.arguments)
            enter("choosing")
            _ = study.choice
        enter("auditing")
        failed = _failed(study)
        enter("figures and page")
        said = _said(source, design, judged, study)
        study.report(beside / "report.html", notes=said, source=source)
        enter("numbers and model")
        data = {"source": source, "rows_read": design.rows_read, "notes": said[1:]}
        (beside / "result.json").write_text(_json(study.to_dict() | {"data": data}), encoding="utf-8")
        save_model(_model(design, study), beside / "model.skops")
        study.save(beside / "study.npz")
    return _Outcome("\n  ".join(said) + "\n\n" + study.summary(), failed)


def _study(design: Design, **arguments: Any) -> Study:
    import polars

    from eigenshrink.chain import study

    names = design.encoder.targets
    named = (
        polars.Series(names[0], design.targets)
        if len(names) == 1
        else polars.DataFrame(design.targets, schema=list(names))
    )
    made = study(
        design.matrix,
        named,
        sample_weight=design.sample_weight,
        groups=design.groups,
        penalty_factor=design.penalty_factor,
        feature_names=design.encoder.feature_names,
        **arguments,
    )
    return replace(made, row_numbers=design.rows)


def _model(design: Design, study: Study) -> Model:
    import numpy as np

    return Model(design.encoder, np.asarray(study.coef(), np.float64), np.asarray(study.intercept()))


def _failed(study: Study) -> tuple[str, ...]:
    return tuple(finding.check for finding in study.audit if finding.verdict == "fail")


def _said(source: str, design: Design, judged: Judged, study: Study) -> list[str]:
    """What was read and what became of it, a sentence each."""
    facts = study.facts
    columns = f"{facts.columns} column{'s' * (facts.columns != 1)} in the design matrix"
    held = f", {facts.held_out} held out to judge by" if facts.held_out_source == "fraction" else ""
    first = f"{source}: {design.rows_read} rows read, {facts.rows} used{held}, {columns}"
    return [first, *design.notes, *judged.notes]


def _finish(outcome: _Outcome, folder: Path, strict: bool) -> int:
    print(outcome.text)
    print(f"\nwrote {', '.join(str(folder / name) for name in OURS)}")
    if strict and outcome.failed:
        say(f"--strict: the audit says fail for {', '.join(outcome.failed)}; the summary says what to do")
        return AUDIT_FAILED
    return DONE


@contextmanager
def _as_options() -> Iterator[None]:
    """Write ``criterion='evidence'`` in a message as it is typed here."""
    try:
        yield
    except InputError as error:
        raise InputError(ARGUMENT.sub(_option, str(error))) from error


def _option(found: re.Match[str]) -> str:
    return f"--{found[1].replace('_', '-')} {found[2].strip(QUOTE)}"


def _alpha(text: str) -> str | float:
    if text == "auto":
        return text
    try:
        alpha = float(text)
    except ValueError:
        raise InputError(f"--alpha is {text!r}: give auto, or a number that is 0 or more") from None
    if not alpha >= 0:
        raise InputError(f"--alpha is {text}: a strength is 0 or more, inf is legal; auto chooses one")
    return alpha


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
