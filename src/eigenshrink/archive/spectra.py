"""The spectrum of a network and the sums over it, as arrays and back; in the precision that they have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.errors import InputError
from eigenshrink.fit import Fit
from eigenshrink.path import KrylovPath
from eigenshrink.path.display import shown_strengths
from eigenshrink.spectrum.basis import KrylovBasis
from eigenshrink.spectrum.eliminated import Onto, Solved
from eigenshrink.spectrum.quadrature import Known, Probe, ProbedSums
from eigenshrink.spectrum.record import Basis, DenseBasis, FreeBlock, Spectrum
from eigenshrink.spectrum.sums import Sums, WholeSums

Array = NDArray[np.float64]

TOGETHER = 64  # directions that are carried to the free weights at once
CLOSE = 1e-6  # relative, of weights that are taken for the ones whose free part was kept
SAME = 1e-12  # relative, of strengths that differ by rounding
PROBE = ("diagonal", "beside", "forms")


class Carried(Onto):
    """``H_FF⁺ H_FP`` on the space of the directions, where every path lies: ``(onto · D^{-½}Q) Qᵀ D^{½}``.

    Parameters
    ----------
    carried : (f, k)
        What each direction asks of the free weights.
    directions : Basis
    scale : (p_pen,)
        ``d^{-½}``.
    """

    def __init__(self, carried: Array, directions: Basis, scale: Array) -> None:
        self.carried, self.directions, self.scale = carried, directions, scale

    def __matmul__(self, vectors: Array) -> Array:
        """``H_FF⁺ H_FP V`` for V in that space."""
        V = vectors.reshape(len(vectors), -1) / self.scale[:, None]
        found: Array = self.carried @ self.directions.forth(V)
        return found.reshape(-1, *vectors.shape[1:])

    def back(self, vectors: Array) -> Array:
        """``H_PF H_FF⁺ V`` within that space."""
        V = vectors.reshape(len(vectors), -1)
        found = self.directions.back(self.carried.T @ V) / self.scale[:, None]
        return found.reshape(-1, *vectors.shape[1:])


class Remembered(Onto):
    """What it is of some vectors only: products with all directions would have cost too many solves.

    Parameters
    ----------
    vectors : (p_pen, m)
    products : (f, m)
        Of these.
    slope : (f,)
    pull : (p_pen,)
        ``H_PF H_FF⁺`` times that slope, within the space of the directions.
    """

    def __init__(self, vectors: Array, products: Array, slope: Array, pull: Array) -> None:
        self.vectors, self.products, self.slope, self.pull = vectors, products, slope, pull

    def __matmul__(self, vectors: Array) -> Array:
        """Products that are known; InputError for any other vector."""
        columns = vectors.reshape(len(vectors), -1)
        places = [self._known(column) for column in columns.T]
        return self.products[:, places].reshape(-1, *vectors.shape[1:])

    def back(self, vectors: Array) -> Array:
        """That of the slope; InputError for anything else."""
        if vectors.shape != self.slope.shape or not _same(vectors, self.slope):
            raise self._lost()
        return self.pull

    def _known(self, vector: Array) -> int:
        for place, known in enumerate(self.vectors.T):
            if _same(vector, known):
                return place
        raise self._lost()

    def _lost(self) -> InputError:
        return InputError(
            f"{len(self.products)} weights are not penalised, and this study was loaded from a file, which "
            "knows them at the chosen strength only: make it again with en.study(model, ...)"
        )


def _same(vector: Array, known: Array) -> bool:
    """Whether two vectors are one, up to rounding."""
    far = float(np.abs(vector - known).max(initial=0.0))
    return far <= CLOSE * float(np.abs(known).max(initial=0.0))


def spectrum_arrays(path: KrylovPath, chosen: float) -> dict[str, Any]:
    """Arrays of a spectrum, and of the bound on the path through it."""
    spectrum, place = path.spectrum, path.place(chosen)
    alphas = shown_strengths(path, np.array([chosen]))
    return {
        "eigenvalues": spectrum.eigenvalues,
        "numerators": spectrum.numerators,
        "place": place,
        "offset": spectrum.free.offset,
        "root": spectrum.free.root,
        **_basis_arrays(spectrum.directions),
        **_free_arrays(path, chosen),
        "bound.alphas": path.place(alphas),
        "bound.values": _bounds(path, alphas),
    }


def spectrum_words(spectrum: Spectrum) -> dict[str, Any]:
    """What else it has."""
    return {
        "at": spectrum.at,
        "route": spectrum.route,
        "floor": spectrum.floor,
        "margin": spectrum.margin,
        "rank": spectrum.free.rank,
    }


def read_spectrum(words: dict[str, Any], arrays: dict[str, Any], fit: Fit) -> Spectrum:
    """The spectrum again."""
    basis = _read_basis(arrays)
    onto: Any = np.zeros((0, len(fit.penalised)))
    if "carried" in arrays:
        onto = Carried(arrays["carried"], basis, fit.scale)
    elif "remembered" in arrays:
        start = fit.weights[fit.penalised, 0]
        vectors = np.stack([start, _penalised(basis, arrays, fit)], axis=1)
        pull = basis.back(arrays["remembered.pull"])[:, 0] / fit.scale
        onto = Remembered(vectors, arrays["remembered"], arrays["gradient"][fit.free, 0], pull)
    return Spectrum(
        eigenvalues=arrays["eigenvalues"],
        directions=basis,
        numerators=arrays["numerators"],
        at=words["at"],
        route=words["route"],
        floor=words["floor"],
        free=FreeBlock(words["rank"], onto, arrays["offset"], arrays["root"]),
        margin=words["margin"],
    )


def _penalised(basis: Basis, arrays: dict[str, Any], fit: Fit) -> Array:
    """The penalised weights as chosen, ``(p_pen,)`` (M5)."""
    total = arrays["eigenvalues"][:, None] + arrays["place"]
    place = np.divide(arrays["numerators"], total, out=np.zeros(total.shape), where=total != 0)
    found: Array = fit.scale * basis.back(place)[:, 0]
    return found


def read_bound(arrays: dict[str, Any]) -> Callable[[Array], Array]:
    """The bound at the strengths at which it was kept; twice the larger neighbour between, ∞ below them."""
    alphas, values = arrays["bound.alphas"], arrays["bound.values"]

    def bound(asked: Array) -> Array:
        after = np.searchsorted(alphas, asked * (1 - SAME))
        place = np.minimum(after, len(alphas) - 1)
        between = 2 * np.maximum(values[np.maximum(after - 1, 0)], values[place])
        there = np.abs(alphas[place] - asked) <= SAME * asked
        found: Array = np.where(there | (after >= len(alphas)), values[place], between)
        return np.where(asked < alphas[0] * (1 - SAME), np.inf, found)

    return bound


def sums_arrays(sums: Sums) -> dict[str, Any]:
    """Arrays of the sums: of a spectrum that is whole, or of probes."""
    if isinstance(sums, WholeSums):
        return {"sums.eigenvalues": sums.eigenvalues, "sums.parts": sums.parts}
    if not isinstance(sums, ProbedSums):
        raise InputError(f"sums of kind {type(sums).__name__} cannot be saved: only those of en.study can")
    known = {f"sums.{key}": getattr(sums.known, key) for key in ("values", "misses", "parts")}
    for number, probe in enumerate(sums.probes):
        known |= {f"sums.{number}.{key}": getattr(probe, key) for key in PROBE}
    return known


def sums_words(sums: Sums) -> dict[str, Any]:
    """What else they have."""
    if isinstance(sums, WholeSums):
        return {"kind": "whole", "flat": sums.flat}
    assert isinstance(sums, ProbedSums)
    return {
        "kind": "probed",
        "noise": sums.noise,
        "products": sums.products,
        "positive": sums.positive,
        "sizes": [probe.size for probe in sums.probes],
    }


def read_sums(words: dict[str, Any], arrays: dict[str, Any], penalised: int) -> Sums:
    """The sums again: the same numbers, from the same nodes."""
    if words["kind"] == "whole":
        return WholeSums(arrays["sums.eigenvalues"], arrays["sums.parts"], words["flat"])
    if words["kind"] != "probed":
        raise ValueError(f"sums of kind {words['kind']!r}")
    nothing = KrylovBasis(np.zeros((0, penalised)), np.zeros((0, penalised)), np.zeros((0, 0)))
    known = Known(arrays["sums.values"], arrays["sums.misses"], nothing, arrays["sums.parts"])
    probes = tuple(
        Probe(size=size, **{key: arrays[f"sums.{number}.{key}"] for key in PROBE})
        for number, size in enumerate(words["sizes"])
    )
    return ProbedSums(known, probes, words["noise"], words["products"], words["positive"])


def _basis_arrays(directions: Basis) -> dict[str, Any]:
    if isinstance(directions, KrylovBasis):
        return {f"basis.{key}": getattr(directions, key) for key in ("lead", "rest", "turn")}
    if not isinstance(directions, DenseBasis):
        raise InputError(f"directions of kind {type(directions).__name__} cannot be saved")
    return {"basis.array": directions.array}


def _read_basis(arrays: dict[str, Any]) -> Basis:
    if "basis.array" in arrays:
        return DenseBasis(arrays["basis.array"])
    return KrylovBasis(arrays["basis.lead"], arrays["basis.rest"], arrays["basis.turn"])


def _free_arrays(path: KrylovPath, chosen: float) -> dict[str, Any]:
    """What the free weights follow: of each direction, or of the chosen strength where a solve is dear."""
    fit, spectrum = path.quadratic.fit, path.spectrum
    if not len(fit.free):
        return {}
    onto, k = spectrum.free.onto, len(spectrum.eigenvalues)
    if isinstance(onto, Carried):
        return {"carried": onto.carried}
    if isinstance(onto, Solved | Remembered):
        start, here = fit.weights[fit.penalised, 0], np.asarray(path.weights(chosen), dtype=np.float64)
        products = [onto @ start, spectrum.free.offset[:, 0] - here[fit.free]]
        pull = fit.scale * (onto.T @ path.fit.gradient[fit.free, 0])
        back = {"remembered.pull": spectrum.directions.forth(pull[:, None])}
        return {"remembered": np.stack(products, axis=1)} | back
    carried = np.zeros((len(fit.free), k))
    for start in range(0, k, TOGETHER):
        units = np.eye(k)[:, start : start + TOGETHER]
        carried[:, start : start + TOGETHER] = onto @ (fit.scale[:, None] * spectrum.directions.back(units))
    return {"carried": carried}


def _bounds(path: KrylovPath, alphas: Array) -> Array:
    """The bound where it costs no product with the model; NaN elsewhere."""
    if path.bound is None and path.spectrum.route != "dense":
        return np.full(len(alphas), np.nan)
    return np.asarray(path.residual_bound(alphas), dtype=np.float64)
