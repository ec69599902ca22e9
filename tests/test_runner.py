"""Pieces, their keys, the pool, and jobs from request to record."""

import dataclasses
import io
import os
import time
from collections import deque
from pathlib import Path

import jax
import numpy as np
import pytest
from rich.console import Console
from toy_work import work

from neurula import keys
from neurula.experiment import Range
from neurula.files import write_whole
from neurula.judging import Request, judging
from neurula.keys import claim_digest, package_digest, piece_key
from neurula.lookup import find
from neurula.mistake import Mistake
from neurula.piece import Done, Piece, as_numbers, as_outcome, compute
from neurula.pool import Lost, hand_out
from neurula.progress import Board, duration, pace
from neurula.results import Store
from neurula.runner import conduct
from neurula.tuning import TRIALS, frozen, frozen_file, search

TOYS = str(Path(__file__).parent / "toy_claims.py")


def piece(name, arm="brain", seeds=(0, 1, 2), tuned=None, **fields):
    address = f"{TOYS}:{name}"
    tuned = tuned or ({},) * len(seeds)
    return Piece(
        address, Request(address, find(address)(**fields), "", 0).fields, arm, seeds, tuned
    )


def request(name, budget="quick", seeds=10, **settings):
    claim = find(f"{TOYS}:{name}")
    return Request(f"{TOYS}:{name}", claim(**settings), budget, seeds)


def drive(tmp_path, *requests, said=None, fresh=False):
    """Judge in this process; the results by name."""
    screen = io.StringIO()
    board = Board(Console(file=screen, width=200), {}, 0)
    store = Store(tmp_path, (said if said is not None else []).append)
    jobs = {request.name: judging(request) for request in requests}
    ended = dict(conduct(jobs, store, board, workers=0, fresh=fresh))
    if said is not None:
        said.append(screen.getvalue())
    return ended


# ---- the pool


def test_pieces_may_be_added_while_others_are_handed_out():
    pieces = deque([1, 2])
    found = []
    for piece, result in hand_out(pieces, lambda n: n * n, 0):
        found.append((piece, result))
        if piece == 2:
            pieces.append(3)
    assert found == [(1, 1), (2, 4), (3, 9)]


def test_a_worker_that_dies_costs_its_piece_only():
    begun = []
    pieces = deque(["one", "die", "raise", "leave", "lock", "print", "two"])
    done = dict(hand_out(pieces, work, 2, begun=begun.append))
    assert begun == ["one", "die", "raise", "leave", "lock", "print", "two"]
    assert done["one"][0] == "one"
    assert done["two"][0] == "two"
    assert done["one"][1] != os.getpid()
    assert done["die"] == Lost("its process was ended by SIGKILL, perhaps because memory ran out")
    assert done["leave"] == Lost("its process ended by itself with exit code 3")
    assert done["raise"] == Lost("ValueError: no good")
    assert (
        "local object" in done["lock"].why
    )  # which cannot be pickled; Pythons word it differently


def test_workers_are_told_to_use_one_thread_and_work_side_by_side():
    pieces = deque(["environment", "sleep", "sleep"])
    found = list(hand_out(pieces, work, 2))
    flags, threads = next(result for piece, result in found if piece == "environment")
    assert "--xla_cpu_multi_thread_eigen=false" in flags
    assert threads == "1"
    assert len({result[1] for piece, result in found if piece == "sleep"}) == 2


def test_leaving_the_loop_ends_the_workers():
    start = time.monotonic()
    handed = hand_out(deque(["one", *["sleep"] * 40]), work, 1)
    next(handed)
    handed.close()
    assert time.monotonic() - start < 10


# ---- one piece


def test_every_arm_gets_the_key_of_the_seed():
    done = compute(piece("Toy", seeds=(3, 8), spread=2.0))
    for row, seed in enumerate((3, 8)):
        key = jax.random.fold_in(jax.random.key(seed), 1)
        expected = 1.0 + 2.0 * jax.random.normal(key)
        assert done.outcome.score[row] == pytest.approx(float(expected), rel=1e-5)


