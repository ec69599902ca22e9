"""Two poles: what every arm evolves, when an evaluation counts, and Gruau's fitness."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.agents import Controller
from neurula.claims.neat_double_pole import (
    ALONE,
    CMA,
    COSYNE,
    FIXED,
    FULL,
    GUESS,
    MIXED,
    WILD,
    NeatDoublePole,
    Still,
)  # fmt: skip
from neurula.environments import DoublePole
from neurula.experiment import Outcome
from neurula.genomes import Weights
from neurula.lives import InWorld

KEY = jax.random.key(0)
CLAIM = NeatDoublePole()


def sizes(arm, count=20):
    """Hidden cells and connections at birth, genome by genome."""
    genome, _ = CLAIM.search(arm)
    sample = eqx.filter_jit(jax.vmap(lambda key: genome.sample(key=key).sizes()))
    return np.stack(sample(jax.random.split(KEY, count)), axis=1)


def test_arms_begin_as_published():
    """Six inputs and a bias: to one output; to ten cells and on; half of all ways."""
    assert set(map(tuple, sizes(FULL))) == set(map(tuple, sizes(ALONE))) == {(0, 7)}
    assert set(map(tuple, sizes(FIXED))) == {(10, 7 * 10 + 10 + 1)}
    cells, connections = sizes(WILD, 200).T
    np.testing.assert_array_equal(sizes(MIXED), sizes(WILD))
    assert set(cells) == set(range(1, 11))
    most = 7 + 7 * cells + cells + cells**2  # loops are ways, too
    assert connections == pytest.approx(most / 2, abs=5 * np.sqrt(most.max()) / 2)


def test_one_thing_is_taken_away_at_a_time():
    found = [CLAIM.search(arm) for arm in (FULL, FIXED, MIXED, WILD, ALONE)]
    genomes, evolvers = zip(*found, strict=True)
    assert [g.growth for g in genomes] == [True, False, True, True, True]
    assert [e.speciation for e in evolvers] == [True, True, False, True, True]
    assert [e.mating for e in evolvers] == [True, True, True, True, False]
    assert len({e.population for e in evolvers}) == 1


@pytest.mark.parametrize("arm", [CMA, COSYNE, GUESS])
def test_the_fixed_network_is_small(arm):
    genome, _ = CLAIM.search(arm)
    assert isinstance(genome, Weights)
    assert genome.size == 6 * 3 + 3 + 3 + 1
    assert NeatDoublePole(velocities=False).search(arm)[0].size == 3 * 3 + 3 * 3 + 3 + 3 + 1


@pytest.mark.slow
def test_random_weights_take_as_many_evaluations_as_an_independent_count_says():
    """Lives are counted up to the first that lasts; without one the cap is told."""
    claim = NeatDoublePole(cap=256, limit=60, hold=60)
    run = eqx.filter_jit(lambda key: claim.run(GUESS, {}, key=key))
    genome, evolver = claim.search(GUESS)
    life = InWorld(DoublePole(), claim.limit)

    @eqx.filter_jit
    def lived(at_evolve):
        """Generation after generation, all that `evolve` would draw."""
        at_run = jax.random.split(at_evolve)[1]

        def one(generation):
            at_ask = jax.random.split(jax.random.fold_in(at_run, generation))[0]
            _, genes = evolver.ask(None, genome, key=at_ask)
            grow = lambda g: life(genome.develop(g, key=KEY), key=KEY).fitness  # noqa: E731
            return jax.vmap(grow)(genes)

        return jax.lax.map(one, jnp.arange(claim.cap // evolver.population)).ravel()

    for seed in range(3):
        key = jax.random.key(1000 + seed)
        lasted = np.asarray(lived(jax.random.split(key)[0])) >= claim.limit
        expected = int(np.argmax(lasted)) + 1 if lasted.any() else claim.cap
        assert run(key).kept["evaluations"] == min(expected, claim.cap)


def gruau(states):
    """Of the trajectory (step, 6), as in the paper."""
    steps = len(states)
    if steps < 100:
        return 0.1 * steps / 1000
    return 0.1 * steps / 1000 + 0.9 * 0.75 / np.abs(states[-100:, :4]).sum()


def test_gruaus_fitness():
    """The return, against the formula for whole trajectories of poles that fall by themselves."""
    world = Still(limit=1000)

    @jax.jit
    def trajectory(lean):
        def one(state, _):
            state, event = world.step(state, jnp.zeros(1), key=KEY)
            return state, (state[0], event)

        poles, *rest = world.reset(key=KEY)[0]
        return jax.lax.scan(one, (poles.at[2].set(lean), *rest), None, length=300)[1]

    lengths = []
    for lean in (0.07, 1e-14):
        states, events = jax.tree.map(np.asarray, trajectory(jnp.float32(lean)))
        lengths.append(int(np.argmax(events.terminated)) + 1)
        found = events.reward[: lengths[-1]].astype(np.float64).sum()
        assert found == pytest.approx(gruau(states[: lengths[-1]]), rel=1e-3)
    assert 1 < lengths[0] < 100 < lengths[1]


def test_who_stands_for_the_limit_has_solved_it():
    world = Still(limit=3)
    state, _ = world.reset(key=KEY)
    paid = []
    step = eqx.filter_jit(lambda state: world.step(state, jnp.zeros(1), key=KEY))
    for _ in range(3):
        state, event = step(state)
        paid.append(float(event.reward))
    assert paid == pytest.approx([1e-4, 1e-4, 1e6])


def test_velocities_are_hidden_in_the_variant():
    genome, _ = NeatDoublePole(velocities=False).search(FULL)
    brain = eqx.filter_jit(lambda key: genome.develop(genome.sample(key=key), key=key))(KEY)
    world = Still(limit=3)
    Controller(brain, world.actions, world.observations)  # refuses what does not fit
    assert brain.inputs["input"] == 3


# ---- the ruling -------------------------------------------------------------------------------


def outcomes(**needed):
    """NEAT at 1,000 evaluations, all others at 3,000 or as told, with ten seeds that scatter."""
    scatter = np.linspace(0.9, 1.1, 10)
    made = {}
    for arm in NeatDoublePole.arms:
        typical = needed.get(arm, 1000 if arm == FULL else 3000)
        evaluations = jnp.asarray(np.minimum(typical * scatter, CLAIM.cap), jnp.float32)
        kept = {"evaluations": evaluations, "held": jnp.full(10, float(CLAIM.hold))}
        made[arm] = Outcome(-evaluations, kept=kept)
    return made


@pytest.mark.parametrize(
    ("fixed", "ruling"),
    [(3000, "supported"), (1500, "refuted"), (900, "refuted"), (1e9, "supported")],
)
def test_half_the_evaluations_is_what_matters(fixed, ruling):
    made = outcomes(**{FIXED: fixed, GUESS: 1e9})
    evidence = CLAIM.evidence(made)
    assert evidence.primary.decide().ruling == ruling
    assert all(gate.held for gate in evidence.gates)


def test_gates_close_where_random_weights_do_or_champions_fall():
    easy, hard = CLAIM.evidence(outcomes()), CLAIM.evidence(outcomes(**{FULL: 1e9, GUESS: 1e9}))
    assert [gate.held for gate in easy.gates] == [True, False, True]
    assert [gate.held for gate in hard.gates] == [False, True, False]  # nobody is left to hold
