"""Counts what a function does from its jaxpr, bodies of loops times their length.

XLA's own analysis counts the body of a loop once, however long the loop is. A multiply-add is two
operations, a transcendental function is one. Leading orders of the matrix factorisations follow
Golub and Van Loan (2013), Matrix Computations, 4th edition.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jax.interpreters.partial_eval import dce_jaxpr

_ELEMENTWISE = frozenset({
    "abs", "acos", "acosh", "add", "add_any", "asin", "asinh", "atan", "atan2", "atanh", "ceil",
    "clamp", "cos", "cosh", "cbrt", "digamma", "div", "eq", "erf", "erf_inv", "erfc", "exp",
    "exp2", "expm1", "floor", "ge", "gt", "integer_pow", "is_finite", "le", "lgamma", "log",
    "log1p", "logistic", "lt", "max", "min", "mul", "ne", "neg", "nextafter", "pow", "rem",
    "round", "rsqrt", "sign", "sin", "sinh", "sqrt", "square", "sub", "tan", "tanh",
})  # fmt: skip
_OVER_INPUT = frozenset({  # one operation for each number that goes in
    "argmax", "argmin", "cumlogsumexp", "cummax", "cummin", "cumprod", "cumsum", "reduce_max",
    "reduce_min", "reduce_prod", "reduce_sum", "select_and_scatter_add",
})  # fmt: skip
_OVER_UPDATES = frozenset({
    "scatter-add", "scatter_add", "scatter_mul", "scatter_min", "scatter_max",
})  # fmt: skip
_FACTORISATIONS: dict[str, Callable[[int, int], float]] = {  # of an m x n matrix, n <= m
    "cholesky": lambda m, n: n**3 / 3,
    "lu": lambda m, n: 2 * n**3 / 3,
    "geqrf": lambda m, n: 2 * n**2 * (m - n / 3),
    "eigh": lambda m, n: 9 * n**3,
    "eig": lambda m, n: 25 * n**3,
    "schur": lambda m, n: 25 * n**3,
    "svd": lambda m, n: 4 * m**2 * n + 8 * m * n**2 + 9 * n**3,
}
_UNSEEN = ("pure_callback", "io_callback", "ffi_call", "pallas_call", "custom_partitioning")


_PRODUCTS = frozenset({
    "cumprod", "div", "integer_pow", "mul", "pow", "reduce_prod", "scatter_mul", "square",
})  # fmt: skip
Weigh = Callable[[str, Any], float]  # the name of a primitive and its equation: what it counts


@dataclasses.dataclass(frozen=True)
class Count:
    """How many operations, and what could not be counted in full."""

    flops: float  # or whatever was to be counted
    gaps: frozenset[str] = frozenset()  # e.g. a loop of unknown length, which counts once

    def __add__(self, other: "Count") -> "Count":
        return Count(self.flops + other.flops, self.gaps | other.gaps)

    def times(self, length: int) -> "Count":
        """The same again and again."""
        return Count(self.flops * length, self.gaps)


def flops(function: Callable[..., Any], *args: Any) -> float:
    """Floating-point operations of one call; nothing is computed. See `count` for the gaps."""
    return count(function, *args).flops


def multiplications(function: Callable[..., Any], *args: Any) -> float:
    """Multiplications and divisions of floats in one call, those of products and convolutions too.

    Transcendental functions and matrix factorisations are not counted.
    """
    return count(function, *args, weigh=_products).flops


def count(function: Callable[..., Any], *args: Any, weigh: Weigh | None = None) -> Count:
    """Floating-point operations of one call, and what stayed uncounted.

    Arguments are arrays or trees of arrays. Of a `cond` the dearest branch counts; a `while` loop
    whose length is not known beforehand counts once. What no result depends on is not counted, as
    XLA leaves it out. `weigh` counts something else.
    """
    whole = jax.make_jaxpr(function)(*args).jaxpr
    needed, _ = dce_jaxpr(whole, [True] * len(whole.outvars))
    return _jaxpr(needed, weigh or _arithmetic)


def _jaxpr(jaxpr: Any, weigh: Weigh) -> Count:
    return sum((_equation(each, weigh) for each in jaxpr.eqns), Count(0.0))


def _equation(equation: Any, weigh: Weigh) -> Count:
    name, params = equation.primitive.name, equation.params
    if name == "scan":
        return _jaxpr(params["jaxpr"].jaxpr, weigh).times(params["length"])
    if name == "while":
        parts = (params["cond_jaxpr"].jaxpr, params["body_jaxpr"].jaxpr)
        gap = Count(0.0, frozenset({"a loop of unknown length, counted once"}))
        return sum((_jaxpr(part, weigh) for part in parts), gap)
    if name == "cond":
        branches = [_jaxpr(branch.jaxpr, weigh) for branch in params["branches"]]
        return max(branches, key=lambda branch: branch.flops)
    if name == "custom_linear_solve":
        return _jaxpr(params["jaxprs"].solve.jaxpr, weigh)
    if name in _UNSEEN:
        return Count(0.0, frozenset({f"{name}, not counted"}))
    inner = [] if name.startswith("scatter") else list(_inside(params))  # theirs is for one number
    if inner:
        return sum((_jaxpr(each, weigh) for each in inner), Count(0.0))
    return Count(weigh(name, equation))


def _inside(params: dict[str, Any]) -> Iterator[Any]:
    """The jaxprs that a primitive calls once: a jit, a checkpoint, a custom derivative."""
    for value in params.values():
        jaxpr = getattr(value, "jaxpr", value)  # closed or not
        if hasattr(jaxpr, "eqns"):
            yield jaxpr


def _arithmetic(name: str, equation: Any) -> float:
    """Operations of a primitive that calls no other."""
    first, out = equation.invars[0].aval if equation.invars else None, equation.outvars[0].aval
    if first is None or not any(_inexact(each.aval) for each in equation.invars):
        return 0.0
    if name.startswith("scatter"):
        return _size(equation.invars[2]) if name in _OVER_UPDATES else 0.0
    if name in _ELEMENTWISE:
        return float(out.size)
    if name in _OVER_INPUT:
        return float(first.size)
    if name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        return 2.0 * out.size * math.prod(first.shape[axis] for axis in contracted)
    if name == "conv_general_dilated":
        kernel, features = equation.invars[1].aval, equation.params["dimension_numbers"].rhs_spec[0]
        return 2.0 * out.size * kernel.size / kernel.shape[features]
    if name.startswith("reduce_window"):
        return float(out.size * math.prod(equation.params["window_dimensions"]))
    if name == "triangular_solve":
        return float(first.shape[-1] * equation.invars[1].aval.size)
    if name in _FACTORISATIONS:
        n, m = sorted(first.shape[-2:])
        return _FACTORISATIONS[name](m, n) * math.prod(first.shape[:-2])
    return 0.0


def _products(name: str, equation: Any) -> float:
    """Multiplications and divisions of a primitive that calls no other."""
    if name in ("dot_general", "conv_general_dilated"):
        return _arithmetic(name, equation) / 2
    return _arithmetic(name, equation) if name in _PRODUCTS else 0.0


def _size(variable: Any) -> float:
    return float(variable.aval.size) if _inexact(variable.aval) else 0.0


def _inexact(aval: Any) -> bool:
    """Whether it holds floats; random keys have no ordinary type."""
    dtype = getattr(aval, "dtype", None)
    return dtype is not None and jnp.issubdtype(dtype, jnp.inexact)
