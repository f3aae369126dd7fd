"""Sentences that the summary and the page share: which rows leave together, which judge, who agrees."""

from __future__ import annotations

from typing import Any

import numpy as np

from eigenshrink.plots import reading
from eigenshrink.plots.text import plural
from eigenshrink.risk import criterion_name

TOGETHER = ("combined", "leave_group_out", "kfold")  # criteria that never tell a group by its own rows


def kind(study: Any) -> str:
    """Of what a study is: a network, or columns; it decides which parts are said of it."""
    return "network" if reading.of_network(study) else "columns"


def rows_share_groups(study: Any) -> bool:
    """Whether some group has more than one row."""
    return bool(0 < study.facts.groups < study.facts.rows)


def groups_and_judges(study: Any) -> str:
    """Say which rows leave together and which were held out; empty where there are none."""
    return " ".join(filter(None, (_groups(study), _judges(study))))


def _groups(study: Any) -> str:
    facts, criterion = study.facts, study.choice.criterion
    if not facts.groups:
        return ""
    count = plural(facts.groups, "group")
    if facts.groups_source != "given":
        copies = plural(facts.rows - facts.groups, "row is a copy", "rows are copies")
        said, them = f"{copies} of others", f"copies leave together, so that there are {count} of rows."
    else:
        said = f"{count} of rows that belong together {'was' if facts.groups == 1 else 'were'} given"
        them = "rows of a group leave together."
    if criterion in TOGETHER:
        return f"{said}: {them}"
    if criterion in ("given", "validation"):
        return f"{said}."
    return f"{said}, but {criterion_name(criterion)}, which chose, does not leave them out together."


def _judges(study: Any) -> str:
    facts = study.facts
    if not facts.held_out:
        return ""
    rows = plural(facts.held_out, "row")
    if facts.held_out_source != "fraction":
        return f"{rows} of other data judge the model and are not fitted."
    whole = ", whole groups," if facts.groups_source == "given" else ""
    return (
        f"{rows}{whole} are held out to judge by: everything here is of the model of the other {facts.rows}."
    )


def agreement(study: Any) -> str:
    """Say in a sentence or two whether the criteria agree, and the likely cause where they do not."""
    found = study.choice.agreement
    if found is None:
        return ""
    if not isinstance(found, tuple) or len(found) == 1:
        return opened(np.ravel(found)[0].words)
    astray = [name for name, each in zip(study.target_names, found, strict=True) if not each.agrees]
    if not astray:
        return "The criteria agree for every target: no optimum can be told from the best."
    return f"The criteria disagree for {len(astray)} of {plural(len(found), 'target')}."


def opened(sentence: str) -> str:
    """Begin a sentence with a capital letter."""
    return sentence[:1].upper() + sentence[1:]
