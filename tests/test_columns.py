"""Columns against their published tables; what each way of rewiring keeps and what it destroys."""

import jax
import jax.numpy as jnp
import networkx
import numpy as np
import pytest

import neurula as nl
from neurula import wirings
from neurula.cortex import PAIRS, conductances
from neurula.neurons import ConductanceLIF
from neurula.testing import check_wiring

TABLES = {"thomson": wirings.THOMSON, "potjans": wirings.POTJANS}


def odds(graph, pairs=None):
    """Share of connected pairs, by kind, (post, pre); `pairs` may rule out some."""
    kinds = len(graph.table.names)
    there = np.zeros((len(graph.kind),) * 2)
    there[graph.target, graph.source] = 1
    allowed = ~np.eye(len(graph.kind), dtype=bool) if pairs is None else pairs
    member = np.eye(kinds)[graph.kind]
    possible = member.T @ allowed @ member
    return member.T @ (there * allowed) @ member / np.maximum(possible, 1), possible


@pytest.mark.parametrize("name", TABLES)
def test_a_large_column_has_the_probabilities_of_its_table(name):
    table = TABLES[name]
    graph = wirings.column(table, cells=1500, seed=3)
    found, possible = odds(graph)
    error = np.sqrt(table.probability * (1 - table.probability) / possible)
    assert np.all(np.abs(found - table.probability) <= 4 * error)
    np.testing.assert_array_equal(found[table.probability == 0], 0)


def test_strengths_have_the_means_and_the_spread_of_the_table_and_signs_of_their_senders():
    graph = wirings.column(cells=2000, seed=1)
    np.testing.assert_array_equal(graph.strength > 0, graph.excites[graph.source])
    # A normal with mean 1 and deviation 0.7 whose part below 0 is spread evenly over 0 to 2.
    draws = np.random.default_rng(0).normal(1, 0.7, 10**6)
    below = draws < 0
    draws[below] = np.random.default_rng(1).uniform(0, 2, below.sum())
    ratio = (
        graph.strength / graph.table.strength[graph.kind[graph.target], graph.kind[graph.source]]
    )
    assert ratio.mean() == pytest.approx(draws.mean(), rel=0.01)
    assert ratio.std() == pytest.approx(draws.std(), rel=0.01)
    assert ratio.min() > 0


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_whole(name):
    """Every possible connection has a strength; inhibition is told by its name."""
    table = TABLES[name]
    assert np.all(table.strength[table.probability > 0] != 0)
    np.testing.assert_array_equal(np.sign(table.strength).min(0) < 0, ~table.excites)
    assert set(table.leaves) == set(table.arrives) == {"feedforward", "feedback", "lateral"}


def test_published_numbers_of_the_paths_that_papers_name():
    """From layer 4 to 2/3, from there to 5 (Haeusler & Maass 2007, figure 1); thalamus to 4."""
    at = wirings.THOMSON.names.index
    p, s = wirings.THOMSON.probability, wirings.THOMSON.strength
    assert (p[at("L23e"), at("L4e")], s[at("L23e"), at("L4e")]) == (0.28, 4.0)
    assert (p[at("L5e"), at("L23e")], s[at("L5e"), at("L23e")]) == (0.55, 1.4)
    assert (p[at("L5e"), at("L23i")], s[at("L5e"), at("L23i")]) == (0.20, -5.2)
    assert wirings.POTJANS.probability[4, 5] == 0.3726
    assert wirings.POTJANS.strength[0, 2] == pytest.approx(0.3)


def test_sizes_follow_shares():
    sizes = wirings.THOMSON.sizes(560)
    assert sizes.sum() == 560
    np.testing.assert_allclose(sizes, 560 * wirings.THOMSON.share, atol=6)
    assert wirings.THOMSON.sizes(6).tolist() == [1] * 6
    assert wirings.column(seed=0).kind.size == 110
    with pytest.raises(ValueError, match="6 kinds of cells"):
        wirings.THOMSON.sizes(5)


