import itertools
import json
import re
from html.parser import HTMLParser

import fake_records as fake
import pytest

from neurula import (
    report,
    report_numbers as numbers,
    report_tables as tables,
    report_words as words,
)
from neurula.mistake import Mistake
from neurula.report import write_report

RECORDS = fake.all_records()


class Page(HTMLParser):
    """Elements, texts and scripts of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.scripts, self.inside = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        (self.scripts if self.inside == "script" else self.texts).append(data)

    def all(self, *tags):
        return [attrs for tag, attrs in self.elements if tag in tags]

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    adjusted = {record["claim"]: 0.123 for record in RECORDS}
    return write_report(RECORDS, tmp_path_factory.mktemp("report") / "r.html", adjusted=adjusted)


@pytest.fixture(scope="module")
def source(file):
    return file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(source):
    return Page(source)


def test_one_small_file_that_asks_nothing_of_the_network(file, source, page):
    assert [each.name for each in file.parent.iterdir()] == ["r.html"]
    assert file.stat().st_size < report.LIMIT
    assert source.count("plotly.js v") == 1
    assert page.all("link", "iframe", "img", "object") == []
    assert all("src" not in attrs for _, attrs in page.elements)
    assert all(attrs["href"].startswith("#") for attrs in page.all("a"))
    policy = next(a["content"] for a in page.all("meta") if "http-equiv" in a)
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy


def test_every_record_and_every_raw_value_is_there(page):
    for record in RECORDS:
        assert record["card"]["statement"] in page.text
        assert record["run"]["command"] in page.text
        assert all(arm in page.text for arm in record["arms"])
    values = {attrs["value"] for attrs in page.all("data")}
    for record in RECORDS:
        for arm in record["arms"].values():
            assert all(str(score) in values for score in arm["score"] if score is not None)


def test_names_cannot_become_code(source, page):
    assert "<img src=x" not in source
    assert len(page.all("script")) == len(page.scripts)
    assert all("pwned" not in script or script.startswith("{") for script in page.scripts)
    data = [a["id"] for a in page.all("script") if a.get("type") == "application/json"]
    embedded = re.findall(
        r'<script type="application/json" id="[^"]*">(.*?)</script>', source, re.S
    )
    assert len(embedded) == len(data)
    assert any("pwned" in json.dumps(json.loads(text)) for text in embedded)


def test_page_is_built_for_all_readers(page):
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    named = [a[key] for _, a in page.elements for key in ("aria-labelledby",) if key in a]
    assert {name for each in named for name in each.split()} <= set(ids)
    assert {a["href"][1:] for a in page.all("a")} <= set(ids)
    assert len(page.all("table")) == len(page.all("caption"))
    assert all(a.get("scope") in ("row", "col") for a in page.all("th"))
    assert len(page.all("figure")) == len(page.all("figcaption"))
    assert all(a["data-words"].strip() for a in page.all("div") if a.get("class") == "plot")
    assert page.all("html") == [{"lang": "en"}]
    assert page.all("a")[0]["class"] == "skip"


def test_variants_and_smoke_runs_stand_apart(page):
    assert "5 rulings, 2 other runs" in page.text
    before, after = page.text.split("Other runs, which rule nothing", 1)
    assert "smoke: not a ruling" in after
    assert "smoke: not a ruling" not in before
    assert "variant: supported" in after
    assert "width = 32" in after
    assert "width = 32" not in before


def test_full_counts_before_quick_and_claims_may_come_twice(tmp_path):
    full = fake.supported()
    full["run"]["budget"] = "full"
    text = write_report([fake.supported(), full], tmp_path / "r.html").read_text(encoding="utf-8")
    page = Page(text)
    assert "1 ruling, 1 other run" in page.text
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_what_went_wrong_is_told(page):
    record = fake.inconclusive()
    assert "FloatingPointError: invalid value in step 12" in page.text
    assert "A gate failed" in words.reason(record)
    table = tables.scores_table(record)
    told = {row[0].text: row[1].text for row in table.rows}
    assert told["seed 3"].startswith("FloatingPointError")
    assert told["seed 7"] == "missing"
    assert "2 missing" in words.scores_in_words(tables.scores(record))
    assert "neurula data get brain92" in words.reason(fake.not_testable())


def test_holm_stands_in_a_column_if_it_is_given(page, tmp_path):
    assert "p (Holm)" in page.text
    text = write_report(RECORDS[:1], tmp_path / "r.html").read_text(encoding="utf-8")
    assert "p (Holm)" not in Page(text).text


def test_reasons_follow_from_the_numbers():
    assert "lies within 1 of zero" in words.reason(fake.supported())
    assert "The whole interval lies below 2" in words.reason(fake.refuted())
    record = fake.refuted()
    record["verdict"]["ruling"] = "inconclusive"
    assert "would say refuted, but the problems" in words.reason(record)
    record["verdict"]["finding"] |= {"ruling": "inconclusive", "low": 0.5, "estimate": 1.0}
    record["verdict"]["seeds_needed"] = 44
    assert "the estimate stays below the margin of 2" in words.reason(record)
    assert "44 seeds" in words.reason(record)


def test_protocol_is_generated_from_the_record():
    told = dict(words.protocol(fake.supported()))
    assert told["Seeds"].startswith("12 (0 to 11) for every arm")
    assert "2 trials" in told["Tuning"]
    assert told["Matched"] == "parameters, updates, samples, flops are equal in all arms"
    assert told["Rule"] == fake.supported()["card"]["rule"]
    record = fake.supported()
    record["arms"]["backprop"]["costs"]["updates"] = 3800
    assert "not matched: updates (1,900 to 3,800)" in words.matched(record)
    record["arms"]["sign-symmetric feedback"]["costs"]["samples"] = 1  # a probe judges nothing
    assert "samples" not in words.matched(record).split("not matched")[1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (12, "12"), (121600, "121,600"), (-0.5, "\N{MINUS SIGN}0.5"), (0.12345, "0.123"),
        (3.1e10, "3.1 \N{MULTIPLICATION SIGN} 10¹⁰"), (2e-7, "2 \N{MULTIPLICATION SIGN} 10⁻⁷"),
        (None, "\N{EN DASH}"), (True, "True"), ([1, 2], "[1, 2]"), ("text", "text"),
    ],
)  # fmt: skip
def test_numbers_are_written_for_readers(value, text):
    assert numbers.number(value) == text


def test_intervals_share_their_decimals():
    assert numbers.alike(1.23456, -0.5, 3.0) == ["1.2", "\N{MINUS SIGN}0.5", "3.0"]
    assert numbers.alike(-0.0001, 5.0, None) == ["0.0", "5.0", "\N{EN DASH}"]
    assert numbers.listed([0, 1, 2, 5, 7, 8]) == "0 to 2, 5, 7, 8"


def test_large_reports_are_thinned_and_say_so(tmp_path, monkeypatch):
    records = [fake.supported()]
    whole = write_report(records, tmp_path / "whole.html").stat().st_size
    monkeypatch.setattr(report, "LIMIT", whole - 1000)
    monkeypatch.setattr(report, "SIZES", ((200, True), (5, False)))
    small = write_report(records, tmp_path / "small.html")
    assert small.stat().st_size < whole - 1000
    assert "learning curves have at most 5 points" in small.read_text(encoding="utf-8")
    monkeypatch.setattr(report, "LIMIT", 1000)
    with pytest.raises(ValueError, match=r"1 records would have \d+ MB"):
        write_report(records, tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()


def test_a_failed_write_leaves_the_old_page(tmp_path):
    (tmp_path / "r.html").mkdir()  # nothing can be written there
    with pytest.raises(Mistake, match=r"Expected to write .*r\.html, and could not"):
        write_report([], tmp_path / "r.html")
    assert [each.name for each in tmp_path.iterdir()] == ["r.html"]


def test_nothing_to_report_is_a_page_too(tmp_path):
    text = Page(write_report([], tmp_path / "r.html").read_text(encoding="utf-8")).text
    assert "0 rulings" in text
