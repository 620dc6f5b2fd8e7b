"""Sums of distances between points of a lattice, by convolution.

Integer features put the points on a lattice, where the distance between two points depends only on
their offset. The sums of distances from every point to a group are then the convolution of the
group's histogram with one kernel, which costs N log N by Fourier transforms, whatever the number of
customers, where the direct sum costs the square of the number of points.

The kernel is what a parabola leaves of the distance: with R the longest distance of the lattice,
r = c + r^2/R + kernel, where c makes the mean of the kernel 0; it is about R/4 at most. The sums of
the parabola are known from the weight, the mean and the scatter of the group. So most of a sum
never passes through the transforms, and single precision, twice as fast, is enough for large ones.

The transform of the distance falls fast with the frequency (with its fourth power, for three
features). So high frequencies along axes with finer steps than the coarsest one may be left out for
large groups: what that can change in a sum is bounded beforehand, by what is left out.
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
# High frequencies are left out for a group if that cannot change a mean distance to its customers
# by more than this share of the longest distance. Most change by less than a hundredth of that.
LARGEST_ERROR = 2e-5
# That saves time if it leaves this share of all frequencies at most.
MOST_KEPT = 0.5
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
        """What a group costs: 1.5 to 5 ns for each of these cells, and 4 to 18 bytes once."""
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
            precision, some 1e-8 to 1e-7 in single. Without high frequencies mean distances are
            within LARGEST_ERROR of the longest distance, most of them within 1e-7.

        Examples
        --------
        >>> lattice = Lattice.of(WeightedPoints(np.array([[0.0], [3.0], [4.0]]), np.ones(3)), 99)
        >>> lattice.distance_sums(np.array([1, 2])).round(9).tolist()
        [7.0, 1.0, 1.0]
        """
        weights = self.weights[members]
        occupied = [place[members] for place in self.places]
        distance = self._distance_to(weights.sum())
        found = self._convolved(distance.kernel, members).astype(np.float64)
        found += distance.mean * weights.sum()
        squared = self._squared_sums(occupied, weights)
        for place, sums in zip(self.places, squared, strict=True):
            found += (sums / self._reach)[place]
        # Of the distances to themselves each customer has one.
        found[members] -= distance.to_itself
        return np.maximum(found, 0.0, out=found)

    def _convolved(self, kernel: Kernel, members: Integers) -> Floats:
        """Return the sums of a kernel from every point to the customers of a group."""
        histogram = np.zeros(self.shape, dtype=self.precision)
        histogram.ravel()[self._cell[members]] = self.weights[members]
        occupied = [place[members] for place in self.places[1:]]
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

    def _distance_to(self, customers: float) -> _Distance:
        """Return the distances that are exact enough for a group of so many customers."""
        low = self._low_frequencies
        if low and low.largest_error <= LARGEST_ERROR * self._reach * customers:
            return low
        return self._all_frequencies

    @cached_property
    def _all_frequencies(self) -> _Distance:
        mean, transformed = self._transformed(self.padded_shape)
        transformed = transformed.astype(self.precision)
        return _Distance(Kernel.of(self.shape, self.padded_shape, transformed), mean)

    @cached_property
    def _low_frequencies(self) -> _Distance | None:
        """The distances without high frequencies, or None if these are few.

        All waves are kept that are as long as the shortest one along the coarsest axis.
        """
        if self.precision == np.float64:
            return None
        coarsest = max(self.steps)
        lengths, kept = [], []
        for places, padded, step in zip(self.shape, self.padded_shape, self.steps, strict=True):
            half = padded // 2
            if step < coarsest:
                room = ceil(LEVELLING_WAVES * 2 * coarsest / step)
                half = next_fast_len(places - 1 + room, real=True)
            lengths.append(2 * half)
            kept.append(min(ceil(half * step / coarsest), half) + 1)
        is_slower = prod(kept) > MOST_KEPT * prod(length // 2 + 1 for length in lengths)
        if is_slower or prod(lengths) > MOST_PADDING * self.padded_cells:
            return None
        mean, transformed = self._transformed(lengths)
        is_low = tuple(slice(count) for count in kept)
        low = transformed[is_low].astype(self.precision)
        transformed[is_low] = 0.0
        left_out = dctn(transformed.astype(self.precision), type=1, workers=1, overwrite_x=True)
        return _Distance(
            kernel=Kernel.of(self.shape, lengths, low),
            mean=mean,
            to_itself=-float(left_out.flat[0]),
            largest_error=self._largest_sum(np.abs(left_out)),
        )

    def _largest_sum(self, kernel: Floats) -> float:
        """Return a bound of the sums of a kernel, by offset and nowhere below 0, to any group.

        No group has more of them than all customers. Periods that just hold the axes are enough:
        offsets that fall together then are added up, which makes no sum smaller.
        """
        periods = [2 * next_fast_len((places + 1) // 2, real=True) for places in self.shape]
        for axis, (places, period) in enumerate(zip(self.shape, periods, strict=True)):
            by_offset = np.moveaxis(kernel, axis, 0)
            folded = by_offset[: period // 2 + 1].copy()
            longer = by_offset[period // 2 + 1 : places]
            folded[period - places + 1 : period // 2] += longer[::-1]
            kernel = np.moveaxis(folded, 0, axis)
        transformed = dctn(kernel, type=1, workers=1, overwrite_x=True) / prod(periods)
        everybody = np.arange(len(self.weights))
        return float(self._convolved(Kernel.of(self.shape, periods, transformed), everybody).max())

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
        mean = float(transformed.flat[0])
        transformed.flat[0] = 0.0
        return mean, transformed


@dataclass(frozen=True)
class _Distance:
    """What the distances on a lattice are made of, but for r^2/R.

    Attributes
    ----------
    kernel : Kernel
    mean : float, c
    to_itself : float, what comes out as the distance of a place to itself
    largest_error : float, bound of what is missing from a sum of distances to any group
    """

    kernel: Kernel
    mean: float
    to_itself: float = 0.0
    largest_error: float = 0.0


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
