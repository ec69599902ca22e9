"""Whether the cells of a spiking network are alive: how many never fire, how many never stop."""

import jax.numpy as jnp
from jaxtyping import Array, Float

NEARLY_ALWAYS = 0.4  # spikes per step; with a refractory time of a step no cell exceeds 0.5


def health(active: Float[Array, " cell"]) -> dict[str, Float[Array, ""]]:
    """Shares of cells that never fire and that fire at nearly every step, for `Outcome.health`.

    `active` is the mean number of spikes of each cell in a step.
    """
    return {
        "silent": jnp.mean((active == 0).astype(jnp.float32)),
        "saturated": jnp.mean((active > NEARLY_ALWAYS).astype(jnp.float32)),
    }


def advice(silent: float, saturated: float, cells: str) -> tuple[str, ...]:
    """What looks wrong with the shares of `cells` that `health` found, in plain words."""
    found = []
    if silent == 1:
        found.append(
            f"All {cells} are silent. Give them more input, raise the weights that lead to them, "
            "or lower their threshold."
        )
    elif silent > 0.9:
        found.append(f"{100 * silent:.0f} % of the {cells} never fire.")
    if saturated > 0.1:
        found.append(
            f"{100 * saturated:.0f} % of the {cells} fire at nearly every step: activity has "
            "exploded. Weaken excitation, strengthen inhibition, or give the cells a refractory "
            "time."
        )
    return tuple(found)
