"""Whether what grows from one cell also grows again, and what must be learned for that.

Mordvintsev, Randazzo, Niklasson & Levin (2020), Distill 5:e23.
"""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..automaton import Automaton, AutomatonState
from ..evidence import Superiority, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..sample_pool import learn_from_pool, unit_length
from ..wirings import Grid
from .newt import ALPHA, COLOUR, NEWT, SHAPES, Sheet, disc, harms, hurt, newt, painted

DAMAGED, GROWN, POOLED = "pool and damage", "grow only", "pool"
FROZEN, DECODER = "frozen random rule", "decoder"
REPAIRED = 0.8  # share of the harm that must be gone
MOMENTS = (0, 10, 30)  # steps after the harm, beside the last one, of which pictures are kept
LATE = 10  # times the steps of an update: the horizon after which a picture may have drifted
NOISE = 0.1  # standard deviation of the rule that is never learned


class GrowthRegeneration(AbstractClaim):
    """A picture of a newt, grown by cells that follow one rule, hurt, and left alone."""

    statement: ClassVar[str] = (
        "Cells that follow one rule, grown from a single cell and taught with a pool of samples "
        "and damage, undo at least 80 % of harm of shapes that they never met, and that is 60 "
        "points more than cells taught only to grow."
    )
    source: ClassVar[str] = "Mordvintsev et al. (2020), Distill 5:e23"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "superiority"
    arms: ClassVar[dict[str, Arm]] = {
        DAMAGED: Arm("brain", "lives go on from a pool of states, one in four hurt by a disc"),
        GROWN: Arm("control", "every life begins with one cell: taught to grow, not to last"),
        POOLED: Arm("control", "lives go on from a pool of states, never hurt: taught to last"),
        FROZEN: Arm("sham", "the same cells with a rule of noise that learns nothing"),
        DECODER: Arm(
            "probe",
            "feed-forward, paints the whole picture from a stored vector; told where the harm is, "
            "it paints that anew. Told nothing, it would not act, or always paint everything",
        ),
    }
    margin: ClassVar[float] = 0.6
    unit: ClassVar[str] = "share of the squared error by the harm that is gone, four shapes"
    refuted_if: ClassVar[str] = (
        "damage-taught cells leave more than a fifth of the error of harm of unseen shapes, or "
        "lead cells taught only to grow by less than 60 points"
    )
    expected: ClassVar[str] = (
        "Supported. Bad outcome: cells learn to fill in discs and fail at halves; or the pool "
        "alone teaches regeneration, so that damage adds little."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Cells taught only to grow may fail because their picture does not last, hurt or not: "
        "beside stands what undisturbed pictures lose, and the arm with a pool.",
        "What is left of the error is cut at 1 (nothing gone), lest pictures that burst rule.",
        "A decoder that is told where the harm is repairs all of it: repair is remarkable only "
        "where nobody tells, hence it judges nothing.",
        "Nothing is tuned for an arm: all learn as the paper does, five times as fast and for an "
        "eighth of the updates, which were chosen on other seeds so that the picture grows.",
        "One picture of 10 x 10 cells instead of the card's 16 x 16, for the budget; networks that "
        "grow and whose function returns after a lesion are not tested here.",
    )
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, hidden=4, updates=2, steps=4, after=8),
        "quick": Budget(8),
        "full": Budget(8, enlarge=4, border=4, updates=2000, steps=48),
    }

    enlarge: int = 1  # cells for each of the 8 x 8 places of the picture, along a side
    border: int = 1  # empty cells around the picture
    channels: int = 12  # that each cell holds, four of them shown
    hidden: int = 48  # cells of the rule's network
    updates: int = 1000
    steps: int = 16  # of the automaton in an update, and before the harm
    after: int = 100  # steps to repair in
    batch: int = 4  # lives in an update
    damaged: int = 1  # of them, in the arm with damage; three of eight in the paper
    pool: int = 32  # states
    rate: float = 1e-2  # of learning; a tenth of it in the last quarter

    def space(self, arm: str) -> dict[str, Range]:
        return {}

    @property
    def side(self) -> int:
        """Cells along a side."""
        return len(NEWT) * self.enlarge + 2 * self.border

    @property
    def target(self) -> Sheet:
        """The picture that is to grow."""
        return newt(self.enlarge, self.border)

    def error(self, shown: Sheet) -> Float[Array, ""]:
        """Mean squared distance from the picture."""
        return jnp.mean((shown - self.target) ** 2)

    def automaton(self, arm: str, *, key: PRNGKeyArray) -> Automaton:
        """One that has not learned; the rule of the sham is noise."""
        at_rule, at_noise = jax.random.split(key)
        middle = (self.side // 2) * (self.side + 1)
        automaton = Automaton(
            Grid(self.side, self.side, shared=True), self.channels, self.hidden, told=COLOUR,
            fire_rate=0.5, alive=ALPHA, seed=middle, key=at_rule,
        )  # fmt: skip
        if arm != FROZEN:
            return automaton
        noise = NOISE * jax.random.normal(at_noise, automaton.leave.shape)
        return eqx.tree_at(lambda a: a.leave, automaton, noise)

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_brain, at_life, at_test = jax.random.split(key, 3)
        if arm == DECODER:
            return self.decoder(at_brain)
        brain, curves, costs = self.automaton(arm, key=at_brain), {}, {}
        if arm != FROZEN:
            drop = optax.piecewise_constant_schedule(self.rate, {3 * self.updates // 4: 0.1})
            learned = learn_from_pool(
                brain,
                lambda state: self.error(state.channels[:COLOUR]),
                optax.chain(unit_length(), optax.adam(drop)),
                updates=self.updates,
                steps=self.steps,
                batch=self.batch,
                pool=0 if arm == GROWN else self.pool,
                damage=disc,
                damaged=self.damaged if arm == DAMAGED else 0,
                key=at_life,
            )
            brain, costs = learned.brain, learned.costs
            curves = {"error at the end of a life": learned.curve}
        kept = self.test(brain, key=at_test)
        return Outcome(self.repaired(kept), None, curves, costs, kept)

    def test(self, brain: Automaton, *, key: PRNGKeyArray) -> dict[str, Array]:
        """Errors and pictures of a life that is hurt in four ways, and of one that is not."""
        step = lambda state, _: brain.step(state, jnp.zeros(0))  # noqa: E731

        def live(state: AutomatonState, steps: int) -> tuple[AutomatonState, Array]:
            last, told = jax.lax.scan(step, state, length=steps)
            return last, told.reshape(steps, COLOUR, -1)

        grown, _ = live(brain.init(key=key), self.steps)
        _, undisturbed = live(grown, max(self.after, (LATE - 1) * self.steps))
        harmed = jax.vmap(lambda mask: hurt(grown, mask))(jnp.asarray(harms(self.side)))
        _, healing = jax.vmap(lambda state: live(state, self.after))(harmed)
        shown = harmed.channels[:, :COLOUR]
        frames = [grown.channels[:COLOUR], shown[0]]
        frames += [healing[0, min(moment, self.after) - 1] for moment in MOMENTS[1:]]
        return {
            "grown": self.error(grown.channels[:COLOUR]),
            "hurt": jax.vmap(self.error)(shown),
            "healed": jax.vmap(self.error)(healing[:, -1]),
            "undisturbed": self.error(undisturbed[self.after - 1]),
            "late": self.error(undisturbed[-1]),
            "film": jnp.round(jnp.stack([*frames, healing[0, -1]]), 2),
        }

    def repaired(self, kept: dict[str, Array]) -> Float[Array, ""]:
        """Mean share of the error that is gone; none where it grew or is not finite."""
        left = kept["healed"] / kept["hurt"]
        return 1 - jnp.mean(jnp.where(left < 1, left, 1.0))  # NaN is not below 1, either

    def decoder(self, key: PRNGKeyArray) -> Outcome:
        """A picture that is painted, and where it is hurt painted anew."""
        whole = painted(self.error, self.side**2, self.updates, key=key)
        masks = jnp.asarray(harms(self.side))
        shown = jnp.where(masks[:, None], 0.0, whole[None])
        frames = jnp.stack([whole, shown[0], whole, whole, whole])
        error = self.error(whole)
        kept = {"grown": error, "undisturbed": error, "late": error, "film": jnp.round(frames, 2)}
        kept |= {"hurt": jax.vmap(self.error)(shown)}
        kept |= {"healed": jnp.broadcast_to(error, (len(SHAPES),))}
        return Outcome(self.repaired(kept), None, {}, {}, kept)

    def evidence(self, outcomes: Outcomes) -> Evidence:
        score = {arm: np.asarray(o.score, np.float64) for arm, o in outcomes.items()}
        blank = float(np.mean(np.asarray(self.target) ** 2))
        left = {
            (arm, what): np.nan_to_num(np.asarray(o.kept[what], np.float64), nan=np.inf) / blank
            for arm, o in outcomes.items()
            for what in ("grown", "hurt", "healed", "undisturbed", "late")
        }
        lead = lambda arm, m: Superiority(score[DAMAGED], score[arm], m)  # noqa: E731
        enough = Superiority(score[DAMAGED], np.full_like(score[DAMAGED], REPAIRED), 0.0)
        hurt = left[DAMAGED, "hurt"] - left[DAMAGED, "grown"][:, None]
        shares = 1 - np.minimum(left[DAMAGED, "healed"] / left[DAMAGED, "hurt"], 1)
        return Evidence(
            weakest(lead(GROWN, self.margin), enough),
            gates=(
                *(grows(arm, left[arm, "grown"]) for arm in (DAMAGED, GROWN)),
                Gate(
                    "harm bites: it adds at least 10 % of the picture's power",
                    bool(hurt.mean(0).min() >= 0.1),
                    f"{100 * hurt.mean(0).min():.0f} %",
                ),
            ),
            secondary={
                "beyond cells taught only to grow": lead(GROWN, self.margin),
                f"at least {REPAIRED:.0%} repaired": enough,
                "beyond cells with a pool alone": lead(POOLED, self.margin),
                "beyond a frozen random rule": lead(FROZEN, self.margin),
                **{
                    f"{when}, {arm}: share of the picture lost": Superiority(
                        np.minimum(left[arm, when], 1), np.zeros_like(score[arm]), 0.0
                    )
                    for arm in (DAMAGED, GROWN, POOLED)
                    for when in ("undisturbed", "late")
                },
                **{
                    f"{shape}: at least {REPAIRED:.0%}": Superiority(
                        shares[:, i], np.full(len(shares), REPAIRED), 0.0
                    )
                    for i, shape in enumerate(SHAPES)
                },
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import film, seeds, stacked

        square = COLOUR, self.side, self.side
        frames = {
            arm: np.moveaxis(np.asarray(o.kept["film"][0]).reshape(-1, *square), 1, -1)
            for arm, o in outcomes.items()
        }
        moments = ["grown", "hurt", *(f"{m} steps later" for m in MOMENTS[1:])]
        gone = {arm: 100 * np.asarray(o.score) for arm, o in outcomes.items()}
        return stacked(
            seeds(gone, x_title="% of the error by the harm that is gone, mean over shapes"),
            film(frames, moments=[*moments, f"{self.after} steps later"]),
        )


def grows(arm: str, left: Float[np.ndarray, " seed"]) -> Gate:
    """The picture is there before the harm."""
    says = f"{arm}: the picture grows to within 10 % of its power"
    return Gate(says, bool(np.mean(left) <= 0.1), f"{100 * np.mean(left):.1f} %")
