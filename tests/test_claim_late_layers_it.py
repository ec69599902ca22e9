"""The arithmetic of late-layers-it on invented brains, where the answers are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from real_data import real
from scipy.stats import spearmanr

from neurula import data
from neurula.claims import LateLayersIt, late_layers_it, seen_objects
from neurula.claims.late_layers_it import EARLY, LATE, Table
from neurula.experiment import Outcome
from neurula.pretrained import LAYERS
from neurula.recordings import Dissimilarities

OBJECTS, NETWORKS, PEOPLE = 12, 8, 4
PAIRS = OBJECTS * (OBJECTS - 1) // 2
NAMES = tuple(f"{k:02d} thing" for k in range(OBJECTS))


def outcome(apart):
    return Outcome(jnp.zeros(NETWORKS), kept={"dissimilarities": jnp.asarray(apart)})


@pytest.fixture
def invented(monkeypatch):
    """Brains of noise; networks of noise, but block 12 of the trained one is the monkeys' IT."""
    rng = np.random.default_rng(0)
    monkey, human = rng.uniform(size=(1, PAIRS)), rng.uniform(size=(PEOPLE, PAIRS))
    known = {"monkey IT": monkey, "human IT": human}
    people = Dissimilarities(human[:, None], NAMES, tuple("abcd"))
    for module in (late_layers_it, seen_objects):
        monkeypatch.setattr(module, "brain92", lambda: {"human IT": people}, raising=False)
    monkeypatch.setattr(late_layers_it, "objects", lambda every: NAMES)
    monkeypatch.setattr(late_layers_it, "brains", lambda every: known)
    outcomes = {}
    for arm, about in LateLayersIt.arms.items():
        layers = len(LAYERS) if arm in ("trained", "untrained", "permuted") else 1
        apart = rng.uniform(size=(1 if about.fixed else NETWORKS, layers, PAIRS))
        if arm == "trained":
            apart[0, LAYERS.index("block 12")] = monkey[0]
        apart = np.broadcast_to(apart, (NETWORKS, layers, PAIRS))
        outcomes[arm] = outcome(apart)
    return outcomes, known


def test_likeness_is_spearmans(invented):
    outcomes, known = invented
    table = Table(outcomes, 1)
    found = table.rho("untrained", "human", table.once)
    assert found.shape == (1, NETWORKS, len(LAYERS), PEOPLE)
    one = np.asarray(outcomes["untrained"].kept["dissimilarities"])[3, 5]
    expected = spearmanr(one, known["human IT"][2]).statistic
    assert found[0, 3, 5, 2] == pytest.approx(expected, abs=1e-9)


def test_best_layers(invented):
    """Trained: 1 by its late layer; untrained: each network's own maximum, then their mean."""
    outcomes, known = invented
    table, who = Table(outcomes, 1), np.ones((1, NETWORKS))
    assert table.best("trained", "monkey", who, table.once) == pytest.approx(1.0)
    assert table.best("trained", "monkey", who, table.once, LATE) == pytest.approx(1.0)
    assert table.best("trained", "monkey", who, table.once, EARLY) < 0.6
    nets = np.asarray(outcomes["untrained"].kept["dissimilarities"])
    own = [max(spearmanr(r, known["monkey IT"][0]).statistic for r in net) for net in nets]
    found = table.best("untrained", "monkey", who, table.once)
    assert found == pytest.approx(np.mean(own), abs=1e-9)
    drawn = np.array([[8.0, 0, 0, 0, 0, 0, 0, 0], [0, 4.0, 4.0, 0, 0, 0, 0, 0]])
    twice = np.repeat(table.once, 2, axis=0)
    found = table.best("untrained", "monkey", drawn, twice)
    np.testing.assert_allclose(found, [own[0], (own[1] + own[2]) / 2], atol=1e-9)