def test_a_piece_counts_operations_and_seconds():
    done = compute(piece("Toy", steps=1000))
    assert done.rows == (0, 1, 2)
    assert done.failed == {}
    assert 1000 < done.flops < 10_000  # the curve is a product with a thousand numbers
    assert done.seconds > 0
    assert done.compiling > 0
    assert done.outcome.curves["score"].shape == (3, 1000)
    assert isinstance(done.outcome.score, np.ndarray)


def test_seed_by_seed_gives_what_the_batch_gives():
    together, apart = compute(piece("Toy")), compute(piece("OneByOne"))
    np.testing.assert_allclose(together.outcome.score, apart.outcome.score, rtol=1e-5)
    assert apart.flops is None


def test_seeds_that_raise_are_named_and_the_others_kept():
    done = compute(piece("Crashing", seeds=tuple(range(10))))
    assert done.failed == {
        3: "EquinoxRuntimeError: this seed is unlucky",
        7: "EquinoxRuntimeError: this seed is unlucky",
    }
    assert done.rows == (0, 1, 2, 4, 5, 6, 8, 9)
    well = compute(piece("Toy", seeds=tuple(range(10)))).outcome.score
    np.testing.assert_allclose(done.outcome.score, np.delete(well, [3, 7]), rtol=1e-5)


def test_an_outcome_survives_its_dictionary():
    outcome = compute(piece("Toy")).outcome
    numbers = as_numbers(outcome)
    assert set(numbers) == {"score", "tuning", "curves/score", "costs/samples"}
    again = as_outcome(numbers)
    assert jax.tree.structure(again) == jax.tree.structure(outcome)
    assert again.curves["score"] is numbers["curves/score"]


# ---- keys


def test_a_key_covers_all_that_determines_a_piece():
    toy = piece("Toy")
    different = [
        toy,
        piece("Toy", arm="control"),
        piece("Toy", seeds=(0, 1, 3)),
        piece("Toy", lead=2.0),
        piece("Toy", tuned=({"rate": 0.1},) * 3),
        piece("OneByOne"),
        dataclasses.replace(toy, search=True),
    ]
    assert len({piece_key(each) for each in different}) == len(different)
    assert piece_key(toy) == piece_key(piece("Toy"))


def test_a_key_follows_the_users_own_modules(tmp_path):
    part, claim = tmp_path / "keyed_part.py", tmp_path / "keyed_claim.py"
    part.write_text("WIDTH = 3\n")
    claim.write_text(
        f"import sys\nsys.path.append({os.path.dirname(TOYS)!r})\n"
        "from toy_claims import AbstractToy\nimport keyed_part, numpy, neurula\n\n\n"
        "class Keyed(AbstractToy):\n    pass\n"
    )
    found = find(f"{claim}:Keyed")
    digests = [claim_digest(found)]
    for file, text in ((part, "WIDTH = 4\n"), (claim, claim.read_text() + "# more\n")):
        file.write_text(text)
        claim_digest.cache_clear()
        digests.append(claim_digest(found))
    assert len(set(digests)) == 3


def test_what_only_shows_is_no_part_of_the_key(monkeypatch):
    before = package_digest()
    package_digest.cache_clear()
    monkeypatch.setattr(keys, "_BYSTANDERS", keys._BYSTANDERS | {"network"})
    assert package_digest() != before
    package_digest.cache_clear()


# ---- from request to record


def test_a_claim_is_judged_and_resumed(tmp_path):
    first = drive(tmp_path, request("Toy"))["toy"]
    assert first["verdict"]["ruling"] == "supported"
    assert first["run"]["seeds"] == list(range(10))
    assert first["arms"]["brain"]["costs"]["samples"] == 1.0
    assert first["arms"]["brain"]["costs"]["flops"] > 0
    assert len(first["arms"]["control"]["score"]) == 10
    said = []
    again = drive(tmp_path, request("Toy"), said=said)["toy"]
    assert "toy: resumed 2 of 2 pieces" in said[-1]
    assert again["arms"]["brain"]["score"] == first["arms"]["brain"]["score"]
    assert again["run"]["key"] == first["run"]["key"]
    said = []
    drive(tmp_path, request("Toy"), said=said, fresh=True)
    assert "resumed" not in said[-1]


