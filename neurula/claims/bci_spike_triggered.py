"""A device that stimulates one cortical site whenever a cell of another fires rewires the two.

Jackson, Mavoori & Fetz (2006), Nature 444:56; Lajoie et al. (2017), PLoS Comput. Biol. 13:e1005343.
"""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..evidence import Superiority, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..network import Network
from ..plastic import Plastic, PlasticState
from ..rules import STDP
from ..simulation import simulate
from .three_sites import DEAF, GROUP, LARGEST, Rates, brain, bursts, mean, triggered, turn, when

DELAYS = (1, 5, 10, 20, 50, 100, 500)  # ms; 1, the next step, stands for 0
BEST = 20.0  # ms, chosen on tuning seeds
KEPT = 0.8  # share of the change that must outlast conditioning


class BciSpikeTriggered(AbstractClaim):
    """Cells fire at random at rates set by bursts of their group and by what they hear.

    Warm-up, conditioning, and as long without stimulation. The change of the mean weight from a to
    b is a share of its value before conditioning, minus that of the same network left alone.
    """

    statement: ClassVar[str] = (
        "In a recurrent spiking network with STDP, stimulating site b 20 ms after each spike of a "
        "cell of site a strengthens the connections from a to b; random stimulation at the same "
        "rate and a delay of 500 ms do not; and the change outlasts conditioning."
    )
    source: ClassVar[str] = (
        "Jackson, Mavoori & Fetz (2006), Nature 444:56; Lajoie et al. (2017), PLoS Comput. Biol. "
        "13:e1005343"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "implementation"
    kind: ClassVar[str] = "interaction (delay x condition)"
    arms: ClassVar[dict[str, Arm]] = {
        f"after {BEST:g} ms": Arm(
            "brain", "b is stimulated 20 ms after every spike of a cell of a"
        ),
        "random": Arm("sham", "as many stimuli of b, at random times"),
        "replayed": Arm("sham", "the stimuli of another life of the same network, played back"),
        "tetanic": Arm("sham", "as many stimuli of b, at regular times"),
        "by c": Arm("sham", "stimuli follow the spikes of a cell of site c"),
        **{f"after {d} ms": Arm("probe", f"{d} ms after") for d in DELAYS if d not in (BEST, 500)},
        "after 500 ms": Arm("control", "500 ms after, far outside the window of STDP"),
        "none": Arm("control", "nobody is stimulated: all changes are measured from here"),
        "off": Arm("probe", "20 ms after, weights fixed"),
        "rate": Arm("probe", "20 ms after, Hebbian learning that sees rates over 1 s, no timing"),
        "rate, random": Arm("probe", "the same rule, random stimuli"),
        "rate, none": Arm("probe", "the same rule, nobody is stimulated"),
        "soft": Arm("probe", "20 ms after, STDP with weight dependence 1"),
        "soft, none": Arm("probe", "the same rule, nobody is stimulated"),
    }
    margin: ClassVar[float] = 0.2
    unit: ClassVar[str] = "of the mean weight from a to b before conditioning"
    refuted_if: ClassVar[str] = (
        "random stimulation or a delay of 500 ms comes within 0.2 of what 20 ms does, or less than "
        "80 % of the change is left after as much time without stimulation"
    )
    expected: ClassVar[str] = (
        "Strengthening by delays up to about 50 ms. Bad outcome: it fades, because a rule whose "
        "weights have a place of rest leads them back to it."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Whether the change lasts is decided by how STDP depends on weights, and by how fast the "
        "network learns: left alone for long enough, weights go back to their place of rest.",
        "Learning is compressed in time; the full budget is five times slower and longer.",
        "The effect needs cells of a that fire together: only one of them triggers.",
        "The delay and all speeds were set on tuning seeds; rates and bursts are choices.",
        "A device cannot be quicker than the next step: 1 ms stands for a delay of 0.",
    )
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, seconds=2, warm_up=1),
        "quick": Budget(10),
        "full": Budget(20, seconds=600, speed=1.2e-4),
    }
    batched: ClassVar[bool] = False

    seconds: int = 120  # of conditioning, and again without stimulation
    warm_up: int = 20  # seconds
    speed: float = 6e-4  # of learning: of the largest weight, for a pair of spikes at no distance
    dependence: float = 0.1  # on the weight: 0 additive, 1 multiplicative STDP

    def space(self, arm: str) -> dict[str, Range]:
        return {}  # nothing is tuned by arm

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_wiring, *at = jax.random.split(key, 7)
        network = brain(at_wiring)
        began, _ = self.live(arm, network, "none", self.warm_up, at[:2])
        how = arm.rsplit(", ")[-1] if ", " in arm else arm
        how = {"rate": f"after {BEST:g} ms", "soft": f"after {BEST:g} ms"}.get(how, how)
        conditioned, stimuli = self.live(arm, began, how, self.seconds, at[2:4])
        rested, _ = self.live(arm, conditioned, "none", self.seconds, at[4:6])
        lives = began, conditioned, rested
        first, *later = [mean(net) for net in lives]
        change, left = (x / first - 1 for x in later)
        turned = turn(began, conditioned)
        kept = {
            "change": change, "left": left, "weight": first, "stimuli": np.float32(stimuli),
            "turned": np.float32(turned),
        }  # fmt: skip
        kept = {name: jnp.asarray(x, jnp.float32) for name, x in kept.items()}
        return Outcome(kept["change"][0], kept=kept)

    def live(
        self, arm: str, network: Network, how: str, seconds: int, keys: list[PRNGKeyArray]
    ) -> tuple[Network, float]:
        """A stretch of life: the network with its new weights, and stimuli per second."""
        rng, steps = np.random.default_rng(np.asarray(jax.random.key_data(keys[0]))), 1000 * seconds
        drive, times = bursts(steps, rng), np.zeros(0, int)
        if how in ("random", "replayed", "tetanic"):
            world = bursts(steps, rng) if how == "replayed" else drive
            other = jax.random.split(keys[1])[0] if how == "replayed" else keys[1]
            block = self.block(arm, triggered(network, 0, BEST))
            times = when(simulate(block, world, key=other, engine="events"))
            if how == "random":
                times = scattered(times.size, steps, rng)
            elif how == "tetanic":
                times = np.linspace(0, steps - 1, max(times.size, 1)).astype(int)
        if how.startswith("after") or how in ("by c", "off"):
            delay = float(how.split()[1]) if how.startswith("after") else BEST
            net = triggered(network, 2 * GROUP if how == "by c" else 0, delay)
        else:
            net = triggered(network, None, BEST)
            told = np.zeros((steps, 1), np.float32)
            told[times] = 1
            drive = np.concatenate([drive, told], axis=1)
        lived = simulate(self.block(arm, net), drive, key=keys[1], engine="events")
        assert isinstance(lived.state, PlasticState)
        new = lived.state.weights[0]
        after = eqx.tree_at(lambda n: n.projections[0].weight, network, new)
        return after, when(lived).size / seconds

    def block(self, arm: str, network: Network) -> Plastic:
        """The network, learning by the rule of an arm."""
        if arm.startswith("rate"):
            return Plastic(network, Rates(), LARGEST * self.speed, only=("cells->cells",))
        exponent = 1.0 if arm.startswith("soft") else self.dependence
        rule = STDP(1.0, 1.05, 20.0, 20.0, LARGEST, exponent)
        rate = 0.0 if arm == "off" else LARGEST * self.speed
        return Plastic(network, rule, rate, only=("cells->cells",))

    def evidence(self, outcomes: Outcomes) -> Evidence:
        change = effects(outcomes)
        best, left = change[f"after {BEST:g} ms"], effects(outcomes, "left")[f"after {BEST:g} ms"]
        parts = {
            "beyond random stimulation": Superiority(best, change["random"], self.margin),
            "beyond a delay of 500 ms": Superiority(best, change["after 500 ms"], self.margin),
            "what is left, beyond 80 % of the change": Superiority(left, KEPT * best, 0.0),
        }
        drift = float(np.mean(outcomes["none"].kept["change"][:, 0]))
        rates = {arm: float(np.mean(outcomes[arm].kept["stimuli"])) for arm in outcomes}
        told = [rates[arm] for arm in ("random", "replayed", "tetanic")]
        off = max(abs(x / max(rates[f"after {BEST:g} ms"], 1e-9) - 1) for x in told)
        still = float(np.abs(outcomes["off"].kept["change"]).max())
        nothing = np.zeros_like(best)
        others = {
            f"{arm}, change": Superiority(change[arm], nothing, self.margin)
            for arm in change
            if arm != "off"
        }
        turned = {arm: np.asarray(outcome.kept["turned"]) for arm, outcome in outcomes.items()}
        return Evidence(
            weakest(*parts.values()),
            gates=(
                Gate("Left alone, the weights drift by 10 % at most.", abs(drift) < 0.1,
                     f"{drift:+.1%}"),
                Gate("Shams get as many stimuli, to 15 %.", off < 0.15, f"at worst {off:.1%} off"),
                Gate("Without plasticity nothing changes.", still == 0, f"{still:.1%}"),
            ),
            secondary={
                **parts,
                "multiplicative STDP: what is left, beyond 80 % of the change": Superiority(
                    effects(outcomes, "left")["soft"], KEPT * change["soft"], 0.0
                ),
                "by rates alone, beyond random": Superiority(
                    change["rate"], change["rate, random"], self.margin
                ),
                "output of a turns to that of b (cosine), beyond random": Superiority(
                    turned[f"after {BEST:g} ms"], turned["random"], 0.0
                ),
                **others,
            },
        )  # fmt: skip

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        lines = {}
        for which, name in (("change", "after conditioning"), ("left", "as long after")):
            found = effects(outcomes, which)
            lines[name] = np.stack([found[f"after {d} ms"] for d in DELAYS], axis=1)
        for arm in ("random", "replayed", "tetanic", "by c"):
            lines[arm] = np.repeat(effects(outcomes)[arm][:, None], len(DELAYS), axis=1)
        title = "change of the weight from a to b"
        return curves(np.array(DELAYS), lines, x_title="delay (ms)", y_title=title, log_x=True)


def scattered(count: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Random steps, as far apart as the device needs them."""
    apart = int(DEAF) - 1
    free = rng.choice(max(steps - count * apart, count), count, replace=False)
    return np.sort(free) + apart * np.arange(count)


def effects(outcomes: Outcomes, which: str = "change") -> dict[str, Float[np.ndarray, " seed"]]:
    """Changes of the weight from a to b, by arm, beyond those of the network left alone."""
    found = {arm: np.asarray(out.kept[which], np.float64)[:, 0] for arm, out in outcomes.items()}

    def alone(arm: str) -> str:
        rule = arm.split(", ")[0]
        return f"{rule}, none" if rule in ("rate", "soft") else "none"

    return {arm: x - found[alone(arm)] for arm, x in found.items() if not arm.endswith("none")}
