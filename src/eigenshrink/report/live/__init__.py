"""What the page knows of a study: enough to answer for every strength in the browser."""

from __future__ import annotations

from eigenshrink.report.live.record import as_script, live_record

__all__ = ["as_script", "live_record"]
