"""What lies on disk: whole or absent, set aside when damaged, strict JSON."""

import copy
import errno
import gzip
import json
import os
import threading

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from neurula import results
from neurula.mistake import Mistake
from neurula.piece import Done, as_numbers, as_outcome, pack, unpack
from neurula.progress import pace
from neurula.results import (
    Store,
    dump,
    latest,
    parse,
    results_folder,
    shipped_records,
    write_whole,
)
from neurula.shipping import MARKS, ship, table, write_tables

KEY = "ab" * 32
NUMBERS = {
    "score": np.array([0.5, np.nan, -1.0], np.float32),
    "tuning": np.array([0.1, 0.2, 0.3], np.float64),
    "curves/loss, per step": np.arange(6.0, dtype=np.float32).reshape(3, 2),
    "costs/samples": np.array([1, 2, 3], np.int32),
    "kept/map/of cells": np.ones((3, 2, 2), bool),
}
DONE = Done((0, 2, 3), as_outcome(NUMBERS), {1: "ValueError: no"}, 1.5, 0.25, 1e9, ("a loop",))


def record(claim="toy", budget="quick", ruling="supported", **run):
    return {
        "format": 1,
        "claim": claim,
        "card": {"statement": "It is so.", "unit": "points", "arms": {}},
        "run": {
            "budget": budget,
            "variant": False,
            "changed": {},
            "seeds": [0, 1],
            "seconds": 2.0,
            **run,
        },
        "arms": {},
        "tuning": None,
        "verdict": {"ruling": ruling, "finding": None, "problems": []},
        "figure": None,
    }


def test_a_piece_comes_back_as_it_was(tmp_path):
    store = Store(tmp_path)
    assert store.load("toy", KEY) is None
    store.save("toy", KEY, DONE)
    found = store.load("toy", KEY)
    assert (found.rows, found.failed, found.flops) == (DONE.rows, DONE.failed, DONE.flops)
    assert (found.seconds, found.compiling, found.gaps) == (1.5, 0.25, ("a loop",))
    numbers = as_numbers(found.outcome)
    assert set(numbers) == set(NUMBERS)
    for name, values in NUMBERS.items():
        np.testing.assert_array_equal(numbers[name], values)
        assert numbers[name].dtype == values.dtype
    assert not list(tmp_path.rglob("*.part"))


def test_a_piece_of_failures_alone_comes_back():
    lost = Done((), None, {0: "died"}, 0.0, 0.0)
    assert unpack(pack(lost, KEY), KEY) == lost


@pytest.mark.parametrize("cut", [0, 1, 50, 300, -1])
def test_a_damaged_piece_is_set_aside_and_said_so(tmp_path, cut):
    said = []
    store = Store(tmp_path, said.append)
    store.save("toy", KEY, DONE)
    [file] = tmp_path.rglob("*.npz")
    file.write_bytes(file.read_bytes()[:cut])
    assert store.load("toy", KEY) is None
    assert not file.exists()
    assert file.with_name(file.name + ".corrupt").exists()
    assert str(file) in said[0]
    assert "set aside" in said[0]


