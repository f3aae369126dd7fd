"""The bar of controls that stays in sight, and what is said of the present strength; scripts fill both."""

from __future__ import annotations

from typing import Any

from eigenshrink.report.html import tag, text

NUMBERS = (
    "These are the numbers of the strength that the slider is at; point at one to see all its digits. The "
    "file has them with the coefficients and the directions that are listed."
)
KEYS = "Arrow keys step, with Shift finely; Page Up and Page Down leap; Home and End go to the ends."


def bar(study: Any) -> str:
    """Return the controls: the strength as slider and as number, the target, the axis of the pictures."""
    dial = (
        tag("label", "Strength α", for_="alpha"),
        tag("input", id="alpha", type="range", title=KEYS, aria_describedby="now"),
        tag(
            "input",
            id="alpha-number",
            type="text",
            inputmode="decimal",
            autocomplete="off",
            spellcheck="false",
            aria_label="Strength α, exactly",
            aria_describedby="alpha-refused",
        ),
        _button("Chosen", id="alpha-reset", aria_label="Back to the chosen strength"),
        _axis(),
        *_targets(study),
    )
    return tag(
        "section",
        tag("div", *dial, class_="dial"),
        tag("p", id="now", aria_live="polite"),
        tag("p", id="alpha-refused", class_="refused", role="alert"),
        id="strength",
        aria_label="Strength",
        class_="strength moving",
    )


def present(study: Any) -> str:
    """Return places for the numbers at the present strength, and the buttons that save them."""
    del study
    save = (
        _button("Save as CSV", id="download-csv"),
        _button("Save as JSON", id="download-json"),
    )
    every = tag("details", tag("summary", "Every criterion"), tag("dl", id="criteria", class_="numbers"))
    said = tag("p", text(NUMBERS), class_="note")
    return tag("dl", id="numbers", class_="numbers") + every + said + tag("div", *save, class_="buttons")


def _axis() -> str:
    each = (
        _button("log α", data_axis="alpha", aria_pressed="true"),
        tag(
            "button",
            tag("span", "parameters in use, ", class_="wide"),
            "γ",
            type="button",
            data_axis="gamma",
            aria_pressed="false",
            aria_label="parameters in use, γ",
        ),
    )
    return tag(
        "span", tag("span", "Axis"), *each, class_="choice", role="group", aria_label="Axis of the pictures"
    )


def _targets(study: Any) -> list[str]:
    """Return the select of targets where there are several."""
    if len(study.target_names) == 1:
        return []
    choice = tag("label", "Target", for_="target") + tag("select", id="target")
    return [tag("span", choice, class_="choice")]


def _button(words: str, **attributes: str) -> str:
    return tag("button", text(words), type="button", **attributes)
