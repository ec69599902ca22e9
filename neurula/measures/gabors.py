"""Gabor functions, fitted to the receptive fields of many cells at once.

Fits: Jones & Palmer (1987), J. Neurophysiol. 58:1233. Shape as n_x and n_y: Ringach (2002),
J. Neurophysiol. 88:455. Bandwidth: De Valois, Albrecht & Thorell (1982), Vision Res. 22:545.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Real

from .damped_least_squares import fit

Cells = Float[np.ndarray, " cell"]
Filters = Real[np.ndarray, "cell row column"]
NARROWEST = 0.5  # pixels, of an envelope: narrower ones fall between pixels
PADDED = 4  # times the picture, of the spectrum that fits start from
PEAKS = 2  # of the spectrum, that fits start from
WIDTHS = 0.12, 0.25  # of the picture, that fits start from
STEPS = 60  # of each fit


class Gabors(NamedTuple):
    """h = amplitude exp(-x^2 / (2 across^2) - y^2 / (2 along^2)) cos(2 pi frequency x + phase).

    x runs from the middle of the envelope in the direction `orientation`, across the bars, and y
    along them. Orientation is that of the grating a cell likes best, in radians anticlockwise from
    rightwards as one sees the picture, rows running down; `right` and `up` are from the picture's
    middle. Lengths in pixels.
    """

    amplitude: Cells
    phase: Cells  # radians, in [-pi, pi)
    orientation: Cells  # radians, in [0, pi)
    frequency: Cells  # cycles per pixel
    across: Cells
    along: Cells
    right: Cells
    up: Cells
    explained: Cells  # R^2, the part of the filter's variance; NaN if there is none

    @property
    def n_x(self) -> Cells:
        """Envelope width across the bars, in cycles: near 0 for a blob."""
        return self.across * self.frequency

    @property
    def n_y(self) -> Cells:
        """Envelope length along the bars, in cycles."""
        return self.along * self.frequency

    @property
    def bandwidth(self) -> Cells:
        """Full width at half height, octaves; infinite if the response at 0 is above half."""
        half = np.sqrt(2 * np.log(2)) / (2 * np.pi)
        low, high = self.n_x - half, self.n_x + half
        return np.where(low > 0, np.log2(high / np.where(low > 0, low, 1.0)), np.inf)

    def draw(self, size: int) -> Float[np.ndarray, "cell {size} {size}"]:
        """Pictures of these functions."""
        a, b = self.amplitude * np.cos(self.phase), -self.amplitude * np.sin(self.phase)
        parameters = np.stack(
            [self.right, self.up, self.orientation, self.frequency, np.log(self.across),
             np.log(self.along), a, b], 1,
        )  # fmt: skip
        return _gabor(parameters, _pixels(size))[0].reshape(-1, size, size)


def fit_gabors(filters: Filters) -> Gabors:
    """The Gabor function nearest to every filter, in squares.

    Starts are the two highest peaks of each filter's spectrum with two widths of the envelope,
    where the filter is strongest; the best of these fits counts. The middle stays inside the
    picture, the frequency between a quarter of a cycle per picture and 1/2 per pixel, and widths
    between half a pixel and a picture. Gabor functions are flexible: noise, too, is fitted in
    part, so compare `explained` with that of noise filters. Raises `ValueError` for pictures that
    are not square, have less than 4 pixels along a side, or NaN.
    """
    filters = _checked(np.asarray(filters, float))
    cells, size = len(filters), filters.shape[1]
    power = np.sqrt(np.mean(filters**2, axis=(1, 2)))
    scale = np.where(power > 0, power, 1.0)
    wanted = (filters / scale[:, None, None]).reshape(cells, -1)
    starts = _starts(wanted.reshape(filters.shape))  # cell, start, parameter
    tries = starts.shape[1]
    edge = (size - 1) / 2
    narrow, wide = np.log(NARROWEST), np.log(size)
    free = np.inf
    found, missed = fit(
        _gabor,
        starts.reshape(cells * tries, -1),
        np.repeat(wanted, tries, axis=0),
        _pixels(size),
        low=np.array([-edge, -edge, -free, 0.25 / size, narrow, narrow, -free, -free]),
        high=np.array([edge, edge, free, 0.5, wide, wide, free, free]),
        steps=STEPS,
    )
    best = np.argmin(missed.reshape(cells, tries), axis=1)
    found = found.reshape(cells, tries, -1)[np.arange(cells), best]
    missed = missed.reshape(cells, tries)[np.arange(cells), best]
    variance = np.sum((wanted - wanted.mean(1, keepdims=True)) ** 2, axis=1)
    flat = variance <= 1e-12 * wanted.shape[1]
    explained = np.where(flat, np.nan, 1 - missed / np.where(flat, 1.0, variance))
    return _named(found, scale, explained)


def _named(found: np.ndarray, scale: np.ndarray, explained: np.ndarray) -> Gabors:
    """Parameters of the fit in the field's words, orientation within half a circle."""
    right, up, angle, frequency, across, along, a, b = found.T
    turned = np.floor(angle / np.pi) % 2 == 1  # the same bars from behind: the phase runs backwards
    phase = np.arctan2(-b, a)
    phase = np.where(turned, -phase, phase)
    phase = (phase + np.pi) % (2 * np.pi) - np.pi
    amplitude = scale * np.hypot(a, b)
    return Gabors(
        amplitude, phase, angle % np.pi, frequency, np.exp(across), np.exp(along), right, up,
        explained,
    )  # fmt: skip


