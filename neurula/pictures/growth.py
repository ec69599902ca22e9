"""A tissue that grows, as a film and as a strip: cells divide, crawl, and at last connect."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Num

from ..genomes import Tissue
from ..network import Network
from . import theme

BETWEEN = 6  # frames from one stage to the next
FADING = 12  # frames in which connections appear
HEIGHT, MARGIN = 620, 110  # pixels, of the film and of what its controls take
Moment = dict[str, Any]  # what is drawn at one time, arrays of NumPy


def growth(
    stages: Tissue,
    network: Network | None = None,
    *,
    radius: float,
    values: Num[theme.Values, "stage cell"] | None = None,
    background: Num[theme.Values, "row column"] | None = None,
    strongest: int = 260,
) -> go.Figure:
    """The film of `Development.stages`: a slider, a button that plays it, connections at the end.

    Cells are coloured by lineage, daughters a little off their mothers, or by `values` (a
    concentration, a state). Mother and daughter are joined while they part. `background` shades
    the square, for example with a morphogen; `radius` is that of the genome's cells.
    """
    moments = _film(stages, values)
    lines = None if network is None else _connections(network, strongest)
    figure = _paper(background, network)
    still, size = len(figure.data), 2 * radius * (HEIGHT - MARGIN) / 1.16
    frames = [go.Frame(data=_cells(m, size) + _lines(lines, 0.0), name=m["name"]) for m in moments]
    for step in range(1, FADING + 1 if lines else 1):
        shown = _cells(moments[-1], size) + _lines(lines, step / FADING)
        frames.append(go.Frame(data=shown, name="connected" if step == FADING else f"~{step}"))
    for trace in frames[0].data:
        figure.add_trace(trace)
    drawn = list(range(still, len(figure.data)))
    for frame in frames:
        frame.traces = drawn
    figure.frames = frames
    figure.update_layout(**_controls([f.name for f in frames], lines is not None))
    return figure


def growth_strip(
    stages: Tissue,
    network: Network | None = None,
    *,
    radius: float,
    values: Num[theme.Values, "stage cell"] | None = None,
    background: Num[theme.Values, "row column"] | None = None,
    panels: int = 6,
    strongest: int = 260,
) -> go.Figure:
    """Stages side by side, evenly chosen; with a network, its connections in the last one."""
    moments = [m for m in _film(stages, values) if m["whole"]]
    shown = np.unique(np.linspace(0, len(moments) - 1, panels).round().astype(int))
    panels = len(shown) + (network is not None)
    side = 1500 / panels
    figure = theme.blank(height=round(side) + 40, width=1500, showlegend=False, margin_b=8)
    figure.update_layout(margin={"l": 4, "r": 4, "t": 30, "b": 8})
    lines = None if network is None else _connections(network, strongest)
    for panel in range(panels):
        last = panel == len(shown)
        moment = moments[shown[min(panel, len(shown) - 1)]]
        at = {"xaxis": f"x{panel + 1}", "yaxis": f"y{panel + 1}"}
        traces = _ground(background) + (_ends(network) if last and network else [])
        traces += _lines(lines, 1.0) if last else []
        for trace in traces + _cells(moment, 2 * radius * side / 1.16):
            figure.add_trace(trace.update(at))
        left, right = panel / panels + 0.004, (panel + 1) / panels - 0.004
        axis = {"range": [-0.08, 1.08], "visible": False}
        figure.layout[f"xaxis{panel + 1}"] = {**axis, "domain": [left, right]}
        figure.layout[f"yaxis{panel + 1}"] = {
            **axis, "anchor": at["xaxis"], "scaleanchor": at["xaxis"]
        }  # fmt: skip
        words = "connected" if last else f"{moment['name']}: {len(moment['places'])} cells"
        theme.note(figure, words, x=left, y=1, xanchor="left", yanchor="bottom")
    return figure


def hues(stages: Tissue) -> Float[np.ndarray, " cell"]:
    """A colour for every cell, in degrees: founders far apart, daughters ever nearer to mothers."""
    parent, born = np.asarray(stages.parent[-1]), np.asarray(stages.born[-1])
    founders = int(np.asarray(stages.alive[0]).sum())
    hue, turn = np.zeros(len(parent)), np.full(len(parent), 300.0 / founders)
    for cell in np.argsort(born, kind="stable"):
        if cell < founders:
            hue[cell] = 300 * (cell + 0.5) / founders
        else:  # mother and daughter go to both sides of where the mother was
            mother = parent[cell]
            turn[mother] = turn[cell] = turn[mother] / 2
            hue[cell] = hue[mother] + turn[cell] / 2
            hue[mother] = hue[mother] - turn[cell] / 2
    return (hue + 190) % 360


def _film(stages: Tissue, values: Any) -> list[Moment]:
    """All moments, those between two stages included, in which new cells leave their mothers."""
    places, alive = np.asarray(stages.places, float), np.asarray(stages.alive)
    parent, born = np.asarray(stages.parent[-1]), np.asarray(stages.born[-1])
    colours = np.array([f"hsl({hue:.0f}, 62%, 56%)" for hue in hues(stages)])
    moments = []
    for stage in range(len(places)):
        there = np.flatnonzero(alive[stage])
        new = born[there] == stage
        before = places[max(stage - 1, 0)]
        start = np.where((new & (stage > 0))[:, None], before[parent[there]], before[there])
        steps = range(1, BETWEEN + 1) if stage else [BETWEEN]
        for step in steps:
            share = 0.5 - 0.5 * np.cos(np.pi * step / BETWEEN)
            now = start + share * (places[stage][there] - start)
            at = dict(zip(there, now, strict=True))
            couples = [(at[c], at[parent[c]]) for c in there[new & (stage > 0)]]
            moments.append({
                "name": f"step {stage}" if step == BETWEEN else f"{stage - 1}+{step}",
                "whole": step == BETWEEN,
                "places": now,
                "size": np.where(new & (stage > 0), 0.55 + 0.45 * share, 1.0),
                "colour": colours[there] if values is None else np.asarray(values)[stage][there],
                "couples": np.array(couples, float).reshape(-1, 2, 2),
                "words": [f"cell {c}, born in step {born[c]}" for c in there],
            })  # fmt: skip
    return moments


def _cells(moment: Moment, size: float) -> list[go.Scatter]:
    """Mothers and daughters joined, and all cells, `size` pixels wide."""
    couples, places = moment["couples"], moment["places"]
    joint = go.Scatter(
        x=theme.strung(couples[..., 0]), y=theme.strung(couples[..., 1]), mode="lines",
        line={"color": theme.faint("#7a7f87", 0.9), "width": 3}, hoverinfo="skip",
    )  # fmt: skip
    by_value = {} if isinstance(moment["colour"][0], str) else {"colorscale": "Viridis"}
    body = go.Scatter(
        x=places[:, 0].round(4), y=places[:, 1].round(4), mode="markers", text=moment["words"],
        hoverinfo="text",
        marker={"size": (size * moment["size"]).round(1), "color": moment["colour"], **by_value,
                "opacity": 0.92, "line": {"color": "rgba(255, 255, 255, 0.75)", "width": 1.2}},
    )  # fmt: skip
    nucleus = go.Scatter(
        x=places[:, 0].round(4), y=places[:, 1].round(4), mode="markers", hoverinfo="skip",
        marker={"size": max(size / 4.5, 2), "color": "rgba(20, 24, 32, 0.45)"},
    )  # fmt: skip
    return [joint, body, nucleus]


def _connections(network: Network, strongest: int) -> dict[int, np.ndarray]:
    """The ends of the strongest connections by sign, (connection, end, axis), slightly bent."""
    found = []
    for p in network.projections:
        weight = np.asarray(p.wiring.spread(p.weight))
        pre, post = (network.populations[name].positions for name in (p.source, p.target))
        if pre is None or post is None:
            continue
        listening, speaking = np.nonzero(weight)
        ends = np.asarray(pre.places)[speaking], np.asarray(post.places)[listening]
        # Every projection shows its own strongest, so that senses and voices are seen joined.
        strong = np.argsort(-np.abs(weight[listening, speaking]))[: strongest // 3]
        value = weight[listening, speaking][strong]
        found.append((value, np.stack(ends, axis=1)[strong]))
    value, ends = (np.concatenate(part) for part in zip(*found, strict=True))
    return {sign: bent(ends[np.sign(value) == sign]) for sign in (1, -1)}


def bent(ends: Float[np.ndarray, "line 2 2"]) -> Float[np.ndarray, "line point 2"]:
    """Arcs between two points each, an eighth of their distance off the straight line."""
    start, stop = ends[:, :1], ends[:, 1:]
    way = stop - start
    aside = np.stack([-way[..., 1], way[..., 0]], axis=-1)
    share = np.linspace(0, 1, 9)[None, :, None]
    return start + share * way + 0.5 * share * (1 - share) * aside


def _lines(lines: dict[int, np.ndarray] | None, strength: float) -> list[go.Scatter]:
    """Connections, excitation and inhibition, fading in."""
    traces = []
    for sign, arcs in (lines or {}).items():
        shown = arcs if strength else arcs[:0]
        colour = theme.POSITIVE if sign > 0 else theme.NEGATIVE
        traces.append(go.Scatter(
            x=theme.strung(shown[..., 0]).round(3), y=theme.strung(shown[..., 1]).round(3),
            mode="lines", opacity=max(0.5 * strength, 0.01), hoverinfo="skip",
            line={"color": colour, "width": 1.1},
        ))  # fmt: skip
    return traces


def _ends(network: Network) -> list[go.Scatter]:
    """Senses and voices, where they wait to be joined."""
    traces = []
    for name, symbol in ((*network.senses, "triangle-up"), (*network.voices, "square")):
        sits = network.populations[name].positions
        if sits is not None:
            x, y = np.asarray(sits.places).T
            look = {"size": 11, "symbol": symbol, "color": theme.INK}
            traces.append(go.Scatter(x=x, y=y, mode="markers", marker=look, text=name))
    return traces


def _ground(background: Any) -> list[go.Heatmap]:
    if background is None:
        return []
    z = np.asarray(background, float)
    across = (np.arange(z.shape[1]) + 0.5) / z.shape[1]
    tints = [[0, "rgba(90, 98, 192, 0.0)"], [1, "rgba(90, 98, 192, 0.38)"]]
    up = (np.arange(z.shape[0]) + 0.5) / z.shape[0]
    return [go.Heatmap(x=across, y=up, z=z.round(3), colorscale=tints, showscale=False,
                       zsmooth="best", hoverinfo="skip")]  # fmt: skip


def _paper(background: Any, network: Network | None) -> go.Figure:
    figure = theme.blank(height=HEIGHT, showlegend=False)
    for trace in _ground(background) + ([] if network is None else _ends(network)):
        figure.add_trace(trace)
    axis = {"range": [-0.08, 1.08], "visible": False, "constrain": "domain"}
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis, scaleanchor="x")
    return figure


def _controls(names: list[str], connected: bool) -> dict[str, Any]:
    """A button that plays the film and a slider over its stages."""
    at_once = {"transition": {"duration": 0}}
    play = {"frame": {"duration": 70, "redraw": False}, "fromcurrent": True, **at_once}
    jump = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate", **at_once}
    buttons = [
        {"label": "Play", "method": "animate", "args": [None, play]},
        {"label": "Stop", "method": "animate", "args": [[None], jump]},
    ]
    stops = [n for n in names if n.startswith("step") or (connected and n == "connected")]
    steps = [
        {"label": n.removeprefix("step "), "method": "animate", "args": [[n], jump]} for n in stops
    ]
    where = {"x": 0, "y": -0.04, "xanchor": "left", "yanchor": "top"}
    return {
        "updatemenus": [{"type": "buttons", "direction": "left", "buttons": buttons, **where}],
        "sliders": [{"steps": steps, "x": 0.25, "len": 0.75, "y": -0.01,
                     "currentvalue": {"prefix": "growth step ", "visible": True}}],
        "margin": {"l": 12, "r": 16, "t": 10, "b": MARGIN - 10},
    }  # fmt: skip
