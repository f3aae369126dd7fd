"""The embedded data sets that show the tool at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eigenshrink.data.names import listed, shown
from eigenshrink.errors import InputError, MissingExtra

if TYPE_CHECKING:
    import polars

TARGET = "disease progression"
DEMOS = ("diabetes",)


def demo_table(name: str) -> polars.DataFrame:
    """Return an embedded real data set, its target in the last column.

    Parameters
    ----------
    name : str
        ``"diabetes"``: the 442 patients of Efron et al. (2004), ten measurements and all their
        squares and products, 65 columns, where regularisation matters.

    Raises
    ------
    InputError
        If there is no such data set.
    """
    if name not in DEMOS:
        raise InputError(f"there is no demo {shown(name)}: the demos are {listed(DEMOS)}")
    try:
        import polars
    except ImportError as error:
        raise MissingExtra("polars", "app") from error
    from sklearn.datasets import load_diabetes
    from sklearn.preprocessing import PolynomialFeatures

    data = load_diabetes()
    terms = PolynomialFeatures(degree=2, include_bias=False).fit(data.data)
    names = [term.replace(" ", "*") for term in terms.get_feature_names_out(data.feature_names)]
    frame = polars.DataFrame(terms.transform(data.data), schema=names)
    return frame.with_columns(polars.Series(TARGET, data.target))
