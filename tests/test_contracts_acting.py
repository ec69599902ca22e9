"""Every environment and agent on its shelf keeps its promises. New ones are found by themselves."""

import inspect

import jax
import jax.numpy as jnp
import pytest

import neurula as nl
from neurula import agents, cells, environments
from neurula.behaviour import AbstractAgent, AbstractEnvironment, Box
from neurula.cells import AbstractSpatialCells
from neurula.testing import check_agent, check_environment

KEY, ROOM = jax.random.key(0), environments.Arena()

# Parts that cannot be made without settings. All others are tested as they come.
EXAMPLES = {
    agents.Controller: lambda: agents.Controller(
        nl.layered([4, 3, 1], key=KEY), environments.CartPole().actions, Box((4,))
    ),
    agents.Replayed: lambda: agents.Replayed(jnp.full((9, 2), 0.5), environments.Arena().dt),
    agents.Scripted: lambda: agents.Scripted(lambda seen, key: jnp.zeros((), jnp.int32)),
    agents.MFEC: lambda: agents.MFEC(20, 5, horizon=8),  # mapped lives write in every step
    agents.NEC: lambda: agents.NEC(capacity=20, neighbours=5, horizon=8, replay=100),
    environments.GridWorld: lambda: environments.GridWorld("S..\n.#G", slip=0.1),
    environments.Revaluation: environments.revaluation,
    agents.Shuffled: lambda: agents.Shuffled(agents.Random()),
    cells.BoundaryVectorCells: lambda: cells.boundary_vector_cells(
        environments.Arena(), 5, key=KEY
    ),
    cells.GridCells: lambda: cells.grid_cells(2, 3, key=KEY),
    cells.HeadDirectionCells: lambda: cells.head_direction_cells(5),
    cells.PlaceCells: lambda: cells.place_cells(ROOM, 5, key=KEY),
    environments.GymnasiumEnvironment: lambda: environments.GymnasiumEnvironment("CartPole-v1"),
    environments.GymnaxEnvironment: lambda: environments.GymnaxEnvironment("Catch-bsuite"),
    environments.PgxGame: lambda: environments.PgxGame("minatar-breakout"),
    environments.Slippery: lambda: environments.Slippery(environments.CartPole()),
    environments.TimeLimit: lambda: environments.TimeLimit(environments.CartPole(), 20),
}
# Small worlds of different kinds: an agent lives in the first one that it does not refuse.
WORLDS = [environments.CartPole, environments.KeyDoor, environments.Arena]


def shelf(module, contract):
    """All final parts of a shelf, made."""
    found = [p for _, p in inspect.getmembers(module, inspect.isclass) if issubclass(p, contract)]
    parts = [p for p in found if not inspect.isabstract(p)]
    assert parts, f"nothing on {module.__name__}"
    return [pytest.param(EXAMPLES.get(part, part), id=part.__name__) for part in parts]


@pytest.mark.parametrize("make", shelf(environments, AbstractEnvironment))
def test_environment(make):
    check_environment(make())


@pytest.mark.parametrize("make", shelf(agents, AbstractAgent))
def test_agent(make):
    agent = make()
    for world in WORLDS:
        try:
            agent.init(world(), key=jax.random.key(0))
        except ValueError:
            continue
        return check_agent(agent, world())
    raise AssertionError(f"{type(agent).__name__} refuses every world of {WORLDS}")


@pytest.mark.parametrize("make", shelf(cells, AbstractSpatialCells))
def test_cells(make):
    """One rate a cell, finite and not negative, anywhere; whole turns change nothing."""
    made = make()
    places = jnp.array([[0.1, 0.2], [0.5, 0.5], [0.93, 0.07]])
    turns = jnp.array([0.3, -2.0, 3.0])
    rates, again = (jax.vmap(made.rates)(places, t) for t in (turns, turns + 2 * jnp.pi))
    assert rates.shape[0] == 3
    assert jnp.isfinite(rates).all()
    assert (rates >= 0).all()
    assert jnp.allclose(rates, again, atol=1e-3)


def test_every_part_says_where_it_comes_from():
    for module in (agents, cells, environments):
        for name, part in inspect.getmembers(module, inspect.isclass):
            assert inspect.getdoc(part), f"{module.__name__}.{name} has no docstring"
            assert inspect.getdoc(inspect.getmodule(part)), f"{name}'s file has no docstring"
