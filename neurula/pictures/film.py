"""What changes over time, as strips of colour pictures: one row a film, one column a moment."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num

from . import theme

GAP = 0.12  # between pictures, in widths of one


def film(
    films: Mapping[str, Num[theme.Values, "moment row column channel"]],
    *,
    moments: Sequence[str],
) -> go.Figure:
    """Draw films of the same size below each other, their names at the left, moments above.

    Channels are red, green, blue and opacity from 0 to 1, colours multiplied by opacity already;
    what is outside is cut off. Paper behind is white.
    """
    shown = {name: np.asarray(frames, np.float32) for name, frames in films.items()}
    sizes = {frames.shape for frames in shown.values()}
    if len(sizes) != 1 or next(iter(sizes))[0] != len(moments) or next(iter(sizes))[-1] != 4:
        raise ValueError(
            f"Expected films of one shape, ({len(moments)} moments, rows, columns, 4 channels), "
            f"got {sorted(sizes)}. They stand in one table. Write `film({{name: frames}}, "
            "moments=[...])` with a word for every frame."
        )
    count, rows, wide, _ = next(iter(sizes))
    gap = max(1, round(GAP * wide))
    sheet = np.zeros((len(shown) * (rows + gap), count * (wide + gap), 4), np.uint8)
    figure = theme.blank(height=60 + 120 * len(shown), margin_b=12)
    for down, (name, frames) in enumerate(shown.items()):
        seen = np.clip(np.nan_to_num(frames), 0, 1)
        paper = np.clip(seen[..., :3] + 1 - seen[..., 3:], 0, 1)  # lies behind what is see-through
        top = down * (rows + gap) + gap
        for across, picture in enumerate(paper):
            place = (
                slice(top, top + rows),
                slice(across * (wide + gap), across * (wide + gap) + wide),
            )
            sheet[(*place, slice(3))] = np.rint(255 * picture)
            sheet[(*place, 3)] = 255
        middle = {"y": top + (rows - 1) / 2, "yref": "y", "yanchor": "middle"}
        theme.note(
            figure, theme.wrapped(name), x=-gap, xref="x", xanchor="right", align="right", **middle
        )
    for across, moment in enumerate(moments):
        x = across * (wide + gap) + (wide - 1) / 2
        theme.note(
            figure, theme.short(moment), x=x, y=gap - 1, xref="x", yref="y", yanchor="bottom",
            font_size=11,
        )  # fmt: skip
    figure.add_image(z=sheet, colormodel="rgba", hoverinfo="skip")
    names = 1.2 * wide  # room at the left
    figure.update_xaxes(visible=False, constrain="domain", range=[-names, sheet.shape[1]])
    figure.update_yaxes(
        visible=False, range=[sheet.shape[0], -gap], scaleanchor="x", constrain="domain",
        constraintoward="top",
    )  # fmt: skip
    return figure
