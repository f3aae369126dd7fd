"""A trained network → a study → a folder with the page, the numbers, the study and the weights."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from eigenshrink.cli.outcome import AUDIT_FAILED, DONE, note, say
from eigenshrink.data.write import new_folder
from eigenshrink.errors import EigenshrinkError, InputError, MissingExtra
from eigenshrink.report.provenance import Origin, now

OURS = ("report.html", "result.json", "study.safetensors", "weights.safetensors")
GIVES = "model, loss, loader, and if there are any val_loader, optimizer, weight_decay"
PARTS = ("model", "loss", "loader", "val_loader")
KNOWN = (*PARTS, "optimizer", "weight_decay")
PATIENCE = 2.0  # seconds between two lines of progress


@dataclass(frozen=True)
class Wishes:
    """Options of the command.

    Attributes
    ----------
    curvature, criterion, alpha : str
    weight_decay : float or None
        None: what the factory says.
    products : int
        The most products with the curvature, for the path and again for the sums.
    tolerance : float
    checkpoint : Path or None
    seed : int
    """

    curvature: str = "ggn"
    criterion: str = "auto"
    alpha: str = "auto"
    weight_decay: float | None = None
    products: int = 400
    tolerance: float = 0.2
    checkpoint: Path | None = None
    seed: int = 0


def study_network(source: str, wishes: Wishes, folder: Path, strict: bool = False, command: str = "") -> int:
    """Study what a factory gives and write the folder, which says by what command; return the exit code.

    Raises
    ------
    InputError
        If the factory, what it gives, an option or the folder cannot be used; nothing is written then.
    MissingExtra
        If PyTorch is not installed.
    """
    made = find_factory(source)
    with theirs(source):
        parts = made()
    given = taken_apart(parts, source)
    with new_folder(folder) as beside:
        study = _study(given, wishes)
        origin = Origin(source, command, now())
        study.report(beside / "report.html", origin=origin)
        data = {**asdict(origin), "rows_read": study.facts.rows, "notes": []}
        text = json.dumps(study.to_dict() | {"data": data}, indent=1, ensure_ascii=False, allow_nan=False)
        (beside / "result.json").write_text(text + "\n", encoding="utf-8")
        study.save(beside / "study.safetensors")
        written = _weights(study, given["model"], beside)
        summary = study.summary()
    print(f"{source}\n\n{summary}")
    print(f"\nwrote {', '.join(str(folder / name) for name in OURS[: 3 + written])}")
    failed = [finding.check for finding in study.audit if finding.verdict == "fail"]
    if strict and failed:
        say(f"--strict: the audit says fail for {', '.join(failed)}; the summary says what to do")
        return AUDIT_FAILED
    return DONE


def find_factory(source: str) -> Callable[[], Any]:
    """The function that ``MODULE:FUNCTION`` or ``FILE.py:FUNCTION`` names.

    Raises
    ------
    InputError
        If there is no such module, file or function.
    """
    place, colon, name = source.rpartition(":")
    if not colon or not place or not name.isidentifier():
        raise InputError(f"{source!r} is no MODULE:FACTORY: give train:make or path/train.py:make")
    module = _file(Path(place)) if place.endswith(".py") else _module(place)
    found = getattr(module, name, None)
    if not callable(found):
        names = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise InputError(f"{place} has no function {name!r}; it has {', '.join(sorted(names)[:8]) or 'none'}")
    factory: Callable[[], Any] = found
    return factory


def taken_apart(given: Any, source: str) -> dict[str, Any]:
    """What a factory gave, by name.

    Raises
    ------
    InputError
        If it is no dict or tuple of the parts that are needed.
    """
    if isinstance(given, Mapping):
        parts = dict(given)
    elif isinstance(given, (tuple, list)) and 3 <= len(given) <= 4:
        parts = dict(zip(PARTS, given, strict=False))
    else:
        raise InputError(f"{source} gave a {type(given).__name__}: it must return a dict of {GIVES}")
    unknown = [name for name in parts if name not in KNOWN]
    missing = [name for name in PARTS[:3] if parts.get(name) is None]
    if unknown or missing:
        what = f"gave {unknown[0]!r}" if unknown else f"did not give {missing[0]!r}"
        raise InputError(f"{source} {what}: it must return a dict of {GIVES}")
    return parts


def _study(given: dict[str, Any], wishes: Wishes) -> Any:
    import eigenshrink.networks as en
    from eigenshrink.path.products import Effort

    decay = {name: given[name] for name in ("optimizer", "weight_decay") if given.get(name) is not None}
    if wishes.weight_decay is not None:
        decay = {"weight_decay": wishes.weight_decay}
    with progress() as step:
        effort = Effort(
            products=wishes.products, seed=wishes.seed, checkpoint=wishes.checkpoint, progress=step
        )
        study = en.study(
            given["model"],
            given["loss"],
            given["loader"],
            val_loader=given.get("val_loader"),
            curvature=wishes.curvature,
            alpha=_alpha(wishes.alpha),
            criterion=wishes.criterion,
            tolerance=wishes.tolerance,
            effort=effort,
            **decay,
        )
        _ = study.audit  # all that costs products is made here
    return study


def _alpha(text: str) -> Any:
    try:
        return text if text == "auto" else float(text)
    except ValueError as error:
        raise InputError(f"--alpha must be auto or a number; got {text!r}") from error


def _weights(study: Any, model: Any, folder: Path) -> bool:
    """The model at the chosen strength, where that is trusted; whether it was written."""
    from eigenshrink.networks.weights import save_weights

    low, high = study.path.trusted
    if not low <= float(study.alpha) <= high:
        return False
    save_weights(study, model, folder / "weights.safetensors")
    return True


@contextmanager
def theirs(name: str) -> Iterator[None]:
    """Run somebody's code; whatever it raises is said of it, and not of this program."""
    try:
        yield
    except (EigenshrinkError, KeyboardInterrupt):
        raise
    except Exception as error:  # their code may raise anything, and none of it is an error of this program
        said = " ".join(str(error).split())
        raise InputError(f"{name} raised {type(error).__name__}: {said}; --debug shows where") from error


@contextmanager
def progress() -> Iterator[Callable[[int, int, str], None]]:
    """Lines on stderr: products done, of how many at most, and how long they would take."""
    began: dict[str, float] = {}
    last = [time.monotonic()]

    def step(done: int, most: int, what: str) -> None:
        now = time.monotonic()
        began.setdefault(what, now)
        if not sys.stderr.isatty() or now - last[0] < PATIENCE:
            return
        last[0] = now
        left = (now - began[what]) / max(done, 1) * max(most - done, 0)
        note(f"{what}: {done} of at most {most} products, at most {left:.0f} s left")

    yield step


def _module(name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        with theirs(name):
            return importlib.import_module(name)
    except InputError as error:
        _missing(error.__cause__, name)
        raise


def _missing(error: BaseException | None, name: str) -> None:
    """Say it plainly where PyTorch or the module itself is what is missing."""
    missing = error.name or "" if isinstance(error, ModuleNotFoundError) else ""
    if missing == "torch":
        raise MissingExtra("torch", "torch") from error
    if missing and name.startswith(missing):
        raise InputError(f"there is no module {name!r} here or among what is installed") from error


def _file(path: Path) -> ModuleType:
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        with theirs(str(path)):
            spec.loader.exec_module(module)
    except InputError as error:
        _missing(error.__cause__, str(path))
        raise
    return module
