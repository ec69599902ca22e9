import itertools
import json

import jaxtyping
import numpy as np
import plotly.graph_objects as go
import pytest

from neurula import pictures
from neurula.pictures import theme

# Machado, Oliveira & Fernandes (2009), severity 1.0, linear RGB.
EYES = {
    "usual": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    dark, light = sorted(float(linear(colour) @ TO_XYZ[1]) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb):
    ratio = TO_XYZ @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(colours, eye):
    seen = [lab(np.asarray(EYES[eye]) @ linear(colour)) for colour in colours]
    return min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))


def texts(figure):
    return [each.text for each in figure.layout.annotations]


@pytest.mark.parametrize("paper", ["#ffffff", "#15181c"])
def test_colours_stand_out_from_light_and_dark_paper(paper):
    for look in (*theme.STYLES, *theme.RULINGS.values()):
        assert contrast(look.colour, paper) >= 3.0, look


@pytest.mark.parametrize("eye", EYES)
def test_colours_stay_apart_for_all_eyes(eye):
    assert apart([look.colour for look in theme.RULINGS.values()], eye) > 20
    assert apart([look.colour for look in theme.STYLES], eye) > 15


def test_every_style_differs_by_more_than_its_colour():
    for looks in (theme.STYLES, tuple(theme.RULINGS.values())):
        assert len({look.symbol for look in looks}) == len(looks)
        assert len({look.sign for look in looks}) == len(looks)


def test_markup_in_names_is_shown_letter_by_letter():
    assert theme.plain("<b>&") == "&lt;b&gt;&amp;"
    figure = pictures.curves(
        np.arange(3), {"<b>x</b>": np.ones((2, 3))}, x_title="<i>", y_title="<i>"
    )
    shown = json.dumps(figure.to_plotly_json(), default=str)
    assert "<b>" not in shown
    assert "<i>" not in shown


def test_long_names_are_cut_and_wrapped():
    assert theme.wrapped("feedback redrawn at every step") == "feedback redrawn<br>at every step"
    assert theme.wrapped("x" * 90).count("<br>") == 1
    assert len(theme.short("x" * 90)) == theme.LONGEST


def forest(**changes):
    known = {
        "names": ["superior", "as good", "no data", "no margin", "far out"],
        "estimate": np.array([3.0, -0.5, np.nan, 4.0, 50.0]),
        "low": np.array([1.0, -1.5, np.nan, 2.0, 40.0]),
        "high": np.array([5.0, 0.5, np.nan, 6.0, 60.0]),
        "margin": np.array([2.0, 1.0, 1.0, 0.0, 1.0]),
        "rulings": [
            "supported", "inconclusive", "not testable here", "supported", "supported",
        ],
        "both_sides": [False, True, False, False, False],
    }  # fmt: skip
    return pictures.forest(**(known | changes))


def test_forest_divides_effects_by_their_margins():
    by_ruling = {trace.name: trace for trace in forest().data}
    good, open_ = by_ruling["supported"], by_ruling["inconclusive"]
    assert set(by_ruling) == {"supported", "inconclusive"}
    assert good.x[0] == 1.5
    assert (good.x[0] - good.error_x.arrayminus[0], good.x[0] + good.error_x.array[0]) == (0.5, 2.5)
    assert open_.x[0] == -0.5
    assert (open_.error_x.arrayminus[0], open_.error_x.array[0]) == (1.0, 1.0)


def test_forest_tells_what_it_cannot_scale():
    figure = forest()
    trace = next(trace for trace in figure.data if trace.name == "supported")
    assert trace.y == (0, 3, 4)
    assert trace.x[1] == 4.0 / 2.0  # half the interval is 2
    assert figure.layout.yaxis.ticktext[3].startswith("†")
    assert any("margin 0" in text for text in texts(figure))
    assert any("not testable here" in text for text in texts(figure))
    assert trace.marker.symbol[2] == "triangle-right"  # 50 margins: an arrow with its number
    assert trace.text[2] == "50"
    assert trace.x[2] < figure.layout.xaxis.range[1]


def test_forest_shades_where_a_sentence_is_supported():
    zones = {
        round((s.y0 + s.y1) / 2): (s.x0, s.x1) for s in forest().layout.shapes if s.type == "rect"
    }
    end = forest().layout.xaxis.range[1]
    assert zones == {0: (1, end), 1: (-1, 1), 3: (0, end), 4: (1, end)}


def test_forest_of_nothing():
    nothing = np.zeros(0)
    figure = pictures.forest([], nothing, nothing, nothing, nothing, [])
    assert not figure.data


