"""Small studies to audit, with one thing changed, and the finding that is asked about."""

from __future__ import annotations

import numpy as np

import eigenshrink as es
from eigenshrink.audit import Finding
from oracles import make

NAMES = ["age", "height", "dose", "bmi", "site"]


def study_of(shape=(20, 5), change=lambda X: None, wrap=np.asarray, **more) -> es.Study:
    problem = make(1, *shape)
    X = problem.X.copy()
    change(X)
    return es.study(wrap(X), problem.y, feature_names=NAMES, criterion="evidence", **more)


def finding(study: es.Study, check: str) -> Finding:
    (found,) = [f for f in study.audit if f.check == check]
    return found


def set_column(j, value):
    def change(X):
        X[:, j] = value(X) if callable(value) else value

    return change
