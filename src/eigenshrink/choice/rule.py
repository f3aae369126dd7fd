"""Which criterion chooses where the user leaves it open; docs/choosing.md has the measured record."""

from __future__ import annotations

from eigenshrink.errors import InputError
from eigenshrink.path import AnchoredPath, KrylovPath, Path
from eigenshrink.risk import DESCRIBING, RISKS, criterion_name

AUTO, NONE = "auto", "none"
BEST, STRONGEST = SELECT = ("best", "strongest-equivalent")


def resolve(path: Path, criterion: str) -> tuple[str, str]:
    """The name of the criterion that is meant, and why.

    ``auto`` is ``validation`` where rows were held out to judge by, else ``combined``: evidence, which varies
    least, corrected by Cp, or by leave-group-out where rows belong together, to the degree that rows are
    left over to correct it. For other losses than squared ``combined`` is the one of evidence and
    leave-one-out, or leave-group-out, that asks for the stronger penalty; without a dispersion that can be
    estimated, the latter alone is left (M14; docs/choosing.md). A network without rows that judge is left
    evidence, where it has that; ``none`` where nothing can be told from where its training stopped.

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
        if isinstance(path, KrylovPath) and path.span is None:
            raise InputError(f"criterion {criterion!r} cannot choose: {unseen(path)}")
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
    if name != NONE and select == STRONGEST and not RISKS[name](path).has_interval:
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
    if isinstance(path, KrylovPath):
        return _network(path)
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


def _network(path: KrylovPath) -> tuple[str, str]:
    """A trained network: all that is known of it is around where its training stopped."""
    if path.span is not None and "evidence" in path.available_risks:
        return "evidence", "no rows judge the network, and evidence needs none"
    return NONE, f"the model cannot tell from here: {unseen(path)}"


def unseen(path: KrylovPath) -> str:
    """Why nothing, or no more, can be told from where the training stopped."""
    if not len(path.fit.penalised):
        return "no weight that was trained is penalised, so that the strength changes nothing"
    if path.scales is None:
        return "the loss is flat along every weight that is penalised: was the network trained?"
    if path.measured is not None and not len(path.measured.alphas):
        return "the weights of the path are not accurate at the strength of the training: allow more products"
    if path.span is None:
        adamw = path.notes.decay_kind == "adamw"
        why = "its loss is not the quadratic that its curvature promises, not even where the training stopped"
        if adamw:
            return f"AdamW does not minimise a loss with an L2 penalty, and {why}: train with SGD or Adam"
        return f"{why}: train on until the loss settles, or with a smaller learning rate"
    if path.least > 0:
        why = "the curvature is negative along some directions, so that evidence means nothing"
        return f"{why}, and no rows judge: give val_loader=, or curvature='ggn'"
    return "the scale of the loss is not known, which evidence needs, and no rows judge: give val_loader="


def _together(path: Path) -> str:
    source = path.fit.training.splits.source if path.fit.training and path.fit.training.splits else ""
    return "some rows are exact copies of others" if source == "found" else "groups were given"
