"""Sums of distances between points of a lattice, by convolution.

Integer features put the points on a lattice, where the distance between two points depends only on
their offset. The sums of distances from every point to a group are then the convolution of the
group's histogram with one kernel, which costs N log N by fast Fourier transforms, whatever the
number of customers, where the direct sum costs the square of the number of points.

The kernel is what a parabola leaves of the distance: with R the longest distance of the lattice,
r = R/8 + r^2/R + kernel, and |kernel| <= R/8. The sums of the parabola are known from the weight,
the mean and the scatter of the group. So most of a sum never passes through the transforms, and
single precision, twice as fast, is enough for large ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy.fft import dctn, fft, ifft, irfft, next_fast_len, rfft

from mall_segments.lloyd import Floats, Integers
from mall_segments.weighted_points import WeightedPoints

Complexes = NDArray[np.complexfloating]

# Values this close to a multiple of the step are on it, as a share of the range of the feature:
# scaling rounds by some 1e-15, and what is neglected must stay far below 1e-9.
ON_STEP = 1e-11
# The working set of one block of a transform, in complex numbers, stays in the processor's cache.
VALUES_AT_ONCE = 131_072
# Lattices of more padded cells are transformed in single precision.
DOUBLE_CELLS = 1 << 20
# The largest block of memory that glibc may keep when it is freed.
LARGEST_KEPT_BYTES = (1 << 25) - (1 << 14)


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
        if not axes or lattice.padded_cells > cells:
            return None
        _keep_large_blocks()
        return lattice

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
        """What a group costs: about 5 ns for each of these cells, and 12 bytes once."""
        return prod(self.padded_shape)

    @property
    def precision(self) -> DTypeLike:
        """The numbers that are transformed."""
        return np.float64 if self.padded_cells <= DOUBLE_CELLS else np.float32

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
            Equal to the direct sums but for rounding: some 1e-16 of the largest of them in double
            precision, some 1e-8 to 1e-7 in single.

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
        occupied = [place[members] for place in self.places]
        transformed = self._transformed(members, occupied, weights)
        found = transformed.ravel()[self._cell].astype(np.float64)
        for place, sums in zip(self.places, self._parabola_sums(occupied, weights), strict=True):
            found += sums[place]
        return np.maximum(found, 0.0, out=found)

    def _transformed(self, members: Integers, occupied: list[Integers], weights: Floats) -> Floats:
        """Return the group's histogram convolved with the kernel, at every place."""
        histogram = np.zeros(self.shape, dtype=self.precision)
        histogram.ravel()[self._cell[members]] = weights
        box = [slice(int(place.min()), int(place.max()) + 1) for place in occupied]
        length = self.padded_shape[0]
        spectrum = rfft(histogram[:, *box[1:]], length, axis=0, workers=1)
        convolved = self._convolved_lines
        at_once = max(VALUES_AT_ONCE // prod(self.padded_shape[1:]), 1)
        for first in range(0, len(spectrum), at_once):
            block = slice(first, first + at_once)
            convolved[block] = self._convolved(spectrum[block], self._kernel[block], box)
        del spectrum
        sums = irfft(convolved, length, axis=0, workers=1)
        return sums[: self.shape[0]]

    def _parabola_sums(self, occupied: list[Integers], weights: Floats) -> Iterator[Floats]:
        """Yield for each axis a part of the group's sums of R/8 + r^2/R, at every place on it."""
        total = weights.sum()
        constant = total * self._reach / 8 / len(self.shape)
        for length, step, place in zip(self.shape, self.steps, occupied, strict=True):
            axis = np.arange(length)
            weight = np.bincount(place, weights, length)
            mean = weight @ axis / total
            scatter = weight @ (axis - mean) ** 2
            squared = (total * (axis - mean) ** 2 + scatter) * step**2
            yield constant + squared / self._reach

    @cached_property
    def _reach(self) -> float:
        """The longest distance of the lattice."""
        axes = zip(self.shape, self.steps, strict=True)
        return float(np.sqrt(sum(((length - 1) * step) ** 2 for length, step in axes)))

    def _convolved(self, block: Complexes, kernel: Floats, box: list[slice]) -> Complexes:
        """Convolve what is in the box along all axes but the first, on the spot if need be."""
        for axis in range(1, block.ndim):
            before = (slice(None),) * axis
            shape = list(block.shape)
            shape[axis] = self.padded_shape[axis]
            padded = np.zeros(shape, dtype=block.dtype)
            padded[*before, box[axis]] = block
            block = fft(padded, axis=axis, workers=1, overwrite_x=True)
        block *= kernel
        for axis in range(block.ndim - 1, 0, -1):
            padded = ifft(block, axis=axis, workers=1, overwrite_x=True)
            block = padded[*(slice(None),) * axis, : self.shape[axis]]
        return block

    @cached_property
    def _convolved_lines(self) -> Complexes:
        """Room for what a group's transforms along the first axis end in."""
        lines = (self.padded_shape[0] // 2 + 1, *self.shape[1:])
        return np.empty(lines, dtype=np.result_type(self.precision, np.complex64))

    @cached_property
    def _cell(self) -> Integers:
        return np.ravel_multi_index(self.places, self.shape)

    @cached_property
    def _kernel(self) -> Floats:
        """Return the transform of the kernel of all offsets, real because they are symmetric.

        That of one quadrant (octant, and so on) is a cosine transform; the rest are its mirrors.
        """
        squared = np.zeros(())
        axes = zip(self.shape, self.padded_shape, self.steps, strict=True)
        for length, padded, step in axes:
            # No two places are further apart; to go on would only make the kernel larger.
            offsets = np.minimum(np.arange(padded // 2 + 1), length - 1) * step
            squared = squared[..., None] + offsets * offsets
        kernel = np.sqrt(squared) - self._reach / 8 - squared / self._reach
        kernel = dctn(kernel.astype(self.precision), type=1, workers=1, overwrite_x=True)
        for axis, length in enumerate(self.padded_shape[1:], start=1):
            mirrored = np.minimum(np.arange(length), length - np.arange(length))
            kernel = np.take(kernel, mirrored, axis=axis)
        return kernel


def _keep_large_blocks() -> None:
    """Have the memory of one transform used for the next: new pages take a fifth of its time.

    glibc gives large blocks back to the system, until one as large was freed.
    """
    np.empty(LARGEST_KEPT_BYTES, dtype=np.uint8)


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
