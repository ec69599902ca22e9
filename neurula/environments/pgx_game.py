"""Any game of pgx, among them those of MinAtar, as an environment for one player.

Koyamada et al. (2023), NeurIPS 36, arXiv:2303.17503; MinAtar: Young & Tian (2019),
arXiv:1903.03176.
"""

import contextlib
import difflib
import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Box, Discrete, Event

US = 0  # which player we are; pgx draws who begins
ANYONE = -1  # our turn, while nobody has moved yet
Policy = Callable[[Array, Array, PRNGKeyArray], Array]


class PgxGame(AbstractEnvironment[Any]):
    """We play against `opponent`, and act only when it is our turn.

    `game` is a name, as in `pgx.available_envs()`, or a game of pgx with settings of one's own.
    `opponent(observation, legal, key)` gives an action for every other player, who sees the board
    from its own side; None plays any legal action, all equally likely. Rewards are ours: what our
    action brings, and what those of others bring until we act again. Observations are as in pgx,
    as floats. An action against the rules `"loses"`: pgx ends the game with its penalty of -1; or
    is `"replaced"` by any legal one, all equally likely. The same holds for others. `legal(state)`
    says which actions are allowed. Games without an end are for `TimeLimit`.
    """

    game: Any = eqx.field(static=True)
    opponent: Policy | None = None
    illegal: str = eqx.field(static=True, default="loses")

    def __check_init__(self):
        if self.illegal not in ("loses", "replaced"):
            raise ValueError(
                f"What follows an action against the rules is 'loses' or 'replaced', got "
                f"{self.illegal!r}: every agent tries some. As in pgx: illegal='loses'."
            )
        if isinstance(self.game, str):
            _made(self.game)

    @property
    def rules(self) -> Any:
        """The game as pgx has it."""
        return _made(self.game) if isinstance(self.game, str) else self.game

    @property
    def actions(self) -> Discrete:
        return Discrete(_shown(self.rules)[1])

    @property
    def observations(self) -> Box:
        return _shown(self.rules)[0]

    def legal(self, state: Any) -> Bool[Array, " action"]:
        """Which actions the rules allow; all of them where the game is over."""
        return state.legal_action_mask

    def reset(self, *, key: PRNGKeyArray) -> tuple[Any, Event]:
        to_game, to_others = jax.random.split(key)
        with _loose():
            state = self.rules.init(jax.random.key_data(to_game))
            if self.rules.num_players == 1:
                return state, self._event(state, jnp.zeros(()))
            return self._play(state, jnp.zeros((), jnp.int32), state.current_player, to_others)

    def step(self, state: Any, action: Array, *, key: PRNGKeyArray) -> tuple[Any, Event]:
        with _loose():
            if self.rules.num_players == 1:
                state = self._turn(state, action, key)
                return state, self._event(state, state.rewards[US])
            return self._play(state, action, jnp.full_like(state.current_player, ANYONE), key)

    def _play(self, state: Any, action: Array, whose: Array, key: Array) -> tuple[Any, Event]:
        """Everybody plays until it is our turn; we do `action` first if it is `ANYONE`'s."""

        def going(carry: tuple) -> Array:
            state, whose, _, _ = carry
            return (whose != US) & ~state.terminated & ~state.truncated

        def turn(carry: tuple) -> tuple:
            state, whose, reward, key = carry
            key, to_choose, to_play = jax.random.split(key, 3)
            legal = state.legal_action_mask
            if self.opponent is None:
                theirs = _any(legal, to_choose)
            else:
                seen = state.observation.astype(jnp.float32)
                theirs = jnp.asarray(self.opponent(seen, legal, to_choose), jnp.int32)
            chosen = jnp.where(whose == ANYONE, action, theirs)
            state = self._turn(state, chosen, to_play)
            return state, state.current_player, reward + state.rewards[US], key

        carry = jax.lax.while_loop(going, turn, (state, whose, jnp.zeros(()), key))
        return carry[0], self._event(carry[0], carry[2])

    def _turn(self, state: Any, action: Array, key: Array) -> Any:
        """Whoever's turn it is does something."""
        to_pick, to_game = jax.random.split(key)
        legal = state.legal_action_mask
        if self.illegal == "replaced":
            action = jnp.where(legal[action], action, _any(legal, to_pick))
        return self.rules.step(state, action, jax.random.key_data(to_game))

    def _event(self, state: Any, reward: Float[Array, ""]) -> Event:
        # At the end of a game, pgx may show what somebody else sees.
        alone = self.rules.num_players == 1
        seen = state.observation if alone else self.rules._observe(state, jnp.int32(US))
        seen = jax.lax.stop_gradient(seen).astype(jnp.float32)
        return Event(seen, reward.astype(jnp.float32), state.terminated, state.truncated)


def _any(legal: Bool[Array, " action"], key: Array) -> Array:
    chance = jnp.where(legal, 0.0, -jnp.inf)
    return jax.random.categorical(key, chance).astype(jnp.int32)


@contextlib.contextmanager
def _loose():
    """Pgx mixes types and ranks, which whoever calls us may have forbidden."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@functools.cache
def _made(name: str) -> Any:
    """The game of a name; its tables are made once, never as part of a compiled program."""
    import pgx

    if name not in (games := pgx.available_envs()):
        near = difflib.get_close_matches(name, games, n=3, cutoff=0.3)
        raise ValueError(
            f"pgx has no game {name!r}. {'Nearest: ' + ', '.join(near) + '. ' if near else ''}"
            f"It has: {', '.join(games)}. For example PgxGame('minatar-breakout')."
        )
    with jax.ensure_compile_time_eval(), _loose():
        return pgx.make(name)


@functools.cache
def _shown(rules: Any) -> tuple[Box, int]:
    """What a game shows, and how many actions it knows."""
    with _loose():
        state = jax.eval_shape(rules.init, jax.ShapeDtypeStruct((2,), jnp.uint32))
    shape, yes_or_no = state.observation.shape, state.observation.dtype == bool
    space = Box(shape, 0.0, 1.0) if yes_or_no else Box(shape)
    return space, state.legal_action_mask.shape[0]
