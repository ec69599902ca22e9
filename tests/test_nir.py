"""NIR files: networks come back whole, and NIR's own equations give the same spikes."""

import functools
import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import neurula as nl
from neurula.neurons import LIF, Izhikevich, Leaky, Rate
from neurula.populations import Positions
from neurula.synapses import Exponential, ShortTerm
from neurula.wirings import Dense, OneToOne

nir = pytest.importorskip("nir", reason="the extra `nir` is not installed")


def weights(post, pre, scale=1.0):
    return scale * jax.random.normal(jax.random.key(7 * post + pre), (post, pre))


def everything():
    """All that NIR can say, in one network."""
    linear = Rate("identity")
    places = Positions(jnp.arange(10.0).reshape(5, 2))
    spiking = LIF(10.0, -65.0, -50.0, -70.0, bias=jnp.linspace(0, 3, 5))
    quick = LIF(tau=7.3, threshold=0.5, reset=-0.1, surrogate_slope=4.0)
    loop = jnp.array(np.random.default_rng(1).random((5, 5)) < 0.5)
    apart = jnp.asarray(np.random.default_rng(0).integers(1, 5, (4, 5)), jnp.int32)
    sign = jnp.array([1, -1, 1, 1, -1], jnp.int8)
    signed = jnp.where(loop, 3.0, 0.0) * sign.astype(jnp.float32)[None, :]
    return nl.Network(
        {
            "the world": nl.Population(3, linear),
            "a": nl.Population(5, spiking, places),
            "b": nl.Population(4, quick),
            "c": nl.Population(4, Leaky("identity", jnp.linspace(3.0, 20.0, 4))),
            "between": nl.Population(4, linear),
            "answer": nl.Population(2, Rate("identity", jnp.ones(2))),
        },
        [
            nl.Projection("the world", "a", Dense(5, 3), weights(5, 3, 20), delay=0),
            nl.Projection("a", "a", Dense(5, 5, loop), signed, sign=sign),
            nl.Projection(
                "a", "b", Dense(4, 5), weights(4, 5, 2), delay=4, delays=apart,
                synapse=Exponential(3.0),
            ),
            nl.Projection("b", "c", OneToOne(4), jnp.arange(4.0) + 1, delay=2),
            nl.Projection("c", "between", Dense(4, 4), weights(4, 4), delay=0),
            nl.Projection("between", "answer", Dense(2, 4), weights(2, 4)),
        ],
        senses=["the world"],
        voices=["answer", "b"],
        dt=0.1,
    )  # fmt: skip


def test_networks_come_back_whole(tmp_path):
    network = everything()
    path = nl.to_nir(network, tmp_path / "net.nir")
    assert eqx.tree_equal(nl.from_nir(path), network)
    kinds = {name: type(node).__name__ for name, node in nir.read(path).nodes.items()}
    wanted = {"the world": "Input", "a": "LIF", "b": "CubaLIF", "c": "LI", "between": "Scale"}
    assert {name: kinds[name] for name in wanted} == wanted
    assert kinds["a->a delay"] == "Delay"
    assert kinds["between->answer"] == "Affine"


def test_stimuli_may_enter_any_cells_and_all_wirings_become_matrices(key, tmp_path):
    sheet = nl.wirings.Grid(3, 3, 4)
    network = nl.Network(
        {"cells": nl.Population(9, LIF(tau=5.0)), "echo": nl.Population(2, Rate("identity"))},
        [nl.Projection("cells", "cells", sheet, sheet.fill(0.3), delay=3)],
        senses=["cells", "echo"],
        voices=["cells", "echo"],
    )
    back = nl.from_nir(nl.to_nir(network, tmp_path / "net.nir"))
    assert (back.senses, back.voices) == (network.senses, network.voices)
    stimuli = 2 * jax.random.uniform(key, (50, 11))
    said = nl.respond(network, stimuli)
    np.testing.assert_array_equal(said, nl.respond(back, stimuli))
    assert said[:, :9].sum() > 20


# ---- NIR's own equations, played without neurula ------------------------------------------------


def leaky(node, potential, current, dt):
    """tau dv/dt = v_leak - v + R I over one step: Runge and Kutta, eight times."""
    slope = lambda v: (node.v_leak - v + node.r * current) / node.tau  # noqa: E731
    for _ in range(8):
        one = slope(potential)
        two = slope(potential + dt / 16 * one)
        three = slope(potential + dt / 16 * two)
        four = slope(potential + dt / 8 * three)
        potential = potential + dt / 48 * (one + 2 * two + 2 * three + four)
    return potential


