"""The pieces of the experiment: equal starts, cells that count, parts that all must hold."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims.direction_selectivity import BRAIN, SHUFFLED, STATIC, TOLD, DirectionSelectivity
from neurula.experiment import Outcome

CLAIM = DirectionSelectivity()
ARMS = tuple(CLAIM.arms)


def test_all_arms_start_alike_but_for_what_they_say():
    networks = jax.jit(lambda key: {arm: CLAIM.network(arm, key=key) for arm in ARMS})
    made = networks(jax.random.key(0))
    for arm, network in made.items():
        for ours, theirs in zip(network.projections, made[BRAIN].projections, strict=True):
            if ours.target == "output" and arm == TOLD:
                assert ours.weight.shape == (8, 64)
            else:
                np.testing.assert_array_equal(ours.weight, theirs.weight)


def test_arms_see_the_same_films_and_are_asked_what_they_say():
    tasks = {arm: CLAIM.task(arm) for arm in ARMS}
    asked = {arm: (task.asks, task.shuffled) for arm, task in tasks.items()}
    assert asked == {
        BRAIN: ("next frame", False),
        STATIC: ("current frame", False),
        SHUFFLED: ("next frame", True),
        "untrained": ("next frame", False),
        TOLD: ("direction", False),
    }
    assert len({(task.size, task.frames, task.speeds) for task in tasks.values()}) == 1


def test_a_cell_that_hears_one_pixel_is_not_directional_and_a_detector_is():
    """By hand: a Reichardt pair of cells, a cell without loops, and one that hears nothing."""
    claim = DirectionSelectivity(cells=4, exam=4)
    network = jax.jit(lambda key: claim.network(BRAIN, key=key))(jax.random.key(0))
    enter, leave, loop = network.projections
    heard = np.zeros((4, 64), np.float32)
    heard[0, 27] = 1.0  # speaks a frame later to cell 1, that hears the pixel to its right
    heard[1, 28], heard[2, 27] = 1.0, 1.0
    lateral = np.zeros((4, 4), np.float32)
    lateral[1, 0] = 1.0

    def seen():
        weights = {enter.name: heard, leave.name: leave.weight, loop.name: lateral}

        def put(p):
            return type(p)(
                p.source, p.target, p.wiring, jnp.asarray(weights[p.name]), p.port, p.delay
            )

        return claim.seen(network.edit(put), jnp.zeros((4, 8, 64)))

    found = jax.jit(seen)()
    index, loud = np.asarray(found["index"]), np.asarray(found["loud"])
    np.testing.assert_array_equal(loud, [True, True, True, False])
    np.testing.assert_allclose(index[[0, 2, 3]], 0, atol=0.02)
    assert index[1] > 0.1
    assert found["trials"].shape == (12, 12, 4)


def outcomes(shares):
    """Made-up runs of eight seeds, in which arms differ only in the share of selective cells."""
    rng = np.random.default_rng(0)
    made = {}
    for arm in ARMS:
        share = np.clip(shares.get(arm, 0.1) + rng.normal(0, 0.02, 8), 0, 1)
        kept = {
            "index": np.tile(share[:, None], (1, 10)),
            "energy": np.zeros((8, 10)),
            "loud": np.ones((8, 10), bool),
            "explained": np.tile(np.linspace(0.3, 0.6, 8), (8, 1)),
            "null": np.full((8, 20), 0.02),
        }
        made[arm] = Outcome(jnp.asarray(share), kept={k: jnp.asarray(v) for k, v in kept.items()})
    return made


@pytest.mark.parametrize(
    ("shares", "ruling"),
    [
        ({BRAIN: 0.6}, "supported"),
        ({BRAIN: 0.6, STATIC: 0.55}, "refuted"),
        ({BRAIN: 0.6, SHUFFLED: 0.6}, "refuted"),
        ({BRAIN: 0.6, "untrained": 0.5}, "refuted"),
        ({BRAIN: 0.6, TOLD: 0.9}, "supported"),
    ],
)
def test_all_four_comparisons_must_hold(shares, ruling):
    evidence = CLAIM.evidence(outcomes(shares))
    assert evidence.primary.find().ruling == ruling
    assert all(gate.held for gate in evidence.gates)