def test_sheets_join_neighbours_only_and_through_their_ports():
    graph = wirings.sheet(2, 3, cells=80, seed=2)
    here, there = graph.column[graph.source], graph.column[graph.target]
    assert set(zip(here[here != there], there[here != there], strict=True)) == {
        (a, b) for a in range(6) for b in range(6)
        if abs(a // 3 - b // 3) + abs(a % 3 - b % 3) == 1
    }  # fmt: skip
    apart = here != there
    names = np.array(graph.table.names)
    assert set(names[graph.kind[graph.source[apart]]]) == {"L23e"}
    assert set(names[graph.kind[graph.target[apart]]]) == {"L23e"}
    np.testing.assert_array_equal(np.floor(graph.places[:, 0]), graph.column % 3)
    np.testing.assert_array_equal(np.floor(graph.places[:, 2]), graph.kind // 2)
    with pytest.raises(ValueError, match="a row and a column or more"):
        wirings.sheet(0, 3, seed=0)


@pytest.mark.parametrize("port", ["feedforward", "feedback", "lateral"])
def test_ports_reach_whom_the_table_says(port):
    low, high = (wirings.column(cells=900, seed=seed) for seed in (0, 1))
    arrives, names = low.table.arrives[port], low.table.names
    for wiring, speakers in (
        (wirings.stream(high, port, 60, seed=4).wiring, np.arange(60)),
        (wirings.join(low, high, port, seed=4).wiring, low.cells(low.table.leaves[port])),
    ):
        assert set(np.unique(wiring.source)) <= set(speakers)
        heard = np.bincount(np.asarray(wiring.target), minlength=900) / len(speakers)
        for name in names:
            p = arrives.get(name, 0.0)
            pairs = len(high.cells(name)) * len(speakers)
            assert heard[high.cells(name)].mean() == pytest.approx(
                p, abs=4 * np.sqrt(p * (1 - p) / pairs)
            )


def test_ports_and_kinds_that_do_not_exist_are_refused():
    graph = wirings.column(seed=0)
    with pytest.raises(ValueError, match=r"one of .*feedforward.*but got 'thalamus'"):
        wirings.stream(graph, "thalamus", 3, seed=0)
    with pytest.raises(ValueError, match=r"Use `scale=1\.25` or less"):
        wirings.stream(graph, "feedforward", 3, scale=2.0, seed=0)
    with pytest.raises(ValueError, match="kinds of cells, got 'L6e'"):
        graph.cells("L6e")
    with pytest.raises(ValueError, match="way of rewiring"):
        wirings.rewired(graph, "random", seed=0)


@pytest.mark.parametrize("how", wirings.WAYS)
def test_rewiring_keeps_what_it_says(how):
    graph = wirings.column(cells=280, seed=5)
    null = wirings.rewired(graph, how, seed=6)
    check_wiring(null.wiring)
    pairs = set(zip(null.source.tolist(), null.target.tolist(), strict=True))
    assert len(pairs) == len(graph.source)  # nobody twice
    assert all(a != b for a, b in pairs)
    for ends in ((0, 0), (0, 1), (1, 0), (1, 1)):  # E or I, sender and listener
        of = [
            np.sort(g.strength[(g.excites[g.source] == ends[0]) & (g.excites[g.target] == ends[1])])
            for g in (graph, null)
        ]
        np.testing.assert_array_equal(*of)
    np.testing.assert_array_equal(null.strength > 0, null.excites[null.source])
    degrees = [np.stack([np.bincount(x, minlength=280) for x in (g.source, g.target)])
               for g in (graph, null)]  # fmt: skip
    if how == "degree-controlled":
        np.testing.assert_array_equal(*degrees)
        np.testing.assert_array_equal(null.source, graph.source)
    elif how == "unspecific":  # degrees stay together, but at other cells
        assert not np.array_equal(*degrees)
        np.testing.assert_array_equal(*(d[:, np.lexsort(d)] for d in degrees))
    again = wirings.rewired(graph, how, seed=6)
    np.testing.assert_array_equal(null.target, again.target)


def test_amorphous_circuits_have_no_layers():
    """Every pair of E and E, E and I, ... is equally likely, whatever the layers."""
    graph = wirings.rewired(wirings.column(cells=1000, seed=0), "amorphous", seed=1)
    found, possible = odds(graph)
    excites = graph.table.excites
    for post in (True, False):
        for pre in (True, False):
            block = np.ix_(excites == post, excites == pre)
            mean = np.average(found[block], weights=possible[block])
            error = np.sqrt(mean * (1 - mean) / possible[block])
            assert np.all(np.abs(found[block] - mean) < 4 * error)


@pytest.mark.slow
def test_swaps_destroy_all_that_degrees_do_not_force():
    """Park & Newman (2004), Phys. Rev. E 70:066117: all else random, the odds of a pair are x y.

    x and y, one for each kind that speaks or listens, are those that give the mean degrees.
    """
    graph = wirings.column(cells=400, seed=0)
    null = wirings.rewired(graph, "degree-controlled", seed=1)
    here = graph.excites[graph.source] & graph.excites[graph.target]
    kinds = [0, 2, 4]
    sizes = graph.table.sizes(400)[kinds]

    def counts(g):
        pairs = [[(g.kind[g.target] == b) & (g.kind[g.source] == a) for a in kinds] for b in kinds]
        return np.array([[np.sum(here & pair) for pair in row] for row in pairs], float)

    before, after = counts(graph), counts(null)
    x, y, pairs = np.ones(3), np.ones(3), np.outer(sizes, sizes)
    for _ in range(500):
        p = np.outer(y, x) / (1 + np.outer(y, x))
        x = x * np.sqrt(before.sum(0) / (pairs * p).sum(0))
        p = np.outer(y, x) / (1 + np.outer(y, x))
        y = y * np.sqrt(before.sum(1) / (pairs * p).sum(1))
    expected = pairs * np.outer(y, x) / (1 + np.outer(y, x))
    np.testing.assert_allclose(after, expected, rtol=0.04, atol=24)  # draws spread by 5 to 30
    assert np.abs(before / expected - 1).max() > 0.9


def test_small_worlds_cluster_as_layers_do_and_are_as_small():
    """Haeusler & Maass (2007) give their small worlds the clustering of the column."""
    graph = wirings.column(cells=200, seed=0)
    seen = {}
    for name in ("laminar", "amorphous", "small-world"):
        of = graph if name == "laminar" else wirings.rewired(graph, name, seed=1)
        net = networkx.Graph(zip(of.source.tolist(), of.target.tolist(), strict=True))
        seen[name] = networkx.average_clustering(net), networkx.average_shortest_path_length(net)
    assert seen["laminar"][0] == pytest.approx(0.36, abs=0.02)
    assert seen["small-world"][0] == pytest.approx(seen["laminar"][0], abs=0.02)
    assert seen["amorphous"][0] < 0.28
    assert seen["small-world"][1] < 1.05 * seen["amorphous"][1]


@pytest.mark.slow
def test_a_network_of_a_column_has_its_connections_signs_and_synapses():
    graph = wirings.column(seed=0)
    stream = wirings.stream(graph, "feedforward", 10, seed=1)
    network = nl.cortical(graph, {"thalamus": stream}, scale=2.0, gain=3.0)
    assert set(network.populations) == {*graph.table.names, "thalamus"}
    inner = [p for p in network.projections if p.source != "thalamus"]
    assert sum(p.weight.size for p in inner) == len(graph.source)
    for p in inner:
        inhibits, target = p.source.endswith("i"), p.target.endswith("i")
        assert p.port == ("inhibitory" if inhibits else "excitatory")
        assert p.synapse == PAIRS[not inhibits, not target][0]
        assert float(p.weight.min()) > 0
    assert {p.target for p in network.projections if p.source == "thalamus"} == {
        "L23e", "L4e", "L4i", "L5e",
    }  # fmt: skip
    one = next(p for p in inner if p.name == "L4e->L23e")
    cells = (graph.kind[graph.source] == 2) & (graph.kind[graph.target] == 0)
    amplitude = 2.0 * graph.strength[cells].sum()
    assert float(one.weight.sum()) == pytest.approx(amplitude * 15.5862 / 65, rel=1e-4)
    entering = [p for p in network.projections if p.source == "thalamus"]
    total = sum(float(p.weight.sum()) for p in entering)
    assert total == pytest.approx(3.0 * stream.strength.sum() * 15.5862 / 65, rel=1e-4)


def test_a_small_amplitude_is_reached_from_where_it_was_measured():
    """A steady conductance moves a cell at -65 mV by about its amplitude: g (E - V) / g_leak."""
    cell = ConductanceLIF(
        capacitance=346.36, leak=15.5862, rest=-65.0, inhibitory_reversal=-75.0, threshold=-40.0,
        reset=-65.0, refractory=3.0,
    )  # fmt: skip
    for amplitude, port in ((0.1, 1), (-0.1, 2)):
        state, drive = cell.init(1), jnp.zeros((3, 1))
        drive = drive.at[port].set(conductances(cell, np.array([amplitude])))
        step = lambda _, s: cell.step(s, drive, None, dt=1.0)[0]  # noqa: B023, E731
        state = jax.lax.fori_loop(0, 400, step, state)
        assert float(state[0][0]) + 65 == pytest.approx(amplitude, rel=0.02)


@pytest.mark.slow
def test_both_engines_agree_on_a_column():
    graph = wirings.column(cells=60, seed=3)
    ports = (("feedforward", 60.0), ("lateral", 150.0))
    inputs = {}
    for port, strength in ports:
        wiring, drawn = wirings.stream(graph, port, 20, seed=1)
        inputs[port] = wirings.Bundle(wiring, strength * drawn)
    stimuli = (np.random.default_rng(0).random((160, 40)) < 0.02).astype(np.float32)
    for merged in (True, False):
        network = nl.cortical(graph, inputs, merged=merged)
        told = [nl.simulate(network, stimuli, engine=engine) for engine in ("events", "jax")]
        assert sum(s.times.size for s in told[0].spikes.values()) > 50
        for name in network.voices:
            one, other = (t.spikes[name] for t in told)
            np.testing.assert_allclose(one.times, other.times)
            np.testing.assert_array_equal(one.cells, other.cells)


@pytest.mark.slow
def test_equal_parts_with_other_connections_share_a_loop_but_no_connections():
    """Networks that differ in their wiring alone, side by side, do as each would alone."""
    graphs = [wirings.column(cells=60, seed=seed) for seed in (3, 4)]
    stimuli = (np.random.default_rng(0).random((100, 20)) < 0.05).astype(np.float32)
    networks = []
    for graph in graphs:
        wiring, drawn = wirings.stream(graph, "feedforward", 20, seed=1)
        bundle = wirings.Bundle(wiring, 100.0 * drawn)
        networks.append(nl.cortical(graph, {"thalamus": bundle}, merged=True))
    together = nl.simulate_many(networks, stimuli)
    for network, told in zip(networks, together, strict=True):
        alone = nl.simulate(network, stimuli, engine="events")
        for name in network.voices:
            np.testing.assert_array_equal(told.spikes[name].cells, alone.spikes[name].cells)
    assert not np.array_equal(*(told.spikes["excitatory"].cells for told in together))
