"""Figures below each other, as one."""

import numpy as np
import plotly.graph_objects as go

from . import theme

GAP = 50  # pixels between two figures


def stacked(*figures: go.Figure) -> go.Figure:
    """Put figures with one pair of axes each below each other, the first on top, at their heights.

    What they show and their axes stay; of legends and colour bars each figure keeps its own.
    """
    heights = [float(figure.layout.height or 300) for figure in figures]
    total = sum(heights) + GAP * (len(figures) - 1)
    right = max(figure.layout.margin.r or 16 for figure in figures)  # room for names of curves
    whole = theme.blank(height=round(total), margin_t=20, margin_b=20, margin_r=right)
    tops = 1 - np.concatenate([[0], np.cumsum(np.array(heights[:-1]) + GAP)]) / total
    for number, (figure, top, height) in enumerate(zip(figures, tops, heights, strict=True), 1):
        margin = figure.layout.margin
        high = top - (margin.t if margin.t is not None else 16) / total
        low = top - (height - (margin.b if margin.b is not None else 44)) / total
        ending = "" if number == 1 else str(number)
        for trace in figure.data:
            trace = trace.to_plotly_json() | {"xaxis": f"x{ending}", "yaxis": f"y{ending}"}
            if "colorbar" in trace:
                trace["colorbar"] = trace["colorbar"] | {"y": high}
            if trace["type"] != "image":  # which never stands in a legend
                trace["showlegend"] = bool(trace.get("showlegend", figure.layout.showlegend))
            whole.add_trace(trace)
        for kind in ("xaxis", "yaxis"):
            axis = figure.layout[kind].to_plotly_json()
            axis = axis | {"anchor": f"{'y' if kind == 'xaxis' else 'x'}{ending}"}
            if "scaleanchor" in axis:
                axis["scaleanchor"] = f"x{ending}"
            if kind == "yaxis":
                axis["domain"] = [max(float(low), 0.0), min(float(high), 1.0)]
            whole.update_layout({f"{kind}{ending}": axis})
        for note in figure.layout.annotations:
            note = note.to_plotly_json()
            refs = {
                ref: f"{note[ref]}{ending}"
                for ref in ("xref", "yref")
                if note.get(ref) in ("x", "y")
            }
            whole.add_annotation(note | refs)
    return whole