def _gabor(
    parameters: Float[np.ndarray, "fit parameter"], pixels: Float[np.ndarray, "2 pixel"]
) -> tuple[Float[np.ndarray, "fit pixel"], Float[np.ndarray, "parameter fit pixel"]]:
    """Gabor functions as sums of their cosine and sine parts, and their slopes."""
    right, up, angle, frequency, across, along, a, b = (p[:, None] for p in parameters.T)
    cosine, sine = np.cos(angle), np.sin(angle)
    x = (pixels[0] - right) * cosine + (pixels[1] - up) * sine
    y = (pixels[1] - up) * cosine - (pixels[0] - right) * sine
    wide, long = np.exp(-2 * across), np.exp(-2 * along)  # 1 / variance
    envelope = np.exp(-(x**2 * wide + y**2 * long) / 2)
    wave = 2 * np.pi * frequency * x
    even, odd = envelope * np.cos(wave), envelope * np.sin(wave)
    value = a * even + b * odd
    by_wave = 2 * np.pi * (b * even - a * odd)
    by_x, by_y = frequency * by_wave - x * wide * value, -y * long * value
    slopes = (
        -cosine * by_x + sine * by_y,
        -sine * by_x - cosine * by_y,
        y * by_x - x * by_y,
        x * by_wave,
        x**2 * wide * value,
        y**2 * long * value,
        even,
        odd,
    )
    return value, np.stack(slopes)


def _starts(filters: Float[np.ndarray, "cell row column"]) -> Float[np.ndarray, "cell start 8"]:
    """Where to start from, by the spectrum and by where the filter is strong."""
    cells, size = len(filters), filters.shape[1]
    pixels, wide = _pixels(size), PADDED * size
    energy = (filters**2).reshape(cells, -1) ** 2  # squared again: strong places win
    middle = energy @ pixels.T / np.maximum(energy.sum(1, keepdims=True), 1e-300)
    spectrum = np.abs(np.fft.fft2(filters, (wide, wide)))[:, :, : wide // 2 + 1]
    down, across = np.fft.fftfreq(wide)[:, None], np.fft.rfftfreq(wide)[None, :]
    spectrum = spectrum * ((np.hypot(down, across) >= 0.5 / size) & (np.abs(down) < 0.5))
    made = []
    for _ in range(PEAKS):
        at = spectrum.reshape(cells, -1).argmax(1)
        row, column = np.unravel_index(at, spectrum.shape[1:])
        f_right, f_up = across[0, column], -down[row, 0]
        frequency = np.clip(np.hypot(f_right, f_up), 0.5 / size, 0.5)
        angle = np.arctan2(f_up, f_right)
        for width in WIDTHS:
            log = np.full(cells, np.log(width * size))
            shape = np.stack([*middle.T, angle, frequency, log, log], 1)
            parts = _gabor(np.hstack([shape, np.ones((cells, 2))]), pixels)[1][6:]
            made.append(np.hstack([shape, _weights(parts, filters.reshape(cells, -1))]))
        far = np.hypot(down[None] + f_up[:, None, None], across[None] - f_right[:, None, None])
        spectrum = spectrum * (far > 1 / size)
    return np.stack(made, 1)


def _weights(
    parts: Float[np.ndarray, "2 cell pixel"], wanted: Float[np.ndarray, "cell pixel"]
) -> Float[np.ndarray, "cell 2"]:
    """How much of the cosine and of the sine part, by least squares."""
    products = np.einsum("acp,bcp->cab", parts, parts)
    products += 1e-9 * np.trace(products, axis1=1, axis2=2)[:, None, None] * np.eye(2)
    return np.linalg.solve(products, np.einsum("acp,cp->ca", parts, wanted)[..., None])[..., 0]


def _pixels(size: int) -> Float[np.ndarray, "2 pixel"]:
    """How far right and up of the middle each pixel lies."""
    along = np.arange(size) - (size - 1) / 2
    right, up = np.meshgrid(along, -along)
    return np.stack([right.ravel(), up.ravel()])


def _checked(filters: np.ndarray) -> np.ndarray:
    if filters.ndim != 3 or filters.shape[1] != filters.shape[2] or filters.shape[1] < 4:
        raise ValueError(
            f"Expected filters as square pictures (cell, row, column) of 4 pixels or more along a "
            f"side, but got the shape {filters.shape}: 8 numbers are fitted to each. Give "
            "`weights.reshape(-1, 12, 12)` for cells that look at 12 x 12 pixels."
        )
    if not np.isfinite(filters).all():
        bad = np.flatnonzero(~np.isfinite(filters).all(axis=(1, 2)))
        raise ValueError(
            f"Expected finite filters, but {len(bad)} of {len(filters)} have NaN or inf, the first "
            f"is {bad[0]}: nothing is nearest to them. Leave them out: "
            "`filters[np.isfinite(filters).all(axis=(1, 2))]`."
        )
    return filters
