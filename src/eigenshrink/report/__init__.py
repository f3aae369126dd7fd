"""A study as one page that opens anywhere: no network, no script, nothing beside it."""

from eigenshrink.report.page import make_page, write_report

__all__ = ["make_page", "write_report"]
