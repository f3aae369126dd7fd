"""The commands, as typer reads them; the work is in the module of each command."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from eigenshrink._version import __version__
from eigenshrink.cli.options import (
    WHICH,
    Added,
    Alpha,
    AtRisk,
    Category,
    Checkpoint,
    Chosen,
    Criterion,
    CurvatureKind,
    Debug,
    Drop,
    Factory,
    File,
    Folder,
    Folds,
    Free,
    From,
    Groups,
    Judged,
    Judges,
    Kind,
    Matrix,
    Minimised,
    NetworkCriterion,
    Null,
    Open,
    Output,
    OutputFile,
    ProbeSeed,
    Products,
    Seed,
    Select,
    Standardize,
    Strict,
    Studied,
    Taken,
    Target,
    To,
    Trained,
    Trust,
    WeightKind,
    Weights,
    fact,
)
from eigenshrink.cli.outcome import DONE, run

app = typer.Typer(
    help="How strong should L2 regularisation be, and what does it do to my model?",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


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
    context: typer.Context,
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
        return _shown(folder, open_, fit_file(file, columns, wishes, folder, strict, _typed(context)))

    raise typer.Exit(run(work, debug))


@app.command()
def demo(
    context: typer.Context,
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

            code = study_network(
                "eigenshrink.networks.demo:digits", Wishes(), output, strict, _typed(context)
            )
            return _shown(output, open_, code)
        from eigenshrink.cli.demo import demo_table
        from eigenshrink.cli.fit import fit_frame
        from eigenshrink.cli.wishes import Columns

        table = demo_table(name)
        target = (table.columns[-1],)
        named = target if str(table.dtypes[-1]) == "String" else ()  # digits are names too
        columns = Columns(targets=target, categories=named)
        code = fit_frame(table, f"demo {name}", columns, output, strict, _typed(context))
        return _shown(output, open_, code)

    raise typer.Exit(run(work, debug))


@app.command()
def network(
    context: typer.Context,
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
        code = study_network(factory, wishes, folder, strict, _typed(context))
        return _shown(folder, open_, code)

    raise typer.Exit(run(work, debug))


@app.command()
def report(
    folder: Studied,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The page to write; report.html in the folder.")
    ] = None,
    open_: Open = False,
    debug: Debug = False,
) -> None:
    """Make the page of a folder anew, from its numbers and its study."""

    def work() -> int:
        from eigenshrink.cli.report import rebuild
        from eigenshrink.cli.screen import open_page

        path = rebuild(folder, output)
        if open_:
            open_page(path)
        return DONE

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
    rows: Annotated[int | None, fact("rows")] = None,
    columns: Annotated[int | None, fact("columns")] = None,
    outputs: Annotated[int | None, fact("outputs")] = None,
    weight_sum: Annotated[float | None, fact("weight_sum")] = None,
    target_sd: Annotated[float | None, fact("target_sd")] = None,
    penalty_factor_sum: Annotated[float | None, fact("penalty_factor_sum")] = None,
    batch_size: Annotated[float | None, fact("batch_size")] = None,
    momentum: Annotated[float | None, fact("momentum")] = None,
    loss: Annotated[str | None, fact("loss")] = None,
    loss_scale: Annotated[float | None, fact("loss_scale")] = None,
    position: Annotated[str | None, fact("position")] = None,
    solver: Annotated[str | None, fact("solver")] = None,
    debug: Debug = False,
) -> None:
    """Turn alpha into another library's number, or back."""
    facts = {k: v for k, v in context.params.items() if k not in {"value", "to", "from_", "debug"}}

    def work() -> int:
        from eigenshrink.cli.convert import convert_number

        convert_number(value, to, from_, facts)
        return DONE

    raise typer.Exit(run(work, debug))


@app.command()
def explore(
    output: Annotated[Path, typer.Option(metavar="FILE", help="The page to write.")] = Path(
        "out/explore.html"
    ),
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
    debug: Debug = False,
) -> None:
    """Write a page to play with: two weights and what alpha does to them."""

    def work() -> int:
        from eigenshrink.cli.explore import explore

        explore(output, open_)
        return DONE

    raise typer.Exit(run(work, debug))


def _shown(folder: Path, wanted: bool, code: int) -> int:
    if wanted:
        from eigenshrink.cli.screen import open_page

        open_page(folder / "report.html")
    return code


def _typed(context: typer.Context) -> str:
    """What was typed, as a shell would read it again."""
    words = context.find_object(list)
    return "" if words is None else shlex.join(["eigenshrink", *words])
