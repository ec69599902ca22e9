"""The source of the loop that runs a whole network: update all cells, find who fired, deliver.

Populations of one kind share a function, whatever their sizes and settings, so that it is compiled
once.
"""

import re
from collections.abc import Sequence

from .layout import BLOCK, Cells, Rows

_HEAD = '''"""Made by neurula: the loop of one kind of network."""

import math

import numba
import numpy as np

f32, i32, u32 = np.float32, np.int32, np.uint32
FAST = {"reassoc", "nsz", "arcp", "contract", "afn"}  # infinities and NaN keep their meaning
compiled = numba.njit(cache=CACHE, nogil=True, fastmath=FAST, error_model="numpy")


@compiled
def note(fired, n, t, when, who, counts, k):
    """Add spikes to the list of a population."""
    at = counts[k]
    for i in range(n):
        when[at + i] = t
        who[at + i] = fired[i]
    counts[k] += n


@compiled
def look(d, places, seen):
    """Note the numbers of watched cells."""
    for i in range(places.size):
        seen[i] = d[places[i]]
'''

_CHANCE = '''

@compiled
def scramble(key0, key1, count0, count1):
    """Threefry-2x32 with 20 rounds (Salmon et al. 2011), as in JAX."""
    key2 = u32(key0 ^ key1 ^ u32(0x1BD11BDA))
    x, y = u32(count0 + key0), u32(count1 + key1)
ROUNDS
    return x, y


@compiled
def uniform(key0, key1, cell):
    """A number in [0, 1)."""
    x, y = scramble(key0, key1, u32(0), u32(cell))
    return f32(u32(x ^ y) >> u32(9)) * f32(2.0**-23)
'''


def _rounds() -> str:
    lines, keys = [], ("key0", "key1", "key2")
    for group in range(5):
        for turn in ((13, 15, 26, 6), (17, 29, 16, 24))[group % 2]:
            lines.append("x = u32(x + y)")
            lines.append(f"y = u32(u32(y << u32({turn})) | u32(y >> u32({32 - turn}))) ^ x")
        first, second = keys[(group + 1) % 3], keys[(group + 2) % 3]
        lines.append(f"x = u32(x + {first})")
        lines.append(f"y = u32(y + u32({second} + u32({group + 1})))")
    return "\n".join(f"    {line}" for line in lines)


def _indent(lines: Sequence[str], depth: int) -> list[str]:
    return ["    " * depth + line for line in lines]


def parameters(populations: Sequence[Cells], rows: Sequence[Rows]) -> list[str]:
    """Names of the loop's arguments, in order."""
    names = ["begin", "end", "last", "key0", "key1", "clock", "counts", "stimuli"]
    for p in populations:
        k = p.index
        names += [f"d{k}", f"x{k}", f"fired{k}", f"when{k}", f"who{k}", f"look{k}", f"seen{k}"]
    for r in rows:
        q = r.index
        names += [f"ring{q}", f"starts{q}", f"places{q}", f"weights{q}", f"delays{q}"]
    return names


def source(populations: Sequence[Cells], rows: Sequence[Rows], cache: bool) -> str:
    """The whole module. Equal networks have equal sources, whatever their numbers."""
    functions: dict[str, str] = {}  # code -> name

    def function(kind: str, code: str) -> str:
        return functions.setdefault(code, f"{kind}{len(functions)}")

    lines = [f"def run({', '.join(parameters(populations, rows))}):"]
    lines += _indent(['"""Steps from begin to end; the step at which a list was full."""'], 1)
    lines += _indent(["for t in range(begin, end):"], 1)
    spiking = [p for p in populations if p.spikes]
    full = [f"counts[{p.index}] + {p.size} > when{p.index}.size" for p in spiking]
    lines += _indent([f"if {' or '.join(full)}:", "    return t"] if full else [], 2)
    for p in populations:
        lines += _indent(_step(p, rows, function("update", _update(p, rows))), 2)
        prompt = [r for r in rows if r.speaking is p and r.projection.delay == 0]
        lines += _indent([_send(r, function("deliver", _deliver(r))) for r in prompt], 2)
    late = [r for r in rows if r.projection.delay > 0]
    # What is sent in the last step is handed on as what is on its way, not as having arrived.
    lines += _indent(["if t != last:"] if late else [], 2)
    lines += _indent([_send(r, function("deliver", _deliver(r))) for r in late], 3)
    lines += ["    return end"]
    noisy = any(p.neuron.noisy for p in populations)
    parts = [_HEAD.replace("CACHE", str(cache))]
    parts += [_CHANCE.replace("ROUNDS", _rounds())] if noisy else []
    parts += [f"\n\n@compiled\ndef {name}{code}" for code, name in functions.items()]
    return "".join(parts) + "\n\n@compiled\n" + "\n".join(lines) + "\n"


def _ringed(p: Cells, rows: Sequence[Rows]) -> list[Rows]:
    return [r for r in rows if r.listening is p and r.slots > 1]


def _step(p: Cells, rows: Sequence[Rows], update: str) -> list[str]:
    """One population's part of a step: who fires, and what is recorded."""
    k = p.index
    given = [f"d{k}", f"x{k}", f"fired{k}", str(p.size), "t", "key0", "key1", "clock", str(k)]
    given += ["stimuli", str(p.first)]
    given += [f"ring{r.index}, {r.slots - 1}" for r in _ringed(p, rows)]
    lines = [f"n{k} = {update}({', '.join(given)})"]
    if p.spikes:
        lines.append(f"note(fired{k}, n{k}, t, when{k}, who{k}, counts, {k})")
    return [*lines, f"look(d{k}, look{k}, seen{k}[t - begin])"]


