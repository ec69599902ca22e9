"""Whether networks that grow from nothing, in species, learn to balance two poles sooner.

Stanley & Miikkulainen (2002), Evol. Comput. 10:99; Gomez, Schmidhuber & Miikkulainen (2008), J.
Mach. Learn. Res. 9:937, for fixed networks.
"""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Box, Event
from ..builders import layered, looped
from ..environments import DoublePole
from ..evidence import Survival
from ..evolution import evolve
from ..evolvers import CMAES, CoSyNE, NeatSearch, RandomSearch
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..genomes import Neat, Weights
from ..heredity import AbstractEvolver, AbstractGenome
from ..lives import InWorld

FULL, FIXED, MIXED = "NEAT", "no growth", "no species"
ALONE, WILD = "no mating", "random starts"
CMA, COSYNE, GUESS = "CMA-ES", "CoSyNE", "random weights"
HOLD = 100_000  # steps, of 0.02 s: half an hour
CALM = 100  # steps at the end of which Gruau's fitness asks how still they were


class Still(AbstractEnvironment[Any]):
    """Poles without velocities, paid so that the return is Gruau's fitness, against trembling.

    0.1 t / 1000 + 0.9 f after t steps, f = 0.75 / (the sum over the last 100 steps of |x| + |v| +
    |angle| + |turn| of cart and long pole, in m, m/s, rad, rad/s), 0 before step 100. Who stands
    for `limit` steps is paid 1e6 more.
    """

    limit: int = eqx.field(static=True)  # steps
    world: DoublePole = DoublePole(velocities=False)

    @property
    def actions(self) -> Box:
        return self.world.actions

    @property
    def observations(self) -> Box:
        return self.world.observations

    def reset(self, *, key: PRNGKeyArray) -> tuple[Any, Event]:
        state, event = self.world.reset(key=key)
        return (state, jnp.zeros(CALM), jnp.zeros((), jnp.int32), jnp.zeros(())), event

    def step(self, state: Any, action: Array, *, key: PRNGKeyArray) -> tuple[Any, Event]:
        poles, shakes, step, before = state
        poles, event = self.world.step(poles, action, key=key)
        shakes = shakes.at[step % CALM].set(jnp.sum(jnp.abs(poles[:4])))
        calm = jnp.where(step + 1 < CALM, 0.0, 0.75 / jnp.maximum(jnp.sum(shakes), 1e-6))
        paid = 0.1 / 1000 + 0.9 * (calm - before)  # so that only the last f is left of the sum
        stood = ~event.terminated & (step + 1 >= self.limit)
        paid = paid + jnp.where(stood, 1e6, 0.0)
        return (poles, shakes, step + 1, calm), eqx.tree_at(lambda e: e.reward, event, paid)