def test_the_piece_of_another_key_is_no_answer(tmp_path):
    said = []
    store = Store(tmp_path, said.append)
    store.save("toy", KEY, DONE)
    [file] = tmp_path.rglob("*.npz")
    other = "cd" * 32
    file.rename(file.with_name(f"{other[:40]}.npz"))
    assert store.load("toy", other) is None
    assert "another piece" in said[0]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_are_never_taken_for_a_piece(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("store")
    store = Store(folder)
    write_whole(folder / "pieces" / "toy" / f"{KEY[:40]}.npz", content)
    assert store.load("toy", KEY) is None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_piece_with_flipped_bytes_is_refused_or_unharmed(data):
    content = bytearray(pack(DONE, KEY))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
    try:
        found = unpack(bytes(content), KEY)
    except Exception:
        return  # `load` sets it aside
    for name, values in as_numbers(found.outcome).items():
        np.testing.assert_array_equal(values, NUMBERS[name])


def test_two_writers_never_mix_their_bytes(tmp_path):
    file = tmp_path / "shared"
    contents = [bytes([i]) * 200_000 for i in range(4)]
    seen = []

    def write(content):
        for _ in range(10):
            write_whole(file, content)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if file.exists():
            seen.append(file.read_bytes())
    assert seen
    assert set(seen) <= set(contents)
    assert [each.name for each in tmp_path.iterdir()] == ["shared"]


def test_a_file_in_place_of_the_folder(tmp_path):
    blocked = tmp_path / "results"
    blocked.write_text("I am a file")
    with pytest.raises(Mistake, match=r"Expected to write .*--results FOLDER"):
        Store(blocked).check()


def test_a_full_disk_keeps_what_was_there(tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.save("toy", KEY, DONE)

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Mistake, match="No space left on device") as caught:
        store.save("toy", KEY, DONE)
    assert "What was finished before is kept" in str(caught.value)
    assert store.load("toy", KEY) is not None
    assert not list(tmp_path.rglob("*.part"))


def test_what_a_killed_run_left_is_swept_after_an_hour(tmp_path):
    old, new = tmp_path / "pieces" / ".old.part", tmp_path / "pieces" / ".new.part"
    old.parent.mkdir()
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    Store(tmp_path).check()
    assert new.exists()
    assert not old.exists()


# ---- records


def test_records_are_strict_json():
    text = dump({"a": np.float32("nan"), "b": [np.inf, 1.5], "c": np.arange(2), 3: (True, None)})
    assert json.loads(text) == {"a": None, "b": [None, 1.5], "c": [0, 1], "3": [True, None]}
    assert "NaN" not in text


def test_the_latest_ruling_counts_and_variants_stand_apart(tmp_path):
    store = Store(tmp_path)
    store.keep(record(ruling="refuted"))
    store.keep(record(ruling="supported"))
    store.keep(record(ruling="inconclusive", variant=True, changed={"lead": 2.0}))
    store.keep(record(ruling="refuted", variant=True, changed={"lead": 3.0}))
    store.keep(record(ruling="refuted", budget="smoke"))
    assert len(store.records()) == 4
    assert latest(store.records())["toy"]["verdict"]["ruling"] == "supported"
    store.keep(record(ruling="inconclusive", budget="full"))
    assert latest(store.records())["toy"]["run"]["budget"] == "full"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"{}", b'{"format": 1}', b"\x1f\x8b broken", b"\xff\xfe"],
)
def test_a_damaged_record_is_set_aside(tmp_path, content):
    said = []
    store = Store(tmp_path, said.append)
    kept = store.keep(record())
    damaged = kept.with_name("full.json")
    damaged.write_bytes(content)
    assert [each["run"]["budget"] for each in store.records()] == ["quick"]
    assert "set aside" in said[0]
    assert not damaged.exists()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from([*record()["run"], "a"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(
    part=st.sampled_from(["format", "claim", "card", "run", "arms", "verdict"]),
    value=json_values,
)
def test_a_record_with_a_wrong_part_is_refused_or_whole(part, value):
    spoiled = copy.deepcopy(record())
    spoiled[part] = value
    try:
        found = parse(dump(spoiled).encode())
    except ValueError:
        return
    assert latest([found]).keys() <= {found["claim"]}
    assert not pace([found], "full")


def test_shipping_takes_rulings_and_leaves_variants(tmp_path, monkeypatch):
    package = tmp_path / "package"
    monkeypatch.setattr(results.resources, "files", lambda name: package)  # one module for all
    assert shipped_records() == []
    store = Store(tmp_path / "results")
    for each in (
        record(),
        record(budget="full", ruling="refuted"),
        record(budget="smoke"),
        record(variant=True, changed={"lead": 2.0}),
        record("other"),
    ):
        store.keep(each)
    files = [file.name for file in ship(["toy"], store)]
    assert files == ["toy.full.json.gz", "toy.quick.json.gz"]
    assert {r["run"]["budget"] for r in shipped_records()} == {"full", "quick"}
    assert latest(shipped_records())["toy"]["verdict"]["ruling"] == "refuted"
    before = (package / "shipped" / files[0]).read_bytes()
    list(ship(["toy"], store))
    assert (package / "shipped" / files[0]).read_bytes() == before  # no clock inside
    assert json.loads(gzip.decompress(before))["claim"] == "toy"


def test_the_table_stands_between_the_marks(tmp_path):
    (tmp_path / "docs").mkdir()
    marks = "<!-- verdicts: made by hand -->\nold\n<!-- end of verdicts -->"
    for page in ("README.md", "docs/verdicts.md"):
        (tmp_path / page).write_text(f"before\n{marks}\nafter\n")
    made = table([record(), record("other", ruling="refuted")])
    assert "| `toy` | **supported** |" in made
    assert "| `other` | **refuted** |" in made
    short = table([record()], numbers=False).splitlines()
    assert short[0] == "| claim | ruling | sentence |"
    assert short[2].startswith("| `toy` | **supported** | ")
    for page in write_tables(tmp_path, [record()]):
        text = page.read_text()
        assert text.startswith("before\n<!-- verdicts: made by hand -->\n| claim |")
        assert "old" not in text
        assert text.endswith("<!-- end of verdicts -->\nafter\n")
        assert MARKS.search(text)


def test_the_folder_is_chosen_by_flag_then_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURULA_RESULTS", str(tmp_path / "a"))
    assert results_folder() == tmp_path / "a"
    assert results_folder(str(tmp_path / "b")) == tmp_path / "b"
    monkeypatch.delenv("NEURULA_RESULTS")
    assert results_folder().parts[-2:] == ("neurula", "results")
