"""What a block says to stimuli that are played to it."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from .contracts import AbstractBlock
from .front import behind_the_front
from .network import Network


def respond(
    block: AbstractBlock,
    stimuli: Float[Array, "time in"],
    *,
    hold: int = 1,
    key: PRNGKeyArray | None = None,
) -> Float[Array, "shown out"]:
    """Play stimuli to a block at rest, one per time step, and give its outputs.

    With `hold` each stimulus is shown for so many steps (so that `shown` is time times `hold`);
    what input cells make of it is worked out once.
    """
    if len(stimuli) == 1 and hold == 1:  # no loop to compile
        return block.step(block.init(key=key), stimuli[0])[1][None]
    if isinstance(block, Network):
        block, stimuli = behind_the_front(block, stimuli)
    played = jnp.repeat(stimuli, hold, axis=0) if hold > 1 else stimuli
    return jax.lax.scan(lambda s, now: block.step(s, now), block.init(key=key), played)[1]
