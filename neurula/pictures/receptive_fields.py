"""Receptive fields of many cells, each scaled alone, beside the Gabor functions that fit them."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num

from . import theme


@runtime_checkable
class Fitted(Protocol):
    """What `measures.fit_gabors` gives."""

    @property
    def explained(self) -> np.ndarray: ...

    def draw(self, size: int) -> np.ndarray: ...


Filters = Num[theme.Values, "cell row column"]


def receptive_fields(
    rows: Mapping[str, Filters] | Filters,
    fitted: Mapping[str, Fitted] | Fitted | None = None,
    *,
    columns: int | None = None,
) -> go.Figure:
    """Draw filters in reading order, `columns` in a line (12, or 8 with fits, unless given).

    Filters may come in groups by name. Each is divided by its own largest value, so that all
    contrasts look alike; what is near 0 is pale. To the right of a filter stands its fit, on the
    same scale, with R^2 above (0 if below).
    """
    groups = rows if isinstance(rows, Mapping) else {"": rows}
    fits = fitted if isinstance(fitted, Mapping) else {"": fitted} if fitted is not None else {}
    across = columns or (8 if fits else 12)
    size = max((np.asarray(x).shape[1] for x in groups.values()), default=1)
    gap, step = max(1, size // 6), size + 1
    cell = gap + step * (2 if fits else 1)
    figure, bands = theme.blank(height=60, margin={"b": 12, "t": 8}), []
    top = 0
    for name, group in groups.items():
        filters, fit = np.asarray(group, np.float32), fits.get(name)
        band, notes = _band(filters, fit, across, (size, gap, cell), titled=bool(name))
        if name:
            theme.note(
                figure, theme.plain(name), x=-0.5, y=top - 0.5, xref="x", yref="y",
                xanchor="left", yanchor="top", font_size=12,
            )  # fmt: skip
        for text, x, y in notes:
            theme.note(
                figure, text, x=x, y=top + y, xref="x", yref="y", yanchor="bottom", font_size=9,
            )  # fmt: skip
        bands.append(band)
        top += len(band)
    sheet = np.concatenate(bands) if bands else np.full((1, 1), np.nan, np.float32)
    figure.add_heatmap(
        z=sheet, zmin=-1, zmax=1, colorscale=theme.DIVERGING, showscale=False, hoverongaps=False,
        hovertemplate="%{z:.2f} of its largest<extra></extra>",
    )  # fmt: skip
    if not np.isfinite(sheet).any():
        theme.nothing(figure, "There are no filters.")
    figure.update_layout(height=int(40 + 900 * len(sheet) / max(across * cell, 1)))
    figure.update_xaxes(visible=False, range=[-0.5, across * cell - 0.5], constrain="domain",
                        constraintoward="left")  # fmt: skip
    figure.update_yaxes(visible=False, range=[len(sheet) - 0.5, -0.5], scaleanchor="x",
                        constrain="domain", constraintoward="top")  # fmt: skip
    return figure


def _band(
    filters: np.ndarray,
    fit: Fitted | None,
    across: int,
    sizes: tuple[int, int, int],
    *,
    titled: bool,
) -> tuple[np.ndarray, list[tuple[str, float, float]]]:
    """A group as one picture, NaN between filters, and where its notes stand."""
    size, gap, cell = sizes
    high = filters.shape[1]
    head = round(0.45 * size) if titled else 0  # room for the name
    label = round(0.35 * size) if fit is not None else gap
    down = -(-len(filters) // across)
    band = np.full((head + down * (high + label) + gap, across * cell), np.nan, np.float32)
    drawn = np.asarray(fit.draw(high), np.float32) if fit is not None else None
    notes = []
    for index, picture in enumerate(filters):
        top, left = head + (index // across) * (high + label) + label, (index % across) * cell
        peak = float(np.abs(picture).max()) or 1.0
        band[top : top + high, left : left + high] = picture / peak
        if fit is not None and drawn is not None:
            beside = left + size + 1
            band[top : top + high, beside : beside + high] = np.clip(drawn[index] / peak, -1, 1)
            notes.append((f"{max(float(fit.explained[index]), 0.0):.2f}", beside - 1.0, top - 0.5))
    return band, notes
