"""The objective in words, so that nobody has to guess what a strength multiplies."""

from __future__ import annotations

from eigenshrink.units.facts import PARAMETERS, Given

# ℓ of one row from its linear predictor η: half the unit deviance, up to a constant
_ROW_LOSS = {
    "squared": "½({y} − {x})²",
    "logistic": "[log(1 + exp η_i) − y_i·η_i]",
    "multinomial": "[log Σ_c exp η_ic − η_iy]",
    "poisson": "[exp η_i − y_i·η_i]",
    "gamma": "[η_i + y_i·exp(−η_i)]",
    "inverse_gaussian": "(y_i − exp η_i)²/(2·y_i·exp 2η_i)",
    "tweedie": "½·(unit Tweedie deviance of y_i from exp η_i)",
    "huber": "[½r_i² where |r_i| ≤ δ, δ·|r_i| − ½δ² beyond, r_i = y_i − η_i]",
}
_FACTORS = {
    (False, False): "",
    (True, False): "d_j = sd_n(x_j)²",
    (False, True): "d_j = penalty_factor_j",
    (True, True): "d_j = penalty_factor_j·sd_n(x_j)²",
}


def objective(
    loss: str,
    *,
    outputs: int = 1,
    weighted: bool = True,
    fit_intercept: bool = True,
    standardize: bool = False,
    penalty_factor: bool = False,
) -> str:
    """Print what is minimised for one kind of problem, ``L(w) + (α/2) wᵀDw`` (M1).

    Parameters
    ----------
    loss : str
        "squared", "logistic" (or "binomial"), "multinomial", "poisson", "gamma", "inverse_gaussian",
        "tweedie" or "huber"; the last two may carry their parameter, "tweedie:1.5".
    outputs : int
        Targets of a squared loss; each then has its own ``α_k``.
    weighted, fit_intercept : bool
        Whether rows have weights, and whether there is a free intercept.
    standardize, penalty_factor : bool
        Where the factors ``d_j`` come from; without both they are 1 and not written.

    Raises
    ------
    InputError
        If the loss is unknown.

    Examples
    --------
    >>> print(objective("squared"))
    minimise (1/S) Σ_i s_i ½(y_i − x_iᵀw − b)² + (α/2) Σ_j w_j², S = Σ_i s_i, b not penalised
    >>> print(objective("poisson", weighted=False, fit_intercept=False, standardize=True))
    minimise (1/n) Σ_i [exp η_i − y_i·η_i] + (α/2) Σ_j d_j·w_j², η_i = x_iᵀw, d_j = sd_n(x_j)²
    """
    name = Given({"loss": loss}, "the objective")["loss"]
    parameter = loss.partition(":")[2] if name in PARAMETERS else ""
    several = name == "squared" and outputs > 1
    k = "_k" if several else "_c" if name == "multinomial" else ""
    predictor = f"x_iᵀw{k}" + (f" + b{k}" if fit_intercept else "")
    row = _ROW_LOSS[name].format(y=f"y_i{k[1:]}", x=predictor.replace("+", "−"))
    factors = _FACTORS[standardize, penalty_factor]
    weight = ("d_j·" if factors else "") + f"w_j{k[1:]}²"
    strength = "Σ_k (α_k/2) " if several else "(α/2) " + ("Σ_c " if k else "")
    mean = ("(1/S) Σ_i s_i " if weighted else "(1/n) Σ_i ") + ("Σ_k " if several else "")
    where = [
        "" if name == "squared" else f"η_i{k[1:]} = {predictor}",
        f"{PARAMETERS[name]} = {parameter}" if parameter else "",
        "S = Σ_i s_i" if weighted else "",
        factors,
        f"b{k} not penalised" if fit_intercept else "",
    ]
    return ", ".join([f"minimise {mean}{row} + {strength}Σ_j {weight}", *filter(None, where)])
