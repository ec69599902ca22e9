"""Many small images beside each other on one shared colour scale: patterns, receptive fields."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num

from . import theme
from .maps import colours


def images(
    stack: Num[theme.Values, "image row column"],
    *,
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    diverging: bool = False,
    unit: str = "",
) -> go.Figure:
    """Draw a sheet of images in reading order, `columns` in a row (6 at most unless given).

    `titles` stand above the images, one for each. `diverging` colours have a neutral middle at
    zero, for values of both signs. `unit` stands beside the colour bar.
    """
    stack = np.asarray(stack, np.float32)
    count, rows, wide = stack.shape
    across = max(1, min(count, 6) if columns is None else columns)
    down = -(-count // across)
    gap = max(1, round(0.08 * wide))
    head = max(gap, round(0.25 * rows)) if titles is not None else gap  # room for a title
    sheet = np.full((down * (rows + head), across * (wide + gap)), np.nan, np.float32)
    figure = theme.blank(height=70 + 150 * max(down, 1), margin_b=12)
    for index, image in enumerate(stack):
        top, left = (index // across) * (rows + head) + head, (index % across) * (wide + gap)
        sheet[top : top + rows, left : left + wide] = image
        if titles is not None:
            theme.note(
                figure, theme.plain(titles[index]), x=left + (wide - 1) / 2, y=top - 0.5,
                xref="x", yref="y", yanchor="bottom", font_size=11,
            )  # fmt: skip
    figure.add_heatmap(
        z=sheet, hovertemplate="%{z:.4g}<extra></extra>", hoverongaps=False,
        **colours(sheet, diverging=diverging, unit=unit),
    )  # fmt: skip
    if not np.isfinite(sheet).any():
        theme.nothing(figure)
    figure.update_xaxes(visible=False, constrain="domain", constraintoward="left")
    figure.update_yaxes(
        visible=False, autorange="reversed", scaleanchor="x", constrain="domain",
        constraintoward="top",
    )  # fmt: skip
    return figure
