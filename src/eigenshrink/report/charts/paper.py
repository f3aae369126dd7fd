"""What every chart shares: an empty bokeh figure in the house's dress, whose sources a script fills.

A chart holds no numbers. Each model that the script needs has a name; each colour is that of a variable of
the page's style, said in the ``tags`` of its model, so that one function of the script makes all of them
light or dark. Axes over strengths and eigenvalues are linear in log₁₀ and are labelled by the script, so
that one axis can also show effective parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from eigenshrink.errors import MissingExtra
from eigenshrink.plots import canvas
from eigenshrink.plots.reading import of_network

HEIGHT = 340
FONTS = {"title": "13px", "axis": "13px", "tick": "12px", "word": "12px"}
VARIABLES = {  # of the page's style, with what they are until the script has read it
    "ink": canvas.INK,
    "muted": canvas.MUTED,
    "grid": canvas.GRID,
    "paper": canvas.PAPER,
    "chosen": canvas.CHOSEN,
    **{f"series-{place}": color for place, color in enumerate(canvas.SERIES)},
}
BY_COLOR = {color: name for name, color in VARIABLES.items()}
LINEAR, LOG = "linear", "log10"  # kinds of axes


def toolkit() -> Any:
    """Return bokeh's models and its ``figure``, or say what installs them."""
    try:
        from bokeh import models
        from bokeh.plotting import figure
    except ImportError as error:
        raise MissingExtra("bokeh", "app") from error
    return SimpleNamespace(models=models, figure=figure)


def color_of(hexadecimal: str) -> str:
    """Return the variable of the page that stands for a colour of the house."""
    return BY_COLOR.get(hexadecimal, "ink")


def tint(model: Any, **variables: str) -> Any:
    """Colour properties of a model by variables of the page, such as ``line_color="chosen"``."""
    for name, variable in variables.items():
        setattr(model, name, VARIABLES[variable])
    return note(model, **{name: f"--{variable}" for name, variable in variables.items()})


def note(model: Any, **said: str) -> Any:
    """Tell the script something of a model: ``name=value``; a variable of the page begins with ``--``."""
    model.tags = [*model.tags, *(f"{name}={value}" for name, value in said.items())]
    return model


def new_figure(name: str, x: str, y: str, *, logarithmic: bool = True, height: int = HEIGHT) -> Any:
    """Return an empty figure; ``logarithmic``: x holds log₁₀ of a strength or an eigenvalue."""
    kit = toolkit()
    made = kit.figure(
        name=name,
        height=height,
        sizing_mode="stretch_width",
        min_width=240,
        x_range=kit.models.Range1d(0.0, 1.0),
        y_range=kit.models.Range1d(0.0, 1.0),
        tools="pan,box_zoom,wheel_zoom,reset",
        active_drag=None,
        active_scroll=None,
        active_tap=None,
        output_backend="canvas",
        min_border_top=28,
    )
    made.toolbar.logo, made.toolbar.autohide = None, True
    made.lod_threshold = None
    _dress(made)
    label_axis(made.xaxis[0], "x", x, kind=LOG if logarithmic else LINEAR)
    label_axis(made.yaxis[0], "y", y)
    return made


def _dress(made: Any) -> None:
    """Take away what does not inform, as in the figures on paper; keep a faint grid."""
    made.outline_line_color = made.background_fill_color = made.border_fill_color = None
    made.title = None  # one of bokeh's own would lay out the figure anew for every word
    title = write(made, "heading", place="above")
    title.x_units = title.y_units = "screen"
    title.text, title.y, title.text_font_size = "\N{NO-BREAK SPACE}", 5, FONTS["title"]
    for grid in made.grid:
        tint(grid, grid_line_color="grid")


def side(name: str, offset: int = 0) -> Any:
    """Return an edge of the frame as a coordinate."""
    return toolkit().models.Node(target="frame", symbol=name, offset=offset)


