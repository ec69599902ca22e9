"""One look for all figures: colours, marks and axes that read on light and on dark paper.

Colours keep a contrast of 3:1 against white and near-black and stay apart under the colour
blindness of Machado, Oliveira & Fernandes (2009); symbols, dashes and words say the same again.
"""

import textwrap
from typing import Any, NamedTuple

import jax
import numpy as np
import plotly.graph_objects as go

Values = jax.Array | np.ndarray

LONGEST = 34  # letters of a name within a figure
INK = "#7a7f87"  # text on paper of unknown colour; the report replaces it by its own
GRID = "rgba(128, 134, 144, 0.22)"
RULE = "rgba(128, 134, 144, 0.75)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
SEQUENTIAL = "Cividis"
DIVERGING = (
    (0.0, "#1b6ea5"),
    (0.25, "#86b4d3"),
    (0.5, "#f1f1ef"),
    (0.75, "#e6a07c"),
    (1.0, "#bb4a15"),
)
NEGATIVE, POSITIVE = "#c0331a", "#299ecf"


class Style(NamedTuple):
    """How one thing among several is drawn."""

    colour: str
    symbol: str
    dash: str
    sign: str  # the symbol as a letter, for text


STYLES = (
    Style("#299ecf", "circle", "solid", "●"),
    Style("#c0331a", "square", "dash", "■"),
    Style("#418459", "diamond", "dot", "◆"),
    Style("#5a62c0", "triangle-up", "dashdot", "▲"),
    Style("#bb8a0f", "triangle-down", "longdash", "▼"),
    Style("#9f448b", "cross", "longdashdot", "✚"),
    Style("#84868a", "x", "solid", "✖"),
)
OPEN_SIGNS = dict(zip("●■◆▲▼✚✖", "○□◇△▽✛✕", strict=True))
RULINGS = {
    "supported": Style("#149cca", "circle", "solid", "●"),
    "refuted": Style("#e26317", "x", "solid", "✖"),
    "inconclusive": Style("#9f815a", "diamond-open", "solid", "◇"),
    "not testable here": Style("#62656d", "circle-open", "dot", "○"),
}


def style(index: int) -> Style:
    """The style of the arm, group or cell with this number.

    Colours come round again after the last one, then with open marks and with other dashes.
    """
    look, again = STYLES[index % len(STYLES)], index >= len(STYLES)
    if not again:
        return look
    dash = STYLES[(index + 2) % len(STYLES)].dash
    return Style(look.colour, f"{look.symbol}-open", dash, OPEN_SIGNS[look.sign])


def faint(colour: str, alpha: float) -> str:
    """A hexadecimal colour with an opacity."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {alpha})"


def plain(text: str) -> str:
    """Text that Plotly shows letter by letter: it would read `<b>` as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def short(name: str) -> str:
    """A name, plain and cut: Plotly gives long ones all the room that there is."""
    return plain(name if len(name) <= LONGEST else name[: LONGEST - 1] + "…")


def wrapped(text: str, width: int = 18) -> str:
    """Plain text over two lines at most, broken at spaces, hyphens or at last anywhere."""
    lines = textwrap.wrap(text, width, max_lines=2, placeholder="…")
    return "<br>".join(map(plain, lines)) or "&nbsp;"


def template() -> go.layout.Template:
    """What all figures share; the report puts it under figures made elsewhere, too."""
    axis = {
        "gridcolor": GRID,
        "zeroline": False,
        "linecolor": RULE,
        "automargin": True,
        "title": {"standoff": 10},
        "tickfont": {"size": 12},
    }
    layout = {
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "colorway": [one.colour for one in STYLES],
        "colorscale": {"sequential": SEQUENTIAL, "diverging": DIVERGING},
        "margin": {"l": 12, "r": 16, "t": 16, "b": 44},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"},
        "hovermode": "closest",
        "modebar": {"bgcolor": "rgba(0, 0, 0, 0)", "color": GRID, "activecolor": RULE},
        "xaxis": axis,
        "yaxis": axis,
    }
    return go.layout.Template(layout=layout)


def blank(*, height: int, **layout: Any) -> go.Figure:
    """An empty figure in the common look; `height` in pixels, the width is the reader's."""
    return go.Figure(layout={"template": template(), "height": height, "autosize": True, **layout})


def note(figure: go.Figure, text: str, **where: Any) -> None:
    """Write a few words into the figure; by default into its middle."""
    middle = {"x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False}
    figure.add_annotation(**{**middle, "text": text, **where})


def nothing(figure: go.Figure, text: str = "No values were recorded.") -> None:
    """Say that there is nothing to see, instead of empty axes."""
    note(figure, text)
    figure.update_xaxes(showticklabels=False, showgrid=False)
    figure.update_yaxes(showticklabels=False, showgrid=False)


def strung(rows: Values) -> np.ndarray:
    """Several lines as one, (line, point) -> (line * (point + 1)), gaps between them."""
    rows = np.asarray(rows, np.float32)
    return np.pad(rows, ((0, 0), (0, 1)), constant_values=np.nan).ravel()
