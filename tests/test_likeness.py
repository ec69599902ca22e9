"""Comparisons find what was put in, say what follows from it, and refuse what does not match."""

import json
import subprocess
import sys

import numpy as np
import pytest

from neurula.activations import Stimuli, ask, chosen, read_model, read_stimuli
from neurula.contracts import Dissimilarities, Recording
from neurula.formats.responses import Contents
from neurula.likeness import compare
from neurula.likeness_page import write_page
from neurula.likeness_words import may_be_said, may_not_be_said
from neurula.measures import dissimilarities
from neurula.mistake import Mistake

NAMES = tuple(f"s{k}" for k in range(24))


def held(name, *matrices, stimuli=NAMES):
    labels = {} if stimuli is None else {"stimulus": stimuli}
    recordings = tuple(
        Recording(rows, name, labels=labels, subject=f"subject {k}")
        for k, rows in enumerate(matrices)
    )
    return {name: recordings}


def contents(*parts, named=True):
    together = {}
    for part in parts:
        together |= part
    return Contents(together, {}, named)


@pytest.fixture(scope="module")
def made():
    """A brain whose subjects see the code and noise; a model with the code in its second layer."""
    rng = np.random.default_rng(0)
    code = rng.normal(size=(24, 6))
    look = lambda noise: code @ rng.normal(size=(6, 80)) + noise * rng.normal(size=(24, 80))  # noqa: E731
    brain = contents(held("IT", *(look(1.0) for _ in range(5))))
    model = contents(held("early", rng.normal(size=(24, 30))), held("late", look(0.1)))
    blank = contents(held("late", rng.normal(size=(24, 30))))
    return model, brain, {"untrained": ("it learned nothing", blank)}


@pytest.fixture(scope="module")
def found(made):
    model, brain, nulls = made
    return compare(model, brain, nulls, comparison="spearman", resamples=200, shuffles=99)


def test_the_layer_with_the_code_is_found_and_beats_its_controls(found):
    scores, chance = found.scores["IT"], found.chance["IT"]
    assert scores.models == ("early", "late", "untrained: late")
    assert found.layers[found.best("IT")] == "late"
    assert scores.score[1] > 0.5 > chance.best > scores.score[0]
    np.testing.assert_allclose(chance.p[1], 0.01)
    assert chance.p[0] > 0.05
    said = " ".join(may_be_said(found, "IT"))
    assert "Of 2 layers, late is most like IT, and more than chance" in said
    assert "It beats untrained: late" in said
    not_said = " ".join(may_not_be_said(found, "IT"))
    assert "no stimuli were given" in not_said
    assert "no untrained network" not in not_said


@pytest.mark.parametrize("measure", ["cka", "regression"])
def test_other_measures_find_the_layer_and_its_chance(measure, made):
    model, brain, nulls = made
    found = compare(model, brain, nulls, measure=measure, resamples=50, shuffles=20)
    scores, chance = found.scores["IT"], found.chance["IT"]
    assert scores.models == ("early", "late", "untrained: late")
    assert found.layers[found.best("IT")] == "late"
    assert scores.score[1] > 0.5 > chance.best > -0.5
    np.testing.assert_allclose(chance.p[1], 1 / 21)
    assert found.of_layers is None
    json.dumps(found.to_json(), allow_nan=False)


def test_measures_of_units_need_responses(made):
    model, brain, _ = made
    matrices = {
        area: dissimilarities(each, "correlation") for area, each in brain.recordings.items()
    }
    with pytest.raises(ValueError, match=r"cka needs responses, but of IT there are dissimil.*rsa"):
        compare(model, Contents({}, matrices, named=True), measure="cka")


def test_layers_in_the_order_of_areas_are_found_and_said():
    rng = np.random.default_rng(5)
    codes = [rng.normal(size=(24, 5)) for _ in range(5)]
    look = lambda k: codes[k] @ rng.normal(size=(5, 40)) + 0.5 * rng.normal(size=(24, 40))  # noqa: E731
    model = contents(*(held(f"layer {k}", look(k)) for k in range(5)))
    brain = contents(*(held(f"area {k}", *(look(k) for _ in range(4))) for k in range(5)))
    found = compare(model, brain, measure="layers", comparison="cosine", resamples=9, shuffles=9)
    assert found.order is not None
    assert found.order.found
    assert found.order.similarity.shape == (5, 5, 4)
    assert not any("counterpart" in line for line in may_not_be_said(found, "area 0"))
    turned = Contents(dict(reversed(brain.recordings.items())), {}, named=True)
    found = compare(model, turned, measure="layers", comparison="cosine", resamples=9, shuffles=9)
    assert found.order is not None
    assert not found.order.found


