"""The source of what a loop does besides when synapses learn: hear, fade, change.

Spikes of the past are found in the list of all spikes: `marks` says where those of each population
and of the last steps lie. So weights act, and learn, when a spike arrives and not when it is sent.
"""

from .plasticity import Scalar
from .source import FIRST_CELL, INTO, SPIKES, STARTS

# Columns of the table of lessons.
WHICH, DELAY, FROM, TO, PRE, POST, BEFORE, AFTER, SHIFT, BEGINS, ARRIVED = range(11)

MORE = """
    lessons, numbers_of_rule, fades, forget, rate, rewards, marks, traces, targets, begins,
    backs, speakers, signs, memory, since, arrived, fired_at,"""

HEAR = f"""for q in range(lessons.shape[0]):
    l = lessons[q]
    if l[{DELAY}] > 0:
        r, s = projections[l[{WHICH}]], populations[l[{FROM}]]
        hear(l, r, s[{FIRST_CELL}], t, marks, who, cells, starts, places, weights)"""

LEARN = f"""at = found[0]
for k in range(populations.shape[0] - 1, -1, -1):
    p = populations[k]
    if p[{SPIKES}]:
        at -= active[k]
        marks[t % marks.shape[0], k, 0] = at
        marks[t % marks.shape[0], k, 1] = active[k]
        for i in range(active[k]):
            fired_at[who[at + i]] = t
reward = f32(0)
if rewards.size > 0:
    reward = rewards[t]
for q in range(lessons.shape[0]):
    l = lessons[q]
    learn(
        l, projections[l[{WHICH}]], populations[l[{FROM}]][{FIRST_CELL}],
        populations[l[{TO}]][{FIRST_CELL}], t, reward, numbers_of_rule, fades, forget, rate,
        marks, who, starts, weights, traces, targets, begins, backs, speakers, signs, memory,
        since, arrived, fired_at,
    )"""

_PARTS = f'''

@compiled
def change(GIVEN, x):
    """The rule, for one synapse."""
    CHANGE


@compiled
def meet(
    l, e, j, i, pre, post, t, reward, x, forget, rate, weights, traces, signs, memory, since
):
    """One synapse lives through one step."""
    own = e + l[{SHIFT}]
    RECALL
    weight = f32(weights[e] + rate * moved)
    if weight * signs[l[{ARRIVED}] + j] < f32(0):
        weight = f32(0)
    weights[e] = weight


@compiled
def hear(l, r, first, t, marks, who, cells, starts, places, weights):
    """What left its source some steps ago arrives, with the weights of now."""
    there, speaker = cells[r[{INTO}] :], r[{STARTS}]
    mark = marks[(t - l[{DELAY}]) % marks.shape[0], l[{FROM}]]
    for m in range(mark[0], mark[0] + mark[1]):
        j = who[m] - first
        for e in range(starts[speaker + j], starts[speaker + j + 1]):
            there[places[e]] += weights[e]


@compiled
def learn(
    l, r, first, other, t, reward, x, fades, forget, rate, marks, who, starts, weights, traces,
    targets, begins, backs, speakers, signs, memory, since, arrived, fired_at,
):
    """All synapses of a projection live through one step; most of them sleep."""
    came = marks[(t - l[{DELAY}]) % marks.shape[0], l[{FROM}]]
    fires = marks[t % marks.shape[0], l[{TO}]]
    speaker, shift = r[{STARTS}], l[{SHIFT}]
    for n in range(SIDES):
        before = n < BEFORES
        size = l[{PRE}] if before else l[{POST}]
        place = l[{BEFORE}] + n * size if before else l[{AFTER}] + (n - BEFORES) * size
        trace = traces[place : place + size]
        fade = fades[n]
        for i in range(size):
            trace[i] *= fade
        mark, zero = (came, first) if before else (fires, other)
        for m in range(mark[0], mark[0] + mark[1]):
            trace[who[m] - zero] += f32(1)
    for m in range(came[0], came[0] + came[1]):
        arrived[l[{ARRIVED}] + who[m] - first] = t
    if reward != f32(0):
        for j in range(l[{PRE}]):
            pre = f32(1) if arrived[l[{ARRIVED}] + j] == t else f32(0)
            for e in range(starts[speaker + j], starts[speaker + j + 1]):
                i = targets[e + shift]
                post = f32(1) if fired_at[other + i] == t else f32(0)
                MEET
        return
    for m in range(came[0], came[0] + came[1]):
        j, pre = who[m] - first, f32(1)
        for e in range(starts[speaker + j], starts[speaker + j + 1]):
            i = targets[e + shift]
            post = f32(1) if fired_at[other + i] == t else f32(0)
            MEET
    for m in range(fires[0], fires[0] + fires[1]):
        i, pre, post = who[m] - other, f32(0), f32(1)
        for back in range(begins[l[{BEGINS}] + i], begins[l[{BEGINS}] + i + 1]):
            e, j = backs[back] - shift, speakers[back]
            if arrived[l[{ARRIVED}] + j] != t:
                MEET
'''
_MEET = (
    "meet(l, e, j, i, pre, post, t, reward, x, forget, rate, weights, traces, signs, memory, since)"
)


def parts(rule: Scalar) -> str:
    """Functions that teach synapses by a rule."""
    befores = sum(name.startswith("before") for name in rule.given)
    afters = sum(name.startswith("after") for name in rule.given)
    leaves = len(rule.results) - 1
    code = [f"x{n} = x[{n}]" for n in range(len(rule.body.numbers))]
    code += [*rule.body.lines, f"return {', '.join(rule.results)},"]
    recall = []
    for n in range(leaves):
        recall.append(f"old{n} = f32(memory[{n}, own] * forget[{n}] ** (t - 1 - since[own]))")
    values = {"pre": "pre", "post": "post", "weight": "weights[e]", "reward": "reward"}
    values |= {f"before{n}": f"traces[l[{BEFORE}] + {n} * l[{PRE}] + j]" for n in range(befores)}
    values |= {f"after{n}": f"traces[l[{AFTER}] + {n} * l[{POST}] + i]" for n in range(afters)}
    values |= {f"memory{n}": f"old{n}" for n in range(leaves)}
    asked = ", ".join(values[name] for name in rule.given)
    new = "".join(f", new{n}" for n in range(leaves))
    recall.append(f"moved{new or ','} = change({asked}, x)")
    recall += [f"memory[{n}, own] = new{n}" for n in range(leaves)]
    recall += ["since[own] = t"] if leaves else []
    text = _PARTS.replace("GIVEN", ", ".join(rule.given))
    text = text.replace("CHANGE", "\n    ".join(code)).replace("RECALL", "\n    ".join(recall))
    text = text.replace("SIDES", str(befores + afters)).replace("BEFORES", str(befores))
    return text.replace("MEET", _MEET)
