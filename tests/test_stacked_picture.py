"""Figures below each other keep what they show, their axes and their order."""

import numpy as np

from neurula.pictures import images, seeds, stacked


def test_two_figures_become_one():
    top = seeds({"one": np.array([1.0, 2.0]), "two": np.array([3.0, 4.0])}, x_title="score")
    low = images(np.ones((2, 3, 3)), titles=["left", "right"])
    both = stacked(top, low)
    assert len(both.data) == len(top.data) + len(low.data)
    assert [trace.xaxis for trace in both.data] == ["x"] * len(top.data) + ["x2"]
    assert both.layout.xaxis.title.text == "score"
    assert both.layout.yaxis.domain[0] > both.layout.yaxis2.domain[1]
    assert both.layout.yaxis2.scaleanchor == "x2"
    assert both.layout.yaxis2.autorange == "reversed"
    assert both.layout.height > top.layout.height + low.layout.height
    names = [note.text for note in both.layout.annotations if note.xref == "x2"]
    assert names == ["left", "right"]