def label_axis(axis: Any, name: str, words: str, color: str = "ink", kind: str = LINEAR) -> Any:
    """Name an axis and write on it; its numbers are written by the script, as everywhere on the page."""
    axis.name, axis.axis_label = name, words
    axis.axis_label_text_font_style, axis.axis_label_text_font_size = "normal", FONTS["axis"]
    axis.major_label_text_font_size = FONTS["tick"]
    axis.minor_tick_line_color = None
    quiet = "muted" if color == "ink" else color
    tint(axis, axis_label_text_color=color, major_label_text_color=color)
    tint(axis, axis_line_color=quiet, major_tick_line_color=quiet)
    axis.ticker = toolkit().models.FixedTicker(ticks=[])
    return note(axis, axis=kind, axis_label_text_font="--font", major_label_text_font="--font")


def source(name: str, *columns: str) -> Any:
    """Return an empty source that the script finds by its name."""
    return toolkit().models.ColumnDataSource({column: [] for column in columns}, name=name)


def dashes(style: Mapping[str, Any]) -> Sequence[int]:
    """Return the dashes of a style of :mod:`eigenshrink.plots` in pixels."""
    pattern = style["linestyle"]
    if isinstance(pattern, str):
        return {"-": [], ":": [2, 3]}[pattern]
    return [max(1, round(1.6 * length)) for length in pattern[1]]


def mark(made: Any, name: str, color: str, dash: Sequence[int] = (), at: str = "top", room: int = 4) -> None:
    """Add an upright line for one strength, with a word at the ``top`` or ``bottom``."""
    models = toolkit().models
    line = models.Span(
        name=f"{name}-line",
        location=0.0,
        dimension="height",
        line_dash=list(dash),
        line_width=1.6,
        level="overlay",
        visible=False,
    )
    made.add_layout(tint(line, line_color=color))
    word = write(made, f"{name}-word", color)
    word.y = side(at, room if at == "top" else -room)
    word.text_baseline, word.visible = at, False


def write(made: Any, name: str, color: str = "ink", place: str = "center") -> Any:
    """Add a word whose place and text the script sets; beside the axes where ``place`` says so."""
    models = toolkit().models
    word = models.Label(x=0, y=0, text="", name=name, text_font_size=FONTS["word"], level="overlay")
    word.background_fill_alpha = 0.8
    note(word, text_font="--font")
    made.add_layout(tint(word, text_color=color, background_fill_color="paper"), place)
    return word


def mark_strengths(made: Any, study: Any) -> None:
    """Mark the chosen strength by a dashed line and the current one by a whole one, α₀ by a dotted one."""
    if of_network(study):
        mark(made, "start", "muted", [2, 3], at="bottom", room=20)
    mark(made, "chosen", "chosen", [6, 4], at="bottom")
    mark(made, "now", "ink")


def shade(made: Any, name: str, color: str, hatch: str = " ", **edges: float) -> Any:
    """Add a shaded box; what has no hatch is told by its edges and its word."""
    models = toolkit().models
    box = models.BoxAnnotation(
        name=name, level="underlay", fill_alpha=0.1, line_alpha=0.0, hatch_pattern=hatch, **edges
    )
    box.hatch_alpha, box.hatch_scale, box.hatch_weight = 0.22, 14.0, 0.6
    made.add_layout(tint(box, fill_color=color, hatch_color=color))
    return box


def hover(made: Any, renderers: Sequence[Any], rows: Mapping[str, str], **options: Any) -> None:
    """Say of what is under the pointer: names of columns of the source, each as text."""
    models = toolkit().models
    tips = [(words, f"@{{{column}}}") for words, column in rows.items()]
    made.add_tools(models.HoverTool(renderers=list(renderers), tooltips=tips, visible=False, **options))


def legend(made: Any, items: Sequence[tuple[str, Sequence[Any]]], **options: Any) -> Any:
    """Put a legend below the axes; the script makes one column of it where it is narrow."""
    models = toolkit().models
    entries = [models.LegendItem(label={"value": words}, renderers=list(drawn)) for words, drawn in items]
    made_legend = models.Legend(items=entries, name="legend", ncols=2, **options)
    made_legend.border_line_color, made_legend.background_fill_alpha = None, 0.0
    made_legend.label_text_font_size, made_legend.padding, made_legend.spacing = FONTS["word"], 2, 8
    made_legend.margin = 4
    note(made_legend, label_text_font="--font")
    made_legend.location = "top_left"
    made.add_layout(tint(made_legend, label_text_color="ink", inactive_fill_color="paper"), "below")
    return made_legend
