"""Two modes of a thalamic relay cell: bursts that detect, single spikes that copy.

Sherman (2001), Trends Neurosci. 24:122; Lesica et al. (2006), PLoS Biol. 4:e209.
"""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..evidence import Parity, Superiority, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..measures import linear_share, roc_area
from ..network import Network, Population
from ..neurons import IFB

BRAIN = "with T-current"
RESTS = (-67.0, -62.0, -56.0, -50.0)  # mV; the first is hyperpolarised, the last depolarised
DEEP, HIGH = 0, -1
FRAME = 10.0  # ms for which a stimulus stays the same
WARM_UP, ONSET = 10, 30  # frames: thrown away; when the stimulus sets in
WINDOW, EARLY = 10, 5  # frames after the onset in which spikes are counted; the first rules
LAGS = 25  # frames that the linear filter looks back
HALVINGS = 10  # of the range of gains
GAINS = (0.05, 20.0)  # uA/cm^2 per standard deviation of the noise
DARK = "step after dark"
SILENCE, CLOSE = 100.0, 8.0  # ms: what comes before a burst, and between its spikes
Frames = Float[Array, "frame trial"]
ByRest = Float[Array, " rest"]


class TonicBurst(AbstractClaim):
    """A step hidden in noise enters a cell; an observer counts its spikes after the onset.

    A gain on the whole input, signal and noise alike, gives every cell the same mean rate at every
    resting potential, which is set by a constant current. Linearity is the share of the
    explainable variance of a response to noise, averaged over repeats with other noise on top,
    that a linear filter predicts on time it was not fitted to.
    """

    statement: ClassVar[str] = (
        "At the same mean rate a thalamic cell with a T-type calcium current detects the onset of "
        "a stimulus better than the same cell without it when hyperpolarised, and equally well "
        "when depolarised; there it transmits the stimulus more linearly."
    )
    source: ClassVar[str] = (
        "Sherman (2001), Trends Neurosci. 24:122; Guido et al. (1995), Vis. Neurosci. 12:723; "
        "Lesica et al. (2006), PLoS Biol. 4:e209"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "implementation"
    kind: ClassVar[str] = "interaction (cell x resting potential)"
    arms: ClassVar[dict[str, Arm]] = {
        BRAIN: Arm("brain", "integrate-and-fire-or-burst, published parameters"),
        "without": Arm("control", "the same leaky integrate-and-fire cell, no calcium current"),
        "no memory": Arm("sham", "a T-current whose inactivation follows the potential at once"),
    }
    margin: ClassVar[float] = 0.05
    unit: ClassVar[str] = "area under the ROC curve, or R^2"
    refuted_if: ClassVar[str] = (
        "the weakest of four parts fails by 0.05: the lead over the control at -67 mV; that lead "
        "beyond the lead at -50 mV; equality at -50 mV; R^2 at -50 mV beyond that at -67 mV"
    )
    expected: ClassVar[str] = (
        "A lead when hyperpolarised. Bad outcome: with its input turned up to the same rate, the "
        "cell without the current counts as well, so that what bursts do is only to amplify."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "At equal input the cell without the current is silent when hyperpolarised: no contest.",
        "The gain lifts signal and noise together; it makes up for what the current amplifies.",
        "Counts of a burst saturate: it says that something came and hardly how much.",
        "All noise is in the stimulus. Noise of the cell's own would favour whoever amplifies.",
        "A shorter window and a step that follows a dark phase stand beside.",
        "Two tuning seeds, looked at before the gate on bursts was set, showed the control ahead.",
    )
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, trials=10, repeats=8, seconds=1),
        "quick": Budget(20),
        "full": Budget(40, trials=400, repeats=512, seconds=8, dt=0.1),
    }

    trials: int = 200  # with the stimulus, and as many without
    repeats: int = 256  # of the noise for which linearity is measured
    seconds: int = 4  # of that noise; half for the fit, half for the test
    rate: float = 10.0  # Hz, of every cell at every resting potential
    contrast: float = 0.5  # of the stimulus, in standard deviations of the noise in a frame
    dt: float = 0.25  # ms

    def space(self, arm: str) -> dict[str, Range]:
        return {}  # gains are matched, nothing is tuned

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_match, at_step, at_phases, at_common, at_noise = jax.random.split(key, 5)
        gain = self.matched(arm, self.trial(at_match))
        usual = gain if arm == BRAIN else self.matched(BRAIN, self.trial(at_match))
        step, dark = self.trial(at_step), self.trial(at_phases, dark=True)
        frames, gains = jnp.stack([step, dark, step]), jnp.stack([gain, gain, usual])
        counts, _ = jax.vmap(lambda x, g: play(arm, x, g, self.dt))(frames, gains)
        length = WARM_UP + round(1000 * self.seconds / FRAME)
        common = self.contrast * jax.random.normal(at_common, (length,))
        noise = jax.random.normal(at_noise, (length, self.repeats))
        answers, bursts = play(arm, common[:, None] + noise, gain, self.dt)
        area = areas(counts[0], WINDOW)
        kept = {
            "area": area,  # all by rest
            "area, first 50 ms": areas(counts[0], EARLY),
            f"area, {DARK}": areas(counts[1], WINDOW),
            "area, equal input": areas(counts[2], WINDOW),
            "linearity": linear_share(common[WARM_UP:], answers[WARM_UP:], lags=LAGS),
            "gain": gain,
            "rate": rates(counts[0]),
            "bursts": bursts,
        }
        return Outcome(area[DEEP], kept=kept)

    def trial(self, key: PRNGKeyArray, *, dark: bool = False) -> Frames:
        """Noise, and in the first half of the trials a step of the stimulus at its end."""
        noise = jax.random.normal(key, (ONSET + WINDOW, 2 * self.trials))
        before = -1.0 if dark else 0.0
        step = np.r_[np.zeros(ONSET - WINDOW), np.repeat([before, 1.0], WINDOW)]
        there = np.repeat([1.0, 0.0], self.trials)
        return noise + jnp.asarray(self.contrast * np.outer(step, there), jnp.float32)

    def matched(self, arm: str, frames: Frames) -> ByRest:
        """The gain at every resting potential with which the mean rate is the wanted one."""

        def halve(_: Any, ends: tuple[ByRest, ByRest]) -> tuple[ByRest, ByRest]:
            middle = jnp.sqrt(ends[0] * ends[1])
            more = rates(play(arm, frames, middle, self.dt)[0]) < self.rate
            return jnp.where(more, middle, ends[0]), jnp.where(more, ends[1], middle)

        ends = tuple(jnp.full(len(RESTS), gain) for gain in GAINS)
        low, high = jax.lax.fori_loop(0, HALVINGS, halve, ends)
        return jnp.sqrt(low * high)

    def evidence(self, outcomes: Outcomes) -> Evidence:
        kept = {
            arm: {name: np.asarray(x, np.float64) for name, x in outcome.kept.items()}
            for arm, outcome in outcomes.items()
        }
        cell, plain, sham = (kept[arm] for arm in self.arms)

        def lead(other: dict, rest: int, what: str = "area") -> np.ndarray:
            return cell[what][:, rest] - other[what][:, rest]

        def beyond(more: np.ndarray, less: np.ndarray | None = None) -> Superiority:
            return Superiority(more, np.zeros_like(more) if less is None else less, self.margin)

        deep, high, linear = lead(plain, DEEP), lead(plain, HIGH), cell["linearity"]
        parts = {
            "lead when hyperpolarised": beyond(deep),
            "lead beyond that when depolarised": beyond(deep, high),
            "equality when depolarised": Parity(high, np.zeros_like(high), margin=self.margin),
            "linearity when depolarised": beyond(linear[:, HIGH], linear[:, DEEP]),
        }
        beside = ("area, first 50 ms", f"area, {DARK}", "area, equal input")
        rate = np.mean([each["rate"] for each in kept.values()], axis=1)
        off = float(np.abs(rate / self.rate - 1).max())
        added = 100 * (cell["bursts"] - plain["bursts"]).mean(0)
        bursts = "The current adds bursts: 20 % of all spikes at -67 mV, at most 10 % at -50 mV."
        bit = bool(added[DEEP] >= 20 and added[HIGH] <= 10)
        return Evidence(
            weakest(*parts.values()),
            gates=(
                Gate("Rates are matched to 10 %.", off < 0.1, f"at worst {off:.1%} off"),
                Gate(bursts, bit, f"{added[DEEP]:.0f} % and {added[HIGH]:.1f} %"),
            ),
            secondary={
                **parts,
                "lead over the cell without memory, -67 mV": beyond(lead(sham, DEEP)),
                **{f"lead in {what}, -67 mV": beyond(lead(plain, DEEP, what)) for what in beside},
                "lead in area, step after dark, -62 mV": beyond(lead(plain, 1, beside[1])),
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        lines = {arm: np.asarray(each.kept["area"]) for arm, each in outcomes.items()}
        for arm, how in (("without", "equal input"), (BRAIN, DARK), ("without", DARK)):
            lines[f"{arm}, {how}"] = np.asarray(outcomes[arm].kept[f"area, {how}"])
        x_title, y_title = "resting potential (mV)", "area under the ROC curve"
        return curves(np.array(RESTS), lines, x_title=x_title, y_title=y_title)


def relay(arm: str, trials: int, dt: float) -> Network:
    """As many cells as trials at every resting potential, which a constant current sets."""
    plain = IFB()
    bias = plain.leak * (jnp.repeat(jnp.array(RESTS), trials) - plain.rest)
    kinds = {
        BRAIN: IFB(bias=bias),
        "without": IFB(bias=bias, calcium=0.0),
        "no memory": IFB(bias=bias, tau_inactivation=1e-3, tau_recovery=1e-3),
    }
    cells = Population(len(RESTS) * trials, kinds[arm])
    return Network({"relay": cells}, [], senses=["relay"], voices=["relay"], dt=dt)


def play(
    arm: str, frames: Frames, gain: ByRest, dt: float
) -> tuple[Float[Array, "frame rest trial"], ByRest]:
    """Spikes of every cell in every frame, and the share of spikes that belong to bursts.

    A burst follows on 100 ms of silence: Lu, Guido & Sherman (1992), J. Neurophysiol. 68:2185. They
    allow 4 ms between its spikes; released to rest, this cell fires them 4 to 8 ms apart.
    """
    trials = frames.shape[1]
    network, size = relay(arm, trials, dt), len(RESTS) * trials

    def frame(carry: Any, now: Float[Array, " trial"]) -> tuple[Any, Any]:
        current = (gain[:, None] * now[None]).ravel()

        def step(carry: Any, _: None) -> tuple[Any, None]:
            state, since, opened, inside, counts, members = carry
            state, spikes = network.step(state, current)
            fired, since = spikes > 0, since + dt
            joins = fired & opened & (since <= CLOSE)
            second = joins & ~inside  # it brings the first one along
            members = members + jnp.where(second, 2.0, jnp.where(joins, 1.0, 0.0))
            opened = jnp.where(fired, joins | (since >= SILENCE), opened)
            inside = jnp.where(fired, joins, inside)
            since = jnp.where(fired, 0.0, since)
            return (state, since, opened, inside, counts + spikes, members), None

        fresh = (*carry, jnp.zeros(size), jnp.zeros(size))
        *carry, counts, members = jax.lax.scan(step, fresh, None, length=round(FRAME / dt))[0]
        return tuple(carry), (counts.reshape(-1, trials), members.reshape(-1, trials))

    never = jnp.zeros(size, bool)
    start = (network.init(), jnp.zeros(size), never, never)
    counts, members = jax.lax.scan(frame, start, frames)[1]
    late = lambda x: jnp.sum(x[WARM_UP:], axis=(0, 2))  # noqa: E731
    return counts, late(members) / jnp.maximum(late(counts), 1.0)


def rates(counts: Float[Array, "frame rest trial"]) -> ByRest:
    """Mean rate at every resting potential, Hz."""
    return jnp.mean(counts[WARM_UP:], axis=(0, 2)) * 1000 / FRAME


def areas(counts: Float[Array, "frame rest trial"], window: int) -> ByRest:
    """Area under the ROC curve of the count after the onset, half of the trials against half."""
    there, absent = jnp.split(jnp.sum(counts[ONSET : ONSET + window], axis=0), 2, axis=1)
    return roc_area(there, absent)
