"""MNIST-1D: ten short curves, distorted, generated afresh: small, yet harder than it looks.

Greydanus 2020, Scaling down deep learning, arXiv:2011.14439.
"""

import functools

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Integer, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .drawing import below, draw_exam, require_exam, split_key
from .marking import cross_entropy, last_accuracy

# The curves of the ten digits, as published (before standardisation).
CURVES = np.array(
    [
        [5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5],
        [5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5],
        [5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5],
        [5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5],
        [5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5],
        [5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5],
        [5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5],
        [5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5],
        [5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5],
        [5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5],
    ]
)
POINTS = CURVES.shape[1]
PADDING = 36, 60  # points appended to a curve
DENSE = POINTS + PADDING[1]  # points in which the distortions work
SAMPLES = 40  # points of a finished signal
SCALE, SHIFT, SHEAR = 0.4, 48, 0.75  # ranges: share, points, slope over the whole signal
BACKGROUND, BACKGROUND_WIDTH = 0.25, 2  # correlated noise beside the curve: sd before blur, points
JITTER = 0.02  # sd of independent noise
MEAN, SD = -0.0060, 0.1547  # of a million finished signals: standardises the task


class MNIST1D(AbstractTask):
    """A curve of twelve points is stretched, scaled, shifted, buried in noise and sheared.

    40 numbers, of mean 0 and standard deviation 1 over the whole task, in one time step, or as a
    `sequence` of 40 steps with one number each, of which the last counts. Examples never repeat;
    the published set draws 4,000 to train and 1,000 to test.
    """

    sequence: bool = False  # 40 time steps of one number instead of one step of 40
    exam_size: int = 1000  # examples

    def __check_init__(self):
        require_exam(self, self.exam_size)

    @property
    def shape(self) -> tuple[int, int, int]:
        return (SAMPLES, 1, len(CURVES)) if self.sequence else (1, SAMPLES, len(CURVES))

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        shape, noise = jr.split(split_key(key, split))
        # One draw of five numbers compiles much faster than five draws.
        which, padding, scale, shift, slope = jr.uniform(shape, (5,))
        background, jitter = jr.normal(noise, (2, DENSE))
        digit = below(len(CURVES), which)
        signal = distort(
            jnp.asarray(_templates())[digit],
            padding=PADDING[0] + below(PADDING[1] - PADDING[0] + 1, padding),
            scale=1 + SCALE * (scale - 0.5),
            shift=below(SHIFT, shift),
            slope=SHEAR * (slope - 0.5),
            background=BACKGROUND * jnp.asarray(_blur()) @ background,
            jitter=JITTER * jitter,
        )
        time, numbers_in, numbers_out = self.shape
        target = jnp.broadcast_to(jax.nn.one_hot(digit, numbers_out)[None], (time, numbers_out))
        counts = (jnp.arange(time) == time - 1).astype(jnp.float32)
        return Sample(((signal - MEAN) / SD).reshape(time, numbers_in), target, counts)

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return draw_exam(self, split, self.exam_size, key=key)

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return cross_entropy(outputs, sample)

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return last_accuracy(outputs, sample)


def distort(
    curve: Float[Array, " point"],
    *,
    padding: Integer[Array, ""],
    scale: Float[Array, ""],
    shift: Integer[Array, ""],
    slope: Float[Array, ""],
    background: Float[Array, " dense"],
    jitter: Float[Array, " dense"],
) -> Float[Array, " sample"]:
    """One signal, before standardisation, from a curve and the numbers that chance gave."""
    points = jnp.arange(DENSE)
    before_shift = ((points - shift) % DENSE).astype(jnp.float32)
    place = before_shift * (POINTS - 1 + padding.astype(jnp.float32)) / (DENSE - 1)  # on the curve
    figure = scale * _between(jnp.append(curve, 0.0), place)  # fades to 0 after the last point
    whole = jnp.where(place < POINTS, figure, background) + jitter
    sheared = whole - slope * jnp.linspace(-0.5, 0.5, DENSE)
    return _between(sheared, jnp.linspace(0, DENSE - 1, SAMPLES))


def _between(
    curve: Float[Array, " point"], place: Float[Array, " place"]
) -> Float[Array, " place"]:
    """Read a curve at fractional places, in points, by linear interpolation."""
    left = jnp.minimum(place.astype(jnp.int32), len(curve) - 2)
    share = place - left.astype(place.dtype)
    return (1 - share) * curve[left] + share * curve[left + 1]


@functools.cache
def _templates() -> np.ndarray:
    """The curves, standardised one by one, from 0 to 0."""
    curves = (CURVES - CURVES.mean(1, keepdims=True)) / CURVES.std(1, keepdims=True)
    return ((curves - curves[:, :1]) / 6).astype(np.float32)


@functools.cache
def _blur() -> np.ndarray:
    """The matrix that correlates the noise of neighbouring points."""
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(np.eye(DENSE), BACKGROUND_WIDTH, axis=0).astype(np.float32)
