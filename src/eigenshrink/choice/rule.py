"""Which criterion chooses where the user leaves it open; docs/choosing.md has the measured record."""

from __future__ import annotations

from eigenshrink.errors import InputError
from eigenshrink.path import AnchoredPath, Path
from eigenshrink.risk import DESCRIBING, RISKS, criterion_name

AUTO = "auto"
BEST, STRONGEST = SELECT = ("best", "strongest-equivalent")


def resolve(path: Path, criterion: str) -> tuple[str, str]:
    """The name of the criterion that is meant, and why.

    ``auto`` is ``validation`` where rows were held out to judge by, else ``combined``: evidence, which varies
    least, corrected by Cp, or by leave-group-out where rows belong together, to the degree that rows are
    left over to correct it. For other losses than squared ``combined`` is the one of evidence and
    leave-one-out, or leave-group-out, that asks for the stronger penalty; without a dispersion that can be
    estimated, the latter alone is left (M14; docs/choosing.md).

    Raises
    ------
    InputError
        If the criterion is unknown, or needs what this study does not have.
    """
    known = path.available_risks
    if criterion == AUTO:
        return _auto(path)
    there = isinstance(criterion, str) and criterion in RISKS and criterion not in DESCRIBING
    if there and criterion not in known:
        RISKS[criterion](path)  # says what it needs
    if criterion not in known or criterion in DESCRIBING:
        choosing = [name for name in known if name not in DESCRIBING]
        raise InputError(f"criterion must be auto, {', '.join(choosing)}; got {criterion!r}")
    return criterion, "asked for"


def check_select(path: Path, criterion: str, select: str) -> str:
    """Refuse what is no way to select by this criterion.

    Raises
    ------
    InputError
        If the way is unknown, or needs strengths that cannot be told from the best and there are none.
    """
    if select not in SELECT:
        raise InputError(f"select must be {' or '.join(map(repr, SELECT))}; got {select!r}")
    name, _ = resolve(path, criterion)
    if select == STRONGEST and not RISKS[name](path).has_interval:
        raise InputError(
            f"select={STRONGEST!r} needs strengths that cannot be told from the best, which "
            f"{criterion_name(name)} does not give: use criterion='loo', or another one of kfold, "
            "leave_group_out and evidence"
        )
    return select


def _auto(path: Path) -> tuple[str, str]:
    known = path.available_risks
    if "validation" in known:
        return "validation", "rows were held out to judge by"
    if isinstance(path, AnchoredPath):
        return _anchored(path)
    if "combined" not in known:
        return "evidence", "the rows are not at hand"
    if "leave_group_out" in known:
        return "combined", f"{_together(path)}: evidence corrected by leave-group-out"
    if "cp" in known:
        return "combined", "evidence, which varies least, corrected by Cp, which assumes least"
    return "combined", "no row is left over to correct evidence by, which varies least"


def _anchored(path: AnchoredPath) -> tuple[str, str]:
    """Other losses than squared."""
    if not path.problem.whole:
        return "kfold", "so many classes and columns leave rows out only by fitting again"
    groups = "leave_group_out" in path.available_risks
    out, why = ("leave_group_out", f"{_together(path)}: ") if groups else ("loo", "")
    if "combined" not in path.available_risks:
        return out, f"{why}no row is left over to estimate the dispersion by, which evidence needs"
    return "combined", f"{why}the stronger of what {criterion_name(out)} and evidence ask for"


def _together(path: Path) -> str:
    source = path.fit.training.splits.source if path.fit.training and path.fit.training.splits else ""
    return "some rows are exact copies of others" if source == "found" else "groups were given"
