"""The command line: what users type, see, and get wrong."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import toy_claims
from hypothesis import given, settings, strategies as st

from neurula import claims, cli, lookup, oracles
from neurula.experiment import AbstractClaim
from neurula.lookup import find
from neurula.mistake import Mistake

TOYS = str(Path(__file__).parent / "toy_claims.py")
ON_THE_SHELF = {"sure": toy_claims.Sure, "wide": toy_claims.Wide}


@pytest.fixture
def neurula(tmp_path, monkeypatch, capsys):
    """Run the command line in this process: (exit code, standard output, standard error)."""
    monkeypatch.setenv("NEURULA_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("neurula.session.processes", lambda asked: 0)

    def call(*words):
        try:
            code = cli._main(list(words))
        except SystemExit as left:
            code = left.code
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def shelf(monkeypatch):
    """Two toys among the claims that come with neurula; the first is part of the tour."""
    monkeypatch.setattr(claims, "Sure", toy_claims.Sure, raising=False)
    monkeypatch.setattr(claims, "Wide", toy_claims.Wide, raising=False)
    lookup.shipped.cache_clear()
    lookup.find.cache_clear()
    yield
    monkeypatch.undo()
    lookup.shipped.cache_clear()
    lookup.find.cache_clear()


def command(*words):
    return [sys.executable, "-m", "neurula", *words]


# ---- quick to start


def test_help_needs_neither_jax_nor_anything_heavy():
    code = (
        "import sys, neurula.cli as c\n"
        "try: c._main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('jax', 'numpy', 'sklearn', 'plotly', 'rich') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.rstrip().endswith("[]")
    assert "neurula run" in found.stdout


def test_every_command_has_help_with_an_example(neurula):
    for name in ("run", "list", "show", "report", "data", "doctor"):
        code, out, _ = neurula(name, "--help")
        assert code == 0
        assert f"neurula {name}" in out.partition("\n")[2], f"no example in the help of {name}"


# ---- the main job


def test_the_tour_is_what_run_judges(neurula, shelf, tmp_path, monkeypatch):
    monkeypatch.setattr("neurula.requests.shipped", lambda: ON_THE_SHELF)
    code, out, _ = neurula("run", "--smoke")
    assert code == 0
    assert "sure" in out
    assert "wide" not in out
    page = tmp_path / "results" / "run.html"
    assert f"Report: {page}" in out
    assert "sure" in page.read_text()


def test_all_claims_say_beforehand_how_long(neurula, shelf, monkeypatch):
    monkeypatch.setattr("neurula.requests.shipped", lambda: ON_THE_SHELF)
    code, out, _ = neurula("run", "--all", "--smoke")
    assert code == 0
    assert out.startswith(
        "2 claims, 4 pieces of work, 1 at once (2 of them without an earlier run)"
    )
    _, out, _ = neurula("run", "sure", "wide", "--smoke", "--fresh")
    assert re.match(r"2 claims, 4 pieces of work, 1 at once: about \d+ s, going by earlier", out)


def test_a_ruling_shows_effect_interval_margin_and_seeds(neurula):
    code, out, _ = neurula("run", f"{TOYS}:Toy")
    assert code == 0
    assert re.search(
        r"supported +toy +0\.943 \[0\.\d+, 1\.\d+\] points, margin 0\.5, 10 seeds", out
    )


def test_json_is_all_there_is_on_standard_output(neurula):
    code, out, err = neurula("run", f"{TOYS}:Toy", "--json")
    assert code == 0
    document = json.loads(out)
    [record] = document["records"]
    assert record["verdict"]["ruling"] == "supported"
    assert record["run"]["command"] == f"neurula run {TOYS}:Toy --quick"
    assert Path(document["report"]).is_file()
    assert "supported" in err


def test_changed_settings_make_a_variant_that_replaces_nothing(neurula, tmp_path):
    neurula("run", f"{TOYS}:Toy")
    code, out, _ = neurula("run", f"{TOYS}:Toy", "--lead", "0.2", "--seeds", "9", "--json")
    record = json.loads(out)["records"][0]
    assert code == 0
    assert record["run"]["variant"]
    assert record["run"]["changed"] == {"lead": 0.2, "seeds": 9}
    assert record["run"]["settings"]["lead"] == 0.2
    assert record["run"]["command"] == f"neurula run {TOYS}:Toy --quick --lead 0.2 --seeds 9"
    files = sorted(file.name for file in (tmp_path / "results/records/toy").iterdir())
    assert files[1] == "quick.json"
    assert files[0].startswith("quick-")
    _, out, _ = neurula("run", f"{TOYS}:Toy", "--lead", "1.0", "--json")
    assert not json.loads(out)["records"][0]["run"]["variant"]  # what it is anyway


def test_the_settings_of_one_claim_are_flags_and_nothing_else_is(neurula):
    _, out, _ = neurula("run", f"{TOYS}:Toy", "--help")
    assert "points between the arms" in out
    assert "(default: 1.0)" in out
    for name in ("--margin", "--arms", "--budgets", "--statement", "--batched"):
        assert name not in out


def test_a_crash_is_told_and_leaves_exit_code_1(neurula):
    code, out, _ = neurula("run", f"{TOYS}:Unlucky", f"{TOYS}:Unweighable", f"{TOYS}:Toy")
    assert code == 1
    assert "arm 'brain', seed 3: ValueError: this seed is unlucky" in out
    assert re.search(r"broke +unweighable: RuntimeError: the scales are broken", out)
    assert re.search(r"supported +toy", out)


# ---- bad input


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--seeds", "1"], r"expected a whole number of at least 2, got '1'"),
        (["run", "--seeds", "-3"], r"--seeds"),
        (["run", "--seeds", "many"], r"expected a whole number of at least 2, got 'many'"),
        (["run", "--workers", "0"], r"expected a whole number of at least 1, got '0'"),
        (["run", "--quick", "--full"], r"not allowed together"),
        (["run", "--medium"], r"Unrecognized options: --medium"),
        (["run", "--seed", "3"], r"(?s)Unrecognized options.*--seeds"),
        (["run", f"{TOYS}:Toy", "--laed", "3"], r"(?s)Unrecognized options: --laed.*--lead"),
        (["run", f"{TOYS}:Toy", "--lead", "much"], r"(?s)--lead.*much"),
        (["run", f"{TOYS}:Toy", f"{TOYS}:Slow", "--lead", "3"], r"Unrecognized options: --lead"),
        (["run", "wied"], r"Expected the id of a claim, and got 'wied'.*Nearest: .*wide"),
        (["run", "qqq"], r"no such claim\. All of them: neurula list"),
        (["show", "suer"], r"Nearest: .*sure"),
        (["run", "--all", "wide"], r"Expected --all or claims, and got both"),
        (["run", "wide", f"{TOYS}:Wide"], r"called 'wide', and neurula has one of that name"),
        (["run", "nowhere.py"], r"Expected a Python file at nowhere\.py, and there is none"),
        (["run", TOYS], r"Expected one claim in .*toy_claims\.py, and found \d\d\. .*Toy"),
        (["run", f"{TOYS}:Missing"], r"Expected a class Missing in .*Its claims: .*Wide"),
        (["run", f"{TOYS}:Outcome"], r"Expected a claim, and Outcome .* is none"),
        (["run", f"{TOYS}:Slow", "--full"], r"Expected a budget 'full' of slow, and it has"),
        (["run", "no_such_module:Claim"], r"ModuleNotFoundError.*Install no_such_module"),
        (["data", "get"], r"Expected the name of a data set after get"),
        (["data", "get", "nothing"], r"There is no such set"),
        (["report"], r"Expected rulings to report on, and found none"),
        (["rum"], r"Unrecognized options: rum"),
    ],
)
def test_bad_input_gives_one_clear_message_and_exit_code_2(neurula, shelf, words, message):
    code, out, err = neurula(*words)
    assert code == 2
    assert re.search(message, err), err
    assert "Traceback" not in err
    assert out == ""


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=20)
    | st.from_regex(r"[a-z0-9_./ -]{0,12}(\.py)?(:[A-Za-z_0-9]{0,6})?", fullmatch=True)
    | st.from_regex(r"toy_(claims|work)(\.[a-z]{1,3})?:[A-Z][a-z]{0,3}", fullmatch=True)
)
def test_any_words_name_a_claim_or_are_a_mistake(name):
    with contextlib.suppress(Mistake):  # and nothing else
        assert issubclass(find(name), AbstractClaim)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("a b", ["a", "b"]),
        ("--full a", ["a"]),
        ("--seeds 5 --fresh a --width 32 b", ["a"]),
        ("--seeds=5 a", ["a"]),
        ("--results folder a b --json", ["a", "b"]),
        ("--width 32 a", []),
        ("", []),
    ],
)
def test_settings_stand_behind_the_claim(words, named):
    assert cli._named(words.split()) == named


BROKEN = {
    "syntax": ("x = 1\ny = (\n", r"SyntaxError: '\(' was never closed .*syntax\.py, line 2\)"),
    "raising": ("\n1 / 0\n", r"ZeroDivisionError: division by zero .*raising\.py, line 2\)"),
    "exiting": ("import sys\nsys.exit(3)\n", r"SystemExit: 3 .*line 2\)"),
    "missing": ("import nowhere_at_all\n", r"ModuleNotFoundError.*line 1\)\. Install nowhere_at"),
    "cycle_a": ("from cycle_b import B\nA = 1\n", r"ImportError.*line 1.*move what both need"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_does_not_import_is_told_in_one_line(tmp_path, name):
    sys.modules.pop("cycle_b", None)
    (tmp_path / "cycle_b.py").write_text("from cycle_a import A\nB = 1\n")
    text, message = BROKEN[name]
    file = tmp_path / f"{name}.py"
    file.write_text(text)
    with pytest.raises(Mistake, match=message) as caught:
        find(str(file))
    assert "\n" not in str(caught.value)
    sys.modules.pop("cycle_b", None)


def test_a_claim_has_to_be_complete(tmp_path):
    file = tmp_path / "half_claim.py"
    file.write_text(
        "from neurula.experiment import AbstractClaim\n\n\nclass Half(AbstractClaim):\n    pass\n"
    )
    with pytest.raises(Mistake, match="should be complete without arguments, and it is not"):
        find(f"{file}:Half")


def test_a_setting_must_not_hide_a_flag(neurula, tmp_path):
    file = tmp_path / "hiding_claim.py"
    file.write_text(
        "from toy_claims import AbstractToy\n\n\nclass Hiding(AbstractToy):\n    seeds: int = 3\n"
    )
    code, _, err = neurula("run", str(file))
    assert code == 2
    assert "neurula run has flags of that name" in err


def test_a_results_folder_that_cannot_be_written(neurula, tmp_path):
    (tmp_path / "blocked").write_text("a file")
    code, _, err = neurula("run", f"{TOYS}:Toy", "--results", str(tmp_path / "blocked"))
    assert code == 2
    assert re.search(r"Expected to write .*blocked.*--results FOLDER", err)


# ---- looking around


def test_the_list_shows_the_last_ruling(neurula, shelf):
    _, out, _ = neurula("list", "--json")
    rows = {row["claim"]: row for row in json.loads(out)["claims"]}
    assert rows["sure"]["ruling"] is None
    assert rows["sure"]["tour"]
    neurula("run", "sure")
    _, out, _ = neurula("list", "--json")
    row = next(row for row in json.loads(out)["claims"] if row["claim"] == "sure")
    assert (row["ruling"], row["budget"], row["from"]) == ("supported", "quick", "local")
    assert set(row) >= {"statement", "source", "level", "kind"}
    _, out, _ = neurula("list")
    assert "supported (quick)" in out


def test_a_shipped_ruling_is_marked_so(neurula, shelf, monkeypatch):
    neurula("run", "sure")
    _, out, _ = neurula("run", "sure", "--json")
    records = json.loads(out)["records"]
    monkeypatch.setattr("neurula.cards.shipped_records", lambda: records)
    monkeypatch.setenv("NEURULA_RESULTS", "/nowhere")
    _, out, _ = neurula("list")
    assert "supported (quick, shipped)" in out


def test_the_card_shows_everything(neurula):
    _, out, _ = neurula("show", f"{TOYS}:Tuned")
    for text in (
        "The brain arm has a lead.", "a toy", "algorithm", "noise and a lead", "noise alone",
        "0.5 points", "the lead is below half a point", "a lead of one point", "it is a toy",
        "--lead 1.0", "--spread 0.1", "smoke: 2 seeds", "none yet",
    ):  # fmt: skip
        assert text in out
    neurula("run", f"{TOYS}:Tuned")
    _, out, _ = neurula("show", f"{TOYS}:Tuned")
    assert "supported (quick, local" in out
    assert "flops" in out
    assert "Rule: " in out


def test_the_report_holds_all_local_rulings(neurula, tmp_path):
    neurula("run", f"{TOYS}:Toy", "--smoke")
    neurula("run", f"{TOYS}:Toy", "--smoke", "--lead", "3")
    code, out, _ = neurula("report")
    assert code == 0
    assert (tmp_path / "results" / "report.html").is_file()
    assert "report.html" in out


def test_data_sets_are_listed(neurula):
    code, out, _ = neurula("data", "list")
    assert code == 0
    assert "digits" in out


def test_the_doctor_warns_of_a_jax_that_computes_wrongly(neurula, monkeypatch):
    for name in ("firing_rate", "gradient", "first_component", "wirings", "workers"):
        monkeypatch.setattr(oracles, name, lambda: (True, "not tried"))
    code, out, _ = neurula("doctor")
    assert code == 0
    assert "All is well." in out
    monkeypatch.setattr(oracles, "canary", lambda: (False, "1 of 32769 sums are wrong"))
    code, out, _ = neurula("doctor", "--json")
    assert code == 1
    found = json.loads(out)
    assert not found["right"]
    assert 'pip install "jax>=0.10.1,!=0.10.2,!=0.11.0"' in found["checks"][0]["mend"]


def test_oracles_of_the_engine_hold():
    for oracle in (
        oracles.canary, oracles.firing_rate, oracles.gradient, oracles.first_component,
        oracles.wirings,
    ):  # fmt: skip
        right, found = oracle()
        assert right, f"{oracle.__name__}: {found}"


def test_the_canary_holds_as_users_compile():
    """Tests are compiled with less effort, and a compiler that errs may do so at full effort."""
    code = "from neurula import oracles; right, found = oracles.canary(); assert right, found"
    users = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    subprocess.run([sys.executable, "-c", code], env=users, check=True)


# ---- real processes


def start(tmp_path, *words, **environment):
    return subprocess.Popen(
        command("run", f"{TOYS}:Slow", "--workers", "2", *words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"NEURULA_RESULTS": str(tmp_path), **environment},
    )


def wait_for_pieces(tmp_path, process, number):
    for _ in range(1200):
        if len(list(tmp_path.glob("pieces/slow/*.npz"))) >= number:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("no piece was finished in a minute")


@pytest.mark.slow
@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_run_that_is_stopped_goes_on_where_it_was(tmp_path, how, code):
    process = start(tmp_path)
    wait_for_pieces(tmp_path, process, 4)
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    if how == signal.SIGINT:
        assert "to go on: neurula run" in err
        assert "Traceback" not in err
    found = len(list(tmp_path.glob("pieces/slow/*.npz")))
    assert 4 <= found < 20
    out, err = start(tmp_path).communicate(timeout=120)
    assert f"slow: resumed {found} of 20 pieces" in out, err
    assert re.search(r"supported +slow", out)


@pytest.mark.slow
def test_workers_end_with_a_run_that_is_killed(tmp_path):
    process = start(tmp_path)
    wait_for_pieces(tmp_path, process, 1)
    found = subprocess.run(
        ["ps", "--ppid", str(process.pid), "-o", "pid="], capture_output=True, text=True, check=True
    )
    children = [int(pid) for pid in found.stdout.split()]
    assert len(children) >= 2
    process.kill()
    process.communicate()
    time.sleep(2)
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


@pytest.mark.slow
def test_two_runs_at_once_agree(tmp_path):
    processes = [start(tmp_path, "--json") for _ in range(2)]
    answers = [process.communicate(timeout=180) for process in processes]
    records = [json.loads(out)["records"][0] for out, _ in answers]
    assert records[0]["arms"]["brain"]["score"] == records[1]["arms"]["brain"]["score"]
    assert [process.returncode for process in processes] == [0, 0]
    assert not list(tmp_path.rglob("*.corrupt"))
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.slow
def test_a_worker_that_dies_does_not_take_the_others_along(tmp_path):
    found = subprocess.run(
        command("run", f"{TOYS}:Dying", f"{TOYS}:Toy", "--json"),
        capture_output=True, text=True, check=False,
        env=os.environ | {"NEURULA_RESULTS": str(tmp_path)},
    )  # fmt: skip
    assert found.returncode == 1
    dying, toy = json.loads(found.stdout)["records"]
    assert "SIGKILL" in dying["arms"]["brain"]["failed"]["0"]
    assert toy["verdict"]["ruling"] == "supported"


@pytest.mark.slow
def test_the_doctor_needs_half_a_minute_at_most(tmp_path):
    begin = time.monotonic()
    found = subprocess.run(command("doctor"), capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert time.monotonic() - begin < 30