def _at(p: Cells, name: str) -> str:
    return f"b[{p.rows.index(name) * BLOCK} + i]"


def _update(p: Cells, rows: Sequence[Rows]) -> str:
    """All cells of a population: what arrived, one step, who is active."""
    height, ringed = len(p.rows) * BLOCK, _ringed(p, rows)
    names = ["d", "x", "fired", "size", "t", "key0", "key1", "clock", "index", "stimuli", "first"]
    names += [f"ring{j}, mask{j}" for j in range(len(ringed))]
    lines = [f"({', '.join(names)}):"]
    body = [f"x{i} = x[{i}]" for i in range(len(p.body.numbers))]
    body += ["active = 0"]
    if p.neuron.noisy:
        body += [
            "one0, one1 = scramble(key0, key1, u32(0), u32(clock + t))",
            "two0, two1 = scramble(one0, one1, u32(0), u32(index))",
        ]
    body += [f"blocks = (size + {BLOCK - 1}) // {BLOCK}", "for n in range(blocks):"]
    inside = [f"b = d[n * {height} : (n + 1) * {height}]", *_fetch(p, ringed)]
    used = sorted(name for name in p.rows if _uses(p, name))
    inside += ["some = f32(0)", f"for i in range({BLOCK}):"]
    inside += _indent([f"{name} = {_at(p, name)}" for name in used], 1)
    inside += _indent(p.body.lines, 1)
    inside += _indent([f"{_at(p, name)} = {code}" for name, code in p.stores.items()], 1)
    sized = p.activity if p.spikes else f"abs({p.activity})"
    inside += [f"    some += {sized}", "if some != f32(0):"]
    inside += _indent([f"for i in range(min({BLOCK}, size - n * {BLOCK})):"], 1)
    inside += _indent([f"if {_at(p, 'activity')} != f32(0):"], 2)
    inside += _indent([f"fired[active] = n * {BLOCK} + i", "active += 1"], 3)
    body += [*_indent(inside, 1), "return active"]
    return "\n".join(lines + _indent(body, 1)) + "\n"


def _uses(p: Cells, name: str) -> bool:
    word = re.compile(rf"\b{name}\b")
    return any(word.search(code) for code in (*p.body.lines, *p.stores.values()))


def _fetch(p: Cells, ringed: Sequence[Rows]) -> list[str]:
    """Bring what is not in the block into it: what arrives, stimuli, chance."""
    lines = []
    for j, r in enumerate(ringed):
        arriving = _at(p, f"in{p.heard.index(r.projection)}")
        lines += [
            f"at = (t & mask{j}) * blocks * {BLOCK} + n * {BLOCK}",
            f"s = ring{j}[at : at + {BLOCK}]",
            f"for i in range({BLOCK}):",
            f"    {arriving} = s[i]",
            "    s[i] = f32(0)",
        ]
    if p.stimulated:
        lines += [
            f"for i in range(min({BLOCK}, size - n * {BLOCK})):",
            f"    {_at(p, 'stimulus')} = stimuli[t, first + n * {BLOCK} + i]",
        ]
    if p.neuron.noisy:
        lines += [
            f"for i in range({BLOCK}):",
            f"    {_at(p, 'noise')} = uniform(two0, two1, n * {BLOCK} + i)",
        ]
    return lines


def _send(r: Rows, deliver: str) -> str:
    """The call that delivers what a projection's cells have just said."""
    k, q = r.speaking.index, r.index
    into = f"ring{q}" if r.slots > 1 else f"d{r.listening.index}"
    given = [f"d{k}", f"fired{k}", f"n{k}", into, f"starts{q}", f"places{q}", f"weights{q}"]
    if r.slots > 1:
        given += [f"t + {r.projection.delay if r.delays is None else 0}", str(r.slots - 1)]
        given += [str(r.width), f"delays{q}"]
    return f"{deliver}({', '.join(given)})"


def _deliver(r: Rows) -> str:
    """Add the weights of everyone who was active to what their listeners will hear."""
    p, tired = r.speaking, r.projection in r.speaking.tiring
    late = ", t, mask, width, delays" if r.slots > 1 else ""
    lines = [f"(d, fired, n, into, starts, places, weights{late}):"]
    place = "places[e]"
    if r.slots > 1 and r.delays is None:
        lines += ["    at = (t & mask) * width"]
        place = "at + places[e]"
    elif r.slots > 1:
        place = "((t + delays[e]) & mask) * width + places[e]"
    lines += ["    for m in range(n):", "        j = fired[m]"]
    scale = ""
    if tired or not p.spikes:  # a spike counts one
        said = f"sent{p.tiring.index(r.projection)}" if tired else "activity"
        row, height = p.rows.index(said) * BLOCK, len(p.rows) * BLOCK
        lines += [f"        much = d[j // {BLOCK} * {height} + {row} + j % {BLOCK}]"]
        scale = "much * "
    lines += [
        "        for e in range(starts[j], starts[j + 1]):",
        f"            into[{place}] += {scale}weights[e]",
    ]
    return "\n".join(lines) + "\n"
