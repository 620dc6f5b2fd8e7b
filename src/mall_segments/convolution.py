"""Convolution of histograms on a lattice with one symmetric kernel, by its Fourier transform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy.fft import fft, ifft, irfft, rfft

from mall_segments.lloyd import Floats

Complexes = NDArray[np.complexfloating]

# The working set of one block of a transform, in complex numbers, stays in the processor's cache.
VALUES_AT_ONCE = 131_072
# So many frequencies are found as fast by products of matrices as by a fast transform.
MOST_WAVES = 128


@dataclass(frozen=True)
class Kernel:
    """A function of the offset between two places that is the same for the opposite offset.

    Attributes
    ----------
    shape : tuple of int, places along each axis
    lengths : tuple of int
        Periods along each axis; where they are shorter than twice the places, offsets that differ
        by a period are one.
    values : array
        Its transform, which is real: along the first axis from frequency 0 up, along the others
        those below 0 after them. Frequencies that are not there count as 0.
    along_first : FastWaves or FewWaves, the transform along the first axis
    """

    shape: tuple[int, ...]
    lengths: tuple[int, ...]
    values: Floats
    along_first: FastWaves | FewWaves

    @classmethod
    def of(cls, shape: Sequence[int], lengths: Sequence[int], transformed: Floats) -> Kernel:
        """Return the kernel of a cosine transform.

        Parameters
        ----------
        shape : places along each axis
        lengths : periods, even
        transformed : array
            The lowest frequencies along each axis, half the period and one at most, of a transform
            that adds up to the kernel without a factor.

        Examples
        --------
        >>> kernel = Kernel.of((3,), (6,), np.array([1.0, 0.0, 0.0, 0.0]))
        >>> kernel.convolved(np.array([2.0, 0.0, 5.0]), []).round(9).tolist()
        [7.0, 7.0, 7.0]
        """
        for axis, length in enumerate(lengths[1:], start=1):
            kept = transformed.shape[axis]
            # Frequency 0 is its own mirror, and so is that of half the period.
            mirrored = np.arange(1, min(kept, length // 2))[::-1]
            frequencies = np.concatenate([np.arange(kept), mirrored])
            transformed = np.take(transformed, frequencies, axis=axis)
        kept = len(transformed)
        along_first: FastWaves | FewWaves = FastWaves(shape[0], lengths[0], kept)
        # The frequency of half the period, which has no mirror, is not among few waves.
        if kept <= min(MOST_WAVES, lengths[0] // 2):
            along_first = FewWaves.of(shape[0], lengths[0], kept, transformed.dtype)
        return cls(tuple(shape), tuple(lengths), transformed, along_first)

    def convolved(self, histogram: Floats, box: Sequence[slice]) -> Floats:
        """Return the sums of the kernel from every place to a histogram.

        Parameters
        ----------
        histogram : array over all places
        box : slices of all axes but the first, outside which the histogram is 0

        Notes
        -----
        Lines outside the box are not transformed on the way in, lines outside the lattice not on
        the way out, and the padding of all axes but the first exists for one block at a time.
        """
        spectrum = self.along_first.analysed(histogram[:, *box])
        lines = np.empty((len(spectrum), *self.shape[1:]), dtype=spectrum.dtype)
        at_once = max(VALUES_AT_ONCE // prod(self.lengths[1:]), 1)
        for first in range(0, len(spectrum), at_once):
            block = slice(first, first + at_once)
            lines[block] = self._convolved_block(spectrum[block], self.values[block], box)
        del spectrum
        return self.along_first.added_up(lines)

    def _convolved_block(self, block: Complexes, values: Floats, box: Sequence[slice]) -> Complexes:
        """Convolve lines of some frequencies of the first axis along all others."""
        for axis in range(1, block.ndim):
            padded = _zeros(block, axis, self.lengths[axis])
            padded[*_along(axis, box[axis - 1])] = block
            block = fft(padded, axis=axis, workers=1, overwrite_x=True)
            block = _without_high(block, axis, values.shape[axis])
        block *= values
        for axis in range(block.ndim - 1, 0, -1):
            padded = _with_high(block, axis, self.lengths[axis])
            padded = ifft(padded, axis=axis, workers=1, overwrite_x=True, norm="forward")
            block = padded[*_along(axis, slice(self.shape[axis]))]
        return block


@dataclass(frozen=True)
class FastWaves:
    """Fast transforms along the first axis, of places to the lowest frequencies of a period."""

    places: int
    length: int
    kept: int

    def analysed(self, values: Floats) -> Complexes:
        """Return the (kept, ...) transform of (places, ...) values."""
        return rfft(values, self.length, axis=0, workers=1)[: self.kept]

    def added_up(self, spectrum: Complexes) -> Floats:
        """Return the (places, ...) values of a (kept, ...) transform."""
        values = irfft(spectrum, self.length, axis=0, workers=1, norm="forward")
        return values[: self.places]


@dataclass(frozen=True)
class FewWaves:
    """The same for few frequencies, by products with their waves.

    About the middle of the axis cosines are even and sines are odd, so half of each is enough.

    Attributes
    ----------
    cosine, sine : (kept, places / 2) arrays, from the middle of the axis up
    places : int
    """

    cosine: Floats
    sine: Floats
    places: int

    @classmethod
    def of(cls, places: int, length: int, kept: int, precision: DTypeLike) -> FewWaves:
        """Return the transform of a number of places to the lowest frequencies of a period."""
        from_middle = np.arange(places // 2, places) - (places - 1) / 2
        angle = 2 * np.pi / length * np.outer(np.arange(kept), from_middle)
        return cls(np.cos(angle).astype(precision), np.sin(angle).astype(precision), places)

    def analysed(self, values: Floats) -> Complexes:
        """Return the (kept, ...) transform of (places, ...) values."""
        kept, half = self.cosine.shape
        lines = values.reshape(self.places, -1)
        above, below = lines[-half:], lines[:half][::-1]
        even, odd = above + below, above - below
        if self.places % 2:
            even[0] /= 2
        spectrum = np.empty((kept, lines.shape[1]), dtype=np.result_type(values, np.complex64))
        spectrum.real = self.cosine @ even
        spectrum.imag = -self.sine @ odd
        return spectrum.reshape(kept, *values.shape[1:])

    def added_up(self, spectrum: Complexes) -> Floats:
        """Return the (places, ...) values of a (kept, ...) transform."""
        kept, half = self.cosine.shape
        # A frequency above 0 adds what the one below 0 does.
        count = np.where(np.arange(kept) > 0, 2, 1).astype(self.cosine.dtype)[:, None]
        lines = spectrum.reshape(kept, -1)
        even = (self.cosine * count).T @ np.ascontiguousarray(lines.real)
        odd = (self.sine * count).T @ np.ascontiguousarray(lines.imag)
        values = np.empty((self.places, lines.shape[1]), dtype=even.dtype)
        np.add(even, odd, out=values[:half][::-1])
        np.subtract(even, odd, out=values[-half:])
        return values.reshape(self.places, *spectrum.shape[1:])


def _along(axis: int, chosen: slice) -> tuple[slice, ...]:
    return (slice(None),) * axis + (chosen,)


def _zeros(block: Complexes, axis: int, length: int) -> Complexes:
    shape = list(block.shape)
    shape[axis] = length
    return np.zeros(shape, dtype=block.dtype)


def _without_high(block: Complexes, axis: int, low: int) -> Complexes:
    """Return the low frequencies of a transform, of both signs: its middle is left out."""
    length, below = block.shape[axis], low // 2
    if low == length:
        return block
    ends = slice(low - below), slice(length - below, length)
    return np.concatenate([block[*_along(axis, end)] for end in ends], axis=axis)


def _with_high(block: Complexes, axis: int, length: int) -> Complexes:
    """Put zeros where the high frequencies were left out."""
    low, below = block.shape[axis], block.shape[axis] // 2
    if low == length:
        return block
    padded = _zeros(block, axis, length)
    above, negative = slice(low - below), slice(low - below, low)
    padded[*_along(axis, above)] = block[*_along(axis, above)]
    padded[*_along(axis, slice(length - below, length))] = block[*_along(axis, negative)]
    return padded
