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
    count, rows, wide, _ = _same_shape(shown, len(moments))
    gap = max(1, round(GAP * wide))
    sheet = np.zeros((len(shown) * (rows + gap), count * (wide + gap), 4), np.uint8)
    figure = theme.blank(height=60 + 120 * len(shown), margin_b=12)
    for down, (name, frames) in enumerate(shown.items()):
        top = down * (rows + gap) + gap
        for across, frame in enumerate(frames):
            left = across * (wide + gap)
            sheet[top : top + rows, left : left + wide] = _on_paper(frame)
        theme.note(
            figure, theme.wrapped(name), x=-gap, y=top + (rows - 1) / 2, xref="x", yref="y",
            xanchor="right", yanchor="middle", align="right",
        )  # fmt: skip
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


def _same_shape(shown: Mapping[str, np.ndarray], moments: int) -> tuple[int, ...]:
    """The shape of all films. Raises `ValueError` where they differ."""
    shapes = {tuple(map(int, frames.shape)) for frames in shown.values()}
    shape: tuple[int, ...] = next(iter(shapes), ())
    if len(shapes) != 1 or shape[0] != moments or shape[-1] != 4:
        raise ValueError(
            f"Expected films of one shape, ({moments} moments, rows, columns, 4 channels), got "
            f"{sorted(shapes)}. They stand in one table. Write `film({{name: frames}}, "
            "moments=[...])` with a word for every frame."
        )
    return shape


def _on_paper(frame: np.ndarray) -> np.ndarray:
    """Red, green, blue and opacity in bytes: nothing of what is see-through is left open."""
    seen = np.asarray(np.clip(np.nan_to_num(frame), 0, 1), np.float32)
    colours = np.clip(seen[..., :3] + 1 - seen[..., 3:], 0, 1)
    solid = np.ones((*seen.shape[:2], 1))
    return np.rint(255 * np.concatenate([colours, solid], -1)).astype(np.uint8)
