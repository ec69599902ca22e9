"""What lies between the cells of a NIR graph: every way from one to the next, as one linear map."""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import numpy as np

CELLS = ("LIF", "LI", "CubaLIF", "CubaLI")
LINKS = ("Linear", "Affine", "Scale", "Delay")
ENDS = ("Input", "Output", "NIRGraph")


class Way(NamedTuple):
    """Weights (post, pre), or one per cell, and delays in steps, broadcastable to (post, pre)."""

    weight: np.ndarray | None = None  # None: as it is
    steps: np.ndarray = np.zeros((1, 1), int)
    about: dict[str, Any] = {}  # noqa: RUF012  what the writer noted on the only linear map

    @property
    def direct(self) -> bool:
        """Whether nothing lies between."""
        return self.weight is None and not self.steps.any()


def kind(node: Any) -> str:
    """The name of a node's type."""
    return type(node).__name__


def is_cell(node: Any) -> bool:
    """Whether a node has a state, or stands for a population of linear cells."""
    return kind(node) in CELLS or (kind(node) == "Scale" and "population" in node.metadata)


def flatten(graph: Any, path: str = "") -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Nodes and edges with those of graphs within the graph, named "graph.node"."""
    nodes, edges = {}, []
    doors: dict[str, tuple[str, str]] = {}  # where edges to and from a graph end and begin
    for name, node in graph.nodes.items():
        if kind(node) != "NIRGraph":
            nodes[path + name] = node
            continue
        inner, between = flatten(node, f"{path}{name}.")
        nodes, edges = nodes | inner, edges + between
        if len(node.inputs) != 1 or len(node.outputs) != 1:
            raise ValueError(
                f"A graph within a graph has one input and one output here, but {path + name!r} "
                f"has {sorted(node.inputs)} and {sorted(node.outputs)}: edges do not say which is "
                "meant. Write its nodes into the outer graph."
            )
        (entry,), (exit_,) = node.inputs, node.outputs
        doors[name] = f"{path}{name}.{entry}", f"{path}{name}.{exit_}"
    for a, b in graph.edges:
        begin = doors[a][1] if a in doors else path + a
        end = doors[b][0] if b in doors else path + b
        edges.append((begin, end))
    return nodes, edges


class Graph(NamedTuple):
    """A flat graph: its nodes, its edges, and where ways end: at cells and at outputs."""

    nodes: dict[str, Any]
    edges: list[tuple[str, str]]
    ends: frozenset[str]

    def walk(
        self, start: str, begin: Any, pass_on: Callable[[Any, Any, str], Any], seen: tuple = ()
    ) -> Generator[tuple[str, Any], None, None]:
        """Every end that a node reaches, and what has become of `begin` on each way there."""
        for a, name in self.edges:
            if a != start:
                continue
            if name in self.ends:
                yield name, begin
            elif name in seen:
                raise ValueError(
                    f"Every loop has cells in it here, but {' -> '.join((*seen, name))} are only "
                    "weights and delays: nobody could go first. Put cells into the loop."
                )
            else:
                after = pass_on(begin, self.nodes[name], name)
                yield from self.walk(name, after, pass_on, (*seen, name))


def signal(value: np.ndarray, node: Any, name: str) -> np.ndarray:
    """A constant signal after a node."""
    del name
    if kind(node) in ("Linear", "Affine"):
        return node.weight @ value
    return node.scale * value if kind(node) == "Scale" else value


def lengthen(dt: float) -> Callable[[Way, Any, str], Way]:
    """How a way goes on through a node, with steps of `dt` ms."""

    def through(way: Way, node: Any, name: str) -> Way:
        weight, steps, about = way
        if kind(node) == "Delay":
            late = in_steps(node.delay, dt, name)
            late = late[None, :] if weight is None or weight.ndim == 1 else late[:, None]
            return Way(weight, steps + (late[:1, :1] if np.ptp(late) == 0 else late), about)
        if kind(node) == "Scale":
            scale = np.asarray(node.scale)
            if weight is None:
                return Way(scale, steps, node.metadata)
            return Way(weight * (scale if weight.ndim == 1 else scale[:, None]), steps)
        if kind(node) not in ("Linear", "Affine"):
            return way
        if steps.shape[0] > 1:
            raise ValueError(
                f"Delays that differ by cell should come before the first linear map, but here "
                f"they lie between another one and {name!r}: a connection would have several. Use "
                "the same delay for all cells, or put cells between."
            )
        after = np.asarray(node.weight)
        if weight is None:
            return Way(after, steps, node.metadata)
        return Way(after * weight if weight.ndim == 1 else after @ weight, steps)

    return through


def in_steps(delay: np.ndarray, dt: float, name: str) -> np.ndarray:
    """A delay in seconds as whole steps of `dt` ms."""
    exact = np.atleast_1d(np.asarray(delay, float)) * 1000 / dt
    steps = np.rint(exact).astype(int)
    if (np.abs(exact - steps) > 0.01).any() or (steps < 0).any():
        worst = exact[np.argmax(np.abs(exact - steps))]
        raise ValueError(
            f"Delays are whole steps here, but {name!r} has one of {worst * dt:g} ms, "
            f"{worst:.4g} steps of {dt:g} ms. Take a `dt` that divides it: "
            f"`from_nir(path, dt={dt / 10:g})`."
        )
    return steps
