"""What the charts of the page show, in a few words, and how to read each; of which quadratic they are."""

from __future__ import annotations

from dataclasses import dataclass

QUADRATIC = (
    "The loss here is not quadratic, so that its curvature changes with the strength: the picture shows the "
    "quadratic at the chosen strength, which has the slope and the curvature of the loss at the solution "
    "there. At that strength it is exact; w* is where that quadratic, not the loss, would be lowest."
)
TRAINED = (
    "The loss of a network is not quadratic: the picture shows the quadratic where its training stopped, "
    "which holds only at the strengths of the picture of how far the answer reaches; w* is where it would "
    "be lowest."
)


@dataclass(frozen=True)
class Caption:
    """What a picture shows, in a few words for who cannot see it, and how to read it."""

    title: str
    alternative: str
    reading: str


CAPTIONS = {
    "risk": Caption(
        "What the true error would be",
        "Curves of the estimated true error over the strength alpha, each with its minimum; the one that "
        "chose in a band, and the strengths that are as good as the best shaded.",
        "Each curve estimates the error on new rows for every strength, from the one fit; a triangle marks "
        "its lowest point, at the edge if that is at 0 or ∞. Too far left the model follows the noise, too "
        "far right it cannot follow the signal. Thick: the criterion that chose and the estimate that goes "
        "with it; criteria in another unit have the scale on the right. The band says how surely a strength "
        "is worse than the best one (1.96 standard errors of the difference, row by row, so that it closes "
        "at the best): where it reaches down to the error at the best, the strength cannot be told from it, "
        "and the background is shaded. The dotted grey line is the error on the training rows themselves: "
        "it only falls to the left, which is why it cannot choose. Thin curves whose triangles lie in the "
        "shade agree.",
    ),
    "trusted": Caption(
        "How far the answer reaches",
        "The change of the training loss over the strength alpha, as measured and as the quadratic predicts"
        " it; the strengths at which both agree are shaded.",
        "Everything here comes from one quadratic, that of the loss where the training stopped (dotted "
        "line, α₀). It is no more than a promise: so the weights that it predicts were put into the network,"
        " and the loss and its slope were measured, which also says which strength each of them belongs to."
        " In the shade the promise is kept; outside nothing is claimed. To know more there, train at the end"
        " of the shade and study again. The bars on the dots are 1.96 standard errors. Where rows judge, "
        "their loss is the line in the colour of the text: where it falls to the right, more decay helps.",
    ),
    "optimism": Caption(
        "Why the training error is not enough",
        "Training error, estimated true error and their difference over the effective number of parameters.",
        "The more parameters are in use (to the right), the better the model fits the rows that it was "
        "trained on, and the more it flatters itself: the orange line is the optimism, the true error minus "
        "the training error. The penalty stands for what is missing there. The true error is lowest where "
        "one more parameter would add as much optimism as it takes off the training error; its band is "
        "read as in the picture before. The dashed line is the chosen strength.",
    ),
    "effective_parameters": Caption(
        "How many parameters are in use",
        "The effective number of parameters over the strength alpha, falling from the rank to the free ones.",
        "γ(α) counts what is left of the model's freedom: every direction counts with the share that it"
        " keeps. Without regularisation it is the number of parameters that the data can determine; "
        "with endless strength only what is never penalised remains, such as the intercept.",
    ),
    "shrinkage": Caption(
        "Which directions survive",
        "The share that each direction keeps over its eigenvalue, in bands kept, fading and gone.",
        "Each dot is a direction in the space of the weights. Its eigenvalue says how strongly the data"
        " determine it. Directions with an eigenvalue far above α (the dashed line) keep their weight, "
        "those far below lose it: regularisation is not uniform, it removes what the data cannot tell.",
    ),
    "coefficients": Caption(
        "How the coefficients move",
        "Paths of the coefficients over the effective number of parameters, the largest ones named.",
        "From left (everything shrunk away) to right (no regularisation). The dashed line is the chosen"
        " strength; the names belong to the largest coefficients there. Lines that fan out or cross "
        "zero at the right belong to columns that the data cannot tell apart.",
    ),
}