class NeatDoublePole(AbstractClaim):
    """A cart with poles of 1 m and 0.1 m, all velocities seen; fitness is how long both stay up."""

    statement: ClassVar[str] = (
        "NEAT learns to balance two poles, with velocities, in at most half the evaluations that "
        "it takes without growth, from a fully connected hidden layer of 10 cells."
    )
    source: ClassVar[str] = (
        "A promising way of finding new topologies: Stanley & Miikkulainen (2002), Evol. Comput. "
        "10:99"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "superiority (time until success, censored)"
    arms: ClassVar[dict[str, Arm]] = {
        FULL: Arm("brain", "starts without hidden cells and grows, in species"),
        FIXED: Arm("control", "no growth: a hidden layer of 10 cells, all else the same"),
        MIXED: Arm("control", "growth without species; starts from random graphs, as published"),
        WILD: Arm("control", "species and growth, but starts from random graphs, 1 to 10 cells"),
        ALONE: Arm("control", "species and growth, but every child has one parent"),
        CMA: Arm("control", "CMA-ES on a fixed network with 3 hidden cells"),
        COSYNE: Arm("control", "CoSyNE on the same fixed network"),
        GUESS: Arm("sham", "weights of the same fixed network drawn at random, nothing inherited"),
    }
    margin: ClassVar[float] = float(np.log(2))
    unit: ClassVar[str] = "log ratio of evaluations, no growth over NEAT"
    refuted_if: ClassVar[str] = "without growth it takes less than twice the evaluations"
    expected: ClassVar[str] = (
        "Published: NEAT 3,600 evaluations, without mating 5,557, from random starts 23,033, "
        "without species 25,600, without growth 30,239 and 80 % failures. Bad outcome, and "
        "likely: CMA-ES (895) and CoSyNE (954) need fewer than NEAT, so that for this task a "
        "small fixed network is enough."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Easy tasks fall to random weights, hence that arm and its gate.",
        "In the quick run an evaluation ends after 10,000 steps and counts as a success then; "
        "published ones ended after 100,000. Champions are tried for 100,000 afterwards. (On "
        "tuning seeds, of CMA-ES's champions after 1,000 steps, half drifted away later.)",
        "Evaluations depend on the angle at the start (4 degrees here; 4.5 is found too), on the "
        "largest force and on how inputs are scaled.",
        "Failures are censored at the cap, not left out: means over successes flatter bad arms.",
        "Without species NEAT starts from random graphs, as in the paper, so two things differ: "
        "that arm is to be compared with random starts in species.",
        "CMA-ES and CoSyNE have populations of their own, 16 and 40; the cap is on evaluations.",
        "The paper lets only two species breed after 20 generations without progress, and spares "
        "no species that stands still; here others breed on, and that of the best is spared.",
        "NEAT has the published settings, CMA-ES its defaults. CoSyNE failed with its own in all "
        "runs on tuning seeds, so its range and rate of mutation were chosen there, of 15 pairs.",
        "The force is 10 N tanh(x), flatter than the paper's steepened sigmoid: seen in the quick "
        "run, NEAT takes more than twice the published evaluations (median 7,883).",
        "Seen there, too: without mating, without species or from random starts it is not twice as "
        "slow within the cap, though it fails in 10, 40 and 25 % of runs (NEAT in 10 %), and a "
        "fixed network by CMA-ES is nine times as fast. No growth has ten cells where those have "
        "three: how much of the lead is growth, and how much is size, no arm tells.",
        "Poles without velocities are a variant, `--no-velocities`, with Gruau's fitness and a "
        "recurrent fixed network; it does not try champions from other starts, as the paper did.",
    )
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, cap=60, limit=30, population=20, hold=40),
        "quick": Budget(20),
        "full": Budget(50, limit=HOLD),
    }

    cap: int = 30_000  # evaluations
    limit: int = 10_000  # steps until an evaluation counts as a success
    population: int = 150  # of NEAT; 1,000 in the paper without velocities
    hold: int = HOLD  # steps for which champions are tried
    velocities: bool = True  # seen

    def space(self, arm: str) -> dict[str, Range]:
        return {}

    def search(self, arm: str) -> tuple[AbstractGenome, AbstractEvolver]:
        """What evolves, and how."""
        senses = 6 if self.velocities else 3
        if arm in (CMA, COSYNE, GUESS):
            kinds = {CMA: CMAES(), COSYNE: CoSyNE(spread=2.0, mutation=0.3), GUESS: RandomSearch()}
            none = jax.random.key(0)  # genes replace whatever is drawn here
            fixed = layered([senses, 3, 1], key=none)
            if not self.velocities:
                fixed = looped(fixed, [("hidden1", "hidden1")], key=none)
            return Weights(fixed, scale=10.0 if arm == GUESS else 1.0), kinds[arm]
        start: Any = {FIXED: "layer", MIXED: "random", WILD: "random"}.get(arm, "minimal")
        cells, connections = {"minimal": (12, 48), "layer": (10, 96), "random": (16, 256)}[start]
        neat = Neat(
            senses,
            1,
            cells=cells,
            connections=connections,
            nonlinearities=("steep_sigmoid",),
            output="identity",  # which the controller squashes
            loops=True,
            growth=arm != FIXED,
            start=start,
        )
        return neat, NeatSearch(self.population, speciation=arm != MIXED, mating=arm != ALONE)

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_evolve, at_hold = jax.random.split(key)
        genome, evolver = self.search(arm)
        world = DoublePole(self.velocities)
        life = InWorld(world if self.velocities else Still(self.limit), self.limit)

        @jax.custom_batching.sequential_vmap  # else seeds that are done wait for all others
        def evolved(key: PRNGKeyArray) -> dict[str, Any]:
            target = float(self.limit if self.velocities else 1e5)
            most = -(-self.cap // evolver.population)
            found = evolve(genome, evolver, life, generations=most, target=target, key=key)
            steps = jnp.sum(jnp.nan_to_num(found.curves["steps"]))
            needed = jnp.where(found.solved, found.evaluations, self.cap).astype(jnp.float32)
            needed = jnp.minimum(needed, float(self.cap))
            return {"genes": found.genes, "needed": needed, "steps": steps}

        found = evolved(at_evolve)
        champion = genome.develop(found["genes"], key=at_hold)
        held = InWorld(world, self.hold)(champion, key=at_hold).fitness
        kept = {"evaluations": found["needed"], "held": held}
        if isinstance(genome, Neat):
            kept |= {"sizes": jnp.stack(found["genes"].sizes()), "refused": found["genes"].refused}
        return Outcome(-found["needed"], costs={"samples": found["steps"]}, kept=kept)

    def evidence(self, outcomes: Outcomes) -> Evidence:
        needed = {arm: np.asarray(o.kept["evaluations"], np.float64) for arm, o in outcomes.items()}

        def sooner(control: str) -> Survival:
            return Survival(needed[FULL], needed[control], float(self.cap), self.margin)

        solved = {arm: float(np.mean(each < self.cap)) for arm, each in needed.items()}
        held = np.asarray(outcomes[FULL].kept["held"])[needed[FULL] < self.cap]
        holding = float(np.mean(held >= self.hold)) if held.size else 0.0
        able = "NEAT succeeds in half of the runs."
        hard = "Random weights succeed in less than half of the runs."
        stays = f"Half of NEAT's champions hold {self.hold} steps."
        return Evidence(
            sooner(FIXED),
            gates=(
                Gate(able, solved[FULL] >= 0.5, f"{solved[FULL]:.0%}"),
                Gate(hard, solved[GUESS] < 0.5, f"{solved[GUESS]:.0%}"),
                Gate(stays, holding >= 0.5, f"{holding:.0%}"),
            ),
            secondary={
                f"NEAT sooner than {arm}": sooner(arm) for arm in needed if arm not in (FULL, FIXED)
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        grid = np.linspace(0, self.cap, 120)
        lines = {}
        for arm, outcome in outcomes.items():
            needed = np.asarray(outcome.kept["evaluations"])[:, None]
            done = (needed < self.cap) & (needed <= grid)
            lines[arm] = 100.0 * done.mean(0, keepdims=True)
        return curves(grid, lines, x_title="evaluations", y_title="runs that succeeded, %")
