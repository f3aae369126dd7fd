"""New rows → predictions, by the model of an output folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from eigenshrink.cli.model import Model, load_model
from eigenshrink.cli.outcome import note
from eigenshrink.cli.progress import stages
from eigenshrink.data.encoder import Encoded
from eigenshrink.data.files import read_table
from eigenshrink.data.names import distinct
from eigenshrink.data.targets import written
from eigenshrink.data.write import new_file
from eigenshrink.errors import InputError

if TYPE_CHECKING:
    import polars

WRITERS = {".csv": "write_csv", ".tsv": "write_csv", ".parquet": "write_parquet"}


def predict_file(folder: Path, file: Path, output: Path | None) -> None:
    """Predict every row of a file, in its order, to ``output`` or as CSV to stdout.

    Raises
    ------
    InputError
        If the model or the file cannot be used, or the output cannot be written.
    """
    if output is not None and output.suffix.lower() not in WRITERS:
        raise InputError(f"--output {output}: its ending must be one of {', '.join(WRITERS)}")
    with stages(3) as enter:
        enter("reading the model")
        model = load_model(folder)
        enter("reading the table")
        frame = read_table(file, model.encoder.text_columns, model.encoder.null_values)
        enter("predicting")
        table, encoded = _predictions(model, frame)
        if output is not None:
            _write(table, output)
    for line in encoded.remarks:
        note(line)
    if output is None:
        sys.stdout.write(table.write_csv())
    else:
        note(f"wrote {table.height} prediction{'s' * (table.height != 1)} to {output}")


def _predictions(model: Model, frame: polars.DataFrame) -> tuple[polars.DataFrame, Encoded]:
    import polars

    values, encoded = model.predict(frame)
    if model.classes:
        names = distinct(["prediction", *(f"probability of {written(label)}" for label in model.classes)])
        table = polars.DataFrame(values, schema=list(names[1:]))
        labels = polars.Series(names[0], list(model.classes)).gather(values.argmax(axis=1))
        return table.insert_column(0, labels), encoded
    if values.ndim == 1:
        return polars.DataFrame({"prediction": values}), encoded
    names = tuple(f"prediction of {target}" for target in model.encoder.targets)
    return polars.DataFrame(values, schema=list(names)), encoded


def _write(table: polars.DataFrame, output: Path) -> None:
    ending = output.suffix.lower()
    with new_file(output) as beside:
        if ending == ".parquet":
            table.write_parquet(beside)
        else:
            table.write_csv(beside, separator="\t" if ending == ".tsv" else ",")
