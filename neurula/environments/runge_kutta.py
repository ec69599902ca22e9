"""The classical Runge-Kutta method of fourth order: Kutta (1901), Z. Math. Phys. 46:435."""

from collections.abc import Callable

from jaxtyping import Array, Float


def runge_kutta(
    change: Callable[[Float[Array, " state"]], Float[Array, " state"]],
    state: Float[Array, " state"],
    dt: float,
) -> Float[Array, " state"]:
    """The state `dt` later, if `change` is its time derivative."""
    one = change(state)
    two = change(state + dt / 2 * one)
    three = change(state + dt / 2 * two)
    four = change(state + dt * three)
    return state + dt / 6 * (one + 2 * two + 2 * three + four)