def played(graph, stimuli, watch):
    """The signals of a node: every node's definition, with signals that last a step of `dt`."""
    dt = float(graph.metadata["dt"])
    potentials = {n: np.array(x.v_leak) for n, x in graph.nodes.items() if hasattr(x, "tau")}

    @functools.cache
    def signal(name, step):
        node = graph.nodes[name]
        if step < 0:
            return np.zeros(node.output_type["output"])
        if isinstance(node, nir.Input):
            return stimuli[step]
        before = [a for a, b in graph.edges if b == name]
        if isinstance(node, nir.Delay):
            return signal(before[0], step - round(float(node.delay[0]) / dt))
        current = sum(signal(a, step) for a in before)
        if isinstance(node, nir.Linear):
            return node.weight @ current
        potentials[name] = leaky(node, potentials[name], current, dt)
        fired = potentials[name] > node.v_threshold
        potentials[name][fired] = node.v_reset[fired]
        return fired.astype(float)

    return np.array([signal(watch, step) for step in range(len(stimuli))])


@pytest.mark.slow
def test_the_equations_of_nir_give_the_same_spikes(tmp_path):
    network = nl.Network(
        {
            "in": nl.Population(3, Rate("identity")),
            "a": nl.Population(8, LIF(8.0, -60.0, -50.0, -65.0)),
            "b": nl.Population(4, LIF(12.0, 0.5, 2.0, 0.0)),
        },
        [
            nl.Projection("in", "a", Dense(8, 3), 12 * jnp.abs(weights(8, 3)), delay=0),
            nl.Projection("a", "a", Dense(8, 8), weights(8, 8, 8.0), delay=3),
            nl.Projection("a", "b", Dense(4, 8), 6 * jnp.abs(weights(4, 8))),
        ],
        senses=["in"],
        voices=["b"],
        dt=0.5,
    )
    path = nl.to_nir(network, tmp_path / "net.nir")
    stimuli = np.random.default_rng(0).uniform(0, 2, (160, 3)).astype(np.float32)
    theirs = played(nir.read(path), stimuli, "b")
    np.testing.assert_array_equal(nl.respond(nl.from_nir(path), jnp.asarray(stimuli)), theirs)
    assert theirs.sum() > 20


def test_a_current_synapse_is_the_one_of_nir(tmp_path):
    """tau_syn dI/dt = w_in S - I with S = 1 for a step, and the membrane, by a general solver."""
    dt, steps = 0.05, 800
    network = nl.Network(
        {"in": nl.Population(1, Rate("identity")), "v": nl.Population(1, Leaky("identity", 10.0))},
        [
            nl.Projection(
                "in", "v", OneToOne(1), jnp.ones(1), delay=0, synapse=Exponential(4.0)
            )
        ],
        senses=["in"],
        voices=["v"],
        dt=dt,
    )  # fmt: skip
    path = nl.to_nir(network, tmp_path / "net.nir")
    ours = nl.respond(nl.from_nir(path), jnp.eye(steps, 1))[:, 0]
    node = nir.read(path).nodes["v"]
    assert isinstance(node, nir.CubaLI)

    def slope(t, y):
        spike = float(t < dt / 1000)
        current, potential = y
        return [
            (node.w_in[0] * spike - current) / node.tau_syn[0],
            (node.v_leak[0] - potential + node.r[0] * current) / node.tau_mem[0],
        ]

    end = steps * dt / 1000
    times = np.linspace(0, end, steps + 1)[1:]
    found = solve_ivp(slope, (0, end), [0, 0], t_eval=times, max_step=1e-5 * 2.5, rtol=1e-7)
    theirs = found.y[1]
    assert float(ours.max()) == pytest.approx(theirs.max(), rel=2e-3)
    assert float(ours.sum()) == pytest.approx(theirs.sum(), rel=2e-3)
    np.testing.assert_allclose(ours, theirs, atol=0.02 * theirs.max())  # it rises within the step


# ---- what others write --------------------------------------------------------------------------


def lif(size, *, r=1.0, tau=0.01, leak=0.0, threshold=1.0, **about):
    full = lambda x: np.broadcast_to(np.asarray(x, float), (size,)).copy()  # noqa: E731
    return nir.LIF(full(tau), full(r), full(leak), full(threshold), full(0.0), metadata=about)


def written(path, nodes, edges, *, dt=None):
    about = {} if dt is None else {"dt": dt}
    nir.write(path, nir.NIRGraph(nodes, edges, metadata=about))
    return path


