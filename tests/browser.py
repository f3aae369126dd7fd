"""A real browser for the tests of pages: Debian's Chromium, driven by Playwright, with no network.

Every page that a test opens is watched: a request that leaves the disk, an error on the console or an
exception nobody caught fails the test. Chromium that is missing fails too, and says what installs it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
COMMAND = "apt-get install -y chromium"
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage")
AT_HOME = ("file:", "data:", "about:", "blob:")


def find_chromium() -> str:
    """Path of the browser; a test that finds none fails and names the command that installs one."""
    found = [os.environ.get("CHROMIUM"), *map(shutil.which, NAMES)]
    for path in found:
        if path and Path(path).exists():
            return path
    pytest.fail(
        f"no Chromium was found: run `{COMMAND}` (Debian, as root) or name one, CHROMIUM=/path/to/chromium"
    )


@dataclass
class Watch:
    """What pages asked of the network, and what went wrong on them."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def over(self, context: Any) -> None:
        """Watch everything in a browser context."""
        context.on("request", lambda request: self.asked(request.url))
        context.on("console", self.said)
        context.on("weberror", lambda thrown: self.errors.append(str(thrown.error)))

    def asked(self, url: str) -> None:
        if not url.startswith(AT_HOME):
            self.requests.append(url)

    def said(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    @property
    def complaints(self) -> list[str]:
        return [f"asked for {url}" for url in self.requests] + self.errors


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for a file of tests; closed with it, so that no event loop runs in other files."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """``open_page(path, **context)`` gives a page in a context of its own; at the end it must be clean."""
    watch, contexts = Watch(), []

    def open_(path: Path | None = None, **options: Any) -> Any:
        context = chromium.new_context(**options)
        contexts.append(context)
        watch.over(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        if path is not None:
            page.goto(Path(path).resolve().as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert watch.complaints == []
