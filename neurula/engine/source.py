"""The source of the loop that runs a whole network: update all cells, find who fired, deliver.

Only the update of a cell is made anew for each kind of neuron with its synapses; sizes, settings
and who talks to whom are numbers in tables. Populations of one kind share their function.
"""

import re
from collections.abc import Mapping, Sequence

from .layout import BLOCK, Cells

# Columns of the tables. Rings: pairs (place, mask) from RINGS on.
KIND, SIZE, DATA, NUMBERS, FIRST_CELL, SPIKES, STIMULUS, RINGS = range(8)
SPEAKS, DELAY, INTO, IN_RING, WIDTH, MASK, EACH, STARTS, AMOUNT, HEIGHT = range(10)

_HEAD = f'''"""Made by neurula: the loop of networks with some kinds of cells."""

import math

import numba
import numpy as np

f32, i32, u32 = np.float32, np.int32, np.uint32
FAST = {{"reassoc", "nsz", "arcp", "contract", "afn"}}  # infinities and NaN keep their meaning
compiled = numba.njit(cache=CACHE, nogil=True, fastmath=FAST, error_model="numpy")


@compiled
def deliver(row, data, height, fired, n, t, cells, into, starts, places, weights, delays):
    """Add the weights of everyone who was active to what their listeners will hear."""
    much, first, amount = f32(1), row[{STARTS}], row[{AMOUNT}]
    mask, width = row[{MASK}], row[{WIDTH}]
    there = into[row[{INTO}] + ((t + row[{DELAY}]) & mask) * width :]
    for m in range(n):
        j = fired[m]
        if amount >= 0:  # a spike counts one
            much = cells[data + j // {BLOCK} * height + amount + j % {BLOCK}]
        if row[{EACH}]:
            there = into[row[{INTO}] :]
            for e in range(starts[first + j], starts[first + j + 1]):
                there[((t + delays[e]) & mask) * width + places[e]] += much * weights[e]
        else:
            for e in range(starts[first + j], starts[first + j + 1]):
                there[places[e]] += much * weights[e]
'''

_RUN = f'''

@compiled
def run(
    begin, end, last, key0, key1, clock, stimuli, populations, projections,
    cells, numbers, fired, rings, starts, places, weights, delays, found, when, who, look, seen,MORE
):
    """Steps from begin to end; the step at which the list of spikes was full."""
    active = np.zeros(populations.shape[0], np.int64)
    for t in range(begin, end):
        if found[0] + fired.size > when.size:
            return t
        HEAR
        for k in range(populations.shape[0]):
            p = populations[k]
            x, first = numbers[p[{NUMBERS}] :], p[{FIRST_CELL}]
            here = fired[first : first + p[{SIZE}]]
            n = 0
DISPATCH
            active[k] = n
            if p[{SPIKES}]:
                for i in range(n):
                    when[found[0] + i] = t
                    who[found[0] + i] = first + here[i]
                found[0] += n
            for q in range(projections.shape[0]):
                r = projections[q]
                if r[{SPEAKS}] == k and r[{DELAY}] == 0:
                    SEND
        for q in range(projections.shape[0]):
            r = projections[q]
            # What is sent in the last step is handed on as being on its way, not as arrived.
            if r[{DELAY}] > 0 and t != last:
                SEND
        LEARN
        for i in range(look.size):
            seen[t - begin, i] = cells[look[i]]
    return end
'''
_SEND = f"""s = populations[r[{SPEAKS}]]
into = rings if r[{IN_RING}] else cells
mine = fired[s[{FIRST_CELL}] : s[{FIRST_CELL}] + s[{SIZE}]]
deliver(
    r, s[{DATA}], r[{HEIGHT}], mine, active[r[{SPEAKS}]], t, cells, into, starts, places, weights,
    delays,
)"""

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


_NOTHING = {"PARTS": "", "MORE": "", "HEAR": "", "LEARN": ""}