def test_a_damaged_piece_is_set_aside_computed_again_and_told(tmp_path):
    first = drive(tmp_path, request("Toy"))["toy"]
    damaged = sorted(tmp_path.glob("pieces/toy/*.npz"))[0]
    damaged.write_bytes(damaged.read_bytes()[:100])
    said = []
    again = drive(tmp_path, request("Toy"), said=said)["toy"]
    assert "was damaged" in said[0]
    assert "resumed 1 of 2 pieces" in said[-1]
    assert again["arms"]["brain"]["score"] == first["arms"]["brain"]["score"]
    assert damaged.is_file()
    assert damaged.with_name(damaged.name + ".corrupt").is_file()


def test_an_undecided_full_run_doubles_its_seeds_once(tmp_path):
    record = drive(tmp_path, request("Wide", "full", 12))["wide"]
    assert record["run"]["seeds"] == list(range(24))
    assert record["verdict"]["looks"] == 2
    assert len(record["arms"]["brain"]["score"]) == 24


@pytest.mark.parametrize(("budget", "looks"), [("full", 2), ("quick", 1)])
def test_a_decided_or_quick_run_does_not_grow(tmp_path, budget, looks):
    record = drive(tmp_path, request("Toy", budget, 12))["toy"]
    assert record["run"]["seeds"] == list(range(12))
    assert record["verdict"]["looks"] == looks


def test_seeds_that_crash_are_reported_and_other_claims_go_on(tmp_path):
    ended = drive(tmp_path, request("Unlucky"), request("Unweighable"), request("Toy"))
    crashed = ended["unlucky"]
    assert crashed["verdict"]["ruling"] != "supported"
    assert set(crashed["arms"]["brain"]["failed"]) == {"3", "7"}
    assert crashed["arms"]["brain"]["score"][3] is None
    assert crashed["arms"]["brain"]["curves"]["score"][7] is None
    assert any("seed 3" in problem for problem in crashed["verdict"]["problems"])
    assert "the scales are broken" in str(ended["unweighable"])
    assert ended["toy"]["verdict"]["ruling"] == "supported"


def test_a_piece_with_failures_is_tried_again(tmp_path):
    drive(tmp_path, request("Unlucky"))
    said = []
    drive(tmp_path, request("Unlucky"), said=said)
    assert "resumed 18 of 20 pieces" in said[-1]


def test_not_a_number_names_the_seed_and_supports_nothing(tmp_path):
    record = drive(tmp_path, request("NotANumber"))["not-a-number"]
    assert record["verdict"]["ruling"] != "supported"
    assert any("seed 4" in problem for problem in record["verdict"]["problems"])


