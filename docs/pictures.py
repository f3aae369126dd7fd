"""Make the pictures of README.md from the demo's data: ``make pictures``.

The page is photographed in Debian's Chromium, driven by Playwright: install ``chromium``, or name a browser
in the variable ``CHROMIUM``.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PolynomialFeatures

import eigenshrink as es
from eigenshrink.plots import save_figure

HERE = Path(__file__).parent / "images"
NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1300, 900
LARGEST = 300_000  # bytes of a picture
SHOWN = 2  # figures
PLAIN = """(shown) => {
  document.querySelector("#strength").style.position = "static";
  const aside = "#present, #figures > .note, figure details, figure .buttons.save";
  document.querySelectorAll(aside).forEach((one) => one.remove());
  const places = [...document.querySelectorAll("figure")].map((one) => one.getBoundingClientRect());
  const bar = document.querySelector("#strength").getBoundingClientRect();
  return [bar.top + scrollY, Math.max(...places.slice(0, shown).map((one) => one.bottom)) + scrollY];
}"""


def demo() -> es.Study:
    """Return the study of the demo: diabetes, with all products of two columns."""
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    terms = PolynomialFeatures(2, include_bias=False).set_output(transform="pandas").fit_transform(X)
    names = [name.replace(" ", "*") for name in terms.columns]
    return es.study(terms.to_numpy(), y.to_numpy(), standardize=True, feature_names=names)


def browser() -> str:
    """Return the path of Chromium, or stop with what installs it."""
    found = [os.environ.get("CHROMIUM"), *map(shutil.which, NAMES)]
    for path in found:
        if path:
            return path
    sys.exit("no Chromium was found: apt-get install -y chromium, or CHROMIUM=/path/to/chromium")


def photograph(study: es.Study, path: Path) -> None:
    """Write the control bar of a page and its first figures as PNG."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        report = Path(folder) / "report.html"
        study.report(report)
        opened = playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox", "--disable-gpu"])
        page = opened.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(report.as_uri())
        page.wait_for_selector("html.live")
        shoot(page, path)
        opened.close()
    if path.stat().st_size >= LARGEST:
        sys.exit(f"{path} has {path.stat().st_size} bytes, more than {LARGEST}")


def shoot(page: Page, path: Path) -> None:
    """Photograph a page that is open; what is folded, and what stands between, is left out."""
    top, bottom = page.evaluate(PLAIN, SHOWN)
    clip = {"x": 0, "y": top - 12, "width": WIDTH, "height": bottom - top + 24}
    page.screenshot(path=path, clip=clip, full_page=True, animations="disabled")


def main() -> None:
    """Fit the demo's data, draw, and photograph its page."""
    study = demo()
    for name in ("contour", "risk", "optimism", "three_steps"):
        save_figure(study, name, HERE / f"{name}.png")
    photograph(study, HERE / "page.png")


if __name__ == "__main__":
    main()