def source(
    populations: Sequence[Cells], cache: bool, more: Mapping[str, str] = _NOTHING
) -> tuple[str, list[int]]:
    """The whole module, and the kind of each population. Equal kinds give equal modules.

    `more` is what the loop does besides: functions, what they are given, at the start of a step, at
    its end.
    """
    updates: list[str] = []
    for p in populations:
        code = _update(p)
        if code not in updates:
            updates.append(code)
    kinds = [updates.index(_update(p)) for p in populations]
    noisy = any(p.neuron.noisy for p in populations)
    parts = [_HEAD.replace("CACHE", str(cache))]
    parts += [_CHANCE.replace("ROUNDS", _rounds())] if noisy else []
    parts += [f"\n\n@compiled\ndef update{i}{code}" for i, code in enumerate(updates)]
    given = "cells, x, here, p, t, key0, key1, clock, k, stimuli, rings"
    choose = []
    for i in range(len(updates)):
        choose += [f"if p[{KIND}] == {i}:", f"    n = update{i}({given})"]
    run = _RUN.replace("DISPATCH", "\n".join(_indent(choose, 3)))
    for depth in (5, 4):
        send = "\n".join(_indent(_SEND.split("\n"), depth)).lstrip()
        run = run.replace("SEND", send, 1)
    for place in ("HEAR", "LEARN"):
        lines = _indent(more[place].split("\n"), 2) if more[place] else []
        run = run.replace(f"        {place}\n", "".join(f"{line}\n" for line in lines))
    return "".join([*parts, more["PARTS"], run.replace("MORE", more["MORE"])]), kinds


def _indent(lines: Sequence[str], depth: int) -> list[str]:
    return ["    " * depth + line for line in lines]


def _rounds() -> str:
    lines, keys = [], ("key0", "key1", "key2")
    for group in range(5):
        for turn in ((13, 15, 26, 6), (17, 29, 16, 24))[group % 2]:
            lines.append("x = u32(x + y)")
            lines.append(f"y = u32(u32(y << u32({turn})) | u32(y >> u32({32 - turn}))) ^ x")
        first, second = keys[(group + 1) % 3], keys[(group + 2) % 3]
        lines.append(f"x = u32(x + {first})")
        lines.append(f"y = u32(y + u32({second} + u32({group + 1})))")
    return "\n".join(_indent(lines, 1))


def _at(p: Cells, name: str) -> str:
    return f"b[{p.rows.index(name) * BLOCK} + i]"


def _update(p: Cells) -> str:
    """All cells of a population: what arrived, one step, who is active."""
    height = len(p.rows) * BLOCK
    body = [f"x{i} = x[{i}]" for i in range(len(p.body.numbers))]
    body += [f"active, size, start = 0, p[{SIZE}], p[{DATA}]"]
    if p.neuron.noisy:
        body += [
            "one0, one1 = scramble(key0, key1, u32(0), u32(clock + t))",
            "two0, two1 = scramble(one0, one1, u32(0), u32(index))",
        ]
    body += [f"blocks = (size + {BLOCK - 1}) // {BLOCK}", "for n in range(blocks):"]
    inside = [f"b = cells[start + n * {height} : start + (n + 1) * {height}]", *_fetch(p)]
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
    head = "(cells, x, fired, p, t, key0, key1, clock, index, stimuli, rings):"
    return "\n".join([head, *_indent(body, 1)]) + "\n"


def _uses(p: Cells, name: str) -> bool:
    word = re.compile(rf"\b{name}\b")
    return any(word.search(code) for code in (*p.body.lines, *p.stores.values()))


def _fetch(p: Cells) -> list[str]:
    """Bring what is not in the block into it: what arrives, stimuli, chance."""
    lines = []
    for j, arriving in enumerate(p.ringed):
        lines += [
            f"slot = (t & p[{RINGS + 2 * j + 1}]) * blocks + n",
            f"at = p[{RINGS + 2 * j}] + slot * {BLOCK}",
            f"s = rings[at : at + {BLOCK}]",
            f"for i in range({BLOCK}):",
            f"    {_at(p, arriving)} = s[i]",
            "    s[i] = f32(0)",
        ]
    if p.stimulated:
        lines += [
            f"for i in range(min({BLOCK}, size - n * {BLOCK})):",
            f"    {_at(p, 'stimulus')} = stimuli[t, p[{STIMULUS}] + n * {BLOCK} + i]",
        ]
    if p.neuron.noisy:
        lines += [
            f"for i in range({BLOCK}):",
            f"    {_at(p, 'noise')} = uniform(two0, two1, n * {BLOCK} + i)",
        ]
    return lines
