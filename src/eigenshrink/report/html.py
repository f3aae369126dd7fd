"""The little HTML that a page needs. Whatever comes from the data goes through :func:`text`."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from eigenshrink.plots.text import plain

VOID = ("input", "meta")  # elements without an end
ENDS = re.compile(r"</(?=script)", re.IGNORECASE)


def text(value: object) -> str:
    """Return ``value`` as text that no browser takes for markup.

    Examples
    --------
    >>> text('<b>"age" & sex</b>')
    '&lt;b&gt;&quot;age&quot; &amp; sex&lt;/b&gt;'
    """
    return html.escape(plain(value), quote=True)


def tag(name: str, *content: str, **attributes: str) -> str:
    """Return one element around content that is HTML already; attribute values are escaped here.

    Examples
    --------
    >>> tag("p", "yes", class_="answer")
    '<p class="answer">yes</p>'
    """
    named = {key.rstrip("_").replace("_", "-"): text(value) for key, value in attributes.items()}
    said = "".join(f' {key}="{value}"' for key, value in named.items())
    return f"<{name}{said}>" + ("" if name in VOID else f"{''.join(content)}</{name}>")


def script(source: str) -> str:
    """Return a script element around a source that is ours; nothing in it can end the element.

    Examples
    --------
    >>> print(script('const end = "</script>";').replace(chr(92), "(backslash)"))
    <script>
    const end = "<(backslash)/script>";</script>
    """
    inside = ENDS.sub(lambda _: "<" + chr(92) + "/", source)
    return f"<script>\n{inside}</script>"


def items(lines: Iterable[object], kind: str = "ul") -> str:
    """Return plain lines as a list; nothing for none."""
    inside = "".join(tag("li", text(line)) for line in lines)
    return tag(kind, inside) if inside else ""


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], kinds: str) -> str:
    """Return a table of cells that are HTML already, in a box that scrolls on narrow screens.

    Parameters
    ----------
    caption : str
        Plain text.
    heads : sequence of str
        Plain text, one per column.
    rows : iterable of sequences of str
        Cells; the first one of each is the name of its row.
    kinds : str
        One letter per column: ``n`` number, ``t`` text.
    """
    style = {"n": ' class="number"', "t": ""}
    head = "".join(f'<th scope="col"{style[k]}>{text(h)}</th>' for h, k in zip(heads, kinds, strict=True))
    body = "".join(tag("tr", *_cells(row, [style[kind] for kind in kinds])) for row in rows)
    inside = tag("table", tag("thead", tag("tr", head)), tag("tbody", body), aria_label=caption)
    box = tag("div", inside, class_="scroll", role="region", tabindex="0", aria_label=caption)
    return tag("p", text(caption), class_="caption") + box


def _cells(row: Sequence[str], styles: Sequence[str]) -> list[str]:
    first = f'<th scope="row"{styles[0]}>{row[0]}</th>'
    return [first, *(f"<td{style}>{cell}</td>" for cell, style in zip(row[1:], styles[1:], strict=True))]
