"""The rows for optimisers: torch and optax are not installed for the tests, and need not be.

Their documented update rules are run here in NumPy on what their documentation says the losses are
(``reduction="mean"``), on full batches, until nothing moves; the weights where they stop are compared
with the minimiser of the house's objective.
"""

from __future__ import annotations

import numpy as np
import pytest

import eigenshrink as es
from eigenshrink.units import PEERS
from units_oracle import ROWS, assert_agrees, house_fit, problem, relative_error

ALPHA = 0.07
LOSSES = {"squared": "MSELoss", "logistic": "BCEWithLogitsLoss", "poisson": "PoissonNLLLoss",
          "multinomial": "CrossEntropyLoss"}  # fmt: skip
STEPS = 3000
RATES = {"squared": 0.1, "logistic": 1.0, "poisson": 0.1, "multinomial": 1.0}
CLASS_WEIGHT = np.array([0.75, 2.5, 1.5])

every_loss = pytest.mark.parametrize("loss", LOSSES)
one_and_two = pytest.mark.parametrize("outputs", [1, 2])


def network(loss, outputs):
    """Return the gradient of a linear layer's loss as torch averages it, what is decayed, the answer."""
    X, y, s = problem(loss, weighted=False)
    X = np.sqrt(ROWS) * np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[0] + 0.3  # fast to descend
    Z = np.column_stack([X, np.ones(ROWS)])
    if loss == "multinomial":
        s = CLASS_WEIGHT[y]  # CrossEntropyLoss(weight=) divides by the sum of these
        Y = np.eye(3)[y]
    else:
        Y = np.column_stack([y, y[::-1]])[:, :outputs]
    mean = {
        "squared": lambda eta: 2 * eta,
        "logistic": lambda eta: 1 / (1 + np.exp(-eta)),
        "poisson": np.exp,
        "multinomial": lambda eta: np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True),
    }[loss]
    times = 2 * Y if loss == "squared" else Y
    divisor = s.sum() if loss == "multinomial" else Y.size

    def gradient(W):
        return Z.T @ (s[:, None] * (mean(Z @ W) - times)) / divisor

    expected = house_fit(loss, X, y if loss == "multinomial" else Y, s, ALPHA)
    decayed = np.ones_like(expected)
    decayed[-1] = 0.0  # biases in a group of their own, without weight_decay
    return gradient, decayed, expected


def torch_sgd(
    gradient, decayed, weight_decay, rate, *, momentum=0.0, dampening=0.0, nesterov=False, decoupled=False
):
    """Run the documented rule of torch.optim.SGD; ``decoupled`` decays beside the step, as SGDW does."""
    w, buffer = np.zeros(decayed.shape), None
    for _ in range(STEPS):
        g = gradient(w) + (0.0 if decoupled else weight_decay * decayed * w)
        if momentum:
            buffer = g if buffer is None else momentum * buffer + (1 - dampening) * g
            g = g + momentum * buffer if nesterov else buffer
        if decoupled:
            w = w * (1 - rate * weight_decay * decayed)
        w = w - rate * g
    return w


def torch_adam(gradient, decayed, weight_decay, *, decoupled=False):
    """Run the rule of torch.optim.Adam, or AdamW if decoupled; the learning rate decays to nothing."""
    w = np.zeros(decayed.shape)
    first, second = np.zeros_like(w), np.zeros_like(w)
    for step in range(1, 6001):
        rate = 0.05 * 0.998 ** max(0, step - 2000)
        g = gradient(w) + (0.0 if decoupled else weight_decay * decayed * w)
        if decoupled:
            w = w * (1 - rate * weight_decay * decayed)
        first, second = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g
        w = w - rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return w


def optax_chain(gradient, decayed, weight_decay, rate, *, position, momentum):
    """Run ``chain(add_decayed_weights, trace, scale)`` or ``chain(trace, add_decayed_weights, scale)``."""
    w = trace = np.zeros(decayed.shape)
    for _ in range(STEPS):
        updates = gradient(w)
        if position == "before":
            updates = updates + weight_decay * decayed * w
        updates = trace = updates + momentum * trace
        if position == "after":
            updates = updates + weight_decay * decayed * w
        w = w - rate * updates
    return w


