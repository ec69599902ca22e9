"""A step written once in JAX becomes scalar code: the body of a loop over cells."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core, source_info_util

Value = str | list[str]  # an expression for a cell, or one for each row of (row, cell)

_INFIX = {
    "add": "+", "add_any": "+", "sub": "-", "mul": "*", "div": "/", "lt": "<", "le": "<=",
    "gt": ">", "ge": ">=", "eq": "==", "ne": "!=", "and": "&", "or": "|", "xor": "^",
}  # fmt: skip
_CALL = {
    "exp": "math.exp({0})", "log": "math.log({0})", "exp2": "f32(2) ** {0}",
    "log1p": "math.log1p({0})", "expm1": "math.expm1({0})", "tanh": "math.tanh({0})",
    "sin": "math.sin({0})", "cos": "math.cos({0})", "sqrt": "math.sqrt({0})",
    "rsqrt": "f32(1) / math.sqrt({0})", "logistic": "f32(1) / (f32(1) + math.exp(-{0}))",
    "floor": "math.floor({0})", "ceil": "math.ceil({0})", "abs": "abs({0})", "neg": "-{0}",
    "sign": "(f32(1) if {0} > 0 else (f32(-1) if {0} < 0 else f32(0)))", "square": "{0} * {0}",
    "max": "({0} if {0} > {1} else {1})", "min": "({0} if {0} < {1} else {1})",
    "clamp": "({0} if {1} < {0} else ({2} if {1} > {2} else {1}))", "pow": "{0} ** {1}",
    "rem": "math.fmod({0}, {1})", "not": "(not {0})", "select_n": "({2} if {0} else {1})",
    "is_finite": "math.isfinite({0})", "erf": "math.erf({0})",
    "stop_gradient": "{0}", "copy": "{0}", "copy_p": "{0}", "optimization_barrier": "{0}",
}  # fmt: skip
_INSIDE = ("jaxpr", "call_jaxpr", "fun_jaxpr")  # where operations keep what they call
_INLINE = {0.0: "f32(0)", 1.0: "f32(1)", -1.0: "f32(-1)", 0.5: "f32(0.5)", 2.0: "f32(2)"}


class Body:
    """Lines of scalar code under construction, with the numbers and arrays that they use.

    `numbers` are the same for all cells; they stay out of the code, so that a network with other
    settings is the same code. `arrays` hold one number per cell.
    """

    def __init__(self):
        self.lines: list[str] = []
        self.numbers: list[np.float32] = []
        self.arrays: list[np.ndarray] = []
        self._named = 0

    def name(self, expression: str) -> str:
        """A fresh name for an expression."""
        self._named += 1
        self.lines.append(f"t{self._named} = {expression}")
        return f"t{self._named}"

    def number(self, value: Any) -> str:
        """The code for a number that is the same for all cells."""
        value = np.asarray(value)
        if value.dtype == bool:
            return str(bool(value))
        if np.issubdtype(value.dtype, np.integer):
            return f"i32({int(value)})"
        if float(value) in _INLINE:
            return _INLINE[float(value)]
        known = np.float32(value)
        if known not in self.numbers:
            self.numbers.append(known)
        return f"x{self.numbers.index(known)}"

    def array(self, values: np.ndarray) -> str:
        """The code for a number that differs by cell."""
        self.arrays.append(np.asarray(values, np.float32))
        return f"a{len(self.arrays) - 1}"

    def include(self, function: Callable[..., Any], *values: Value, size: int) -> list[Value]:
        """Append the code of `function` for one cell of `size`; the outputs, as a flat list.

        Raises `ValueError` for an operation that mixes cells or that no loop can hold.
        """
        shapes = [
            jax.ShapeDtypeStruct((size,) if isinstance(v, str) else (len(v), size), jnp.float32)
            for v in values
        ]
        closed = jax.make_jaxpr(function)(*shapes)
        return self._run(closed.jaxpr, closed.consts, list(values))

    def _run(self, jaxpr: Any, consts: Sequence[Any], values: list[Value]) -> list[Value]:
        known: dict[Any, Value] = dict(zip(jaxpr.invars, values, strict=True))
        known |= {v: self._constant(c) for v, c in zip(jaxpr.constvars, consts, strict=True)}

        def read(atom: Any) -> Value:
            return self._constant(atom.val) if isinstance(atom, core.Literal) else known[atom]

        for equation in jaxpr.eqns:
            found = self._equation(equation, [read(atom) for atom in equation.invars])
            known |= dict(zip(equation.outvars, found, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def _constant(self, value: Any) -> Value:
        value = np.asarray(value)
        if value.ndim == 0:
            return self.number(value)
        return self.array(value) if value.ndim == 1 else [self.array(row) for row in value]

    def _equation(self, equation: Any, values: list[Value]) -> list[Value]:
        operation, settings = equation.primitive.name, equation.params
        inside = next((settings[name] for name in _INSIDE if name in settings), None)
        if inside is not None and operation not in ("scan", "while", "cond"):
            closed = getattr(inside, "jaxpr", inside), getattr(inside, "consts", ())
            return self._run(*closed, values)
        stacked = _rows(operation, settings, values, equation.outvars[0].aval)
        if stacked is not None:
            return [stacked]
        heights = {len(v) for v in values if isinstance(v, list)}
        if len(heights) > 1:
            raise _refusal(equation)
        if not heights:
            return [self._scalar(equation, values)]
        rows = [[v[i] if isinstance(v, list) else v for v in values] for i in range(*heights)]
        return [[self._scalar(equation, row) for row in rows]]

    def _scalar(self, equation: Any, values: list[Any]) -> str:
        operation, settings = equation.primitive.name, equation.params
        if operation in _INFIX:
            code = f"{values[0]} {_INFIX[operation]} {values[1]}"
        elif operation in _CALL and len(values) <= 3:
            code = _CALL[operation].format(*values)
        elif operation == "integer_pow":
            code = " * ".join([values[0]] * abs(settings["y"])) or "f32(1)"
            code = code if settings["y"] >= 0 else f"f32(1) / ({code})"
        elif operation == "convert_element_type":
            return self._converted(values[0], equation)
        else:
            raise _refusal(equation)
        kind = equation.outvars[0].aval.dtype
        return self.name(f"i32({code})" if kind == jnp.int32 else code)

    def _converted(self, value: str, equation: Any) -> str:
        source, target = equation.invars[0].aval.dtype, equation.outvars[0].aval.dtype
        if source == target:
            return value
        if source == jnp.bool_:
            kind = "f32" if target == jnp.float32 else "i32"
            return self.name(f"({kind}(1) if {value} else {kind}(0))")
        kinds = {"float32": "f32", "int32": "i32"}
        if target == jnp.bool_:
            return self.name(f"{value} != 0")
        if str(target) not in kinds:
            raise _refusal(equation)
        return self.name(f"{kinds[str(target)]}({value})")


def _rows(operation: str, settings: Any, values: list[Value], result: Any) -> Value | None:
    """Operations that only arrange rows; `None` for all others."""
    first = values[0] if values else ""
    if operation == "stack" and settings["axis"] == 0 and all(isinstance(v, str) for v in values):
        return [v for v in values if isinstance(v, str)]
    if operation == "concatenate" and settings["dimension"] == 0:
        return [v for rows in values for v in rows] if result.ndim == 2 else None
    if operation in ("broadcast_in_dim", "reshape"):
        if isinstance(first, str) and result.ndim == 2:
            return [first] * result.shape[0]
        if isinstance(first, list) and result.ndim == 1 and len(first) == 1:
            return first[0]
        return first
    if operation == "slice" and isinstance(first, list) and settings["strides"] is None:
        return first[settings["start_indices"][0] : settings["limit_indices"][0]]
    if operation == "squeeze" and isinstance(first, list) and len(first) == 1:
        return first[0]
    if operation == "reduce_sum" and isinstance(first, list) and settings["axes"] == (0,):
        return "(" + " + ".join(first) + ")"
    return None


def _refusal(equation: Any) -> ValueError:
    where = source_info_util.summarize(equation.source_info)
    return ValueError(
        f"A step on the event engine treats every cell by itself, but `{equation.primitive.name}` "
        f"({where}) mixes cells, draws, or loops. Write it with elementwise operations, or run the "
        'network with `engine="jax"`.'
    )
