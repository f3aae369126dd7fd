"""Fixtures that files of tests share."""

from browser import chromium, open_page
from drawn_pages import drawn_file, drawn_page, timed_drawing
from playgrounds import playground_file, playground_page, timed_playground

__all__ = [
    "chromium",
    "drawn_file",
    "drawn_page",
    "open_page",
    "playground_file",
    "playground_page",
    "timed_drawing",
    "timed_playground",
]
