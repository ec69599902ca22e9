"""What the documentation shows, runs; where it points, something is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
FENCE = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_fences_run(page, tmp_path, monkeypatch):
    fences = FENCE.findall(page.read_text())
    monkeypatch.chdir(tmp_path)
    names = {}
    for fence in fences:  # later fences of a page may use what earlier ones made
        exec(compile(fence, str(page), "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for link in LINK.findall(page.read_text()):
        assert (page.parent / link).exists(), f"{page.name} points to {link}"


@pytest.mark.slow
@pytest.mark.parametrize("example", sorted(ROOT.glob("examples/*.py")), ids=lambda p: p.stem)
def test_examples_run(example, tmp_path):
    done = subprocess.run(
        [sys.executable, str(example)], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_a_claim_of_ones_own_is_short():
    assert len((ROOT / "examples/03_my_claim.py").read_text().splitlines()) < 60
