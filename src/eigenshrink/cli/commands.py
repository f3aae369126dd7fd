"""The commands and their options, as typer reads them; the work is in the module of each command."""

from __future__ import annotations

import webbrowser
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from eigenshrink._version import __version__
from eigenshrink.cli.outcome import DONE, run
from eigenshrink.units.facts import FACTS

app = typer.Typer(
    help="How strong should L2 regularisation be, and what does it do to my model?",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


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


def _fact(name: str) -> Any:
    return typer.Option(help=FACTS[name].meaning)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"eigenshrink {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def fit(
    file: File,
    target: Target,
    weights: Weights = None,
    weight_kind: Kind = WeightKind.precision,
    groups: Groups = None,
    offset: Added = None,
    exposure: AtRisk = None,
    unpenalised: Free = None,
    category: Category = None,
    drop: Drop = None,
    null_value: Null = None,
    standardize: Standardize = True,
    criterion: Chosen = Criterion.auto,
    select: Taken = Select.best,
    folds: Folds = 5,
    validation: Judges = None,
    seed: Seed = 0,
    alpha: Alpha = "auto",
    loss: Minimised = "auto",
    output: Output = None,
    strict: Strict = False,
    open_: Open = False,
    debug: Debug = False,
) -> None:
    """Fit a model to a table, choose the strength, write a page about it."""

    def work() -> int:
        from eigenshrink.cli.fit import default_folder, fit_file
        from eigenshrink.cli.wishes import Columns, Wishes, one_offset

        free, categories, dropped, nulls = (
            tuple(names or ()) for names in (unpenalised, category, drop, null_value)
        )
        single = (weights, groups, one_offset(offset, exposure))
        columns = Columns(tuple(target), *single, free, categories, dropped, nulls)
        words = (loss, alpha, criterion.value, select.value, weight_kind.value)
        wishes = Wishes(*words, standardize, folds, validation, seed)
        folder = output or default_folder(file)
        return _shown(folder, open_, fit_file(file, columns, wishes, folder, strict))

    raise typer.Exit(run(work, debug))


@app.command()
def demo(
    name: Annotated[str, typer.Argument(metavar="NAME", help=WHICH)] = "diabetes",
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")] = Path("out/demo"),
    strict: Strict = False,
    open_: Open = False,
    debug: Debug = False,
) -> None:
    """Run the main job on an embedded real data set."""

    def work() -> int:
        if name == "network":
            from eigenshrink.cli.network import Wishes, study_network

            code = study_network("eigenshrink.networks.demo:digits", Wishes(), output, strict)
            return _shown(output, open_, code)
        from eigenshrink.cli.demo import demo_table
        from eigenshrink.cli.fit import fit_frame
        from eigenshrink.cli.wishes import Columns

        table = demo_table(name)
        target = (table.columns[-1],)
        named = target if str(table.dtypes[-1]) == "String" else ()  # digits are names too
        columns = Columns(targets=target, categories=named)
        code = fit_frame(table, f"demo {name}", columns, output, strict)
        return _shown(output, open_, code)

    raise typer.Exit(run(work, debug))


@app.command()
def network(
    factory: Factory,
    curvature: Matrix = CurvatureKind.ggn,
    criterion: Judged = NetworkCriterion.auto,
    weight_decay: Trained = None,
    alpha: Alpha = "auto",
    tolerance: Trust = 0.2,
    products: Products = 400,
    checkpoint: Checkpoint = None,
    seed: ProbeSeed = 0,
    output: Output = None,
    strict: Strict = False,
    open_: Open = False,
    debug: Debug = False,
) -> None:
    """Study a trained PyTorch network for every weight decay, without training again."""

    def work() -> int:
        from eigenshrink.cli.network import Wishes, study_network

        words = (curvature.value, criterion.value, alpha, weight_decay)
        wishes = Wishes(*words, products, tolerance, checkpoint, seed)
        folder = output or Path("out") / factory.rpartition(":")[2]
        return _shown(folder, open_, study_network(factory, wishes, folder, strict))

    raise typer.Exit(run(work, debug))


@app.command()
def predict(folder: Folder, file: File, output: OutputFile = None, debug: Debug = False) -> None:
    """Predict the rows of a file with the model of a folder."""

    def work() -> int:
        from eigenshrink.cli.predict import predict_file

        predict_file(folder, file, output)
        return DONE

    raise typer.Exit(run(work, debug))


@app.command(context_settings={"ignore_unknown_options": True})  # so that -1 is a value, and refused as one
def convert(
    context: typer.Context,
    value: Annotated[float, typer.Argument(metavar="VALUE", help="The number to convert.")],
    to: To = None,
    from_: From = None,
    rows: Annotated[int | None, _fact("rows")] = None,
    columns: Annotated[int | None, _fact("columns")] = None,
    outputs: Annotated[int | None, _fact("outputs")] = None,
    weight_sum: Annotated[float | None, _fact("weight_sum")] = None,
    target_sd: Annotated[float | None, _fact("target_sd")] = None,
    penalty_factor_sum: Annotated[float | None, _fact("penalty_factor_sum")] = None,
    batch_size: Annotated[float | None, _fact("batch_size")] = None,
    momentum: Annotated[float | None, _fact("momentum")] = None,
    loss: Annotated[str | None, _fact("loss")] = None,
    loss_scale: Annotated[float | None, _fact("loss_scale")] = None,
    position: Annotated[str | None, _fact("position")] = None,
    solver: Annotated[str | None, _fact("solver")] = None,
    debug: Debug = False,
) -> None:
    """Turn alpha into another library's number, or back."""
    facts = {k: v for k, v in context.params.items() if k not in {"value", "to", "from_", "debug"}}

    def work() -> int:
        from eigenshrink.cli.convert import convert_number

        convert_number(value, to, from_, facts)
        return DONE

    raise typer.Exit(run(work, debug))


def _shown(folder: Path, wanted: bool, code: int) -> int:
    if wanted:
        webbrowser.open((folder / "report.html").resolve().as_uri())
    return code
