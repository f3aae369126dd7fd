"""Which strength to take, how sure that is, and which estimate to believe (M14, M15)."""

from eigenshrink.choice.agreement import Agreement
from eigenshrink.choice.choose import Choice, Confidence, choose, given
from eigenshrink.choice.rule import check_select, resolve

__all__ = ["Agreement", "Choice", "Confidence", "check_select", "choose", "given", "resolve"]