def test_chance_is_that_of_shuffled_rows(made):
    """Against shuffles of the responses themselves, before any dissimilarity is made."""
    model, brain, _ = made
    rng = np.random.default_rng(1)
    rows = np.asarray(model.recordings["late"][0].responses)
    subject = Contents({"IT": brain.recordings["IT"][:1]}, {}, named=True)
    best = []
    for _ in range(60):
        shuffled = contents(held("late", rows[rng.permutation(24)]))
        alone = compare(shuffled, subject, comparison="spearman", resamples=2, shuffles=10)
        best.append(alone.scores["IT"].score[0])
    only = contents({"late": model.recordings["late"]})
    found = compare(only, subject, comparison="spearman", resamples=2, shuffles=400)
    assert found.chance["IT"].best == pytest.approx(np.quantile(best, 0.95), abs=0.06)


def test_noise_is_not_said_to_be_alike():
    rng = np.random.default_rng(2)
    model = contents(*(held(f"layer {k}", rng.normal(size=(24, 9))) for k in range(4)))
    brain = contents(held("V1", rng.normal(size=(24, 9))))
    found = compare(model, brain, comparison="spearman", resamples=50, shuffles=99)
    (said,) = may_be_said(found, "V1")
    assert said.startswith("No layer is more like V1 than shuffled stimuli make the best layer")
    assert "there is one. Nor is there a ceiling" in " ".join(may_not_be_said(found, "V1"))


def test_stimuli_are_matched_by_name(made, found):
    model, brain, nulls = made
    order = np.random.default_rng(3).permutation(24)
    mixed = contents(
        *(
            held(layer, np.asarray(one.responses)[order], stimuli=tuple(NAMES[k] for k in order))
            for layer, (one,) in model.recordings.items()
        )
    )
    again = compare(mixed, brain, nulls, comparison="spearman", resamples=10, shuffles=10)
    np.testing.assert_allclose(again.scores["IT"].raw, found.scores["IT"].raw)


def test_missing_stimuli_are_named_or_left_out(made):
    model, brain, _ = made
    less = contents(
        *(
            held(layer, np.asarray(one.responses)[:20], stimuli=NAMES[:20])
            for layer, (one,) in model.recordings.items()
        )
    )
    with pytest.raises(ValueError, match=r"4 are missing on one side: \['s20', 's21'.*--common"):
        compare(less, brain)
    found = compare(less, brain, comparison="spearman", resamples=10, shuffles=10, common=True)
    assert found.stimuli == NAMES[:20]
    assert found.notes == ("4 stimuli that not all have were left out.",)


def test_without_names_order_counts_and_is_said(made):
    model, brain, _ = made
    rows = [np.asarray(one.responses) for one in brain.recordings["IT"]]
    nameless = contents(held("IT", *rows, stimuli=None), named=False)
    found = compare(model, nameless, comparison="spearman", resamples=10, shuffles=10)
    assert found.notes == (
        "The stimuli have no names on one side or both: they were matched by their order.",
    )
    fewer = contents(held("IT", *(each[:9] for each in rows), stimuli=None), named=False)
    with pytest.raises(ValueError, match=r"have \[9, 24\] of them.*Save the names"):
        compare(model, fewer)


def test_dissimilarities_stand_for_responses(made, found):
    model, brain, _ = made
    matrices = {
        area: dissimilarities(each, "correlation") for area, each in brain.recordings.items()
    }
    again = compare(model, Contents({}, matrices, named=True), comparison="spearman",
                    resamples=10, shuffles=10)  # fmt: skip
    np.testing.assert_allclose(again.scores["IT"].raw, found.scores["IT"].raw[:2])
    assert isinstance(again.of_areas["IT"], Dissimilarities)


def test_page_shows_every_number_and_sentence(found, tmp_path):
    page = write_page(
        found, tmp_path / "c.html", title="A & B", command="neurula compare a b", versions={}
    )
    text = page.read_text()
    assert "A &amp; B" in text
    for line in may_not_be_said(found, "IT"):
        assert line.split(":")[0] in text
    assert "area-it--table" in text
    assert (
        "http://" not in text.replace("http://www.w3.org", "").split("<main")[1].split("<script")[0]
    )
    assert found.to_json()["areas"]["IT"]["models"] == ["early", "late", "untrained: late"]
    json.dumps(found.to_json(), allow_nan=False)


# ---- models --------------------------------------------------------------------------------------

