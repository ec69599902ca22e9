"""Substances that tell cells where they are: steady gradients from plates, and what cells secrete.

Turing (1952), Phil. Trans. R. Soc. B 237:37; Wolpert (1969), J. Theor. Biol. 25:1; Crick (1970),
Nature 225:420 (a source, diffusion and decay make an exponential gradient).
"""

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Plate = Literal["floor", "roof", "left", "right"]
Places = Float[Array, "cell 2"]
Amplitudes = Float[Array, "secreted mode mode"]
# The side of the unit square: on which axis it lies, and at which coordinate.
SIDES = {"floor": (1, 0.0), "roof": (1, 1.0), "left": (0, 0.0), "right": (0, 1.0)}


class Morphogens(eqx.Module):
    """Morphogens in the unit square, lengths in its widths; `plates` first, then `secreted`.

    A plate is a side that keeps its concentration at 1: exp(-distance / reach), the steady state
    in a wide tissue. Secreted ones obey du/dt = spread^2 laplace(u) - u + source, in lifetimes of
    the substance, one of which passes in a growth step, and nothing leaves through the walls. They
    are sums of cos(k pi x) cos(l pi y) for k, l below `modes`, in which that equation is solved
    exactly; so anything finer than about 1 / modes is lost.
    """

    plates: tuple[Plate, ...] = eqx.field(static=True, default=("floor", "left"))
    secreted: int = eqx.field(static=True, default=1)
    reach: float = 0.35  # widths, over which a plate's gradient falls to 1 / e
    spread: float = 0.12  # widths, likewise for what is secreted
    modes: int = eqx.field(static=True, default=8)

    def __check_init__(self):
        if not (self.reach > 0 and self.spread > 0 and self.modes > 1 and self.count > 0):
            raise ValueError(
                f"Morphogens need a plate or something secreted, lengths above 0 and at least 2 "
                f"modes, but got plates={self.plates}, secreted={self.secreted}, reach="
                f"{self.reach}, spread={self.spread}, modes={self.modes}. Without a gradient no "
                "cell could know where it is. Use `Morphogens()`."
            )

    @property
    def count(self) -> int:
        """How many morphogens."""
        return len(self.plates) + self.secreted

    def none(self) -> Amplitudes:
        """Nothing is secreted yet."""
        return jnp.zeros((self.secreted, self.modes, self.modes))

    def sense(
        self, amplitudes: Amplitudes, places: Places
    ) -> tuple[Float[Array, "cell morphogen"], Float[Array, "cell morphogen 2"]]:
        """Concentrations at places, and the gradients there."""
        waves, slopes = self._waves(places)
        along = jnp.einsum("nk,dkl->ndl", waves[0], amplitudes)
        across = jnp.einsum("nk,dkl->ndl", slopes[0], amplitudes)
        value = jnp.sum(along * waves[1][:, None], axis=-1)
        slope = [
            jnp.sum(across * waves[1][:, None], axis=-1),
            jnp.sum(along * slopes[1][:, None], axis=-1),
        ]
        from_plates, slope_of_plates = self._plates(places)
        return (
            jnp.concatenate([from_plates, value], axis=1),
            jnp.concatenate([slope_of_plates, jnp.stack(slope, axis=-1)], axis=1),
        )

    def secrete(
        self,
        amplitudes: Amplitudes,
        places: Places,
        amounts: Float[Array, "cell secreted"],
        time: float = 1.0,
    ) -> Amplitudes:
        """What is there after `time` lifetimes in which cells secrete steadily."""
        waves, _ = self._waves(places)
        double = np.where(np.arange(self.modes) == 0, 1.0, 2.0)
        norm = jnp.asarray(np.outer(double, double), jnp.float32)
        source = norm[None] * jnp.einsum("nd,nk,nl->dkl", amounts, waves[0], waves[1])
        square = (np.pi * np.arange(self.modes)) ** 2
        faster = jnp.asarray(square[:, None] + square[None, :], jnp.float32)
        rate = (1 + self.spread**2 * faster)[None]
        steady = source / rate
        return steady + (amplitudes - steady) * jnp.exp(-rate * time)

    def _waves(self, places: Places) -> tuple[Float[Array, "axis cell mode"], ...]:
        number = jnp.asarray(np.pi * np.arange(self.modes), jnp.float32)
        angle = places.T[:, :, None] * number[None, None]
        return jnp.cos(angle), -number[None, None] * jnp.sin(angle)

    def _plates(self, places: Places) -> tuple[Array, Array]:
        axis = np.array([SIDES[p][0] for p in self.plates], int)
        side = np.array([SIDES[p][1] for p in self.plates], np.float32)
        inward = 1 - 2 * side  # away from the plate
        distance = (places[:, axis] - side[None]) * inward[None]
        value = jnp.exp(-distance / self.reach)
        unit = np.eye(2, dtype=np.float32)[axis] * inward[:, None]
        return value, (-value / self.reach)[:, :, None] * unit[None]
