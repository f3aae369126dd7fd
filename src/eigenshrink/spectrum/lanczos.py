"""One Krylov space for every strength: block Lanczos from ``w₀`` and from what is not stationary (M19)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigenshrink.spectrum.basis import Growing, KrylovBasis, orthonormal
from eigenshrink.spectrum.checkpoint import Checkpoint
from eigenshrink.spectrum.krylov import EPS, STRENGTHS, Krylov, Limits
from eigenshrink.spectrum.penalised import Penalised, Report

Array = NDArray[np.float64]

SHARE = (
    0.1  # of the accuracy that may be lost to a gradient that is left out, or to products that rounding hides
)
LEVEL = 2.0  # rounding of a product in units of its precision, until it is measured
NOISY = 2.0  # times the measured error of a product is allowed for
NEAR = 0.3  # of the largest residual: directions that are multiplied together
FAINT = 1e-4  # of a product: what is new of it is made orthogonal once more
TRIED = (0, STRENGTHS // 3, 2 * STRENGTHS // 3)  # strengths at which that error is measured
STAGE = "path"


class Lanczos:
    """A Krylov space that grows by blocks; everything that decides how it goes on is in its state.

    Parameters
    ----------
    operator : Penalised
    limits : Limits
    """

    def __init__(self, operator: Penalised, limits: Limits) -> None:
        self.operator, self.limits = operator, limits
        fit = operator.fit
        self.alpha = fit.alpha if np.isfinite(fit.alpha) else 0.0
        start, slope = operator.start, operator.slope
        rho = slope + self.alpha * start
        self.size = float(np.linalg.norm(rho))
        low = limits.lowest(self.alpha, 0.0)
        self.alone = self.size <= SHARE * limits.accuracy * low * float(np.linalg.norm(start))
        both = np.stack([start] if self.alone else [start, rho])
        norms = np.linalg.norm(both, axis=1)
        safe = np.where(norms > 0, norms, 1.0)
        self.lead, R = orthonormal(both / safe[:, None], 1e2 * EPS)
        self.start = np.zeros((len(self.lead), 2))
        self.start[:, : len(both)] = R * norms
        self.basis = Growing(operator.dim, operator.precision, min(operator.dim, limits.products) + 2)
        self.basis.add(self.lead)
        self.projected = np.zeros((len(self.lead), 0))
        self.noise = -1.0
        self._latest: Krylov | None = None

    @property
    def done(self) -> int:
        """Vectors that were multiplied."""
        return int(self.projected.shape[1])

    @property
    def epsilon(self) -> float:
        """Of the products."""
        return float(np.finfo(self.operator.precision).eps)

    def krylov(self) -> Krylov:
        """What is known so far."""
        level = LEVEL * self.epsilon if self.noise < 0 else self.noise
        if (
            self._latest is not None
            and self._latest.projected is self.projected
            and self._latest.noise == level
        ):
            return self._latest
        self._latest = Krylov(
            self.projected,
            self.start,
            self.alpha,
            level,
            self.size if self.alone else 0.0,
            self.epsilon,
            self.operator.fit.curvature.positive,
        )
        return self._latest

    def step(self) -> None:
        """Multiply what is missed most, all its vectors in one product, and keep what is new of it."""
        m = self.done
        block = self.lead if m == 0 else self._missed()
        image = np.ascontiguousarray(self.operator.matvec(np.ascontiguousarray(block.T)).T)
        longest = float(np.linalg.norm(image, axis=1).max())
        scale = max(float(np.abs(self.projected).max(initial=0.0)), longest)
        taken = self.basis.without(image)
        room = max(self.operator.dim - self.basis.size, 0)
        fresh, R = orthonormal(image, 10 * self.epsilon * scale)
        fresh, R = fresh[:room], R[:room]
        if len(fresh) and np.diag(R).min() < FAINT * longest:
            self.basis.without(fresh)  # so little is left that rounding shows
        grown = np.zeros((self.basis.size + len(fresh), m + len(block)))
        grown[: len(self.projected), :m] = self.projected
        grown[: self.basis.size, m:] = taken
        grown[self.basis.size :, m:] = R
        self.projected = grown
        self.basis.add(fresh / np.linalg.norm(fresh, axis=1, keepdims=True))

    def _missed(self) -> Array:
        """Of the vectors that are not multiplied yet, turned so: those along which residuals are large.

        Beside ``w₀`` the gradient counts for something only where it is large and strengths are weak: a
        product for each in turn would often be one too many.
        """
        m, alphas = self.done, self.limits.strengths(self.krylov())
        pool = self.basis.rows[m:].astype(np.float64)
        if len(pool) == 1:
            return pool
        outside = [
            self.projected[m:] @ (krylov.turn @ krylov.moved(alphas)) / (alphas * krylov.sizes(alphas))
            for krylov in self._watched
        ]
        U, sizes, _ = np.linalg.svd(np.concatenate(outside, axis=1))
        count = max(1, int(np.count_nonzero(sizes > NEAR * sizes[0])))
        self.basis.rows[m:] = U.T @ pool
        self.projected = np.concatenate([self.projected[:m], U.T @ self.projected[m:]])
        return self.basis.rows[m : m + count].astype(np.float64)

    def ended(self) -> bool:
        """Whether to stop: limits are met, products used up, nothing is new, or rounding hides the rest."""
        width = self.basis.size - self.done
        if not width or not self.done:
            return not width
        if self.done + width + len(TRIED) > self.limits.products:
            return True
        alphas = self.limits.strengths(self.krylov())
        return all(self._enough(krylov, alphas) for krylov in self._watched)

    def _enough(self, krylov: Krylov, alphas: Array) -> bool:
        missing, rounding = krylov.missing(alphas), krylov.rounding(alphas)
        wanted = self.limits.accuracy * krylov.sizes(alphas)
        return bool(np.all((missing + rounding <= wanted) | (missing <= SHARE * rounding)))

    @property
    def _watched(self) -> tuple[Krylov, ...]:
        """The path, and the one from ``w₀`` as it is where that may be wanted."""
        krylov = self.krylov()
        return (krylov, krylov.still) if self.limits.still and not self.alone else (krylov,)

    @property
    def bytes(self) -> int:
        """That the basis takes."""
        return int(self.basis.rows.nbytes)

    def directions(self, krylov: Krylov) -> KrylovBasis:
        """Ritz vectors, as a product."""
        b = len(self.lead)
        return KrylovBasis(self.lead, self.basis.rows[b : self.done], krylov.turn)

    def measure_noise(self) -> None:
        """How far a product of the answers is from what the basis says, in units of the largest curvature.

        Cost: one product of up to three vectors. A curvature that is not linear, or not the same twice,
        shows here.
        """
        krylov = self.krylov()
        inner = krylov.turn @ krylov.moved(self.limits.strengths(krylov)[list(TRIED)])
        sizes = np.linalg.norm(inner, axis=0)
        inner = inner[:, sizes > 0] / sizes[sizes > 0]
        self.noise = LEVEL * self.epsilon
        if not inner.size or krylov.largest == 0:
            return
        b, m = len(self.lead), len(self.projected)
        whole = KrylovBasis(self.lead, self.basis.rows[b:], np.eye(m))
        padded = np.zeros((m, inner.shape[1]))
        padded[: self.done] = inner
        apart = self.operator.matvec(whole.back(padded)) - whole.back(self.projected @ inner)
        worst = float(np.linalg.norm(apart, axis=0).max()) / krylov.largest
        self.noise = NOISY * max(worst, self.epsilon / 8)

    def state(self) -> dict[str, Array]:
        """All that the rest of the computation depends on."""
        return {
            "lead": self.lead,
            "start": self.start,
            "rows": self.basis.rows[len(self.lead) :],
            "projected": self.projected,
            "numbers": np.array([self.size, self.alone, self.noise, self.limits.products]),
        }

    def restore(self, state: dict[str, Array]) -> None:
        """Go on from a state that was kept."""
        self.lead, self.start, self.projected = state["lead"], state["start"], state["projected"]
        size, alone, noise, products = state["numbers"]
        self.size, self.alone = float(size), bool(alone)
        self.noise = float(noise)
        most = max(self.limits.products, int(products))
        self.basis = Growing(self.operator.dim, self.operator.precision, min(self.operator.dim, most) + 2)
        self.basis.add(self.lead)
        self.basis.add(state["rows"])


def grow(lanczos: Lanczos, report: Report | None = None, checkpoint: Checkpoint | None = None) -> Krylov:
    """Multiply until the limits are met, rounding hides the rest, or the products are used up.

    Parameters
    ----------
    lanczos : Lanczos
    report : callable, optional
        Called after each block with (products done, at most, what for).
    checkpoint : Checkpoint, optional
        Written after each block; what it holds is not computed again, and the rest comes out the same.
    """
    checkpoint = checkpoint or Checkpoint(None, lanczos.operator.fit)
    kept = checkpoint.read(STAGE)
    if kept is not None:
        lanczos.restore(kept)

    def go_on() -> None:
        while not lanczos.ended():
            lanczos.step()
            checkpoint.write(STAGE, lanczos.state)
            if report is not None:
                report(lanczos.done, lanczos.limits.products, "directions of the path")

    go_on()
    if lanczos.noise < 0:
        lanczos.measure_noise()
        go_on()  # what rounding adds was a guess until now
    if kept is None or len(kept["projected"]) != len(lanczos.projected) or kept["numbers"][2] < 0:
        checkpoint.write(STAGE, lanczos.state, last=True)
    return lanczos.krylov()
