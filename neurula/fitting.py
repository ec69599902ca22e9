"""Who can live where: what does not fit is refused by name, before anything is compiled."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool

from .behaviour import AbstractAgent, AbstractEnvironment, Box, Discrete, Event

MENDS = {
    "an observation": "Make {where} return it, or change `{name}.observations`.",
    "a reward": "Write jnp.asarray(reward, jnp.float32) in {where}.",
    "`terminated`": "Write jnp.asarray(terminated, bool) in {where}.",
    "`truncated`": "Write jnp.asarray(truncated, bool) in {where}.",
}


def check_agent_is_one(agent: Any) -> None:
    """Raises `TypeError` for what is no agent, such as a class of them."""
    if not isinstance(agent, AbstractAgent):
        raise TypeError(
            f"Expected an agent first, got {_called(agent)}: nobody could act. Write for example "
            "act(QLearning(), maze(), steps=1000, key=key)."
        )


def check_world(environment: Any) -> None:
    """Refuse a world whose words and deeds differ: `TypeError` and `ValueError`."""
    if not isinstance(environment, AbstractEnvironment):
        raise TypeError(
            f"Expected an environment, got {_called(environment)}: there is nothing to act on. "
            "Write for example CartPole(), GymnasiumEnvironment('CartPole-v1'), or a class of "
            "your own that is an AbstractEnvironment."
        )
    name = type(environment).__name__
    for what in ("actions", "observations"):
        if not isinstance(space := getattr(environment, what), Discrete | Box):
            raise TypeError(
                f"{name}.{what} is {_called(space)}, expected a space: agents are built for it. "
                "Return neurula.behaviour.Discrete(4), or Box((2,), -1.0, 1.0)."
            )
    key = jax.random.key(0)
    world, first = _told(environment, "reset", lambda k: environment.reset(key=k), key)
    action = jax.ShapeDtypeStruct(environment.actions.shape, environment.actions.dtype)
    step = lambda world, action, k: environment.step(world, action, key=k)  # noqa: E731
    after, event = _told(environment, "step", step, world, action, key)
    for moment, shown in (("reset", first), ("step", event)):
        for part, found, wanted in _shown(environment, shown):
            if found != wanted:
                mend = MENDS[part].format(name=name, where=f"{name}.{moment}")
                raise ValueError(
                    f"{name}.{moment} gives {part} {found}, expected {wanted}: agents are built "
                    f"for one shape and type, and loops keep them. {mend}"
                )
    shape = lambda tree: jax.tree.map(lambda x: (x.shape, str(x.dtype)), eqx.filter(tree, _arrays))  # noqa: E731
    if shape(world) != shape(after):
        raise ValueError(
            f"The state of {name} is {shape(world)} after reset and {shape(after)} after step: a "
            "compiled loop needs the same shapes and types. Give both the same."
        )


def state_of(agent: AbstractAgent, environment: AbstractEnvironment, state: Any) -> Any:
    """A state to go on from, NumPy's arrays (`jax.device_get`, files) as JAX's.

    Raises `ValueError` for one that this agent cannot have in this world.
    """
    theirs = lambda x: isinstance(x, np.ndarray | np.generic)  # noqa: E731
    state = jax.tree.map(lambda x: jnp.asarray(x) if theirs(x) else x, state)
    born = eqx.filter_eval_shape(lambda k: agent.init(environment, key=k), jax.random.key(0))
    found, wanted = _sizes(state), _sizes(born)
    if found != wanted:
        odd = next((i for i, (a, b) in enumerate(zip(found, wanted, strict=False)) if a != b), None)
        which = f"{len(found)} arrays, expected {len(wanted)}"
        if odd is not None:
            which = f"{found[odd]} where {wanted[odd]} is expected"
        raise ValueError(
            f"A {type(agent).__name__} in {type(environment).__name__} cannot go on from this "
            f"{type(state).__name__}: it holds {which}. It is of another agent, other settings or "
            "another world, and would be read in wrong places. Give the `agent_state` of a life of "
            "the same agent, or agent.init(environment, key=key)."
        )
    return state


def check_choice(agent: AbstractAgent, environment: AbstractEnvironment, action: Any) -> None:
    """Raises `ValueError` for a choice that is no element of the space in shape or type."""
    space, found = environment.actions, jnp.asarray(action)
    kind = jnp.integer if isinstance(space, Discrete) else jnp.number
    if found.shape != tuple(space.shape) or not jnp.issubdtype(found.dtype, kind):
        raise ValueError(
            f"{type(agent).__name__} chooses {_size(found)}, expected {jnp.dtype(space.dtype).name}"
            f"{list(space.shape)} for {type(environment).__name__}, whose actions are {space}: it "
            "would mean something else, or nothing. Make its `act` return one of that space."
        )


def unseen(environment: AbstractEnvironment, observation: Array) -> Bool[Array, ""]:
    """Whether nothing can be made of an observation: a number beyond the last, or NaN."""
    space = environment.observations
    if isinstance(space, Discrete):
        return ~space.contains(observation)
    return jnp.any(jnp.isnan(observation))


def refuse(values: Array, wrong: Bool[Array, ""], message: str) -> Array:
    """The values, or a run-time error. Outside of compiled programs a short one."""
    if isinstance(wrong, Tracer):
        return eqx.error_if(values, wrong, message)
    if wrong:
        raise RuntimeError(message)
    return values


def _told(environment: AbstractEnvironment, moment: str, ask: Any, *given: Any) -> Any:
    """What `reset` or `step` gives, in shapes: a state of the world and an event."""
    found = eqx.filter_eval_shape(ask, *given)
    if not (isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], Event)):
        parts = f"a tuple of {len(found)}" if isinstance(found, tuple) else _called(found)
        raise ValueError(
            f"{type(environment).__name__}.{moment} gives {parts}, expected the state of the world "
            "and an Event: others are not understood. Write `return state, Event(observation, "
            "reward, terminated, truncated)`."
        )
    return found


def _shown(environment: AbstractEnvironment, event: Event) -> list[tuple[str, str, str]]:
    """What an event holds, and what it should: the part, found, wanted."""
    return [
        ("an observation", _size(event.observation), _size(environment.observations)),
        ("a reward", _size(event.reward), "float32[]"),
        ("`terminated`", _size(event.terminated), "bool[]"),
        ("`truncated`", _size(event.truncated), "bool[]"),
    ]


def _size(x: Any) -> str:
    if not hasattr(x, "dtype"):
        return f"{x!r}, which is no array"
    return f"{x.dtype if _opaque(x) else jnp.dtype(x.dtype).name}{list(x.shape)}"


def _opaque(x: Any) -> bool:
    return jax.dtypes.issubdtype(x.dtype, jax.dtypes.extended)  # keys


def _sizes(state: Any) -> list[str]:
    return [_size(x) for x in jax.tree.leaves(eqx.filter(state, _arrays))]


def _arrays(x: Any) -> bool:
    return isinstance(x, jax.ShapeDtypeStruct) or eqx.is_array(x)


def _called(x: Any) -> str:
    """A thing in a few words."""
    if isinstance(x, type):
        return f"the class {x.__name__} itself (write {x.__name__}())"
    return repr(x) if isinstance(x, str | int | float) else f"a {type(x).__name__}"
