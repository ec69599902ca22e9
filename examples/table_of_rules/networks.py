"""The networks of the table, and what a rule is offered where it cannot teach one as it is."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp

import neurula as nl
from neurula.contracts import AbstractRule
from neurula.wirings import Dense, Grid, small_world

HIDDEN = 64
COLUMNS = {
    "shallow": f"one hidden layer of {HIDDEN} cells",
    "deep": f"three hidden layers of {HIDDEN} cells, as in the claim feedback-alignment",
    "free graph": f"{HIDDEN} cells in a small world full of loops, each hears 10 others",
    "grid": "cells on a sheet of 8 x 8 that hear their 8 neighbours, loops and all",
}


def plain(column: str, key: jax.Array) -> nl.Network:
    """The network of a column."""
    if column == "shallow":
        return nl.layered([64, HIDDEN, 10], key=key)
    if column == "deep":
        return nl.layered([64, HIDDEN, HIDDEN, HIDDEN, 10], key=key)
    graph = Grid(8, 8) if column == "grid" else small_world(HIDDEN, 10 / HIDDEN, seed=0)
    return nl.free(graph, inputs=64, outputs=10, key=key)


def loops(column: str) -> Dense:
    """The loops of a column as a matrix with holes, the same both ways."""
    graph = Grid(8, 8) if column == "grid" else small_world(HIDDEN, 10 / HIDDEN, seed=0)
    heard = jax.jacfwd(lambda x: graph.drive(graph.fill(1.0), x))(jnp.zeros(HIDDEN)) > 0
    return Dense(HIDDEN, HIDDEN, heard | heard.T)


def mirrored(column: str, key: jax.Array) -> nl.Network:
    """The network of a column with ways back, first weights half as large so that it settles."""
    network = plain(column, key)
    if column == "grid":
        network = nl.free(loops(column), inputs=64, outputs=10, key=key)
    weight = lambda p: p.weight  # noqa: E731
    halve = lambda p: p if p.source == "input" else eqx.tree_at(weight, p, p.weight / 2)  # noqa: E731
    return nl.two_way(network.edit(halve), tau=1.0)


def machine(column: str, key: jax.Array) -> nl.Network:
    """A Boltzmann machine; in columns with loops its visible cells are joined like them."""
    among = None if column == "shallow" else loops(column)
    return nl.boltzmann(64, HIDDEN, among=among, key=key)


def versions(column: str) -> dict[str, Callable[[jax.Array], nl.Network]]:
    """What a rule is offered, in turn: the column's network, or what it needs in its place."""
    made = {
        "as it is": lambda key: plain(column, key),
        "two-way": lambda key: mirrored(column, key),
    }
    if column == "shallow":
        made["autoencoder"] = lambda key: nl.autoencoder(64, HIDDEN, key=key)
    if column != "deep":
        made["Boltzmann machine"] = lambda key: machine(column, key)
    return made


def choose(rule: AbstractRule, column: str) -> tuple[str | None, str]:
    """The first version that a rule can teach; `None`, and why it cannot teach the column's.

    The control of rules that let a network settle gets what they get.
    """
    made, why = versions(column), ""
    if isinstance(rule, nl.rules.RecurrentBackprop):
        made.pop("as it is")
    for version, make in made.items():
        try:
            rule.init(make(jax.random.key(0)), key=jax.random.key(0))
        except ValueError as refusal:
            why = why or str(refusal)
            continue
        return version, ""
    return None, why


def as_reader(taught: nl.Network, key: jax.Array) -> nl.Network:
    """The hidden layer of an autoencoder or a Boltzmann machine, with a read-out above it."""
    up = taught.projections[0]
    bias = taught.populations[up.target].neuron.bias
    cells = lambda size: nl.neurons.Rate("sigmoid", jnp.zeros(size))  # noqa: E731
    reader = nl.layered([64, HIDDEN, 10], neuron=cells, key=key)
    hidden = lambda n: (n.projections[0].weight, n.populations["hidden1"].neuron.bias)  # noqa: E731
    return eqx.tree_at(hidden, reader, (up.weight, bias))
