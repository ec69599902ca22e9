"""Who connects to whom, by molecules and distance: chemoaffinity.

Sperry (1963), Proc. Natl. Acad. Sci. USA 50:703; Cangelosi, Parisi & Nolfi (1994), Network 5:497
(axons that grow from genes).
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def affinity(
    receptors: Float[Array, "post molecule"],
    ligands: Float[Array, "pre molecule"],
    listeners: Float[Array, "post 2"],
    speakers: Float[Array, "pre 2"],
    length: float,
) -> Float[Array, "post pre"]:
    """The match, receptor . ligand / molecules, times exp(-distance^2 / (2 length^2))."""
    there = listeners[:, None] - speakers[None, :]
    near = jnp.exp(-jnp.sum(there**2, axis=-1) / (2 * length**2))
    return receptors @ ligands.T / receptors.shape[1] * near


def weights(
    affinities: Float[Array, "post pre"],
    possible: Bool[Array, "post pre"],
    threshold: float,
    gain: float,
) -> tuple[Bool[Array, "post pre"], Float[Array, "post pre"]]:
    """Connections where affinity, of either sign, is above the threshold, and their weights.

    Weights are gain * affinity / sqrt(inputs of the listening cell), so that cells with many
    inputs are not driven harder than those with few.
    """
    exists = possible & (jnp.abs(affinities) > threshold)
    inputs = jnp.sum(exists.astype(jnp.float32), axis=1, keepdims=True)
    strength = gain * affinities / jnp.sqrt(jnp.maximum(inputs, 1.0))
    return exists, jnp.where(exists, strength, 0.0)
