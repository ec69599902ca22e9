"""The source of the loop that runs a whole network: update all cells, find who fired, deliver."""

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
    noisy = any(p.neuron.noisy for p in populations)
    head = _HEAD.replace("CACHE", str(cache))
    head += _CHANCE.replace("ROUNDS", _rounds()) if noisy else ""
    lines = [f"def run({', '.join(parameters(populations, rows))}):"]
    lines += _indent(['"""Steps from begin to end; the step at which a list was full."""'], 1)
    for p in populations:
        numbers = range(len(p.body.numbers))
        lines += _indent([f"{p.body.prefix}x{i} = x{p.index}[{i}]" for i in numbers], 1)
    lines += _indent(["for t in range(begin, end):"], 1)
    spiking = [p for p in populations if p.spikes]
    full = [f"counts[{p.index}] + {p.size} > when{p.index}.size" for p in spiking]
    lines += _indent([f"if {' or '.join(full)}:", "    return t"] if full else [], 2)
    for p in populations:
        lines += _indent(_update(p, rows), 2)
        for r in rows:
            if _speaks(p, r) and r.projection.delay == 0:
                lines += _indent(_deliver(p, r, populations), 2)
    late = [(p, r) for p in populations for r in rows if _speaks(p, r) and r.projection.delay > 0]
    # What is sent in the last step is handed on as what is on its way, not as having arrived.
    lines += _indent(["if t != last:"] if late else [], 2)
    for p, r in late:
        lines += _indent(_deliver(p, r, populations), 3)
    lines += ["    return end"]
    return head + "\n\n@compiled\n" + "\n".join(lines) + "\n"


def _speaks(p: Cells, r: Rows) -> bool:
    return r.projection.source == p.name


def _at(p: Cells, name: str) -> str:
    return f"b[{p.rows.index(name) * BLOCK} + i]"


def _update(p: Cells, rows: Sequence[Rows]) -> list[str]:
    """All cells of a population: what arrived, one step, who is active, what is recorded."""
    k, height = p.index, len(p.rows) * BLOCK
    lines = [f"fired = 0  # {p.name}"]
    if p.neuron.noisy:
        lines += [
            "one0, one1 = scramble(key0, key1, u32(0), u32(clock + t))",
            f"two0, two1 = scramble(one0, one1, u32(0), u32({k}))",
        ]
    lines += [f"for n in range({p.blocks}):", f"    b = d{k}[n * {height} : (n + 1) * {height}]"]
    lines += _indent(_fetch(p, rows), 1)
    used = sorted(name for name in p.rows if _uses(p, name))
    lines += ["    some = f32(0)", f"    for i in range({BLOCK}):"]
    lines += _indent([f"{name} = {_at(p, name)}" for name in used], 2)
    lines += _indent(p.body.lines, 2)
    lines += _indent([f"{_at(p, name)} = {code}" for name, code in p.stores.items()], 2)
    sized = p.activity if p.spikes else f"abs({p.activity})"
    lines += [f"        some += {sized}", "    if some != f32(0):"]
    lines += _indent([f"for i in range(min({BLOCK}, {p.size} - n * {BLOCK})):"], 2)
    lines += _indent([f"if {_at(p, 'activity')} != f32(0):"], 3)
    lines += _indent([f"fired{k}[fired] = n * {BLOCK} + i", "fired += 1"], 4)
    lines += [f"n{k} = fired"]
    if p.spikes:
        kept = [f"when{k}[counts[{k}] + i] = t", f"who{k}[counts[{k}] + i] = fired{k}[i]"]
        lines += ["for i in range(fired):", *_indent(kept, 1), f"counts[{k}] += fired"]
    lines += [f"for i in range(look{k}.size):", f"    seen{k}[t - begin, i] = d{k}[look{k}[i]]"]
    return lines


def _uses(p: Cells, name: str) -> bool:
    word = re.compile(rf"\b{name}\b")
    return any(word.search(code) for code in (*p.body.lines, *p.stores.values()))


def _fetch(p: Cells, rows: Sequence[Rows]) -> list[str]:
    """Bring what is not in the block into it: what arrives, stimuli, chance."""
    lines = []
    for r in rows:
        if r.projection.target == p.name and r.slots > 1:
            q = r.index
            lines += [
                f"at = (t & {r.slots - 1}) * {r.width} + n * {BLOCK}",
                f"s = ring{q}[at : at + {BLOCK}]",
                f"for i in range({BLOCK}):",
                f"    {_at(p, f'in{q}')} = s[i]",
                "    s[i] = f32(0)",
            ]
    if p.stimulated:
        lines += [
            f"for i in range(min({BLOCK}, {p.size} - n * {BLOCK})):",
            f"    {_at(p, 'stimulus')} = stimuli[t, {p.first} + n * {BLOCK} + i]",
        ]
    if p.neuron.noisy:
        lines += [
            f"for i in range({BLOCK}):",
            f"    {_at(p, 'noise')} = uniform(two0, two1, n * {BLOCK} + i)",
        ]
    return lines


def _deliver(p: Cells, r: Rows, populations: Sequence[Cells]) -> list[str]:
    """Add the weights of everyone who was active to what their listeners will hear."""
    k, q, delay = p.index, r.index, r.projection.delay
    target = next(x for x in populations if x.name == r.projection.target)
    into = f"ring{q}" if r.slots > 1 else f"d{target.index}"
    if r.slots == 1:
        place = f"places{q}[e]"
    elif r.delays is None:
        place = f"at + places{q}[e]"
    else:
        place = f"((t + delays{q}[e]) & {r.slots - 1}) * {r.width} + places{q}[e]"
    lines = [f"for m in range(n{k}):", f"    j = fired{k}[m]"]
    if r.slots > 1 and r.delays is None:
        lines = [f"at = ((t + {delay}) & {r.slots - 1}) * {r.width}", *lines]
    tired = r.projection in p.tiring
    amount = f"sent{q}" if tired else "activity"
    scale = ""
    if tired or not p.spikes:
        height, row = len(p.rows) * BLOCK, p.rows.index(amount) * BLOCK
        lines += [f"    size = d{k}[j // {BLOCK} * {height} + {row} + j % {BLOCK}]"]
        scale = "size * "
    lines += [
        f"    for e in range(starts{q}[j], starts{q}[j + 1]):",
        f"        {into}[{place}] += {scale}weights{q}[e]",
    ]
    return lines
