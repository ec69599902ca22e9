"""Say where you are from how you moved, in one of the codes of place that networks were taught.

Banino et al. (2018), Nature 557:429; Sorscher, Mel, Ganguli & Ocko (2019), NeurIPS 32:10003;
Schaeffer, Khona & Fiete (2022), NeurIPS 35:16052, who name the difference of softmaxes.
"""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .drawing import require, require_exam, split_key
from .marking import cross_entropy, squared_error

READOUTS = ("cartesian", "gaussian", "difference", "mixed difference")
UNIT = 0.02  # m, of stimuli that are velocities
NEAREST = 3  # cells whose centres are averaged to decode a place, as in the published code
TURN = 0.23  # rad, standard deviation of a change of heading in a step
SPEED = 0.0163  # m per step: scale of a Rayleigh distribution (0.82 m/s in steps of 20 ms)


class Walk(Sample):
    """An example that also says where the walker was after every step (m)."""

    places: Float[Array, "*batch time 2"] = dataclasses.field(kw_only=True)


class PathIntegration(AbstractTask):
    """Walk through a square box of `box` metres, `steps` steps, from a place that is shown once.

    Stimuli: velocity (2, in units of 0.02 m per step) and the code of the start, which is zero
    after the first step. Target: the code of the place after every step. Readouts, d the distance
    of a place from the centre of a cell:

    - `cartesian`: the two coordinates (m); taught by squared error.
    - `gaussian`: softmax over cells of -d^2 / (2 width^2).
    - `difference` of softmaxes: that, less the same with `surround` times the variance, raised to
      a minimum of 0 and scaled to a sum of 1.
    - `mixed difference`: likewise, each cell with a width of its own, up to twice as narrow or as
      broad.

    The last three are taught by cross-entropy. The score is minus the mean distance (m) of the
    decoded place: the mean centre of the three most active cells, or the coordinates.
    """

    centres: Float[Array, "cell 2"]
    widths: Float[Array, " cell"]
    readout: str = eqx.field(static=True)
    surround: float
    box: float  # m
    steps: int = eqx.field(static=True)
    exam_size: int = eqx.field(static=True)

    def __init__(
        self,
        readout: str = "gaussian",
        *,
        cells: int = 512,
        width: float = 0.12,
        surround: float = 2.0,
        box: float = 2.2,
        steps: int = 20,
        exam_size: int = 200,
        key: PRNGKeyArray | None = None,
    ):
        require(
            readout in READOUTS and cells >= NEAREST and steps >= 1,
            f"PathIntegration expects a readout of {READOUTS}, {NEAREST} cells or more and a step "
            f"or more, got {readout!r}, {cells} and {steps}",
            "Places are decoded from several cells",
            'PathIntegration("gaussian", cells=512, steps=20)',
        )
        require(
            width > 0 and surround > 1 and box > 0,
            f"PathIntegration expects width > 0, surround > 1 and box > 0, got {width}, {surround} "
            f"and {box}",
            "A surround is broader than its centre",
            "PathIntegration(width=0.12, surround=2.0, box=2.2)",
        )
        at_centres, at_widths = jr.split(jr.key(0) if key is None else key)
        self.centres = jr.uniform(at_centres, (cells, 2), minval=-box / 2, maxval=box / 2)
        own = 2 ** jr.uniform(at_widths, (cells,), minval=-1.0, maxval=1.0)
        self.widths = width * (own if readout == "mixed difference" else jnp.ones(cells))
        self.readout, self.surround, self.box = readout, surround, box
        self.steps, self.exam_size = steps, exam_size
        require_exam(self, exam_size)

    @property
    def shape(self) -> tuple[int, int, int]:
        code = 2 if self.readout == "cartesian" else len(self.centres)
        return self.steps, 2 + code, code

    def code(self, place: Float[Array, "2"]) -> Float[Array, " code"]:
        """What the readout says at a place: coordinates, or probabilities of cells."""
        if self.readout == "cartesian":
            return place
        near, far = self.softmaxes(place)
        if self.readout == "gaussian":
            return near
        raised = near - far - jnp.min(near - far)
        return raised / jnp.sum(raised)

    def softmaxes(self, place: Float[Array, "2"]) -> tuple[Array, Array]:
        """The softmax of centres and the one of surrounds."""
        distance = jnp.sum((place[None] - self.centres) ** 2, -1)
        broad = -distance / (2 * self.widths**2)
        return jax.nn.softmax(broad), jax.nn.softmax(broad / self.surround)

    def decode(self, code: Float[Array, " code"]) -> Float[Array, "2"]:
        """The place that a code speaks of."""
        if self.readout == "cartesian":
            return code
        return jnp.mean(self.centres[jax.lax.top_k(code, NEAREST)[1]], 0)

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return self._walk(split_key(key, split))

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return jax.vmap(self._walk)(jr.split(split_key(key, split), self.exam_size))

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        if self.readout == "cartesian":
            return squared_error(outputs, sample)
        return cross_entropy(outputs, sample)

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        assert isinstance(sample, Walk), f"expected a walk, as this task draws, got {type(sample)}"
        away = jax.vmap(self.decode)(outputs) - sample.places
        return -jnp.mean(jnp.linalg.norm(away, axis=-1))

    def _walk(self, key: PRNGKeyArray) -> Walk:
        """Rayleigh speeds, headings that turn a little; a wall throws the walker back."""
        at_start, at_heading, at_speed, at_turn = jr.split(key, 4)
        half = self.box / 2
        start = jr.uniform(at_start, (2,), minval=-half, maxval=half)
        heading = jr.uniform(at_heading, (), maxval=2 * jnp.pi)
        heading = heading + jnp.cumsum(TURN * jr.normal(at_turn, (self.steps,)))
        speed = jr.rayleigh(at_speed, SPEED, (self.steps,))
        wished = speed[:, None] * jnp.stack([jnp.cos(heading), jnp.sin(heading)], -1)

        def step(carry, wish):
            place, sign = carry
            sign = jnp.where(jnp.abs(place + sign * wish) > half, -sign, sign)
            place = jnp.clip(place + sign * wish, -half, half)
            return (place, sign), place

        _, places = jax.lax.scan(step, (start, jnp.ones(2)), wished)
        before = jnp.concatenate([start[None], places[:-1]])
        code = self.code(start)
        shown = jnp.zeros((self.steps, len(code))).at[0].set(code)
        stimuli = jnp.concatenate([(places - before) / UNIT, shown], 1)
        return Walk(stimuli, target=jax.vmap(self.code)(places), places=places)
