"""A trained network becomes a study: what goes in, what comes out, against training again (M5, M13, M18)."""

from __future__ import annotations

import copy
from functools import lru_cache

import numpy as np
import pytest
import torch
from torch import nn

import eigenshrink.networks as en
from eigenshrink.errors import InputError
from eigenshrink.path.products import Effort
from network_models import Case, cut, digits, drawn, logistic, look, mlp, regression, shuffled

DECAY = 0.05
VALIDATION = slice(70, 130)


def trained(case: Case, decay: float, exclude: tuple = (), steps: int = 400, groups=None) -> nn.Module:
    """Minimise loss plus penalty to rounding: L-BFGS in float64."""
    model = copy.deepcopy(case.model)
    own = groups or en.param_groups(model, decay, exclude)
    optimizer = torch.optim.LBFGS(
        list(model.parameters()),
        lr=1.0,
        max_iter=steps,
        tolerance_grad=1e-12,
        tolerance_change=1e-16,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimizer.zero_grad()
        penalty = sum(
            0.5 * group["weight_decay"] * weight.square().sum() for group in own for weight in group["params"]
        )
        total = case.loss(model(case.X), case.y) + penalty
        total.backward()
        return total

    optimizer.step(closure)
    return model


@lru_cache
def fitted(which: str = "logistic", decay: float = DECAY):
    case = {"logistic": logistic, "mlp": mlp, "regression": regression}[which]()
    return case, trained(case, decay, steps=600)


def judges():
    X, y = digits(130)
    return X[VALIDATION], y[VALIDATION]


def flat(model: nn.Module) -> np.ndarray:
    return torch.cat([weight.detach().flatten() for weight in model.parameters()]).numpy()


def studied(which: str = "logistic", **options):
    case, model = fitted(which)
    return en.study(model, case.loss, case.loader, **({"weight_decay": DECAY} | options))


def test_the_path_goes_through_the_weights_and_leaves_the_model_as_it_was():
    case, model = fitted()
    model.train()
    before = look(model)
    study = en.study(model, case.loss, case.loader, weight_decay=DECAY, val_loader=judges())
    assert study.coef(DECAY) == pytest.approx(flat(model), rel=1e-6, abs=1e-8)
    _ = study.choice, study.audit, study.hypergradient
    after = look(model)
    assert before.keys() == after.keys()
    assert str(before) == str(after)
    assert study.coef().shape == (study.facts.columns,)
    assert study.feature_names[0] == "1.weight[0,0]"


@pytest.mark.parametrize("alpha", [0.03, 0.045, 0.09])
def test_predicted_weights_are_those_of_training_again_next_to_the_fit(alpha):
    """First order of the exact path: logistic regression, whose Gauss-Newton matrix is its Hessian."""
    case, model = fitted()
    study = studied()
    again = flat(trained(case, alpha, steps=600))
    moved = np.linalg.norm(again - flat(model))
    assert np.linalg.norm(study.coef(alpha) - again) <= 0.35 * moved
    low, high = study.path.trusted
    assert low <= DECAY / 2
    assert high >= DECAY * 2


def test_trusted_means_that_the_true_loss_changes_as_predicted():
    case, model = fitted("mlp")
    study = studied("mlp", tolerance=0.1)
    low, high = study.path.trusted
    start = float(case.loss(model(case.X), case.y).detach())
    for alpha in np.geomspace(low, high, 5):
        shown = study.apply_(copy.deepcopy(model), float(alpha))
        with torch.no_grad():
            change = float(case.loss(shown(case.X), case.y)) - start
            each = nn.functional.cross_entropy(shown(case.X), case.y, reduction="none")
            each -= nn.functional.cross_entropy(model(case.X), case.y, reduction="none")
        noise = float(each.std() / np.sqrt(len(each)))
        predicted = study.path.predicted_change(float(alpha))
        assert abs(change - predicted) <= max(0.12 * abs(predicted), 1.02 * noise, 2e-6 * start)


@pytest.mark.parametrize("which", ["logistic", "mlp"])
def test_the_hypergradient_is_the_slope_of_training_again(which):
    """With the Hessian it is exact where the training came to rest, whole and layer by layer."""
    case, model = fitted(which)
    X, y = judges()
    study = studied(which, curvature="hessian", val_loader=(X, y))
    names = [layer.name for layer in study.layers]
    step = 1e-3

    def error(scales: dict[str, float]) -> float:
        start = Case(model, case.loss, case.X, case.y)
        again = copy.deepcopy(model)
        groups = [
            {"params": list(module.parameters()), "weight_decay": DECAY * scales.get(name, 1.0)}
            for name, module in again.named_children()
        ]
        optimizer = torch.optim.LBFGS(
            list(again.parameters()),
            max_iter=300,
            tolerance_grad=1e-13,
            tolerance_change=1e-16,
            line_search_fn="strong_wolfe",
        )

        def closure():
            optimizer.zero_grad()
            total = start.loss(again(start.X), start.y) + sum(
                0.5 * group["weight_decay"] * weight.square().sum()
                for group in groups
                for weight in group["params"]
            )
            total.backward()
            return total

        optimizer.step(closure)
        return float(case.loss(again(X), y).detach())

    for picked in [names, *([name] for name in names if len(names) > 1)]:
        up, down = ({name: np.exp(sign * step) for name in picked} for sign in (1, -1))
        slope = (error(up) - error(down)) / (2 * step)
        found = study.hypergradient.total if picked is names else study.hypergradient.by_group[picked[0]]
        assert found == pytest.approx(slope, rel=2e-3, abs=1e-6)


def test_groups_of_the_optimiser_become_factors_and_free_weights():
    case = logistic()
    model = case.model
    groups = [
        {"params": [model[1].weight], "weight_decay": 0.02},
        {"params": [model[1].bias], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    done = trained(case, 0.02, groups=None, exclude=("bias",))
    model.load_state_dict(done.state_dict())
    study = en.study(model, case.loss, case.loader, optimizer=optimizer)
    assert study.path.fit.alpha == 0.02
    assert list(np.unique(study.path.fit.penalty_factor)) == [0.0, 1.0]
    assert study.path.free_rank == 9  # ten biases, whose common shift changes nothing
    same = en.study(model, case.loss, case.loader, weight_decay=0.02, exclude="bias")
    assert same.coef(0.1) == pytest.approx(study.coef(0.1), rel=1e-9)
    again = trained(case, 0.03, exclude=("bias",))
    moved = np.linalg.norm(flat(again) - flat(model))
    assert np.linalg.norm(study.coef(0.03) - flat(again)) <= 0.2 * moved


def test_adamw_is_warned_of_and_gets_a_path_nevertheless():
    case, model = fitted()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    study = en.study(model, case.loss, case.loader, optimizer=optimizer)
    assert study.path.fit.alpha == pytest.approx(DECAY, rel=1e-4)  # what the gradient says it was
    verdicts = {finding.check: finding for finding in study.audit}
    assert verdicts["unit of the optimiser"].verdict == "warn"
    assert "AdamW" in verdicts["unit of the optimiser"].meaning


def test_any_operator_takes_the_place_of_the_curvature():
    case, model = fitted()
    H = en.curvature(model, case.loss, case.loader).dense
    given, own = studied(curvature=H), studied()
    assert given.coef(0.2) == pytest.approx(own.coef(0.2), rel=1e-8)
    assert studied(curvature="hessian").coef(0.2) == pytest.approx(own.coef(0.2), rel=1e-6)


def test_products_alone_give_the_same_study_as_the_whole_spectrum(monkeypatch):
    monkeypatch.setattr("eigenshrink.path.forecast.ROWS", 0)
    whole = studied("mlp")
    products = studied("mlp", effort=Effort(whole=10, products=230))
    assert products.path.spectrum.route == "lanczos"
    alphas = np.geomspace(*np.clip(whole.path.trusted, 0.02, 0.2), 5)
    size = np.linalg.norm(whole.coef(alphas), axis=1)
    assert np.linalg.norm(products.coef(alphas) - whole.coef(alphas), axis=1) / size == pytest.approx(
        0, abs=1e-6
    )
    assert products.path.trusted == pytest.approx(whole.path.trusted, rel=1e-3)
    estimate = products.path.effective_estimate(DECAY)
    exact = whole.path.effective_parameters(DECAY)
    assert abs(estimate.value[0] - exact) <= max(3 * estimate.standard_error[0], 1e-6 * exact)


def test_apply_writes_the_weights_and_refuses_what_is_not_trusted():
    _, model = fitted("mlp")
    study = studied("mlp")
    _, high = study.path.trusted
    target = copy.deepcopy(model)
    assert study.apply_(target, 0.9 * high) is target
    assert flat(target) == pytest.approx(study.coef(0.9 * high), rel=1e-12)
    before = flat(target)
    with pytest.raises(InputError, match="outside the range"):
        study.apply_(target, 50 * high)
    assert np.array_equal(flat(target), before)
    study.apply_(target, 50 * high, force=True)
    assert not np.array_equal(flat(target), before)
    with pytest.raises(InputError, match=r"a parameter '1.weight' of shape"):
        study.apply_(logistic().model, DECAY)


def test_float32_models_are_studied_and_written_in_float32():
    case, model = fitted("mlp")
    single = copy.deepcopy(model).float()
    X, y = digits(dtype=torch.float32)
    study = en.study(single, case.loss, cut(X, y), weight_decay=DECAY)
    double = studied("mlp")
    assert study.coef(0.06) == pytest.approx(double.coef(0.06), rel=1e-2, abs=1e-4)
    assert study.effective_parameters == pytest.approx(
        double.path.effective_parameters(float(study.alpha)), rel=1e-3
    )
    assert study.apply_(single, DECAY)[1].weight.dtype == torch.float32


def test_rows_that_judge_choose_and_nothing_to_judge_by_is_said():
    study = studied("mlp", val_loader=judges())
    assert study.choice.criterion == "validation"
    low, high = study.path.trusted
    assert low <= study.alpha <= high
    own = en.study(
        fitted("mlp")[1],
        lambda output, target: nn.functional.cross_entropy(output, target),
        fitted("mlp")[0].loader,
        weight_decay=DECAY,
    )
    assert own.choice.criterion == "none"
    assert "cannot tell from here" in own.choice.reason


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weight_decay": None}, "neither of weight_decay and optimizer"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"weight_decay": float("inf")}, "nothing was trained"),
        ({"curvature": "fisher"}, "'ggn', 'hessian'"),
        ({"alpha": "best"}, "alpha must be 'auto'"),
        ({"alpha": -1.0}, "alpha"),
        ({"exclude": "nothing"}, "no such module"),
        ({"criterion": "loo2"}, "criterion must be"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(options, words):
    with pytest.raises(InputError, match=words):
        _ = studied(**options).choice


def test_two_ways_to_say_the_decay_are_one_too_many():
    case, model = fitted()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    with pytest.raises(InputError, match="both of weight_decay and optimizer"):
        en.study(model, case.loss, case.loader, weight_decay=0.1, optimizer=optimizer)
    with pytest.raises(InputError, match="groups of the optimizer"):
        en.study(model, case.loss, case.loader, optimizer=optimizer, exclude="bias")


def test_a_shuffling_loader_gives_the_same_study():
    case, model = fitted()
    with drawn(0):
        loader = shuffled(case.X, case.y)
        study = en.study(model, case.loss, loader, weight_decay=DECAY)
    assert study.coef(0.2) == pytest.approx(studied().coef(0.2), rel=1e-8)


def test_a_training_that_has_not_come_to_rest_starts_from_its_weights():
    case, _ = fitted("mlp")
    with drawn(5):
        model = copy.deepcopy(case.model)
    noisy = torch.optim.SGD(model.parameters(), lr=0.3, weight_decay=1e-4)
    for _ in range(30):
        noisy.zero_grad()
        case.loss(model(case.X), case.y).backward()
        noisy.step()
    study = en.study(model, case.loss, case.loader, optimizer=noisy)
    assert study.path.rested
    assert study.coef(1e-4) == pytest.approx(flat(model), rel=1e-9)
    assert any("had not come to rest" in remark for remark in study.path.notes.remarks)


def test_an_interrupted_study_goes_on_exactly(tmp_path, monkeypatch):
    """Killed after some products: what is computed anew and what was kept are the same to the last bit."""
    monkeypatch.setattr("eigenshrink.path.forecast.ROWS", 0)
    case, model = fitted("mlp")

    class Killed(Exception):
        pass

    def study(name: str, stop_after: int | None = None):
        seen = []

        def progress(done: int, most: int, what: str) -> None:
            seen.append(done)
            if stop_after is not None and len(seen) > stop_after:
                raise Killed

        effort = Effort(whole=10, products=60, checkpoint=tmp_path / name, progress=progress)
        found = en.study(model, case.loss, case.loader, weight_decay=DECAY, effort=effort)
        return found.coef(0.07), found.path.effective_estimate(0.07).value

    whole = study("whole.npz")
    for stop_after in (5, 40):
        with pytest.raises(Killed):
            study(f"{stop_after}.npz", stop_after)
        again = study(f"{stop_after}.npz")
        assert np.array_equal(again[0], whole[0])
        assert np.array_equal(again[1], whole[1])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tolerance": "a"}, "tolerance is 'a': give a number above 0"),
        ({"tolerance": -1.0}, "tolerance is -1"),
        ({"effort": 5}, "effort is 5: give en.Effort"),
        ({"loader": (torch.zeros(8, 2), torch.arange(8) % 3)}, "Linear raised RuntimeError on a batch"),
        ({"loader": (torch.zeros(8, 5), torch.full((8,), 7))}, "IndexError .* Target 7 is out of bounds"),
    ],
)
def test_wrong_inputs_are_said_in_a_sentence(change, said):
    loader = (torch.randn(8, 5), torch.arange(8) % 3)
    options = {"loader": loader, "weight_decay": 0.1} | change
    with pytest.raises(InputError, match=said):
        en.study(nn.Linear(5, 3), nn.CrossEntropyLoss(), **options)
