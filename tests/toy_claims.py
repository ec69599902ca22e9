"""Claims for tests of the machinery: tiny, and each with one oddity."""

import os
import signal
import time
from typing import ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from neurula.evidence import Superiority
from neurula.experiment import (
    AbstractClaim,
    Arm,
    Budget,
    Evidence,
    Gate,
    Outcome,
    Outcomes,
    Range,
)


class AbstractToy(AbstractClaim):
    """Noise with a known lead of the brain arm."""

    statement: ClassVar[str] = "The brain arm has a lead."
    source: ClassVar[str] = "a toy"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "superiority"
    arms: ClassVar[dict[str, Arm]] = {
        "brain": Arm("brain", "noise and a lead"),
        "control": Arm("control", "noise alone"),
    }
    margin: ClassVar[float] = 0.5
    unit: ClassVar[str] = "points"
    refuted_if: ClassVar[str] = "the lead is below half a point"
    expected: ClassVar[str] = "a lead of one point"
    pitfalls: ClassVar[tuple[str, ...]] = ("it is a toy",)
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2),
        "quick": Budget(10),
        "full": Budget(12),
    }
    lead: float = 1.0  # points between the arms
    spread: float = 0.1  # of the noise
    steps: int = 5  # length of the curve

    def space(self, arm: str) -> dict[str, Range]:
        return {}

    def run(self, arm, settings, *, key) -> Outcome:
        noise = self.spread * jax.random.normal(jax.random.fold_in(key, arm == "brain"))
        score = noise + self.lead * (arm == "brain")
        curve = score * jnp.linspace(0.0, 1.0, self.steps)
        return Outcome(
            score, tuning=score, curves={"score": curve}, costs={"samples": jnp.ones(())}
        )

    def evidence(self, outcomes: Outcomes) -> Evidence:
        brain, control = (np.asarray(outcomes[arm].score) for arm in ("brain", "control"))
        gate = Gate("the control is finite", True, f"{control.mean():.2f}")
        return Evidence(Superiority(brain, control, self.margin), (gate,))

    def figure(self, outcomes: Outcomes):
        return None


class Toy(AbstractToy):
    """Nothing odd."""


class Sure(AbstractToy):
    """Part of the tour."""

    tour: ClassVar[bool] = True


class OneByOne(AbstractToy):
    """Not batched."""

    batched: ClassVar[bool] = False


class Crashing(AbstractToy):
    """Seeds 3 and 7 of one arm raise."""

    def run(self, arm, settings, *, key) -> Outcome:
        outcome = super().run(arm, settings, key=key)
        unlucky = jnp.stack([jax.random.key_data(jax.random.key(seed)) for seed in (3, 7)])
        hit = (jax.random.key_data(key)[None, :] == unlucky).all(1).any() & (arm == "brain")
        return eqx.tree_at(
            lambda o: o.score, outcome, eqx.error_if(outcome.score, hit, "this seed is unlucky")
        )


class Unlucky(AbstractToy):
    """Seeds 3 and 7 of one arm raise; not batched, so that nothing is compiled."""

    batched: ClassVar[bool] = False

    def run(self, arm, settings, *, key) -> Outcome:
        seed = int(jax.random.key_data(key)[1])
        if arm == "brain" and seed in (3, 7):
            raise ValueError("this seed is unlucky")
        return super().run(arm, settings, key=key)


class NotANumber(AbstractToy):
    """Seed 4 of one arm gives NaN."""

    def run(self, arm, settings, *, key) -> Outcome:
        outcome = super().run(arm, settings, key=key)
        unlucky = jax.random.key_data(jax.random.key(4))
        hit = (jax.random.key_data(key) == unlucky).all() & (arm == "brain")
        return eqx.tree_at(lambda o: o.score, outcome, jnp.where(hit, jnp.nan, outcome.score))


class Dying(AbstractToy):
    """One arm ends its process."""

    def run(self, arm, settings, *, key) -> Outcome:
        if arm == "brain":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().run(arm, settings, key=key)


class Unweighable(AbstractToy):
    """Its evidence raises."""

    def evidence(self, outcomes: Outcomes) -> Evidence:
        raise RuntimeError("the scales are broken")


class Tuned(AbstractToy):
    """The best place is known: 0.3."""

    def space(self, arm: str) -> dict[str, Range]:
        return {"place": Range(0.01, 1.0)} if arm == "brain" else {}

    def run(self, arm, settings, *, key) -> Outcome:
        outcome = super().run(arm, settings, key=key)
        place = settings.get("place", jnp.float32(0.3))
        return eqx.tree_at(lambda o: o.tuning, outcome, -((place - 0.3) ** 2))


class Wide(AbstractToy):
    """Too noisy to decide."""

    spread: float = 1.5


class NoData(AbstractToy):
    """Its data are not here."""

    data: ClassVar[tuple[str, ...]] = ("mnist-10k",)


class Slow(AbstractToy):
    """Seed by seed, with a nap: something to interrupt."""

    batched: ClassVar[bool] = False
    nap: float = 0.3  # seconds
    budgets: ClassVar[dict[str, Budget]] = {"smoke": Budget(2), "quick": Budget(10)}

    def run(self, arm, settings, *, key) -> Outcome:
        time.sleep(self.nap)
        return super().run(arm, settings, key=key)


class Untuned(Tuned):
    """Has a space, but no score on tuning data."""

    def run(self, arm, settings, *, key) -> Outcome:
        return Outcome(super().run(arm, settings, key=key).score)
