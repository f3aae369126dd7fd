"""From a fit to its spectrum (M7, M12): one record, the cheapest exact route chosen for it."""

from __future__ import annotations

from eigenshrink.fit import Fit
from eigenshrink.spectrum.record import Spectrum

__all__ = ["Spectrum", "decompose"]


def decompose(fit: Fit) -> Spectrum:
    """Eigenvalues and directions of ``D^{-½} H_S D^{-½}``; the route is recorded in the result.

    Data with p ≤ n: the p×p side; p > n: the n×n side; no data: the Hessian itself.
    Cost: ``n p min(n, p)`` and one ``eigh`` of the smaller side.
    """
    if fit.training is None:
        from eigenshrink.spectrum.dense import decompose_dense

        return decompose_dense(fit)
    n, p = fit.training.rows.shape
    if p <= n:
        from eigenshrink.spectrum.primal import decompose_primal

        return decompose_primal(fit, fit.training)
    from eigenshrink.spectrum.dual import decompose_dual

    return decompose_dual(fit, fit.training)