def test_curves_show_every_seed_and_their_mean():
    values = np.array([[1.0, 2.0, 3.0], [3.0, 4.0, 5.0], [np.nan] * 3])
    figure = pictures.curves(np.arange(3), {"a": values}, x_title="x", y_title="y (%)")
    seeds, mean = figure.data
    np.testing.assert_allclose(np.array(seeds.y).reshape(3, 4)[:, :3], values)
    np.testing.assert_allclose(mean.y, [2.0, 3.0, 4.0])
    assert mean.line.width > seeds.line.width
    assert figure.layout.yaxis.title.text == "y (%)"


def test_curves_are_named_where_they_end_without_overlap():
    rng = np.random.default_rng(0)
    arms = {f"arm {i}": 0.001 * i + rng.normal(size=(2, 20)) * 0.01 for i in range(6)}
    figure = pictures.curves(np.arange(20), arms, x_title="x", y_title="y")
    places = sorted(a.y for a in figure.layout.annotations if a.name == "end of a curve")
    values = np.concatenate([np.array(trace.y, float) for trace in figure.data])
    assert len(places) == 6
    assert min(np.diff(places)) > 0.055 * (np.nanmax(values) - np.nanmin(values))


@pytest.mark.parametrize(
    "arms",
    [{}, {"a": np.full((2, 1), np.nan)}, {"a": np.ones((1, 1))}, {"a": np.zeros((2, 4))}],
    ids=["no arm", "only nan", "one point", "zeros"],
)
@pytest.mark.parametrize("log", [False, True])
def test_curves_of_little_or_nothing(arms, log):
    time = next(iter(arms.values())).shape[1] if arms else 3
    figure = pictures.curves(np.arange(time), arms, x_title="x", y_title="y", log_y=log)
    said = "No values were recorded." in texts(figure)
    assert said == (not arms or bool(np.isnan(next(iter(arms.values()))).all()))


def test_seeds_show_raw_values_and_name_missing_ones():
    arms = {"a": np.array([1.0, np.nan, 3.0]), "b": np.array([2.0, 4.0, 6.0])}
    figure = pictures.seeds(arms, x_title="score", numbers=[5, 6, 7], paired=True)
    pairs, marks, mean = figure.data[:3]
    assert list(marks.x) == [1.0, 3.0]
    assert marks.text == ("seed 5", "seed 7")
    assert list(mean.x) == [2.0, 2.0]
    assert figure.layout.yaxis.ticktext == ("a<br><i>missing: seed 6</i>", "b")
    np.testing.assert_allclose(
        np.array(pairs.x).reshape(3, 3)[:, :2], np.stack([*arms.values()], 1)
    )


def test_seeds_of_little_or_nothing():
    assert "No values were recorded." in texts(pictures.seeds({}, x_title="x"))
    gone = pictures.seeds({"a": np.full(4, np.nan)}, x_title="x")
    assert gone.layout.yaxis.ticktext == ("a<br><i>no value</i>",)
    assert pictures.seeds({"a": np.ones(1)}, x_title="x").data[0].x[0] == 1.0


def test_images_stand_in_reading_order_on_one_scale():
    stack = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(np.float32)
    figure = pictures.images(stack, titles=list("abcde"), columns=2, diverging=True, unit="mV")
    sheet = figure.data[0]
    held = np.asarray(sheet.z)
    for image in stack:
        windows = np.lib.stride_tricks.sliding_window_view(held, (3, 4))
        assert (windows == image).all((2, 3)).sum() == 1
    assert sheet.zmin == -sheet.zmax
    assert sheet.zmax == pytest.approx(np.abs(stack).max())
    assert texts(figure) == list("abcde")


def test_polar_plots_point_where_cells_answer_most():
    cells = [("up", np.array([0.0, 3.0, 0.0, -1.0])), ("right", np.array([2.0, 1.0, 0.0, 1.0]))]
    figure = pictures.polar({"first": cells, "second": cells[:1]})
    assert texts(figure) == ["first", "up", "right", "second", "up"]
    rings, shapes = figure.data[::2], figure.data[1::2]
    middles = [(np.mean(ring.x[:-1]), np.mean(ring.y[:-1])) for ring in rings]
    up, right, below = (np.stack([s.x, s.y], 1) - m for s, m in zip(shapes, middles, strict=True))
    np.testing.assert_allclose(up, [[0, 0], [0, 1], [0, 0], [0, 0], [0, 0]], atol=1e-6)
    np.testing.assert_allclose(right[:2], [[1, 0], [0, 0.5]], atol=1e-6)
    np.testing.assert_allclose(below, up, atol=1e-6)
    assert middles[2][1] < middles[0][1]
    assert "No values were recorded." in texts(pictures.polar({}))


