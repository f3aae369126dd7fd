"""The embedded data sets that show the tool at work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from eigenshrink.data.names import listed, shown
from eigenshrink.errors import InputError, MissingExtra

if TYPE_CHECKING:
    import polars


def demo_table(name: str) -> polars.DataFrame:
    """Return an embedded real data set, its target in the last column.

    Parameters
    ----------
    name : str
        ``"diabetes"``: the 442 patients of Efron et al. (2004), ten measurements and all their
        squares and products, 65 columns, where regularisation matters. ``"breast-cancer"``: 569 tumours of
        two kinds, 30 measurements that nearly separate them. ``"wine"``: 178 wines of three growers.
        ``"digits"``: 1797 pictures of ten digits, 64 pixels, some of which are never inked.

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
    columns, matrix, target, values = DEMOS[name]()
    return polars.DataFrame(matrix, schema=columns).with_columns(polars.Series(target, values))


_Parts = tuple[list[str], Any, str, Any]


def _diabetes() -> _Parts:
    from sklearn.datasets import load_diabetes
    from sklearn.preprocessing import PolynomialFeatures

    data = load_diabetes()
    terms = PolynomialFeatures(degree=2, include_bias=False).fit(data.data)
    names = [term.replace(" ", "*") for term in terms.get_feature_names_out(data.feature_names)]
    return names, terms.transform(data.data), "disease progression", data.target


def _breast_cancer() -> _Parts:
    from sklearn.datasets import load_breast_cancer

    return _classes(load_breast_cancer(), "diagnosis")


def _wine() -> _Parts:
    from sklearn.datasets import load_wine

    return _classes(load_wine(), "grower")


def _digits() -> _Parts:
    from sklearn.datasets import load_digits

    return _classes(load_digits(), "digit")


def _classes(data: Any, target: str) -> _Parts:
    names = [str(label) for label in data.target_names]
    return list(map(str, data.feature_names)), data.data, target, [names[code] for code in data.target]


DEMOS: dict[str, Callable[[], _Parts]] = {
    "diabetes": _diabetes,
    "breast-cancer": _breast_cancer,
    "digits": _digits,
    "wine": _wine,
}
