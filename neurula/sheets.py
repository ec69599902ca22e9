"""Sheets of cells behind each other, that pass potential forwards, sideways and backwards.

Lateral and feedback connections in convolutional networks: Liang & Hu (2015), CVPR 3367; Spoerer,
McClure & Kriegeskorte (2017), Front. Psychol. 8:1551.
"""

import math
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from .contracts import AbstractBlock
from .wirings import Grid

Link = Literal["forward", "lateral", "backward"]
STEPS: dict[Link, int] = {"forward": -1, "lateral": 0, "backward": 1}  # to the sheet that speaks
Kernels = Float[Array, "level sheet channel heard"]


class Sheets(AbstractBlock[None]):
    """Cells of a sheet hear the places around them, in their own sheet, the last and the next.

    Equations, for sheet s of cells with several channels: x_s <- x_s + pace (max(b_s + sum of
    W_link n_link, 0) - x_s), again and again, `steps` times from zero. n_link is what a cell and
    its 8 neighbours held one step before, in the sheet before ("forward"), in the same sheet
    ("lateral") and in the next ("backward"). The first sheet also hears the picture, at the same
    3 x 3 places. Weights are those of all cells of a sheet, and of all steps. With `tied=False`
    every step has weights of its own: one sheet with lateral links is then a feed-forward net of
    as many sheets.
    Every cell of the last sheet gives `told` answers, (answer, cell) in a row, or with `whole` all
    of them together give one set. `order` names the cells that stand in for the neighbours in
    lateral and backward links. A picture is seen at all steps of one call, and nothing stays.
    Units: none; time in steps. Raises `ValueError` for unknown links or another grid.
    """

    grid: Grid
    enter: Float[Array, "channel seen"]
    links: dict[str, Kernels]
    bias: Float[Array, "level sheet channel"]
    tell: Float[Array, "told channel"]
    threshold: Float[Array, " told"]
    order: Int[Array, " cell"] | None
    steps: int = eqx.field(static=True)
    pace: float = eqx.field(static=True)
    whole: bool = eqx.field(static=True)

    def __init__(
        self,
        grid: Grid,
        channels: int,
        *,
        seen: int,
        told: int,
        steps: int,
        sheets: int = 2,
        links: tuple[Link, ...] = ("forward", "lateral", "backward"),
        tied: bool = True,
        whole: bool = False,
        pace: float = 0.5,
        gain: Float[Array, ""] | float = 1.0,
        order: Int[Array, " cell"] | None = None,
        key: PRNGKeyArray,
    ):
        if not links or set(links) - set(STEPS) or grid.neighbours != 8 or not grid.shared:
            raise ValueError(
                f"Expected some of the links {list(STEPS)} on a shared grid with 8 neighbours, got "
                f"{links} on a grid with {grid.neighbours}, {grid.shared=}. All cells hear 3 x 3 "
                "places through the same weights. Write `Sheets(Grid(8, 8, shared=True), 4, "
                'links=("forward", "lateral"), ...)`.'
            )
        levels, places = 1 if tied else steps, 1 + grid.neighbours
        shapes = {
            link: (levels, sheets - abs(STEPS[link]), channels, places * channels) for link in links
        }
        drawn = _draw(
            [
                *shapes.values(),
                (channels, places * seen),
                (told, channels * (grid.shape[0] if whole else 1)),
            ],
            key,
        )
        self.grid, self.steps, self.pace, self.whole = grid, steps, pace, whole
        spread = gain / (len(links) * places * channels) ** 0.5
        self.links = {link: spread * each for link, each in zip(shapes, drawn, strict=False)}
        self.enter = gain / (places * seen) ** 0.5 * drawn[-2]
        self.bias = jnp.zeros((levels, sheets, channels))
        self.tell = drawn[-1] / drawn[-1].shape[1] ** 0.5
        self.threshold, self.order = jnp.zeros(told), order

    @property
    def inputs(self) -> dict[str, int]:
        return {"input": self.enter.shape[1] // 9 * self.grid.shape[0]}

    @property
    def outputs(self) -> dict[str, int]:
        return {"output": len(self.tell) * (1 if self.whole else self.grid.shape[0])}

    def init(self, *, key: PRNGKeyArray | None = None) -> None:
        del key

    def step(self, state: None, inputs: Float[Array, " in"]) -> tuple[None, Float[Array, " out"]]:
        del state
        return None, self.read(self.sweep(inputs)[-1])

    def read(self, held: Float[Array, "sheet channel cell"]) -> Float[Array, " out"]:
        """The answers of cells that hold so much."""
        top = held[-1].reshape(-1, 1) if self.whole else held[-1]
        return (self.tell @ top + self.threshold[:, None]).reshape(-1)

    def sweep(self, inputs: Float[Array, " in"]) -> Float[Array, "step sheet channel cell"]:
        """What cells hold after every step."""
        cells, (_, sheets, channels) = self.grid.shape[0], self.bias.shape
        picture = self.enter @ self.heard(inputs.reshape(-1, cells))
        bundles = self._bundles()
        levels = self.bias, [weight for _, _, _, weight in bundles]
        tied = self.bias.shape[0] == 1

        def step(held: Array, level: tuple[Array, list[Array]] | None) -> tuple[Array, Array]:
            bias, weights = jax.tree.map(lambda x: x[0], levels) if level is None else level
            near = jax.vmap(self.heard)(held)
            far = near if self.order is None else jax.vmap(self.rerouted)(held)
            drives = [jnp.broadcast_to(each[:, None], (channels, cells)) for each in bias]
            drives[0] = drives[0] + picture
            for (target, sources, direct, _), weight in zip(bundles, weights, strict=True):
                arriving = (near if direct else far)[sources].reshape(-1, cells)
                drives[target] = drives[target] + weight @ arriving
            after = held + self.pace * (jax.nn.relu(jnp.stack(drives)) - held)
            return after, after

        nothing = jnp.zeros((sheets, channels, cells))
        return jax.lax.scan(step, nothing, None if tied else levels, self.steps)[1]

    def _bundles(self) -> list[tuple[int, slice, bool, Float[Array, "level channel arriving"]]]:
        """Which sheets a sheet hears, whether at their places, and weights: one product for all."""
        kinds = [link for link in STEPS if link in self.links]
        rerouted = [] if self.order is None else [link for link in kinds if link != "forward"]
        groups = [(True, [link for link in kinds if link not in rerouted]), (False, rerouted)]
        sheets, found = self.bias.shape[1], []
        for target in range(sheets):
            for direct, group in groups:
                by = {target + STEPS[link]: self.links[link] for link in group}
                by = {source: weight for source, weight in by.items() if 0 <= source < sheets}
                if by:
                    apart = 2 if len(by) == 2 and target not in by else 1
                    sources = slice(min(by), max(by) + 1, apart)
                    parts = [weight[:, min(target, source)] for source, weight in by.items()]
                    found.append((target, sources, direct, jnp.concatenate(parts, -1)))
        return found

    def heard(self, held: Float[Array, "channel cell"]) -> Float[Array, "heard cell"]:
        """What cells hold themselves, then what their neighbours do, channel by channel."""
        around = jax.vmap(lambda one: self.grid.ends(one, one)[0])(held)
        return jnp.concatenate([held, around.reshape(-1, held.shape[1])])

    def rerouted(self, held: Float[Array, "channel cell"]) -> Float[Array, "heard cell"]:
        """The same, when other cells stand in for the neighbours."""
        return jnp.concatenate([held, self.heard(held[:, self.order])[len(held) :]])


def _draw(shapes: list[tuple[int, ...]], key: PRNGKeyArray) -> list[Array]:
    """Normal numbers of all shapes, by one draw: each takes the compiler long."""
    sizes = [math.prod(shape) for shape in shapes]
    parts = jnp.split(jax.random.normal(key, (sum(sizes),)), np.cumsum(sizes)[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