def test_people_are_averaged_before_a_layer_is_chosen(invented):
    outcomes, known = invented
    table, who = Table(outcomes, 1), np.array([[2.0, 1.0, 1.0, 0.0]])
    net = np.asarray(outcomes["trained"].kept["dissimilarities"])[0]
    rho = [[spearmanr(row, one).statistic for one in known["human IT"]] for row in net]
    expected = (np.array(rho) @ who[0] / 4).max()
    assert table.best("trained", "human", who, table.once) == pytest.approx(expected, abs=1e-9)


def test_objects_drawn_twice_count_twice(invented):
    """Against ranks of the drawn pairs written out, a pair of an object with itself left out."""
    outcomes, known = invented
    counts = np.array([[3.0, 0, 1, 1, 2, 0, 1, 1, 1, 1, 1, 0]])
    one, other = np.triu_indices(OBJECTS, 1)
    times = (counts[0, one] * counts[0, other]).astype(int)
    net = np.asarray(outcomes["silhouette"].kept["dissimilarities"])[0, 0]
    drawn = [np.repeat(values, times) for values in (net, known["monkey IT"][0])]
    found = Table(outcomes, 1).rho("silhouette", "monkey", counts)
    assert found.item() == pytest.approx(spearmanr(*drawn).statistic, abs=1e-9)


def test_evidence(invented):
    """A layer that is the brain itself: supported; the gates hold, labels are no better."""
    outcomes, _ = invented
    found = LateLayersIt().evidence(outcomes)
    finding = found.primary.find()
    assert finding.ruling == "supported"
    assert finding.n == NETWORKS
    assert found.gates[0].held
    assert set(found.secondary) == {
        *(f"{s} IT: trained - {c}" for s in ("monkey", "human")
          for c in ("untrained", "permuted", "animacy labels", "category labels")),
        "monkey IT: late - early layers", "human IT: late - early layers",
    }  # fmt: skip
    human = found.secondary["human IT: trained - untrained"].find()
    assert (human.n, human.ruling) == (PEOPLE, "inconclusive")
    late = found.secondary["monkey IT: late - early layers"].find()
    assert late.estimate > 0.4
    assert late.n == OBJECTS


def test_noise_alone_is_no_likeness(invented):
    """Shuffled names give what noise gives: the gate fails for a network of noise."""
    outcomes, known = invented
    noise = np.random.default_rng(5).uniform(size=(NETWORKS, len(LAYERS), PAIRS))
    outcomes["trained"] = outcome(noise[[0] * NETWORKS])
    table = Table(outcomes, 1)
    assert not table.gates()[0].held
    rho = [spearmanr(row, known["monkey IT"][0]).statistic for row in noise[0]]
    assert np.mean(table.shuffled()) == pytest.approx(2 / PAIRS**0.5, abs=0.07)  # best of 18
    assert table.rho("trained", "monkey", table.once)[0, 0, :, 0] == pytest.approx(np.array(rho))


def test_halves_of_depth():
    assert (EARLY[0], EARLY[-1]) == ("stem", "block 8")
    assert (LATE[0], LATE[-1]) == ("block 9", "logits")
    assert len(EARLY) == len(LATE)


@pytest.mark.slow
def test_every_arm_sees_the_objects():
    """Shapes; a fixed arm draws nothing; an untrained one does. Facts of the models' likeness."""
    real("brain92")
    if not all(map(data.available, LateLayersIt.data)):
        pytest.skip("it needs the data in the store: neurula data get brain92")
    claim, keys = LateLayersIt(every=8), jax.random.split(jax.random.key(2000), 2)
    for arm, about in LateLayersIt.arms.items():
        found = [claim.run(arm, {}, key=key).kept["dissimilarities"] for key in keys]
        assert found[0].shape[1] == PAIRS
        assert bool(jnp.array_equal(*found)) == about.fixed, arm
    whole = LateLayersIt().run("animacy labels", {}, key=keys[0])
    assert float(whole.score) == pytest.approx(0.45, abs=0.005)  # known before