def test_missing_data_make_a_claim_untestable_here(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURULA_DATA", str(tmp_path / "data"))
    record = drive(tmp_path, request("NoData"))["no-data"]
    assert record["verdict"]["ruling"] == "not testable here"
    assert record["verdict"]["finding"] is None
    assert "neurula data get mnist-10k" in record["verdict"]["problems"][0]


# ---- tuning


def test_tuning_finds_the_known_best_and_keeps_a_log(tmp_path):
    record = drive(tmp_path, request("Tuned"))["tuned"]
    log = record["tuning"]["log"]
    assert len(log) == TRIALS
    assert record["tuning"]["seeds"] == [1000, 1001, 1002, 1003]
    best = min(log, key=lambda entry: abs(entry["settings"]["place"] - 0.3))
    assert record["arms"]["brain"]["settings"] == best["settings"]
    assert record["arms"]["control"]["settings"] == {}


def test_a_trial_that_fails_loses_and_an_arm_without_trials_is_an_error():
    claim = find(f"{TOYS}:Tuned")()
    job = search(claim, f"{TOYS}:Tuned", {}, trials=3, seeds=2)
    [asked] = next(job)
    assert asked.seeds == (1000, 1001) * 3
    done = compute(asked)
    scores = np.array([0, 0, np.nan, 9, -5, -5], np.float32)
    spoiled = dataclasses.replace(done, outcome=as_outcome({"score": scores}))
    with pytest.raises(StopIteration) as stop:
        job.send([spoiled])
    assert stop.value.value["settings"]["brain"] == asked.tuned[0]
    job = search(claim, f"{TOYS}:Tuned", {}, trials=3, seeds=2)
    next(job)
    with pytest.raises(RuntimeError, match="no trial of arm 'brain' worked"):
        job.send([dataclasses.replace(done, outcome=None, rows=(), failed={0: "broken"})])


def test_settings_that_do_not_touch_are_tuned_one_by_one():
    """Scores for each setting: the first setting comes from trial 2, the second from trial 0."""

    class Two(type(find(f"{TOYS}:Tuned")())):
        def space(self, arm):
            return {"a": Range(0.1, 1.0), "b": Range(0.1, 1.0)} if arm == "brain" else {}

    job = search(Two(), f"{TOYS}:Tuned", {}, trials=3, seeds=2)
    [asked] = next(job)
    scores = np.array([[0, 9], [0, 9], [8, np.nan], [8, 9], [5, 1], [5, 1]], np.float32)
    numbers = Done(tuple(range(6)), as_outcome({"score": scores}), {}, 0.0, 0.0)
    with pytest.raises(StopIteration) as stop:
        job.send([numbers])
    tuned = stop.value.value
    assert tuned["settings"]["brain"] == {"a": asked.tuned[2]["a"], "b": asked.tuned[0]["b"]}
    assert [trial["scores"] for trial in tuned["log"]] == [[0, 9], [8, -np.inf], [5, 1]]


def test_arms_with_a_space_must_score_on_tuning_data():
    found = compute(dataclasses.replace(piece("Untuned", tuned=({"place": 0.1},) * 3), search=True))
    assert "Expected a score on tuning data" in found.failed[0]


def test_frozen_settings_are_used_and_must_fit(tmp_path, monkeypatch):
    claim = find(f"{TOYS}:Tuned")()
    file = tmp_path / "tuned.json"
    monkeypatch.setattr("neurula.tuning.frozen_file", lambda claim: file)
    assert frozen(claim) is None
    write_whole(file, b'{"trials": 1, "seeds": [1000], "log": [], "settings": {"brain": {}}}')
    with pytest.raises(Mistake, match=r"arm 'brain' has \[\] for \['place'\]"):
        frozen(claim)
    write_whole(file, b"{")
    with pytest.raises(Mistake, match="claim and file have parted"):
        frozen(claim)
    write_whole(
        file, b'{"trials": 1, "seeds": [1000], "log": [], "settings": {"brain": {"place": 0.5}}}'
    )
    record = drive(tmp_path / "results", request("Tuned"))["tuned"]
    assert record["arms"]["brain"]["settings"] == {"place": 0.5}
    assert record["tuning"]["trials"] == 1


def test_frozen_settings_lie_beside_the_claim():
    file = frozen_file(find(f"{TOYS}:Tuned")())
    assert file == Path(TOYS).parent / "tuned" / "tuned.json"


# ---- progress


def test_longest_first_claim_by_claim():
    known = {("a", "brain"): 1.0, ("a", "control"): 5.0, ("b", "brain"): 3.0}
    board = Board(Console(file=io.StringIO()), known, 2)
    a = [piece("Toy", "brain"), piece("Toy", "control")]
    b = [piece("Toy", "brain"), piece("Toy", "brain", seeds=tuple(range(30)))]
    board.expect("a", a, a)
    board.expect("b", b, b)
    assert board.longest_first([*a, *b]) == [b[1], b[0], a[1], a[0]]
    assert board.left(board.claims["a"]) == pytest.approx(9.0)  # 18 seconds on two workers


def test_time_passes_while_a_piece_runs():
    board = Board(Console(file=io.StringIO()), {("a", "brain"): 10.0}, 1)
    mine = piece("Toy", "brain", seeds=(0,))
    board.expect("a", [mine], [mine])
    board.begin(mine)
    board.claims["a"].began[id(mine)] -= 4.0
    assert board.left(board.claims["a"]) == pytest.approx(6.0, abs=0.5)


def test_the_pace_of_earlier_runs(tmp_path):
    record = drive(tmp_path, request("Toy"))["toy"]
    record["arms"]["brain"]["seconds"] = 20.0
    assert pace([record], "quick")["toy", "brain"] == 2.0
    assert pace([record], "full") == {}
    assert pace([record | {"run": record["run"] | {"variant": True}}], "quick") == {}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.0, "59 s"), (200.0, "3 min 20 s"), (7500.0, "2 h 5 min")],
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words
