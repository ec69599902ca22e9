"""Learning curves: every seed thin, their mean thick, each arm named where its curve ends."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num

from . import theme


def curves(
    x: Num[theme.Values, " time"],
    arms: Mapping[str, Num[theme.Values, "seed time"]],
    *,
    x_title: str,
    y_title: str,
    log_x: bool = False,
    log_y: bool = False,
) -> go.Figure:
    """Draw one family of lines per arm, recorded at `x`.

    A missing seed is a row of NaN. Titles carry their units. The arms are named where their curves
    end; the report swaps these names for a legend where paper is narrow.
    Raises `ValueError` for curves of another length.
    """
    figure = theme.blank(height=max(340, 22 * len(arms) + 80), hovermode="closest")
    x, ends = np.asarray(x), {}
    shapes = {arm: list(np.shape(seeds)) for arm, seeds in arms.items()}
    if odd := {arm: s for arm, s in shapes.items() if len(s) != 2 or s[1] != len(x)}:
        raise ValueError(
            f"Expected (seed, time) with {len(x)} times, as there are of x, got {odd}: values "
            "would stand at wrong times. One seed is curve[None]."
        )
    for index, (arm, seeds) in enumerate(arms.items()):
        mean = _mean(np.asarray(seeds, np.float32))
        if np.isfinite(mean).any():
            ends[arm] = float(mean[np.isfinite(mean)][-1])
            _lines(figure, index, arm, x, np.asarray(seeds, np.float32), mean)
    if not ends:
        theme.nothing(figure)
    _labels(figure, ends, list(arms), log=log_y)
    figure.update_xaxes(title_text=theme.plain(x_title), type="log" if log_x else "linear")
    figure.update_yaxes(title_text=theme.plain(y_title), type="log" if log_y else "linear")
    return figure


def _mean(seeds: np.ndarray) -> np.ndarray:
    """Mean over the seeds that have a value: (seed, time) -> (time)."""
    there = np.isfinite(seeds)
    total = np.where(there, seeds, 0).sum(0)
    return np.where(there.any(0), total / np.maximum(there.sum(0), 1), np.nan)


def _lines(
    figure: go.Figure, index: int, arm: str, x: np.ndarray, seeds: np.ndarray, mean: np.ndarray
) -> None:
    look, name = theme.style(index), theme.short(arm)
    lone = "lines+markers" if len(x) == 1 else "lines"
    figure.add_scatter(
        x=np.tile(np.append(x, x[-1:]), len(seeds)),  # one trace for all seeds draws much faster
        y=theme.strung(seeds),
        mode=lone,
        line={"color": theme.faint(look.colour, 0.32), "width": 1},
        marker={"color": theme.faint(look.colour, 0.5), "size": 5},
        legendgroup=str(index),
        showlegend=False,
        hoverinfo="skip",
    )
    last = np.flatnonzero(np.isfinite(mean))[-1]
    figure.add_scatter(
        x=x,
        y=mean,
        mode="lines+markers",
        name=name,
        line={"color": look.colour, "width": 2.75, "dash": look.dash},
        marker={
            "color": look.colour,
            "size": np.where(np.arange(len(x)) == last, 9, 0),
            "symbol": look.symbol,
            "opacity": 1.0,
        },
        cliponaxis=False,
        legendgroup=str(index),
        hovertemplate=f"{name}: mean %{{y:.4g}} at %{{x}}<extra></extra>",
    )


def _labels(figure: go.Figure, ends: dict[str, float], arms: list[str], *, log: bool) -> None:
    """Name the arms at the ends of their curves; a legend takes over where paper is narrow."""
    longest = max((min(len(arm), theme.LONGEST) for arm in ends), default=0)
    figure.update_layout(showlegend=False, margin_r=44 + 7 * longest)
    values = np.concatenate([np.array(trace.y, float) for trace in figure.data] or [np.zeros(0)])
    values = values[np.isfinite(values) & (not log or values > 0)]
    order = sorted((arm for arm in ends if not log or ends[arm] > 0), key=ends.__getitem__)
    if not order:
        return
    on_axis = np.log10 if log else np.asarray
    gap = min(0.065, 1 / len(order)) * float(np.ptp(on_axis(values))) or 0.1
    places = _apart([float(on_axis(ends[arm])) for arm in order], gap)
    for arm, place in zip(order, places, strict=True):
        look = theme.style(arms.index(arm))
        sign = f'<span style="color:{look.colour}">{look.sign}</span>'
        theme.note(
            figure, f"{sign} {theme.short(arm)}",
            name="end of a curve", x=1, xanchor="left", xshift=4, y=place, yref="y", align="left",
        )  # fmt: skip


def _apart(values: list[float], gap: float) -> list[float]:
    """Move ascending values until neighbours are `gap` apart, the whole kept centred."""
    places = list(values)
    for _ in range(100):
        for i in range(1, len(places)):
            short = gap - (places[i] - places[i - 1])
            if short > 1e-9:
                places[i] += short / 2
                places[i - 1] -= short / 2
    return places
