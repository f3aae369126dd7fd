"""Solving where the loss is not quadratic: Newton's method from strong to weak (M13, M17)."""
