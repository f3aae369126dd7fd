"""The options of the commands, each with its help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from eigenshrink.units.facts import FACTS


class Criterion(StrEnum):
    """What α is chosen by."""

    auto = "auto"
    combined = "combined"
    loo = "loo"
    leave_group_out = "leave_group_out"
    kfold = "kfold"
    gcv = "gcv"
    cp = "cp"
    evidence = "evidence"
    validation = "validation"


class Select(StrEnum):
    """Which strength is taken."""

    best = "best"
    strongest_equivalent = "strongest-equivalent"


class CurvatureKind(StrEnum):
    """Which matrix stands for the curvature of a network."""

    ggn = "ggn"
    hessian = "hessian"


class NetworkCriterion(StrEnum):
    """What α is chosen by for a network."""

    auto = "auto"
    validation = "validation"
    evidence = "evidence"


class WeightKind(StrEnum):
    """What a row weight means."""

    precision = "precision"
    frequency = "frequency"


WHICH = (
    "Which one: diabetes (numbers), breast-cancer (two classes), wine (three), digits (ten), "
    "network (a small network on digits, trained with PyTorch)."
)
Names = list[str] | None
File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV, TSV (also .gz), Parquet or Arrow.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The --output folder of fit.")]
Studied = Annotated[Path, typer.Argument(metavar="DIR", help="The --output folder of fit, demo or network.")]
Target = Annotated[list[str], typer.Option(metavar="COL", help="Column to explain; repeat it for several.")]
Weights = Annotated[str | None, typer.Option(metavar="COL", help="Column of row weights.")]
Kind = Annotated[
    WeightKind, typer.Option(help="What a weight means: how exact a row is, or how often it occurred.")
]
Groups = Annotated[
    str | None,
    typer.Option(metavar="COL", help="Column of labels: rows with the same one belong together."),
]
Free = Annotated[Names, typer.Option(metavar="COL", help="Column left without penalty; repeatable.")]
Category = Annotated[
    Names, typer.Option(metavar="COL", help="Column of categories, such as codes; repeatable.")
]
Drop = Annotated[Names, typer.Option(metavar="COL", help="Column to leave out; repeatable.")]
Null = Annotated[
    Names, typer.Option(metavar="TEXT", help="Means missing, as an empty cell does; repeatable.")
]
Standardize = Annotated[
    bool, typer.Option("--standardize/--no-standardize", help="Penalise as if every column had sd 1.")
]
Chosen = Annotated[Criterion, typer.Option(help="What the strength is chosen by.")]
Taken = Annotated[
    Select, typer.Option(help="The best strength, or the strongest that cannot be told from it.")
]
Folds = Annotated[int, typer.Option(min=2, metavar="N", help="Folds of --criterion kfold.")]
Judges = Annotated[
    str | None,
    typer.Option(metavar="FILE|FRACTION", help="Rows that judge and are not fitted: a file, or a share."),
]
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Of the folds and the rows that are held out.")]
Alpha = Annotated[str, typer.Option(metavar="X|auto", help="Strength, loss per squared weight.")]
Minimised = Annotated[
    str,
    typer.Option(
        metavar="auto|NAME",
        help="What is minimised: squared, logistic, multinomial, poisson, gamma, inverse_gaussian, "
        "tweedie[:POWER], binomial (two targets, successes and failures) or huber[:DELTA]. "
        "auto: two values: logistic; 3 to 20 texts: multinomial; whole numbers from 0 or 1 on that are "
        "spread as counts are: poisson; else squared.",
    ),
]
Added = Annotated[
    str | None, typer.Option(metavar="COL", help="Column added to the linear predictor as it is.")
]
AtRisk = Annotated[
    str | None, typer.Option(metavar="COL", help="Column > 0 whose logarithm is added: time, area, people.")
]
Output = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder to write; out/ and the file's name.")
]
OutputFile = Annotated[
    Path | None, typer.Option(metavar="OUT", help="Write .csv, .tsv or .parquet instead of to stdout.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 3 if a check of the audit says fail.")]
Open = Annotated[bool, typer.Option("--open", help="Open the page in the browser.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
To = Annotated[
    str | None, typer.Option("--to", metavar="KEY", help="To this peer's number: sklearn.Ridge, ...")
]
From = Annotated[str | None, typer.Option("--from", metavar="KEY", help="From this peer's number.")]
Factory = Annotated[
    str,
    typer.Argument(
        metavar="MODULE:FACTORY",
        help="A function without arguments, in a module or a file.py, that returns a dict of model, loss, "
        "loader, and if there are any val_loader, optimizer, weight_decay.",
    ),
]
Matrix = Annotated[
    CurvatureKind, typer.Option(help="The Gauss-Newton matrix, never negative, or the Hessian.")
]
Judged = Annotated[NetworkCriterion, typer.Option(help="What the strength is chosen by.")]
Trained = Annotated[
    float | None,
    typer.Option(min=0.0, metavar="X", help="Decay it was trained with; unless the optimizer says it."),
]
Trust = Annotated[
    float,
    typer.Option(metavar="X", help="Relative error of the predicted change of the loss that is trusted."),
]
Products = Annotated[
    int, typer.Option(min=1, metavar="N", help="The most products with the curvature, for each of two uses.")
]
Checkpoint = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Written after each block; an interrupted run goes on from it."),
]
ProbeSeed = Annotated[int, typer.Option(min=0, metavar="N", help="Of the random probes.")]


def fact(name: str) -> Any:
    """An option of convert that names a fact about data or training."""
    return typer.Option(help=FACTS[name].meaning)
