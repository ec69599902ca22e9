"""How far a rule points away from another while it learns, layer by layer."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num

from . import theme
from .curves import curves


def angles(
    updates: Num[theme.Values, " time"],
    layers: Mapping[str, Num[theme.Values, "*seed time"]],
    *,
    teacher: str = "backprop",
) -> go.Figure:
    """Draw one family of curves per projection, in degrees, with a line where chance lies.

    Takes what `alignments` gives for one seed, or, mapped over keys, for many.
    """
    by_seed = {name: np.atleast_2d(np.asarray(values)) for name, values in layers.items()}
    title = f"angle to {teacher}, degrees"
    figure = curves(np.asarray(updates), by_seed, x_title="updates", y_title=title)
    most = max((float(np.nanmax(values, initial=0)) for values in by_seed.values()), default=0)
    figure.add_hline(90, line={"color": theme.RULE, "width": 1, "dash": "dot"})
    theme.note(figure, "chance", x=0, xanchor="left", xshift=4, y=90, yref="y", yanchor="bottom")
    return figure.update_yaxes(range=[-3, max(most, 90) * 1.08])
