"""Four problems that gradients cannot solve, and one that they can, for `evolution-discontinuous`.

Traps: Deb & Goldberg (1993), Foundations of Genetic Algorithms 2:93; mazes: Lehman & Stanley
(2011), Evol. Comput. 19:189. Gradients of what has none: Bengio, Leonard & Courville (2013),
arXiv:1308.3432.
"""

import functools
import itertools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..environments import DeceptiveMaze
from ..evolvers.packed import choose
from ..geometry import slid
from ..landscapes import islands, quadratic, trap

NET, ISLANDS, TRAP, MAZE = HARD = ("threshold net", "islands", "trap", "maze")
SMOOTH = "quadratic"  # the negative control
BITS, HIDDEN = 5, 10  # of the parity that is asked for, and threshold cells that answer
SIZES = {NET: HIDDEN * (BITS + 2) + 1, ISLANDS: 4, TRAP: 30, MAZE: 100, SMOOTH: 20}
PATIENCE = 50  # steps without a gain, after which a walker begins anew
# The goal's island, of radius 0.3, begins at -0.09; the best of all others is worth -1 / 7.
TARGETS = {NET: 1.0, ISLANDS: -0.09, TRAP: 1.0, MAZE: -0.08, SMOOTH: -1e-4}


class Problem(NamedTuple):
    """Points to be judged; higher is better, and `target` is success.

    `worth(point)` is fitness and behaviour. `slope(point, through)` is what gradients are taken of:
    the fitness itself, or with `through` that without cliffs and walls on the way back.
    """

    worth: Any
    slope: Any
    target: float
    size: int


def passing(drive: Float[Array, "*any"], through: bool) -> Float[Array, "*any"]:
    """1 above 0, else 0; with `through` the gradient is that of the logistic function."""
    hard, soft = jnp.where(drive > 0, 1.0, 0.0), jax.nn.sigmoid(drive)
    return soft + jax.lax.stop_gradient(hard - soft) if through else hard


def net(genes: Float[Array, " gene"], through: bool) -> Float[Array, " pattern"]:
    """The drive of the output for every pattern of bits; hidden cells are thresholds."""
    patterns = jnp.array(list(itertools.product([-1.0, 1.0], repeat=BITS)))
    hidden = genes[:-1].reshape(HIDDEN, BITS + 2)  # weights in, bias, weight out, cell by cell
    said = passing(patterns @ hidden[:, :BITS].T + hidden[None, :, BITS], through)
    return said @ hidden[:, -1] + genes[-1]


def walk(genes: Float[Array, " gene"], through: bool) -> Float[Array, "2"]:
    """Where a walk ends whose legs are the tanh of its genes, two by two.

    With `through` the gradient comes back as if no wall had stopped anybody.
    """
    maze = DeceptiveMaze()
    plan = maze.stride * jnp.tanh(genes.reshape(-1, 2))

    def step(place: Array, wish: Array) -> tuple[Array, None]:
        free, end = place + wish, slid(place, wish, maze.walls)
        after = free + jax.lax.stop_gradient(end - free) if through else end
        return jnp.where(maze.distance(place) <= maze.radius, place, after), None

    return jax.lax.scan(step, jnp.array(maze.start), plan)[0]


def problem(name: str, *, key: PRNGKeyArray) -> Problem:
    """A problem as it is drawn for a seed."""
    whole = lambda f: lambda x: (f(x), x)  # noqa: E731
    if name == NET:
        odd = jnp.array([sum(p) % 2 for p in itertools.product([0, 1], repeat=BITS)], jnp.float32)

        def right(genes: Array, through: bool = False) -> Array:
            drive = net(genes, through)
            if through:  # the usual loss of a classifier
                return -jnp.mean(jax.nn.softplus(drive * (1 - 2 * odd)))
            return 1 - jnp.mean(jnp.abs(passing(drive, False) - odd))

        made = lambda genes: (right(genes), net(genes, False)), right
    elif name == ISLANDS:
        goal = 3.0 * jax.random.rademacher(key, (SIZES[ISLANDS],), jnp.float32)
        land = functools.partial(islands, goal=goal)
        relaxed = lambda x: -jnp.linalg.norm(x - goal)  # noqa: E731
        made = whole(land), lambda x, through: relaxed(x) if through else land(x)
    elif name == TRAP:
        deceit = lambda x, through=False: trap(passing(x, through))  # noqa: E731
        made = whole(deceit), deceit
    elif name == MAZE:
        near = lambda place: -DeceptiveMaze().distance(place)  # noqa: E731
        ends = lambda genes: (near(place := walk(genes, False)), place)  # noqa: E731
        made = ends, lambda genes, through: near(walk(genes, through))
    else:
        bowl = functools.partial(quadratic, goal=jax.random.normal(key, (SIZES[SMOOTH],)))
        made = whole(bowl), lambda x, through: bowl(x)
    return Problem(*made, TARGETS[name], SIZES[name])


def climb(
    problem: Problem,
    settings: dict[str, Float[Array, ""]],
    *,
    through: bool,
    walkers: int,
    steps: int,
    key: PRNGKeyArray,
) -> Float[Array, "step walker"]:
    """Fitness along walks up the gradient by Adam.

    Who gets no gradient, or no further for `PATIENCE` steps, begins anew elsewhere.
    """
    adam = optax.scale_by_adam()
    begin = jax.vmap(adam.init)(jnp.zeros((walkers, problem.size)))

    def step(carry: tuple, key: PRNGKeyArray) -> tuple[tuple, Array]:
        points, memory, highest, idle = carry
        fitness = jax.vmap(lambda x: problem.worth(x)[0])(points)
        slope = jax.vmap(jax.grad(lambda x: problem.slope(x, through)))(points)
        slope = jnp.where(jnp.isfinite(slope), slope, 0.0)
        with jax.numpy_dtype_promotion("standard"):
            found: Any = jax.vmap(adam.update)(slope, memory)
        move, after = found
        idle = jnp.where(fitness > highest, 0.0, idle + 1)
        stuck = jnp.all(slope == 0, axis=1) | (idle > PATIENCE)
        fresh = settings["spread"] * jax.random.normal(key, points.shape)
        highest = jnp.where(stuck, -jnp.inf, jnp.maximum(fitness, highest))
        idle = jnp.where(stuck, 0.0, idle)
        moved = points + settings["rate"] * move, after
        return (*choose(stuck, (fresh, begin), moved), highest, idle), fitness

    at_start, at_steps = jax.random.split(key)
    start = settings["spread"] * jax.random.normal(at_start, (walkers, problem.size))
    nothing = jnp.full(walkers, -jnp.inf), jnp.zeros(walkers)
    return jax.lax.scan(step, (start, begin, *nothing), jax.random.split(at_steps, steps))[1]
