"""Fitness against evaluations: every run visible, and whether it got there before it ended."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num

from . import theme


def evolution(
    arms: Mapping[str, Num[theme.Values, "seed generation"]],
    *,
    population: int | Mapping[str, int],
    target: float | None = None,
    y_title: str = "best fitness so far",
    log_x: bool = False,
) -> go.Figure:
    """Draw the best fitness so far of each run, against the lives that were lived for it.

    `arms` hold the best of each generation (`evolved.curves["best"]`), NaN after the last;
    `population` lives are lived in a generation. A full mark ends a run that reached the `target`,
    an open one a run that was stopped before (censored): what it would have needed is not known.
    The legend counts both. The thick line is the median over runs, of which those that ended keep
    their last value.
    """
    figure = theme.blank(height=360, hovermode="closest")
    for index, (arm, values) in enumerate(arms.items()):
        size = population if isinstance(population, int) else population[arm]
        best = np.asarray(values, float)
        if np.isfinite(best).any():
            _runs(figure, index, arm, best, size, target)
    if not figure.data:
        theme.nothing(figure)
    if target is not None:
        figure.add_hline(y=target, line={"color": theme.RULE, "width": 1, "dash": "dot"})
        words = "full mark: reached the target; open mark: stopped before (censored)"
        theme.note(figure, words, x=1, y=0, xanchor="right", yanchor="bottom", font_size=11)
    figure.update_xaxes(title_text="evaluations (lives)", type="log" if log_x else "linear")
    figure.update_yaxes(title_text=theme.plain(y_title))
    return figure


def _runs(
    figure: go.Figure, index: int, arm: str, best: np.ndarray, size: int, target: float | None
) -> None:
    look = theme.style(index)
    lived = np.isfinite(best) | (best == -np.inf)
    ended = best.shape[1] - 1 - np.argmax(lived[:, ::-1], 1)
    highest = np.maximum.accumulate(np.where(lived, best, -np.inf), 1)
    after = np.arange(best.shape[1])[None, :] > ended[:, None]
    shown = np.where(after | ~np.isfinite(highest), np.nan, highest)
    x = size * np.arange(1, best.shape[1] + 1)
    figure.add_scatter(
        x=np.tile(np.append(x, x[-1:]), len(best)),  # one trace for all runs draws much faster
        y=theme.strung(shown),
        mode="lines",
        line={"color": theme.faint(look.colour, 0.4), "width": 1},
        legendgroup=str(index),
        showlegend=False,
        hoverinfo="skip",
    )
    at_end = highest[np.arange(len(best)), ended]
    there = np.zeros(len(best), bool) if target is None else at_end >= np.float32(target)
    said = "" if target is None else f": {there.sum()} of {len(best)} got there"
    middle = np.median(highest, 0)
    figure.add_scatter(
        x=x,
        y=np.where(np.isfinite(middle), middle, np.nan),
        mode="lines",
        name=f"{theme.short(arm)}{said}",
        line={"color": look.colour, "width": 2.75, "dash": look.dash},
        legendgroup=str(index),
        hovertemplate=f"{theme.plain(arm)}: median %{{y:.4g}} after %{{x}}<extra></extra>",
    )
    for some, symbol, words in (
        (there, look.symbol, "reached the target"),
        (~there, f"{look.symbol.removesuffix('-open')}-open", "stopped before (censored)"),
    ):
        numbers = np.flatnonzero(some)
        figure.add_scatter(
            x=x[ended[some]],
            y=np.where(np.isfinite(at_end[some]), at_end[some], np.nan),
            mode="markers",
            marker={"color": look.colour, "size": 9, "symbol": symbol},
            text=[f"run {i}" for i in numbers],
            legendgroup=str(index),
            showlegend=False,
            cliponaxis=False,
            hovertemplate=f"{theme.plain(arm)}, %{{text}}, "
            f"{words if target is not None else 'ended'}: %{{y:.4g}} after %{{x}}<extra></extra>",
        )
