"""The page of a folder made anew, from its numbers and its study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eigenshrink.cli.outcome import note
from eigenshrink.data.names import shown
from eigenshrink.errors import InputError

if TYPE_CHECKING:
    from eigenshrink.record import Study

COLUMNS, NETWORK = "study.npz", "study.safetensors"
NUMBERS = "result.json"


def rebuild(folder: Path, output: Path | None) -> Path:
    """Write the page of the study in a folder, as ``report.html`` there or elsewhere; print where it is.

    Parameters
    ----------
    folder : Path
        What ``fit``, ``demo`` or ``network`` wrote. Where its rows came from is read from
        ``result.json``; without that file the page does not say it.
    output : Path or None

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If there is no study, a file cannot be read, the two are of different runs, or the page cannot be
        written.
    MissingExtra
        If bokeh is not installed, or safetensors for a network.
    """
    from eigenshrink.chain import load
    from eigenshrink.report.page import write_report

    numbers = read_numbers(folder)
    study = load(_saved(folder, numbers))
    _same(folder, numbers, study)
    given = numbers.get("data")
    given = given if isinstance(given, dict) else {}
    path = output or folder / "report.html"
    write_report(study, path, _texts(given.get("notes")), origin=_origin(given))
    print(path, flush=True)
    return path


def read_numbers(folder: Path) -> dict[str, Any]:
    """Read ``result.json``; {} where there is none.

    Raises
    ------
    InputError
        If the folder or the file cannot be read.
    """
    path = folder / NUMBERS
    if not folder.is_dir():
        raise InputError(
            f"there is no folder {shown(folder)}: give the --output folder of fit, demo or network"
        )
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        note(f"{path} is not there: the page will not say where the rows came from")
        return {}
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}; run fit or network again") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} holds no result of eigenshrink: run fit or network again")
    return found


def _saved(folder: Path, numbers: dict[str, Any]) -> Path:
    """The file of the study: of columns or of a network."""
    names = (NETWORK, COLUMNS) if "layers" in numbers else (COLUMNS, NETWORK)
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise InputError(
        f"the folder {shown(folder)} holds no {COLUMNS} and no {NETWORK}: give the --output folder of fit, "
        "demo or network"
    )


def _same(folder: Path, numbers: dict[str, Any], study: Study) -> None:
    """Refuse numbers of another run than the study."""
    from eigenshrink.report.numbers import plain

    alpha = numbers.get("alpha", {})
    told, kept = (alpha.get("chosen") if isinstance(alpha, dict) else None), plain(study.alpha)
    if numbers and told != kept:
        raise InputError(
            f"{folder / NUMBERS} says that α = {told} was chosen, the study beside it {kept}: they are of "
            "different runs; run fit or network again"
        )


def _origin(given: dict[str, Any]) -> Any:
    from eigenshrink.report.provenance import Origin

    return Origin(**{key: str(given.get(key) or "") for key in ("source", "command", "made", "fingerprint")})


def _texts(notes: Any) -> list[str]:
    return [str(line) for line in notes] if isinstance(notes, list) else []