SHOWN = np.zeros((5, 4, 4, 3))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: np.zeros((3, 2)), r"5 rows, and its layer 'output' has the shape \(3, 2\)"),
        (lambda x: {"a": x[:, 0, 0, 0]}, r"its layer 'a' has the shape \(5,\)"),
        (lambda x: x * 1j, "type complex128"),
        (lambda x: 1 / 0, r"it raised ZeroDivisionError: division by zero"),
    ],
)
def test_functions_that_answer_badly_are_told(function, message):
    with pytest.raises(Mistake, match=message):
        ask("m:f", function, SHOWN)


def test_functions_may_answer_with_tensors_that_need_a_gradient():
    class Tensor:
        def detach(self):
            return self

        def cpu(self):
            return np.ones((5, 2, 3))

    assert ask("m:f", lambda _: {"conv": Tensor()}, SHOWN)["conv"].shape == (5, 2, 3)


def test_a_function_in_a_file(tmp_path):
    (tmp_path / "mine.py").write_text("def f(x):\n    return {'sum': x.sum((1, 2))}\n")
    model = read_model(f"{tmp_path}/mine.py:f", Stimuli(SHOWN + 1, NAMES[:5]), ())
    one = model.recordings["sum"][0]
    np.testing.assert_array_equal(one.responses, np.full((5, 3), 16))
    assert one.labels == {"stimulus": NAMES[:5]}
    with pytest.raises(Mistake, match=r"has no other. It has: sum"):
        chosen(model, ("other",), "mine")
    with pytest.raises(Mistake, match=r"Expected a function g .* It has: f"):
        read_model(f"{tmp_path}/mine.py:g", Stimuli(SHOWN, None))
    with pytest.raises(Mistake, match="Expected stimuli to show"):
        read_model(f"{tmp_path}/mine.py:f", None)


def test_stimuli_need_one_array(tmp_path):
    np.savez(tmp_path / "two.npz", a=SHOWN, b=SHOWN)
    with pytest.raises(Mistake, match=r"one array of stimuli .* found a .* b "):
        read_stimuli(str(tmp_path / "two.npz"))
    np.savez(tmp_path / "short.npz", images=SHOWN, stimuli=["x"])
    with pytest.raises(Mistake, match="1 names for 5 stimuli"):
        read_stimuli(str(tmp_path / "short.npz"))


@pytest.fixture
def graph(tmp_path):
    """y = relu(x W) as a graph with a free batch size."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    weight = np.arange(12, dtype=np.float32).reshape(4, 3) - 6
    net = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "W"], ["sums"]),
            helper.make_node("Relu", ["sums"], ["y"]),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3])],
        [onnx.numpy_helper.from_array(weight, "W")],
    )
    model = helper.make_model(net, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, tmp_path / "net.onnx")
    return str(tmp_path / "net.onnx"), weight


def test_layers_of_an_onnx_graph(graph):
    path, weight = graph
    shown = np.random.default_rng(0).normal(size=(21, 4))
    model = read_model(path, Stimuli(shown, None), ())
    sums = shown @ weight
    np.testing.assert_allclose(model.recordings["sums"][0].responses, sums, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        model.recordings["y"][0].responses, np.maximum(sums, 0), rtol=1e-4, atol=1e-4
    )
    with pytest.raises(ValueError, match=r"has no z. Its layers .*: sums, y"):
        read_model(path, Stimuli(shown, None), ("z",))
    with pytest.raises(ValueError, match=r"wants stimuli of the shape \['batch', 4\].*\(21, 5\)"):
        read_model(path, Stimuli(np.zeros((21, 5)), None))


def test_a_broken_onnx_file_says_so(tmp_path):
    pytest.importorskip("onnx")
    (tmp_path / "cut.onnx").write_bytes(b"\x08\x09nothing")
    with pytest.raises(ValueError, match="should be a whole ONNX file"):
        read_model(str(tmp_path / "cut.onnx"), Stimuli(SHOWN, None))


# ---- the command ---------------------------------------------------------------------------------


def test_the_command_from_files_to_page_and_json(made, tmp_path):
    model, brain, _ = made
    layers = {k: np.asarray(v[0].responses) for k, v in model.recordings.items()}
    areas = {f"IT/{k}": np.asarray(v.responses) for k, v in enumerate(brain.recordings["IT"])}
    np.savez(tmp_path / "model.npz", stimuli=NAMES, **layers)
    np.savez(tmp_path / "brain.npz", stimuli=NAMES, **areas)
    words = [sys.executable, "-m", "neurula", "compare", "model.npz", "brain.npz", "--json"]
    words += ["--resamples", "20", "--shuffles", "20", "--page", "page.html"]
    run = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    assert said["areas"]["IT"]["subjects"] == ["0", "1", "2", "3", "4"]
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    words[4] = "nothing.npz"
    run = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "nothing.npz should be a file with responses, but does not exist" in run.stderr
    assert "Traceback" not in run.stderr
