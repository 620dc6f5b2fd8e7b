"""Sums of distances between points of a lattice, by convolution.

Integer features put the points on a lattice, where the distance between two points depends only on
their offset. The sums of distances from every point to a group are then the convolution of the
group's histogram with one kernel, which costs N log N by fast Fourier transforms, whatever the
number of customers, where the direct sum costs the square of the number of points.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, fft, ifft, irfft, next_fast_len, rfft

from mall_segments.lloyd import Floats, Integers
from mall_segments.weighted_points import WeightedPoints

Complexes = NDArray[np.complex128]

# Values this close to a multiple of the step are on it, as a share of the range of the feature:
# scaling rounds by some 1e-15, and what is neglected must stay far below 1e-9.
ON_STEP = 1e-11
# The working set of one block of a transform, in complex numbers, stays in the processor's cache.
VALUES_AT_ONCE = 65_536


@dataclass(frozen=True)
class Lattice:
    """Weighted points as places on a lattice, axes with one value left out, longest axis first.

    Attributes
    ----------
    places : tuple of (m,) arrays of integers, one per axis, from 0
    steps : tuple of float, distance between neighbours along each axis
    """

    places: tuple[Integers, ...]
    steps: tuple[float, ...]

    @classmethod
    def of(cls, points: WeightedPoints, cells: int) -> Lattice | None:
        """Return the lattice that the points lie on, or None if none of so few cells has them all.

        Parameters
        ----------
        points : WeightedPoints
            m points; each feature an origin plus integers times a step of its own.
        cells : int
            Largest size wanted, counted as `padded_cells`.

        Examples
        --------
        >>> rows = np.array([[0.1, 7.0], [0.4, 7.0], [0.6, 8.0]])
        >>> lattice = Lattice.of(WeightedPoints.from_rows(rows), 1_000)
        >>> [place.tolist() for place in lattice.places], np.round(lattice.steps, 9).tolist()
        ([[0, 3, 5], [0, 0, 1]], [0.1, 1.0])
        """
        axes: list[tuple[int, Integers, float]] = []
        for column in points.coordinates.T:
            lower, upper = float(column.min()), float(column.max())
            if lower == upper:
                continue
            intervals = _intervals(np.unique(column), cells)
            if intervals is None:
                return None
            step = (upper - lower) / intervals
            axes.append((intervals, np.rint((column - lower) / step).astype(np.intp), step))
        axes.sort(key=lambda axis: -axis[0])
        lattice = cls(tuple(axis[1] for axis in axes), tuple(axis[2] for axis in axes))
        return lattice if axes and lattice.padded_cells <= cells else None

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Places along each axis."""
        return tuple(int(place.max()) + 1 for place in self.places)

    @cached_property
    def padded_shape(self) -> tuple[int, ...]:
        """Even lengths that are fast to transform and hold every offset in both directions."""
        return tuple(2 * next_fast_len(length - 1, real=True) for length in self.shape)

    @property
    def padded_cells(self) -> int:
        """What a group costs: about 10 ns for each of these cells, and 25 bytes once."""
        return prod(self.padded_shape)

    def distance_sums(self, members: Integers, weights: Floats) -> Floats:
        """Return the sum of the distances from every point to the customers of a group.

        Parameters
        ----------
        members : (g,) array
            Which of the points the group is on.
        weights : (g,) array
            Its customers on each of them.

        Returns
        -------
        (m,) array
            Equal to the direct sums but for rounding, some 1e-15 of the largest of them.

        Notes
        -----
        Lines without members are not transformed on the way in, lines without points not on the way
        out, and the padding of all axes but the first exists for one block at a time.

        Examples
        --------
        >>> lattice = Lattice.of(WeightedPoints(np.array([[0.0], [3.0], [4.0]]), np.ones(3)), 99)
        >>> lattice.distance_sums(np.array([1, 2]), np.array([1.0, 2.0])).round(9).tolist()
        [11.0, 2.0, 1.0]
        """
        histogram = np.zeros(self.shape)
        histogram.ravel()[self._cell[members]] = weights
        occupied = [place[members] for place in self.places]
        box = [slice(int(place.min()), int(place.max()) + 1) for place in occupied]
        length = self.padded_shape[0]
        spectrum = rfft(histogram[:, *box[1:]], length, axis=0, workers=1)
        convolved = np.empty((len(spectrum), *self.shape[1:]), dtype=np.complex128)
        at_once = max(VALUES_AT_ONCE // prod(self.padded_shape[1:]), 1)
        for first in range(0, len(spectrum), at_once):
            block = slice(first, first + at_once)
            convolved[block] = self._convolved(spectrum[block], self._kernel[block], box)
        del spectrum
        sums = irfft(convolved, length, axis=0, workers=1, overwrite_x=True).ravel()[self._cell]
        return np.maximum(sums, 0.0, out=sums)

    def _convolved(self, block: Complexes, kernel: Floats, box: list[slice]) -> Complexes:
        """Convolve what is in the box along all axes but the first, on the spot if need be."""
        for axis in range(1, block.ndim):
            before = (slice(None),) * axis
            shape = list(block.shape)
            shape[axis] = self.padded_shape[axis]
            padded = np.zeros(shape, dtype=np.complex128)
            padded[*before, box[axis]] = block
            block = fft(padded, axis=axis, workers=1, overwrite_x=True)
        block *= kernel
        for axis in range(block.ndim - 1, 0, -1):
            padded = ifft(block, axis=axis, workers=1, overwrite_x=True)
            block = padded[*(slice(None),) * axis, : self.shape[axis]]
        return block

    @cached_property
    def _cell(self) -> Integers:
        return np.ravel_multi_index(self.places, self.shape)

    @cached_property
    def _kernel(self) -> Floats:
        """Return the transform of the distances of all offsets, real because they are symmetric.

        That of one quadrant (octant, and so on) is a cosine transform; the rest are its mirrors.
        """
        squared = np.zeros(())
        for length, step in zip(self.padded_shape, self.steps, strict=True):
            offsets = np.arange(length // 2 + 1) * step
            squared = squared[..., None] + offsets * offsets
        kernel = dctn(np.sqrt(squared), type=1, workers=1, overwrite_x=True)
        for axis, length in enumerate(self.padded_shape[1:], start=1):
            mirrored = np.minimum(np.arange(length), length - np.arange(length))
            kernel = np.take(kernel, mirrored, axis=axis)
        return kernel


def _intervals(values: Floats, most: int) -> int | None:
    """Return into how many equal steps the range of distinct sorted values is divided by them.

    Euclid's algorithm finds the largest step that divides all gaps; None if it takes more than
    `most` steps.
    """
    extent = float(values[-1] - values[0])
    gaps = np.unique(np.diff(values))
    step = float(gaps[0])
    while step * most >= extent:
        remainder = np.abs(gaps - step * np.rint(gaps / step))
        left = remainder[remainder > ON_STEP * extent]
        if not len(left):
            intervals = round(extent / step)
            offset = (values - values[0]) / extent * intervals
            is_on_step = np.abs(offset - np.rint(offset)) <= ON_STEP * intervals
            return intervals if is_on_step.all() else None
        step = float(left.min())
    return None