def test_graph_draws_arrows_by_sign():
    weight = np.zeros((4, 4))
    weight[1, 0], weight[2, 1], weight[3, 3] = 2.0, -1.0, 1.0
    places = np.array([[0.0, 0], [1, 0], [2, 0], [3, 0]])
    figure = pictures.graph(weight, positions=places, groups=["in", "in", "out", "out"])
    by_name = {}
    for trace in figure.data:
        by_name.setdefault(trace.name, []).append(trace)
    (positive,), (negative,) = by_name["positive weight"], by_name["negative weight"]
    assert list(positive.x[:2]) == [0.0, 1.0]  # from pre to post
    assert list(negative.x[:2]) == [1.0, 2.0]
    assert negative.line.dash != positive.line.dash
    assert list(by_name["talks to itself"][0].x) == [3.0]
    assert list(by_name["in"][0].x) == [0.0, 1.0]


def test_graph_lays_cells_out_and_says_what_it_leaves_out():
    weight = np.random.default_rng(0).normal(size=(12, 12))
    figure = pictures.graph(weight, strongest=10)
    arrows = sum(len(t.x) // 3 for t in figure.data if t.name and t.name.endswith("weight"))
    loops = sum(len(t.x) for t in figure.data if t.name == "talks to itself")
    assert arrows <= 10
    assert loops == 12
    assert texts(figure) == ["the 10 strongest of 132 connections between cells"]
    assert len(pictures.graph(np.zeros((1, 1))).data) == 1


def test_graph_wants_a_square():
    with pytest.raises(ValueError, match=r"one row and one column per cell and got \(2, 3\)"):
        pictures.graph(np.ones((2, 3)))


def test_maps_label_rows_and_columns():
    figure = pictures.maps(
        np.array([[1.0, np.nan], [-3.0, 2.0]]), rows=["a", "b"], columns=["<c>", "d"],
        diverging=True, numbers=True, unit="r",
    )  # fmt: skip
    assert figure.layout.xaxis.ticktext == ("&lt;c&gt;", "d")
    assert figure.layout.yaxis.autorange == "reversed"
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-3.0, 3.0)
    flat = pictures.maps(np.ones((2, 2))).data[0]
    assert flat.zmin < flat.zmax
    assert "No values were recorded." in texts(pictures.maps(np.full((2, 2), np.nan)))


def test_raster_marks_every_spike_in_milliseconds():
    spikes = np.zeros((100, 3), bool)
    spikes[[4, 50], [0, 2]] = True
    figure = pictures.raster(spikes, dt=0.5, potentials={"cell 0": np.zeros(100)})
    assert list(figure.data[0].x) == [2.0, 25.0]
    assert list(figure.data[0].y) == [0, 2]
    assert figure.layout.xaxis2.title.text == "time (ms)"
    assert "No cell fired." in texts(pictures.raster(np.zeros((5, 2)), dt=1.0))


def test_figures_share_a_look_for_any_paper():
    figure = pictures.maps(np.ones((2, 2)))
    assert isinstance(figure, go.Figure)
    look = figure.layout.template.layout
    assert look.paper_bgcolor == look.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert look.font.family.startswith("system-ui")
    assert figure.layout.width is None


def test_a_film_shows_every_frame_on_white_paper():
    films = {name: np.zeros((2, 3, 4, 4)) for name in ("one", "two")}
    for red in (films["one"][1], films["two"]):
        red[..., 0], red[..., 3] = 0.5, 0.5  # half see-through, multiplied by its opacity
    figure = pictures.film(films, moments=["first", "then"])
    sheet = np.asarray(figure.data[0].z)
    solid = sheet[sheet[..., 3] == 255]
    colours, counts = np.unique(solid, axis=0, return_counts=True)
    assert dict(zip(map(tuple, colours.tolist()), counts.tolist(), strict=True)) == {
        (255, 255, 255, 255): 12,
        (255, 128, 128, 255): 36,
    }
    assert {"one", "two", "first", "then"} <= set(texts(figure))
    with pytest.raises(ValueError, match=r"films of one shape, \(1 moments"):
        pictures.film(films, moments=["first"])


@pytest.fixture
def unchecked():
    """Types are checked in tests only: see what a user sees."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def test_curves_of_another_length_are_refused(unchecked):
    with pytest.raises(ValueError, match=r"\(seed, time\) with 3 times.*got \{'a': \[2, 4\]\}"):
        pictures.curves(np.arange(3), {"a": np.zeros((2, 4))}, x_title="x", y_title="y")
