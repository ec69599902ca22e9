import fake_records as fake
import numpy as np
import pytest
from accessibility import PROBLEMS
from chromium import Chromium, find_chromium

from neurula.contracts import Recording
from neurula.formats.responses import Contents
from neurula.likeness import compare
from neurula.likeness_page import write_page
from neurula.report import write_report

RECORDS = fake.all_records()
DRAWN = "document.querySelectorAll('.plot svg.main-svg[role=img][aria-label]').length"
PLOTS = "document.querySelectorAll('.plot').length"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write_report(RECORDS, tmp_path_factory.mktemp("report") / "r.html")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if find_chromium() is None:
        pytest.skip("no Chromium or Chrome on this machine")
    with Chromium(tmp_path_factory.mktemp("profile")) as found:
        yield found


def quiet(browser):
    assert browser.complaints == []
    outside = [url for url in browser.requests if not url.startswith(("file:", "data:", "blob:"))]
    assert outside == []


def test_pictures_are_drawn_when_they_are_near(browser, file):
    browser.open(file)
    browser.wait(f"{DRAWN} > 0")
    assert browser.run(DRAWN) < browser.run(PLOTS)  # the others wait until they are looked at
    browser.run("neurula.drawAll()")
    browser.wait(f"{DRAWN} === {PLOTS}")
    assert browser.run("window.pwned") is None
    buttons = browser.run("[...document.querySelectorAll('.modebar-btn')].map(b => b.ariaLabel)")
    assert any("Download plot" in button for button in buttons)
    assert not any("cloud" in button.lower() for button in buttons)
    quiet(browser)


def test_a_phone_scrolls_in_one_direction(browser, file):
    browser.open(file, width=390, height=844)
    browser.run("neurula.drawAll()")
    browser.wait(f"{DRAWN} === {PLOTS}")
    assert browser.run("innerWidth") == 390
    assert browser.run("document.documentElement.scrollWidth") <= 390
    quiet(browser)


def test_dark_and_light_follow_the_system_and_the_button(browser, file):
    ink = "getComputedStyle(document.querySelector('.plot .legendtext')).fill"
    browser.open(file, dark=True)
    browser.wait(f"{DRAWN} > 0")
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 28)"
    assert browser.run(ink) == "rgb(228, 231, 235)"
    browser.run("document.getElementById('theme').click()")
    browser.wait(f"{ink} === 'rgb(28, 33, 39)'")
    assert browser.run("document.getElementById('theme').getAttribute('aria-pressed')") == "false"
    quiet(browser)


def test_paper_gets_everything(browser, file):
    browser.open(file, dark=True)
    watch = "addEventListener('beforeprint', () => { window.seen = [%s, %s, %s] })"
    closed = "document.querySelectorAll('details:not([open])').length"
    browser.run(watch % ("document.querySelectorAll('.plot svg.main-svg').length", closed, PLOTS))
    browser.call("Page.printToPDF")
    drawn, shut, plots = browser.run("window.seen")
    assert drawn >= plots
    assert shut == 0
    assert browser.run(closed) > 0  # as before
    quiet(browser)


def test_tables_become_files_with_whole_numbers(browser, file):
    browser.open(file)
    name = next(r for r in RECORDS if r["claim"] == "free-graph")["arms"]["layers"]["score"][0]
    table = "document.getElementById('claim-free-graph--values')"
    assert str(name) in browser.run(f"neurula.csv({table})").splitlines()[1]
    heads = browser.run("neurula.csv(document.querySelector('[id$=script-sc--values]'))")
    assert '"\'=HYPERLINK(1)"' in heads.splitlines()[0]  # no formula for a spreadsheet
    quiet(browser)


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    rng = np.random.default_rng(0)
    names = tuple(f"picture <{k}>" for k in range(9))
    held = lambda *names_of: Contents(  # noqa: E731
        {
            name: (Recording(rng.normal(size=(9, 7)), name, labels={"stimulus": names}),)
            for name in names_of
        },
        {},
        named=True,
    )
    nulls = {"untrained": ("it learned nothing", held("late layer"))}
    found = compare(
        held("early", "late layer"),
        held("V1", "IT"),
        nulls,
        comparison="cosine",
        resamples=9,
        shuffles=9,
    )
    page = tmp_path_factory.mktemp("compare") / "c.html"
    write_page(found, page, title="a model & a brain", command="neurula compare a b", versions={})
    return page


def test_a_comparison_is_drawn_and_fits_a_phone(browser, comparison):
    browser.open(comparison, width=390, height=844)
    browser.run("neurula.drawAll()")
    browser.wait(f"{DRAWN} === {PLOTS}")
    assert browser.run(PLOTS) == 4  # layers by areas, two areas, the matrices
    assert browser.run("document.documentElement.scrollWidth") <= 390
    assert browser.run("document.querySelectorAll('#area-it li').length") >= 4
    quiet(browser)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("which", ["file", "comparison"])
def test_pages_can_be_read_by_all(browser, which, dark, request):
    browser.open(request.getfixturevalue(which), dark=dark)
    browser.run("neurula.drawAll()")
    browser.wait(f"{DRAWN} === {PLOTS}")
    browser.run("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert browser.run(PROBLEMS) == []


def test_problems_of_a_page_are_found(browser, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        "<!doctype html><html><head><title>x</title></head><body><main><h1>A</h1><h3>B</h3>"
        "<button></button><p id=a style='color:#aaa'>pale</p><p id=a>twice</p><a href='#b'>to</a>"
        "<table><tr><th>C</th></tr></table><div aria-labelledby=c>D</div></main></body></html>"
    )
    browser.open(page)
    found = {each.split(":")[0] for each in browser.run(PROBLEMS)}
    assert found == {
        "no language", "a level is left out", "an id twice", "a link leads nowhere", "no caption",
        "no scope", "aria-labelledby leads nowhere", "contrast 2.32",
    } | {"no name"}  # fmt: skip
