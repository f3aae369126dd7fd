"""Make the pictures of README.md from the demo: ``make pictures``."""

from __future__ import annotations

from pathlib import Path

from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PolynomialFeatures

import eigenshrink as es
from eigenshrink.plots import save_figure

HERE = Path(__file__).parent / "images"


def main() -> None:
    """Fit the demo's data and draw."""
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    terms = PolynomialFeatures(2, include_bias=False).set_output(transform="pandas").fit_transform(X)
    names = [name.replace(" ", "*") for name in terms.columns]
    study = es.study(terms.to_numpy(), y.to_numpy(), standardize=True, feature_names=names)
    for name in ("contour", "risk", "optimism", "three_steps"):
        save_figure(study, name, HERE / f"{name}.png")


if __name__ == "__main__":
    main()
