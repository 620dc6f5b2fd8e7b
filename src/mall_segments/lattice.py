"""Sums of distances between points of a lattice, by convolution.

Integer features put the points on a lattice, where the distance between two points depends only on
their offset. The sums of distances from every point to a group are then the convolution of the
group's histogram with one kernel, which costs N log N by Fourier transforms, whatever the number of
customers, where the direct sum costs the square of the number of points.

The kernel is what a parabola leaves of the distance: with R the longest distance of the lattice,
r = c + r^2/R + kernel, where c makes the mean of the kernel 0, and |kernel| <= R/4. The sums of the
parabola are known from the weight, the mean and the scatter of the group. So most of a sum never
passes through the transforms, and single precision, twice as fast, is enough for large ones.

The transform of the distance falls with the fourth power of the frequency (of three features). Axes
with finer steps than the coarsest one have high frequencies that add up to less than single
precision shows, unless many customers share one place. These are left out where that is proven.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, prod

import numpy as np
from numpy.typing import DTypeLike
from scipy.fft import dctn, next_fast_len

from mall_segments.convolution import Kernel
from mall_segments.lloyd import Floats, Integers
from mall_segments.weighted_points import WeightedPoints

# Values this close to a multiple of the step are on it, as a share of the range of the feature:
# scaling rounds by some 1e-15, and what is neglected must stay far below 1e-9.
ON_STEP = 1e-11
# Lattices of more padded cells are transformed in single precision.
DOUBLE_CELLS = 1 << 20
# High frequencies of these are left out if at most this share of all is kept then, and if no sum of
# distances changes by more than that share of the longest distance times all customers.
MOST_KEPT = 0.5
LARGEST_ERROR = 5e-6
# Room for distances to level off beyond the longest along an axis, in waves of the shortest kept.
LEVELLING_WAVES = 3
# How much larger that may make the padded lattice.
MOST_PADDING = 2
# The largest block of memory that glibc may keep when it is freed.
LARGEST_KEPT_BYTES = (1 << 25) - (1 << 14)


@dataclass(frozen=True)
class Lattice:
    """Weighted points as places on a lattice, axes with one value left out, longest axis first.

    Attributes
    ----------
    places : tuple of (m,) arrays of integers, one per axis, from 0
    steps : tuple of float, distance between neighbours along each axis
    weights : (m,) array, customers on each point
    """

    places: tuple[Integers, ...]
    steps: tuple[float, ...]
    weights: Floats

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
        places, steps = tuple(axis[1] for axis in axes), tuple(axis[2] for axis in axes)
        lattice = cls(places, steps, points.weights)
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
        """What a group costs: 1.5 to 5 ns for each of these cells, and 12 bytes once at most."""
        return prod(self.padded_shape)

    @property
    def precision(self) -> DTypeLike:
        """The numbers that are transformed."""
        return np.float64 if self.padded_cells <= DOUBLE_CELLS else np.float32

    def distance_sums(self, members: Integers) -> Floats:
        """Return the sum of the distances from every point to the customers of a group.

        Parameters
        ----------
        members : (g,) array
            Which of the points the customers of the group are on.

        Returns
        -------
        (m,) array
            Equal to the direct sums but for rounding: some 1e-16 of the largest of them in double
            precision, some 1e-8 to 1e-7 in single. Without high frequencies, some 1e-6 at places
            that many customers share.

        Examples
        --------
        >>> lattice = Lattice.of(WeightedPoints(np.array([[0.0], [3.0], [4.0]]), np.ones(3)), 99)
        >>> lattice.distance_sums(np.array([1, 2])).round(9).tolist()
        [7.0, 1.0, 1.0]
        """
        kernel, mean = self._distance
        occupied = [place[members] for place in self.places]
        found = self._convolved(kernel, members, occupied).astype(np.float64)
        found += mean * self.weights[members].sum()
        parabola = self._squared_sums(occupied, self.weights[members] / self._reach)
        for place, sums in zip(self.places, parabola, strict=True):
            found += sums[place]
        return np.maximum(found, 0.0, out=found)

    def _convolved(self, kernel: Kernel, members: Integers, occupied: list[Integers]) -> Floats:
        """Return the sums of a kernel from every point to the customers of a group."""
        histogram = np.zeros(self.shape, dtype=self.precision)
        histogram.ravel()[self._cell[members]] = self.weights[members]
        box = [slice(int(place.min()), int(place.max()) + 1) for place in occupied]
        return kernel.convolved(histogram, box).ravel()[self._cell]

    def _squared_sums(self, occupied: list[Integers], weights: Floats) -> Iterator[Floats]:
        """Yield for each axis, at every place on it, the squared distances along it to a group."""
        total = weights.sum()
        for length, step, place in zip(self.shape, self.steps, occupied, strict=True):
            axis = np.arange(length)
            weight = np.bincount(place, weights, length)
            mean = weight @ axis / total
            scatter = weight @ (axis - mean) ** 2
            yield (total * (axis - mean) ** 2 + scatter) * step**2

    @cached_property
    def _reach(self) -> float:
        """The longest distance of the lattice."""
        axes = zip(self.shape, self.steps, strict=True)
        return float(np.sqrt(sum(((length - 1) * step) ** 2 for length, step in axes)))

    @cached_property
    def _cell(self) -> Integers:
        return np.ravel_multi_index(self.places, self.shape)

    @cached_property
    def _distance(self) -> tuple[Kernel, float]:
        """The kernel of the distances, and c."""
        if self.precision == np.float32:
            low = self._low_frequencies()
            if low is not None:
                return low
        lengths = self.padded_shape
        mean, transformed = self._transformed(lengths)
        return Kernel.of(self.shape, lengths, transformed.astype(self.precision)), mean

    def _low_frequencies(self) -> tuple[Kernel, float] | None:
        """Return the kernel without high frequencies, or None if these are few or matter.

        No wave is kept that is shorter than the shortest one along the coarsest axis.
        """
        coarsest = max(self.steps)
        lengths, kept = [], []
        for places, padded, step in zip(self.shape, self.padded_shape, self.steps, strict=True):
            half = padded // 2
            if step < coarsest:
                room = ceil(LEVELLING_WAVES * 2 * coarsest / step)
                half = next_fast_len(places - 1 + room, real=True)
            lengths.append(2 * half)
            kept.append(min(ceil(half * step / coarsest), half) + 1)
        is_large = prod(lengths) > MOST_PADDING * self.padded_cells
        if is_large or prod(kept) > MOST_KEPT * prod(length // 2 + 1 for length in lengths):
            return None
        mean, transformed = self._transformed(lengths)
        is_low = tuple(slice(count) for count in kept)
        low = transformed[is_low].astype(self.precision)
        transformed[is_low] = 0.0
        left_out = dctn(transformed.astype(self.precision), type=1, workers=1, overwrite_x=True)
        largest = LARGEST_ERROR * self._reach * self.weights.sum()
        if self._largest_sum(np.abs(left_out)) > largest:
            return None
        return Kernel.of(self.shape, lengths, low), mean

    def _largest_sum(self, kernel: Floats) -> float:
        """Return a bound of the sums of a kernel, by offset and nowhere below 0, to any group.

        To a group they are no more than to all customers; nor less where offsets that differ by the
        length of an axis count as both, which spares the padding.
        """
        periods = [2 * next_fast_len((length + 1) // 2, real=True) for length in self.shape]
        for axis, (length, period) in enumerate(zip(self.shape, periods, strict=True)):
            by_offset = np.moveaxis(kernel, axis, 0)
            folded = by_offset[: period // 2 + 1].copy()
            longer = by_offset[period // 2 + 1 : length]
            folded[period - length + 1 : period // 2] += longer[::-1]
            kernel = np.moveaxis(folded, 0, axis)
        transformed = dctn(kernel, type=1, workers=1, overwrite_x=True) / prod(periods)
        everybody = np.arange(len(self.weights))
        sums = self._convolved(
            Kernel.of(self.shape, periods, transformed), everybody, list(self.places)
        )
        return float(sums.max())

    def _transformed(self, lengths: Sequence[int]) -> tuple[float, Floats]:
        """Return c and the cosine transform of the kernel by offsets from 0 to half of each period.

        Where a period has room for longer offsets than there are, distances level off on the way to
        its half: an edge there would make high frequencies strong.
        """
        squared = np.zeros(())
        for places, length, step in zip(self.shape, lengths, self.steps, strict=True):
            offsets, room = np.arange(length // 2 + 1), length // 2 - (places - 1)
            beyond = np.clip((offsets - (places - 1)) / max(room, 1), 0.0, 1.0)
            # The slope falls from 1 to 0 by the polynomial 1 - 10 x^3 + 15 x^4 - 6 x^5.
            levelled = room * (beyond - 2.5 * beyond**4 + 3 * beyond**5 - beyond**6)
            distance = (np.minimum(offsets, places - 1) + levelled) * step
            squared = squared[..., None] + distance**2
        kernel = (np.sqrt(squared) - squared / self._reach) / prod(lengths)
        transformed = dctn(kernel, type=1, workers=1, overwrite_x=True)
        mean, transformed.flat[0] = float(transformed.flat[0]), 0.0
        return mean, transformed


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
