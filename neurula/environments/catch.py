"""A ball falls, and is to be caught with a paddle: the smallest game with a delayed reward.

Mnih, Heess, Graves & Kavukcuoglu (2014), NeurIPS 27:2204; size and rules as in bsuite (Osband et
al. 2020, ICLR, arXiv:1908.03568).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Box, Discrete, Event


class Catch(AbstractEnvironment[Int[Array, "3"]]):
    """A board of `rows` by `columns` pixels: 1 where the ball or the paddle is, else 0.

    Actions: 0 moves the paddle (in the lowest row, first in the middle) to the left, 1 lets it
    stay, 2 moves it to the right. The ball starts in any column of the highest row and falls one
    row a step. When it reaches the lowest row the episode terminates with reward 1 where the paddle
    is, else -1. To that reward a normal number with standard deviation `noise` is added.

    State: row of the ball, its column, column of the paddle.
    """

    rows: int = eqx.field(static=True, default=10)
    columns: int = eqx.field(static=True, default=5)
    noise: float = eqx.field(static=True, default=0.0)  # in the unit of the reward

    def __check_init__(self):
        if self.rows < 2 or self.columns < 1:
            raise ValueError(
                f"Catch needs two rows, one to fall from and one to fall to, and a column, got "
                f"{self.rows} x {self.columns}. Write Catch() for 10 x 5."
            )

    @property
    def actions(self) -> Discrete:
        return Discrete(3)

    @property
    def observations(self) -> Box:
        return Box((self.rows, self.columns), 0.0, 1.0)

    def reset(self, *, key: PRNGKeyArray) -> tuple[Int[Array, "3"], Event]:
        ball = (jax.random.bits(key) % jnp.uint32(self.columns)).astype(jnp.int32)
        state = jnp.stack([jnp.zeros((), jnp.int32), ball, jnp.int32(self.columns // 2)])
        no = jnp.zeros((), bool)
        return state, Event(self.draw(state), jnp.zeros(()), no, no)

    def step(
        self, state: Int[Array, "3"], action: Array, *, key: PRNGKeyArray
    ) -> tuple[Int[Array, "3"], Event]:
        row, ball, paddle = state
        paddle = jnp.clip(paddle + action - 1, 0, self.columns - 1)
        state = jnp.stack([row + 1, ball, paddle])
        landed = row + 1 == self.rows - 1
        reward = jnp.where(paddle == ball, 1.0, -1.0)
        if self.noise != 0:
            reward += self.noise * jax.random.normal(key)
        no = jnp.zeros((), bool)
        return state, Event(self.draw(state), jnp.where(landed, reward, 0.0), landed, no)

    def draw(self, state: Int[Array, "3"]) -> Float[Array, "row column"]:
        """The board."""
        row, ball, paddle = state
        rows = jnp.arange(self.rows)[:, None]
        columns = jnp.arange(self.columns)[None, :]
        at_ball = (rows == row) & (columns == ball)
        at_paddle = (rows == self.rows - 1) & (columns == paddle)
        return (at_ball | at_paddle).astype(jnp.float32)
