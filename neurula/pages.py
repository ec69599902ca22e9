"""What all pages share: one offline HTML file, its look, its pictures, and scripts known by digest.

W3C (2023), Web Content Accessibility Guidelines 2.2.
"""

import base64
import hashlib
import json
from importlib import resources
from typing import Any, NamedTuple

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from .pictures import theme


class Drawing(NamedTuple):
    """A figure on the page."""

    name: str  # of its element, and of the file that a reader saves
    title: str
    words: str  # what it shows
    figure: dict[str, Any]

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.figure["layout"].get("height") or 450)

    @property
    def json(self) -> Markup:
        """JSON that cannot end the script element that it stands in."""
        return embedded(self.figure)


def embedded(value: Any) -> Markup:
    """JSON for a script element."""
    return Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))


def look() -> dict[str, Any]:
    """What all figures of a page share; it is there once."""
    return json.loads(go.Figure(layout={"template": theme.template()}).to_json())["layout"][
        "template"
    ]


def drawn(name: str, title: str, told: str, figure: go.Figure | dict[str, Any]) -> Drawing:
    """A figure as wide as the page, its look left to the page."""
    known = json.loads(figure.to_json()) if isinstance(figure, go.Figure) else figure
    layout = {
        part: value
        for part, value in known.get("layout", {}).items()
        if part not in ("template", "width")
    }
    return Drawing(name, title, told, {"data": known.get("data", []), "layout": layout})


def render(template: str, **values: Any) -> str:
    """The page of a template: scripts, style and look come from here, all else from `values`."""
    scripts = [_script(get_plotlyjs()), _script(_read("report.js"))]
    maker = Environment(
        loader=PackageLoader("neurula"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return maker.get_template(template).render(
        scripts=scripts,
        policy=" ".join(f"'sha256-{_digest(script)}'" for script in scripts),
        style=Markup(_read("report.css")),
        look=embedded(look()),
        marks={ruling: each.sign for ruling, each in theme.RULINGS.items()},
        **values,
    )


def _read(name: str) -> str:
    return (resources.files("neurula") / "templates" / name).read_text(encoding="utf-8")


def _script(text: str) -> Markup:
    """A script as browsers see it: with line feeds only, so that its digest is the same."""
    return Markup(text.replace("\r\n", "\n").replace("\r", "\n"))


def _digest(script: str) -> str:
    """By this digest the page names its scripts; browsers run no other, whatever a record holds."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
