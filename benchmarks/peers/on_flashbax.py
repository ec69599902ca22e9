"""Adding and sampling with flashbax, called from Python and inside a compiled loop.

    python on_flashbax.py given.json result.json (uniform | prioritised | sequences)

pip install flashbax==0.1.3 jax==0.10.1
"""

import importlib.metadata
import json
import sys
import time

import flashbax
import jax
import jax.numpy as jnp


def item(number):
    """A transition that tells its number."""
    seen = jnp.full((10, 10, 4), number, jnp.float32)
    no, what = jnp.zeros((), bool), number.astype(jnp.int32)
    return {"seen": seen, "action": what, "reward": jnp.float32(number), "ended": no}


def parts(kind: str, capacity: int, batch: int, length: int):
    """A buffer; how to add item number i; how to draw, and tell what was drawn."""
    if kind == "uniform":  # what follows is kept with every transition, as in ours
        buffer = flashbax.make_item_buffer(capacity, 1, batch)

        def make(i):
            return item(i) | {"next": item(i + 1)["seen"]}

        def draw(state, key):
            found = buffer.sample(state, key).experience
            return state, found["action"], found["seen"].sum() + found["next"].sum()

    elif kind == "prioritised":
        buffer = flashbax.make_prioritised_flat_buffer(capacity, 2, batch, priority_exponent=0.6)
        make = item

        def draw(state, key):
            found = buffer.sample(state, key)
            pair, errors = found.experience, jnp.full(batch, 0.5)
            total = pair.first["seen"].sum() + pair.second["seen"].sum()
            state = buffer.set_priorities(state, found.indices, errors)
            return state, pair.first["action"], total

    else:
        buffer = flashbax.make_trajectory_buffer(1, batch, length, 1, length, capacity)

        def make(i):
            return jax.tree.map(lambda x: x[None, None], item(i))

        def draw(state, key):
            found = buffer.sample(state, key).experience
            return state, found["action"], found["seen"].sum()

    empty = buffer.init(item(jnp.int32(0)) if kind != "uniform" else make(jnp.int32(0)))
    return empty, lambda state, i: buffer.add(state, make(i)), draw


def main() -> None:
    """Fill, time, and write seconds a call and the numbers of what was drawn."""
    with open(sys.argv[1]) as file:
        given = json.load(file)
    capacity, batch, loops = given["capacity"], given["batch"], given["loops"]
    state, add, draw = parts(sys.argv[3], capacity, batch, given["length"])

    def filled(state):
        step = lambda i, state: add(state, i)  # noqa: E731
        return jax.lax.fori_loop(0, capacity + 7, step, state)

    def loop(state, key):
        def one(state, i):
            state = add(state, capacity + i)
            state, numbers, total = draw(state, jax.random.fold_in(key, i))
            return state, (numbers, total)

        return jax.lax.scan(one, state, jnp.arange(loops, dtype=jnp.int32))

    state = jax.jit(filled, donate_argnums=0)(state)
    put, take = jax.jit(add, donate_argnums=0), jax.jit(draw, donate_argnums=0)
    looped, key = jax.jit(loop, donate_argnums=0), jax.random.key(1)
    state = put(state, jnp.int32(3))
    state, *_ = take(state, key)
    state, (numbers, _) = looped(state, key)
    adding, drawing, inside = [], [], []
    keys = list(jax.random.split(key, given["calls"]))
    for _ in range(given["repeats"]):
        began = time.perf_counter()
        for _ in keys:
            state = put(state, jnp.int32(3))
        jax.block_until_ready(state)
        adding.append((time.perf_counter() - began) / len(keys))
        began = time.perf_counter()
        for each in keys:
            state, *drawn = take(state, each)
        jax.block_until_ready(drawn)
        drawing.append((time.perf_counter() - began) / len(keys))
        began = time.perf_counter()
        state, found = looped(state, key)
        jax.block_until_ready(found)
        inside.append((time.perf_counter() - began) / loops)
    found = {"version": importlib.metadata.version("flashbax"), "numbers": numbers.tolist()}
    found |= {"add": adding, "sample": drawing, "inside": inside}
    with open(sys.argv[2], "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