def chain(path, *between, cells=None, dt=1e-3):
    """Input, what is between, cells, output."""
    size = between[0].input_type["input"][0]
    parts = {"in": nir.Input(np.array([size]))}
    parts |= {f"n{i}": node for i, node in enumerate(between)}
    parts["cells"] = cells or lif(between[-1].output_type["output"][0])
    parts["out"] = nir.Output(parts["cells"].output_type)
    names = list(parts)
    return written(path, parts, list(itertools.pairwise(names)), dt=dt)


def test_resistance_goes_into_the_weights_and_chains_into_one_projection(tmp_path):
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(4, 3)), rng.normal(size=(2, 4))
    bias = np.array([0.1, 0.2, 0.3, 0.4])
    path = chain(
        tmp_path / "x.nir", nir.Scale(np.array([1.0, 2.0, 3.0])), nir.Affine(one, bias),
        nir.Delay(np.full(4, 0.002)), nir.Linear(two), cells=lif(2, r=np.array([5.0, 7.0])),
    )  # fmt: skip
    network = nl.from_nir(path)
    (p,) = network.projections
    gain = np.array([[5.0], [7.0]])
    np.testing.assert_allclose(p.weight, gain * (two @ one @ np.diag([1.0, 2.0, 3.0])), rtol=1e-5)
    assert (p.source, p.target, p.delay, network.dt) == ("in", "cells", 2, 1.0)
    np.testing.assert_allclose(network.populations["cells"].neuron.bias, gain[:, 0] * (two @ bias))
    assert network.voices == ("cells",)


def test_a_loop_without_delay_takes_a_step(tmp_path):
    nodes = {
        "in": nir.Input(np.array([2])),
        "cells": lif(2),
        "back": nir.Linear(np.full((2, 2), 0.5)),
        "out": nir.Output(np.array([2])),
    }
    edges = [("in", "cells"), ("cells", "back"), ("back", "cells"), ("cells", "out")]
    network = nl.from_nir(written(tmp_path / "x.nir", nodes, edges, dt=1e-3))
    assert (network.senses, network.voices) == (("cells",), ("cells",))
    assert [p.delay for p in network.projections] == [1]
    # The same as a graph within a graph, which is how PyTorch packages write loops.
    inner = nir.NIRGraph(nodes, edges)
    outer = {"in": nir.Input(np.array([2])), "net": inner, "out": nir.Output(np.array([2]))}
    nir.write(
        tmp_path / "y.nir",
        nir.NIRGraph(
            outer, [("in", "net"), ("net", "out")], metadata={"dt": 1e-3}, type_check=False
        ),
    )
    nested = nl.from_nir(tmp_path / "y.nir")
    assert (nested.senses, nested.voices) == (("net.cells",), ("net.cells",))
    stimuli = jax.random.uniform(jax.random.key(0), (60, 2)) * 3
    np.testing.assert_array_equal(nl.respond(network, stimuli), nl.respond(nested, stimuli))


def test_a_bias_before_a_current_synapse_passes_through_it(tmp_path):
    """A constant S = b gives I = w_in b in the end, and v = R w_in b."""
    cells = nir.CubaLI(
        np.full(2, 0.005), np.full(2, 0.01), np.full(2, 3.0), np.zeros(2), np.full(2, 4.0)
    )
    bias = np.array([1.0, -2.0])
    path = chain(tmp_path / "x.nir", nir.Affine(np.eye(2), bias), cells=cells)
    heard = nl.respond(nl.from_nir(path), jnp.zeros((200, 2)))
    np.testing.assert_allclose(heard[-1], 3 * 4 * bias, rtol=1e-4)


def test_the_rate_of_a_cell_follows_from_what_the_file_says(tmp_path):
    cell = lif(1, r=4.0, tau=0.015, leak=-60.0, threshold=-52.0)
    cell.v_reset[:] = -65.0
    path = chain(tmp_path / "x.nir", nir.Linear(np.full((1, 1), 3.0)), cells=cell, dt=5e-5)
    fired = nl.respond(nl.from_nir(path), jnp.ones((20_000, 1)))
    top = -60 + 4 * 3.0
    wanted = 1 / (0.015 * np.log((top + 65) / (top + 52)))
    assert float(fired.sum()) == pytest.approx(wanted, rel=0.01)