def centred(w, loss):
    if loss == "multinomial":  # the common shift of the intercepts is free
        w = w.copy()
        w[-1] -= w[-1].mean()
    return w.squeeze()


def compare(peer, loss, found, expected):
    assert_agrees(centred(found, loss), centred(expected, loss), PEERS[peer].tolerance)


@one_and_two
@every_loss
@pytest.mark.parametrize(
    "options",
    [{}, {"momentum": 0.8}, {"momentum": 0.8, "dampening": 0.3}, {"momentum": 0.8, "nesterov": True}],
    ids=["plain", "momentum", "dampening", "nesterov"],
)
def test_sgd_stops_at_the_house_minimum(loss, outputs, options):
    gradient, decayed, expected = network(loss, outputs)
    number = es.convert(ALPHA, to="torch.SGD", loss=LOSSES[loss], outputs=outputs)
    compare("torch.SGD", loss, torch_sgd(gradient, decayed, number, RATES[loss], **options), expected)


@one_and_two
@every_loss
@pytest.mark.parametrize(
    "options", [{"momentum": 0.0}, {"momentum": 0.8}, {"momentum": 0.8, "nesterov": True}]
)
def test_decoupled_sgd_needs_more_decay_the_more_momentum(loss, outputs, options):
    gradient, decayed, expected = network(loss, outputs)
    number = es.convert(
        ALPHA, to="torch.SGD.decoupled", loss=loss, outputs=outputs, momentum=options["momentum"]
    )
    found = torch_sgd(gradient, decayed, number, RATES[loss], decoupled=True, **options)
    compare("torch.SGD.decoupled", loss, found, expected)


def test_decoupled_sgd_with_dampening_needs_less_as_its_note_says():
    gradient, decayed, expected = network("squared", 1)
    number = es.convert(ALPHA, to="torch.SGD.decoupled", loss="squared", outputs=1, momentum=0.8)
    found = torch_sgd(gradient, decayed, number * (1 - 0.3), 0.1, decoupled=True, momentum=0.8, dampening=0.3)
    compare("torch.SGD.decoupled", "squared", found, expected)


@every_loss
@pytest.mark.parametrize("position", ["before", "after"])
def test_optax_decay_before_and_after_the_momentum(loss, position):
    gradient, decayed, expected = network(loss, 2)
    number = es.convert(
        ALPHA, to="optax.add_decayed_weights", loss=loss, outputs=2, position=position, momentum=0.8
    )
    found = optax_chain(gradient, decayed, number, RATES[loss], position=position, momentum=0.8)
    compare("optax.add_decayed_weights", loss, found, expected)


@every_loss
def test_adam_comes_near_on_full_batches(loss):
    gradient, decayed, expected = network(loss, 2)
    number = es.convert(ALPHA, to="torch.Adam", loss=loss, outputs=2, rows=ROWS, batch_size=ROWS)
    compare("torch.Adam", loss, torch_adam(gradient, decayed, number), expected)


def test_adamw_stops_elsewhere_at_any_decay_so_it_has_no_number():
    gradient, decayed, expected = network("squared", 2)
    for times in (0.1, 1.0, 10.0):
        number = times * es.convert(ALPHA, to="torch.SGD", loss="squared", outputs=2)
        assert relative_error(torch_adam(gradient, decayed, number, decoupled=True), expected) > 1e-2
    assert es.convert(ALPHA, to="torch.AdamW") is None


def test_row_weights_inside_a_mean_over_rows_need_s_over_n_as_the_note_says():
    X, y, s = problem("squared")
    Z = np.column_stack([X, np.ones(ROWS)])
    number = es.convert(ALPHA, to="torch.SGD", loss="squared", outputs=1) * s.sum() / ROWS

    def gradient(w):
        return Z.T @ (2 * s * (Z @ w - y)) / ROWS

    found = torch_sgd(gradient, np.r_[np.ones(X.shape[1]), 0.0], number, 0.02, momentum=0.9)
    compare("torch.SGD", "squared", found, house_fit("squared", X, y, s, ALPHA))


def test_the_update_rules_can_disagree():
    gradient, decayed, expected = network("squared", 2)
    assert relative_error(torch_sgd(gradient, decayed, ALPHA * 1.05, 0.1), expected) > 1e-3
