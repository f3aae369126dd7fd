"""Fixtures that files of tests share."""

from browser import chromium, open_page
from playgrounds import playground_file, playground_page, timed_playground

__all__ = ["chromium", "open_page", "playground_file", "playground_page", "timed_playground"]
