"""Two figures on one sheet."""

import plotly.graph_objects as go

from . import theme

GAP = 0.1  # of the width


def beside(left: go.Figure, right: go.Figure, *, split: float = 0.6) -> go.Figure:
    """Both, side by side, `split` of the width for the left one; what both call by one name is one.

    Lines, marks and axes are kept, notes and shapes are those of the left one.
    """
    figure = go.Figure(left)
    names = {trace.name for trace in left.data}
    for trace in right.data:
        again = {"showlegend": False} if trace.name in names else {}
        figure.add_trace(trace).data[-1].update(xaxis="x2", yaxis="y2", **again)
    across, up = right.layout.xaxis.to_plotly_json(), right.layout.yaxis.to_plotly_json()
    up |= {"anchor": "x2", "scaleanchor": "x2"} if up.get("scaleanchor") else {"anchor": "y2"}
    figure.update_layout(
        xaxis_domain=[0, split - GAP / 2],
        xaxis2={**across, "domain": [split + GAP / 2, 1], "anchor": "y2"},
        yaxis2={**up, "anchor": "x2"},
        height=max(left.layout.height or 0, right.layout.height or 0),
        showlegend=True,
        template=theme.template(),
    )
    return figure
