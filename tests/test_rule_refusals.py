"""What relaxing and inferring rules refuse, and the words that mend it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
import pytest
from compiled import autoencoder, boltzmann, free, layered, learn, relaxing, two_way
from toy_learning import (
    KEY,
    Copy,
    branched,
    example,
)

from neurula.contracts import Sample
from neurula.measures import energy
from neurula.neurons import LIF, Leaky
from neurula.rules import (
    Boltzmann,
    ContrastiveHebb,
    EquilibriumPropagation,
    GeneralisedRecirculation,
    PredictiveCoding,
    Recirculation,
    RecurrentBackprop,
    TargetPropagation,
    settle,
)
from neurula.wirings import Dense, Grid


def spiking():
    return layered([4, 5, 3], neuron=lambda n: LIF(), key=KEY)


REFUSED = {
    "no way back": (
        EquilibriumPropagation(),
        lambda: layered([4, 5, 3], key=KEY),
        "two_way.network",
    ),
    "no way back for Hebb": (
        ContrastiveHebb(),
        lambda: layered([4, 5, 3], key=KEY),
        "nothing runs from 'output' to 'hidden1'",
    ),
    "no way back for GeneRec": (
        GeneralisedRecirculation(),
        lambda: layered([4, 5, 3], key=KEY),
        "needs feedback",
    ),
    "weights differ": (
        EquilibriumPropagation(),
        lambda: two_way(layered([4, 5, 3], key=KEY), key=KEY),
        "mirror the others, but these differ.*EquilibriumPropagation.symmetric=False",
    ),
    "weak feedback": (
        EquilibriumPropagation(),
        lambda: relaxing([4, 5, 3], gain=0.1, key=KEY),
        r"feedback gains \[0.1\]",
    ),
    "spikes": (EquilibriumPropagation(), spiking, r"\['hidden1'\] spike.*neurons.Leaky"),
    "spikes in inference": (PredictiveCoding(), spiking, "graded activities"),
    "spikes in targets": (TargetPropagation(), spiking, "graded activities"),
    "noise": (ContrastiveHebb(), lambda: boltzmann(4, 2, key=KEY), "noisy and never do.*Boltzmann"),
    "one layer": (
        EquilibriumPropagation(),
        lambda: layered([4, 3], key=KEY),
        "single layer.*Backprop",
    ),
    "one layer of Hebb": (
        ContrastiveHebb(),
        lambda: layered([4, 3], key=KEY),
        "add a hidden layer",
    ),
    "one layer of GeneRec": (
        GeneralisedRecirculation(),
        lambda: layered([4, 3], key=KEY),
        "all inputs or outputs",
    ),
    "one layer to go round": (
        Recirculation(),
        lambda: layered([4, 4], key=KEY),
        r"\[visible, hidden, visible\], but got \[4, 4\].*autoencoder",
    ),
    "spikes of Hebb": (ContrastiveHebb(), spiking, r"\['hidden1'\] spike"),
    "spikes of GeneRec": (GeneralisedRecirculation(), spiking, r"\['hidden1'\] spike"),
    "spikes to go round": (Recirculation(), spiking, r"\['hidden1'\] spike"),
    "spikes that settle": (RecurrentBackprop(), spiking, r"\['hidden1'\] spike"),
    "spikes of chance": (Boltzmann(), spiking, "'hidden1': 'LIF'.*neurons.Binary"),
    "one layer to infer": (PredictiveCoding(), lambda: layered([4, 3], key=KEY), "the delta rule"),
    "one layer to aim": (TargetPropagation(), lambda: layered([4, 3], key=KEY), "the delta rule"),
    "loops": (
        PredictiveCoding(),
        lambda: free(Dense(5, 5), inputs=4, outputs=3, key=KEY),
        r"\['cells->cells'\] have a delay.*EquilibriumPropagation",
    ),
    "memory": (
        PredictiveCoding(),
        lambda: layered([4, 5, 3], neuron=lambda n: Leaky(), key=KEY),
        r"\['hidden1'\] are \['Leaky'\].*neurons.Rate",
    ),
    "branches": (TargetPropagation(), lambda: branched(KEY), "single chain"),
    "no loop to go round": (
        Recirculation(),
        lambda: layered([4, 5, 3], key=KEY),
        r"\[visible, hidden, visible\], but got \[4, 5, 3\].*autoencoder\(4, 2",
    ),
    "no chance": (Boltzmann(), lambda: layered([4, 5, 3], key=KEY), "on or off by chance"),
    "too many states": (Boltzmann(), lambda: boltzmann(12, 4, key=KEY), r"2\^16. Sample them"),
    "one-sided bonds": (
        Boltzmann(),
        lambda: boltzmann(4, 2, key=KEY).edit(
            lambda p: eqx.tree_at(lambda p: p.weight, p, p.weight * float(p.source == "visible"))
        ),
        "same both ways",
    ),
    "own company": (
        Boltzmann(),
        lambda: boltzmann(4, 2, among=Dense(4, 4), key=KEY).edit(
            lambda p: eqx.tree_at(lambda p: p.weight, p, p.weight + 1.0)
        ),
        "4 cells are joined to themselves",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_what_mends_them(name):
    rule, make, words = REFUSED[name]
    with pytest.raises(ValueError, match=f"{type(rule).__name__} .*{words}"):
        rule.init(make(), key=KEY)


def test_contrastive_hebb_wants_one_gain():
    brain = relaxing([4, 6, 5, 3], key=KEY).edit(
        lambda p: (
            eqx.tree_at(lambda p: p.wiring, p, type(p.wiring)(p.wiring.inner, 0.5))
            if p.name == "output->hidden2"
            else p
        )
    )
    with pytest.raises(ValueError, match=r"feedback of one gain, but got \[0.5, 1.0\]"):
        ContrastiveHebb().init(brain, key=KEY)


def test_two_way_refuses_what_it_cannot_mirror():
    there = relaxing([4, 5, 3], key=KEY)
    with pytest.raises(ValueError, match=r"there is one already. Leave"):
        two_way(there)
    grid = free(Grid(2, 2), inputs=4, outputs=3, key=KEY)
    with pytest.raises(ValueError, match="cells->cells has Grid wiring"):
        two_way(grid)
    signs = jnp.array([1, 1, 1, 1, -1], jnp.int8)
    with pytest.raises(ValueError, match="give cells signs"):
        two_way(free(Dense(5, 5), inputs=4, outputs=3, sign=signs, key=KEY))


def test_a_rule_without_a_teacher_refuses_targets():
    brain = autoencoder(4, 3, key=KEY)
    how = {"steps": 1, "key": KEY}
    with pytest.raises(
        ValueError, match=r"Recirculation .* no target, but Copy gives targets that"
    ):
        learn(brain, Recirculation(), Copy(), optax.sgd(0.1), **how)

    class Echo(Copy):
        def sample(self, split, *, key):
            stimuli = jax.random.normal(key, (1, self.cells))
            return Sample(stimuli, stimuli)

    assert learn(brain, Recirculation(), Echo(), optax.sgd(0.1), **how).costs["updates"] == 1
    with pytest.raises(ValueError, match=r"Boltzmann .* no target.*Backprop"):
        learn(boltzmann(4, 2, key=KEY), Boltzmann(), Copy(), optax.sgd(0.1), **how)


def test_energy_needs_known_cells_and_their_potentials():
    brain, sample = relaxing([4, 5, 3], key=KEY), example(4, 3)
    end = settle(brain, sample.stimuli[0], steps=3)
    with pytest.raises(ValueError, match=r"potentials of graded cells.*settled.state.cells"):
        energy(brain, end.activity)
    soft = relaxing([4, 5, 3], nonlinearity="softplus", key=KEY)
    end = settle(soft, sample.stimuli[0], steps=3)
    with pytest.raises(ValueError, match="'hidden1' have 'softplus'"):
        energy(soft, end.activity, potentials=end.state.cells)
