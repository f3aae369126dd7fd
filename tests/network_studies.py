"""Studies of networks without PyTorch: a perceptron in numpy, ridge as a network, and a very wide one."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from scipy.optimize import minimize

from eigenshrink.curvature import MatrixCurvature, OperatorCurvature
from eigenshrink.facts import Facts
from eigenshrink.fit import Fit, Sample
from eigenshrink.models import MULTINOMIAL, SQUARED
from eigenshrink.path import Layer, RowLosses, TrainingNotes
from eigenshrink.path.products import Effort, krylov_path
from eigenshrink.path.weight_names import WeightNames
from eigenshrink.record import Asked
from eigenshrink.trained import NetworkStudy

INPUTS, HIDDEN, CLASSES = 4, 5, 3
ROWS, JUDGES = 240, 150
SHAPES = (
    ("hidden.weight", (HIDDEN, INPUTS)),
    ("hidden.bias", (HIDDEN,)),
    ("head.weight", (CLASSES, HIDDEN)),
    ("head.bias", (CLASSES,)),
)
ENDS = np.cumsum([0, *(int(np.prod(shape)) for _, shape in SHAPES)])
LAYERS = (Layer("hidden", 0, int(ENDS[2]), "Linear"), Layer("head", int(ENDS[2]), int(ENDS[4]), "Linear"))


class Perceptron:
    """One hidden layer of tanh and the log loss of three classes: losses, gradients, Gauss-Newton."""

    def __init__(self, seed: int = 0, judges: int = JUDGES) -> None:
        rng = np.random.default_rng(seed)
        centres = rng.normal(size=(CLASSES, INPUTS))
        labels = rng.integers(0, CLASSES, size=ROWS + judges)
        rows = centres[labels] + 1.1 * rng.normal(size=(len(labels), INPUTS))
        self.rows, self.labels = rows[:ROWS], labels[:ROWS]
        self.others, self.other_labels = rows[ROWS:], labels[ROWS:]
        self.judges = judges
        self.start = 0.4 * rng.normal(size=ENDS[-1])

    def parts(self, w):
        return [w[ENDS[i] : ENDS[i + 1]].reshape(shape) for i, (_, shape) in enumerate(SHAPES)]

    def outputs(self, w, X):
        W, b, V, c = self.parts(w)
        hidden = np.tanh(X @ W.T + b)
        return hidden, hidden @ V.T + c

    def losses(self, w, X, labels):
        _, eta = self.outputs(w, X)
        values = np.log(np.exp(eta - eta.max(axis=1, keepdims=True)).sum(axis=1)) + eta.max(axis=1)
        values -= eta[np.arange(len(labels)), labels]
        return RowLosses(values, np.ones(len(labels)), (eta.argmax(axis=1) != labels).astype(float))

    def jacobian(self, w, X):
        """``∂η/∂w``, ``(n, c, p)``."""
        _, _, V, _ = self.parts(w)
        hidden, eta = self.outputs(w, X)
        back = V[None] * (1 - hidden**2)[:, None, :]  # (n, c, h)
        n = len(X)
        unit = np.broadcast_to(np.eye(CLASSES), (n, CLASSES, CLASSES))
        first = (back[..., None] * X[:, None, None, :]).reshape(n, CLASSES, -1)
        last = (unit[..., None] * hidden[:, None, None, :]).reshape(n, CLASSES, -1)
        return np.concatenate([first, back, last, unit], axis=2), eta

    def gradient(self, w, X, labels):
        J, eta = self.jacobian(w, X)
        share = MULTINOMIAL.slope(labels, eta)
        return np.einsum("ncp,nc->p", J, share) / len(X)

    def gauss_newton(self, w):
        J, eta = self.jacobian(w, self.rows)
        return np.einsum("ncp,ncd,ndq->pq", J, MULTINOMIAL.curvature(self.labels, eta), J) / ROWS

    def train(self, w):
        return self.losses(w, self.rows, self.labels)

    def validation(self, w):
        return self.losses(w, self.others, self.other_labels)

    def train_gradient(self, w):
        return self.gradient(w, self.rows, self.labels)

    def validation_gradient(self, w):
        return self.gradient(w, self.others, self.other_labels)

    def trained(self, alpha, d):
        def objective(w):
            return self.train(w).mean + 0.5 * alpha * d @ w**2, self.train_gradient(w) + alpha * d * w

        return minimize(objective, self.start, jac=True, method="BFGS", options={"gtol": 1e-7}).x


def sample_of(rows, weight_sum, p, observations=None):
    zeros, ones = np.broadcast_to(0.0, (p,)), np.broadcast_to(1.0, (p,))
    nu = rows if observations is None else observations
    return Sample(
        rows, weight_sum, nu, "precision", False, zeros, ones, np.zeros(1), np.array([np.nan]), "float64"
    )


def perceptron_path(alpha=0.02, free=False, judges=JUDGES, notes=None, stop=None):
    """The path of a trained perceptron; ``free``: biases are not penalised; ``stop``: not quite trained."""
    net = Perceptron(judges=judges)
    d = np.ones(int(ENDS[-1]))
    if free:
        d[ENDS[1] : ENDS[2]] = d[ENDS[3] : ENDS[4]] = 0.0
    w = net.trained(alpha, d) + (0.0 if stop is None else stop)
    fit = Fit(
        weights=w[:, None],
        gradient=net.train_gradient(w)[:, None],
        alpha=alpha,
        curvature=MatrixCurvature(net.gauss_newton(w)),
        penalty_factor=d,
        active=np.ones(len(d), dtype=bool),
        loss=MULTINOMIAL,
        sample=sample_of(ROWS, float(ROWS), len(d)),
    )
    path = krylov_path(fit, LAYERS, net, net.train(w).mean)
    return replace(path, notes=notes or TrainingNotes(optimiser="SGD", loss_scale=1.0))


def ridge_path(alpha=0.1, rows=90, p=24, judges=60, layers=("first", "head")):
    """Squared loss of a linear model: the quadratic is the loss."""
    rng = np.random.default_rng(1)
    true = rng.normal(size=p) / np.arange(1, p + 1)
    X, Z = rng.normal(size=(rows, p)), rng.normal(size=(judges, p))
    y, z = X @ true + rng.normal(size=rows), Z @ true + rng.normal(size=judges)

    class Linear:
        def train(self, w):
            return RowLosses(0.5 * (y - X @ w) ** 2, np.ones(rows))

        def validation(self, w):
            return RowLosses(0.5 * (z - Z @ w) ** 2, np.ones(judges))

        def train_gradient(self, w):
            return X.T @ (X @ w - y) / rows

        def validation_gradient(self, w):
            return Z.T @ (Z @ w - z) / judges

    net = Linear()
    net.judges = judges
    H = X.T @ X / rows
    w = np.linalg.solve(H + alpha * np.eye(p), X.T @ y / rows)
    fit = Fit(
        weights=w[:, None],
        gradient=net.train_gradient(w)[:, None],
        alpha=alpha,
        curvature=MatrixCurvature(H),
        penalty_factor=np.ones(p),
        active=np.ones(p, dtype=bool),
        loss=SQUARED,
        sample=sample_of(rows, float(rows), p),
    )
    half = p // 2
    made = (Layer(layers[0], 0, half, "Linear"), Layer(layers[1], half, p, "Linear"))
    path = krylov_path(fit, made, net, net.train(w).mean)
    return replace(path, notes=TrainingNotes(optimiser="SGD", loss_scale=1.0))


def wide_path(p=40_000, k=60, alpha=1e-3, free=0):
    """Many weights in 50 layers, of which a Krylov space is known; sums are estimated; no data at hand."""
    rng = np.random.default_rng(2)
    values = np.geomspace(5.0, 1e-5, k)
    Q = rng.normal(size=(p, k)) / np.sqrt(p)
    d = np.ones(p)
    d[:free] = 0.0
    d[free : p // 2] = 2.0
    w = 0.3 * Q @ (rng.normal(size=k) * values / (values + alpha)) / np.where(d > 0, d, 1.0)

    def product(v):
        return Q @ (values * (Q.T @ v))

    fit = Fit(
        weights=w[:, None],
        gradient=-alpha * (d * w)[:, None],
        alpha=alpha,
        curvature=OperatorCurvature(product, p),
        penalty_factor=d,
        active=np.ones(p, dtype=bool),
        loss=MULTINOMIAL,
        sample=sample_of(5000, 5000.0, p),
    )
    layers = tuple(Layer(f"block{i}", i * p // 50, (i + 1) * p // 50, "Conv2d") for i in range(50))
    path = krylov_path(fit, layers, None, 0.31, Effort(whole=100, products=48, probes=6, accuracy=1e-3))
    return replace(path, notes=TrainingNotes(optimiser="Adam", loss_scale=1.0))


def study_of(path, shapes=None, loss="cross_entropy", **asked):
    """The record that :func:`eigenshrink.networks.study` makes of a path."""
    names = WeightNames(shapes or [("weight", (len(path.fit.penalty_factor),))])
    return NetworkStudy(
        path=path,
        facts=Facts.of(path, one_target=True, standardize=False, penalty_factor=False),
        feature_names=names,
        target_names=("loss",),
        loss=loss,
        asked=Asked(**asked),
    )


def perceptron(alpha=None, criterion="auto", **options):
    return study_of(perceptron_path(**options), SHAPES, alpha=alpha, criterion=criterion)


KINDS = {
    "perceptron": perceptron,
    "free biases": lambda: perceptron(free=True),
    "nobody judges": lambda: perceptron(judges=0),
    "given": lambda: perceptron(alpha=0.03),
    "stopped early": lambda: perceptron(stop=0.02),
    "ridge": lambda: study_of(ridge_path(), loss="squared"),
    "hostile layers": lambda: study_of(
        ridge_path(layers=("<script>alert(1)</script>", "$\\frac$ \x00 'a'")), loss="squared"
    ),
    "wide": lambda: study_of(wide_path()),
    "cannot tell": lambda: cannot_tell(),
    "trusted nowhere": lambda: nowhere(),
    "untrained decay": lambda: perceptron_zero(),
    "AdamW": lambda: perceptron_zero(TrainingNotes("AdamW", "adamw", float("nan"), loss_scale=1.0)),
}


def cannot_tell():
    """Nobody judges, and the scale of the loss is not known: there is no criterion."""
    path = perceptron_path(judges=0)
    sample = replace(path.fit.sample, weight_sum=float("nan"))
    return study_of(replace(path, fit=replace(path.fit, sample=sample)), SHAPES, loss="my_loss")


class Kinked(Perceptron):
    """Its loss has a kink where the training stopped, of which no curvature tells."""

    def train(self, w):
        rows = super().train(w)
        return replace(rows, values=rows.values + 5 * np.linalg.norm(w - self.stopped))


def nowhere():
    path, net = perceptron_path(), Kinked()
    net.stopped = path.fit.weights[:, 0]
    return study_of(krylov_path(path.fit, LAYERS, net, path.start_loss), SHAPES)


def perceptron_zero(notes=None):
    """Trained for a while with no penalty that is known."""
    path = perceptron_path(notes=notes)
    fit = replace(path.fit, alpha=0.0)
    made = krylov_path(fit, LAYERS, path.measure, path.start_loss)
    return study_of(replace(made, notes=notes or TrainingNotes("SGD", loss_scale=1.0)), SHAPES)


@cache
def study(kind):
    return KINDS[kind]()