@pytest.mark.parametrize(
    ("nodes", "settings", "words"),
    [
        ([nir.IF(np.ones(2), np.ones(2))], {}, r"without counterpart here: 'n0' \(IF\)"),
        ([nir.Threshold(np.ones(2))], {}, r"'n0' \(Threshold\).*Known are LIF, LI, CubaLIF"),
        ([nir.Delay(np.full(2, 2.5e-3))], {}, r"has one of 2\.5 ms, 2\.5 steps of 1 ms.*dt=0\.1"),
        ([nir.Linear(np.eye(2))], {"dt": None}, r"expected `dt` in ms.*from_nir\(path, dt=1\.0\)"),
        (
            [nir.Linear(np.eye(2))],
            {"cells": lif(2, tau=np.array([0.01, 0.03]))},
            r"share tau here, but those of node 'cells' have 2 values from 10 to 30",
        ),
        (
            [nir.Linear(np.ones((2, 2))), nir.Delay(np.array([0, 1e-3])), nir.Linear(np.eye(2))],
            {},
            r"should come before the first linear map.*'n2'",
        ),
    ],
)
def test_what_we_do_not_have_is_refused_by_name(nodes, settings, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        nl.from_nir(chain(tmp_path / "x.nir", *nodes, **settings))


def test_two_delays_for_one_connection_are_refused(tmp_path):
    nodes = {
        "in": nir.Input(np.array([2])),
        "at once": nir.Linear(np.ones((2, 2))),
        "wait": nir.Delay(np.full(2, 1e-3)),
        "late": nir.Linear(np.eye(2)),
        "cells": lif(2),
        "out": nir.Output(np.array([2])),
    }
    edges = [("in", "at once"), ("at once", "cells"), ("in", "wait"), ("wait", "late")]
    edges += [("late", "cells"), ("cells", "out")]
    with pytest.raises(ValueError, match=r"2 of those from in->cells have two"):
        nl.from_nir(written(tmp_path / "x.nir", nodes, edges, dt=1e-3))


def one(neuron, **settings):
    loop = nl.Projection("a/b", "a/b", Dense(2, 2), jnp.ones((2, 2)), **settings)
    return nl.Network({"a/b": nl.Population(2, neuron)}, [loop], senses=["a/b"], voices=["a/b"])


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (lambda: one(Izhikevich()), r"'a/b' has a '/' in its name; .*'a/b' has Izhikevich cells"),
        (lambda: one(LIF(refractory=2.0)), "has LIF cells with a refractory time"),
        (lambda: one(Rate("tanh")), "Rate cells with 'tanh', not 'identity'"),
        (lambda: one(LIF(), synapse=ShortTerm()), "'a/b->a/b' has a ShortTerm synapse"),
        (lambda: one(LIF(), synapse=Exponential()), "stimuli enter 'a/b' directly"),
        (lambda: nl.layered([2, 3, 2], key=jax.random.key(0)), r"'hidden1' .*neurula\.save"),
    ],
)
def test_what_nir_cannot_say_is_refused_by_name(network, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        nl.to_nir(network(), tmp_path / "x.nir")
    assert not list(tmp_path.iterdir())


def test_one_to_one_connections_with_delays_of_their_own_come_back(tmp_path):
    delays = jnp.array([1, 3, 3], jnp.int32)
    joined = nl.Projection("a", "b", OneToOne(3), jnp.arange(1.0, 4.0), delay=3, delays=delays)
    cells = {name: nl.Population(3, Rate("identity")) for name in "ab"}
    network = nl.Network(cells, [joined], senses=["a"], voices=["b"])
    back = nl.from_nir(nl.to_nir(network, tmp_path / "x.nir"))
    np.testing.assert_array_equal(
        nl.respond(back, jnp.eye(6, 3)), nl.respond(network, jnp.eye(6, 3))
    )


def test_what_is_no_nir_file_is_refused(tmp_path):
    h5py = pytest.importorskip("h5py")
    bad = tmp_path / "bad.nir"
    with pytest.raises(FileNotFoundError, match="should be a file, but there is none"):
        nl.from_nir(bad)
    bad.write_text("hello")
    with pytest.raises(ValueError, match="should be an HDF5 file, but its 5 bytes begin"):
        nl.from_nir(bad)
    whole = nl.to_nir(everything(), tmp_path / "net.nir").read_bytes()
    bad.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"`nir\.read` cannot read it"):
        nl.from_nir(bad)
    with h5py.File(bad, "w") as file:
        file["x"] = 1
    with pytest.raises(ValueError, match=r"should hold a NIR graph.*KeyError"):
        nl.from_nir(bad)
