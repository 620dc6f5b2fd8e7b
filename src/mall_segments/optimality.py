"""A proven lower bound on the weighted K-Means objective of a small data set.

A search for good clusters ends with a partition, never with the news that there is no better one. A
relaxation ends with the other half: a number no partition can go below. Where the two meet, the
partition is optimal, whatever search found it.

Source: Peng and Wei (2007), Approximating K-Means-type clustering via semidefinite programming;
Piccialli, Sudoso and Wiegele (2022), SOS-SDP, for the pair and triangle inequalities; Jansson,
Chaykin and Keil (2007), Rigorous error bounds for the optimal value in semidefinite programming,
for a safe bound from multipliers that are only nearly optimal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from mall_segments.lloyd import Floats, Integers

# The solver decomposes an m by m matrix at every iteration: seconds a round at 200 points, minutes
# at this many.
LARGEST_POINTS = 500
# Limits of one run of the solver. They decide how tight the bound is, never whether it holds.
MOST_ITERATIONS = 1000
SOLVER_TOLERANCE = 1e-5
# Rounds of adding violated inequalities; 5 to 11 close the gap on 200 customers.
MOST_ROUNDS = 20
# Violated inequalities added a round, for each point. There are of the order of m^3 of them.
INEQUALITIES_PER_POINT = 25
# Violations are compared with k / m, the size of an entry of the relaxed partition matrix.
LEAST_VIOLATION = 1e-3
# A multiplier below this is the solver's noise, and its inequality is dropped.
LEAST_MULTIPLIER = 1e-6
# Relative gap to a known objective at which the bound is tight enough to stop.
GAP_SOUGHT = 1e-4
# A round that raises the bound by a smaller fraction is the last.
LEAST_RELATIVE_RISE = 1e-5
# Multiple of the textbook rounding error, m eps times the norm, that is taken off the bound.
ROUNDING_FACTOR = 10.0


def lower_bound(
    coordinates: Floats, weights: Floats, k: int, *, wcss: float | None = None
) -> float:
    """Prove that no partition into at most k clusters has a smaller weighted objective.

    Parameters
    ----------
    coordinates : (m, d) array
        Distinct points, at most LARGEST_POINTS of them.
    weights : (m,) array
        Positive weight of each point, the number of customers on it.
    k : int
        Number of clusters, from 1 to m.
    wcss : float, optional
        Objective of a known partition. It only says when the bound is tight enough to stop.

    Returns
    -------
    float, at most the weighted within-cluster sum of squares (WCSS) of every partition

    Raises
    ------
    ValueError
        If the points, the weights or k do not fit the above.
    ImportError
        If the package scs, the semidefinite solver, is not installed.

    Notes
    -----
    Let s be the square roots of the weights, W(c) the weight of cluster c, u(c) the part of s on
    c, and Z the sum of ``u(c) u(c)' / W(c)`` over the k clusters. With the cost
    ``C[i, j] = s[i] s[j] |x[i] - x[j]|^2 / 2`` the WCSS is the inner product ``<C, Z>``. The
    u(c) are orthogonal and add up to s, so

    1. Z is an orthogonal projection of rank k, and ``Z s = s``;
    2. ``Z >= 0``, and with ``z[i, j] = Z[i, j] / (s[i] s[j])``, which is 1 / W(c) if i and j share
       cluster c and else 0, ``z[i, j] <= z[i, i]`` and ``z[i, j] + z[i, l] <= z[i, i] + z[j, l]``.

    Write the inequalities of 2 as ``<A[t], Z> >= 0``. For any multipliers ``y[t] >= 0`` and
    ``S = C - sum y[t] A[t]``, ``<C, Z> >= <S, Z>``. By 1, ``Z = s s' / |s|^2 + Q Y Q'`` where the
    columns of Q are an orthonormal basis of the complement of s and Y is a projection of rank
    k - 1. So ``<S, Z>`` is ``s' S s / |s|^2`` plus ``<Q' S Q, Y>``, which is at least the sum of
    the k - 1 smallest eigenvalues of ``Q' S Q`` (Ky Fan). No step asks where y came from: a solver
    that stops early, or fails, costs tightness only. The multipliers of ``Z s = s`` and of the
    trace are not needed, as the bound is already the best over them.

    Rounding is covered by taking off ``ROUNDING_FACTOR k (m + d) eps (|C| + |sum y[t] |A[t]||)`` in
    Frobenius norms, the standard error bound of the products and of the symmetric eigenvalues with
    room to spare. It is an a-priori bound, not interval arithmetic.

    Fewer than k clusters need no proof of their own: splitting one never raises the WCSS. Nor do
    partitions that separate customers on the same point: giving each to the nearest centroid, ties
    to the first, does not raise it either.

    Examples
    --------
    >>> points = np.array([[0.0], [1.0], [10.0], [12.0]])
    >>> bound = lower_bound(points, np.array([1.0, 1.0, 3.0, 1.0]), 2)
    >>> bound <= 3.5, round(bound, 2)
    (True, 3.5)
    """
    coordinates = np.asarray(coordinates, dtype=float)
    weights = np.asarray(weights, dtype=float)
    _require_valid(coordinates, weights, k)
    cost = cost_matrix(coordinates, weights)
    no_multipliers = np.zeros_like(cost)
    best = _safe_bound(cost, no_multipliers, no_multipliers, coordinates, weights, k)
    if k in (1, len(weights)):
        return max(best, 0.0)

    inequalities = np.zeros(0, dtype=np.int64)
    start = None
    for _ in range(MOST_ROUNDS):
        solution = _solve(cost, weights, k, inequalities, start)
        before = max(best, 0.0)
        reduction, magnitude = _combined_inequalities(solution, weights)
        bound = _safe_bound(cost, reduction, magnitude, coordinates, weights, k)
        best = max(before, bound)
        if wcss is not None and best >= (1 - GAP_SOUGHT) * wcss:
            break
        if best - before <= LEAST_RELATIVE_RISE * best:
            break
        inequalities, start = _next_round(solution, weights, k)
    return best


def cost_matrix(coordinates: Floats, weights: Floats) -> Floats:
    """Half the squared distances, scaled by the square roots of the weights.

    Parameters
    ----------
    coordinates : (m, d) array
    weights : (m,) array

    Returns
    -------
    (m, m) array, whose inner product with the matrix Z of a partition is its weighted WCSS
    """
    difference = coordinates[:, None, :] - coordinates
    root = np.sqrt(weights)
    return np.outer(root, root) * np.einsum("ijd,ijd->ij", difference, difference) / 2


@dataclass(frozen=True)
class _Solution:
    """What the solver leaves behind, exact or not.

    Attributes
    ----------
    relaxed : (m, m) array, the relaxed partition matrix
    inequalities : (t,) array of the pair and triangle inequalities used, see _rows
    of_entries : (m (m + 1) / 2,) array, multipliers of the packed entries being nonnegative
    of_inequalities : (t,) array, their multipliers
    x, y, s : the solver's own vectors, for starting the next round
    unit : factor from the solver's cost to the given one
    """

    relaxed: Floats
    inequalities: Integers
    of_entries: Floats
    of_inequalities: Floats
    x: Floats
    y: Floats
    s: Floats
    unit: float


def _require_valid(coordinates: Floats, weights: Floats, k: int) -> None:
    if coordinates.ndim != 2 or weights.shape != coordinates.shape[:1]:
        raise ValueError(
            f"Found coordinates of shape {coordinates.shape} and weights of shape {weights.shape}, "
            "expected (m, d) and (m,). Pass one row and one weight for each distinct point."
        )
    if not (np.isfinite(coordinates).all() and np.isfinite(weights).all() and (weights > 0).all()):
        raise ValueError(
            "Found a coordinate or weight that is missing or infinite, or a weight that is not "
            "positive, expected finite numbers. Leave those points out."
        )
    if len(weights) > LARGEST_POINTS:
        raise ValueError(
            f"Found {len(weights)} distinct points, expected at most {LARGEST_POINTS}. "
            "Prove the bound for a sample of the customers or for a coarser grid of points."
        )
    if not 1 <= k <= len(weights):
        raise ValueError(
            f"Found k = {k} with {len(weights)} distinct points, expected k from 1 to "
            f"{len(weights)}. Lower k or pass more points."
        )


def _safe_bound(
    cost: Floats, reduction: Floats, magnitude: Floats, coordinates: Floats, weights: Floats, k: int
) -> float:
    """Bound from any combination of inequalities, as proven in the notes of lower_bound."""
    root = np.sqrt(weights)
    complement = np.linalg.qr(root[:, None], mode="complete")[0][:, 1:]
    reduced = cost - reduction
    along = root @ reduced @ root / weights.sum()
    across = np.linalg.eigvalsh(complement.T @ reduced @ complement)[: k - 1].sum()
    norm = np.linalg.norm(cost) + np.linalg.norm(magnitude)
    rounding = ROUNDING_FACTOR * k * sum(coordinates.shape) * np.finfo(float).eps * norm
    return float(along + across - rounding)


def _solve(
    cost: Floats,
    weights: Floats,
    k: int,
    inequalities: Integers,
    start: dict[str, Floats] | None,
) -> _Solution:
    import scs

    m = len(cost)
    root = _scaled_root(weights)
    column, row = np.triu_indices(m)
    entries = np.arange(len(row))
    diagonal = row == column
    # The solver's tolerances are absolute in part, so the units of the data must not matter.
    unit = root @ cost @ root / m**2

    position = _position(m)
    row_sums = sp.csc_matrix(
        (np.tile(root, m), (np.repeat(np.arange(m), m), position.ravel())), (m, len(row))
    )
    trace = sp.csc_matrix(diagonal.astype(float))
    identity = sp.identity(len(row), format="csc")
    used = _rows(inequalities, weights)
    semidefinite = sp.diags(np.where(diagonal, 1.0, np.sqrt(2.0)))
    data: dict[str, Any] = {
        "A": sp.vstack([row_sums, trace, -identity, -used, -semidefinite], format="csc"),
        "b": np.concatenate([root, [k], np.zeros(2 * len(row) + len(inequalities))]),
        "c": np.where(diagonal, 1.0, 2.0) * cost[row, column] / unit,
    }
    solver = scs.SCS(
        data,
        {"z": m + 1, "l": len(row) + len(inequalities), "s": [m]},
        max_iters=MOST_ITERATIONS,
        eps_abs=SOLVER_TOLERANCE,
        eps_rel=SOLVER_TOLERANCE,
        verbose=False,
    )
    found = solver.solve() if start is None else solver.solve(warm_start=True, **start)
    multipliers = np.split(found["y"][m + 1 :], [len(entries), len(entries) + len(inequalities)])
    return _Solution(
        relaxed=found["x"][position],
        inequalities=inequalities,
        of_entries=_nonnegative(multipliers[0]),
        of_inequalities=_nonnegative(multipliers[1]),
        x=found["x"],
        y=found["y"],
        s=found["s"],
        unit=float(unit),
    )


def _combined_inequalities(solution: _Solution, weights: Floats) -> tuple[Floats, Floats]:
    """Sum of y[t] A[t], and of y[t] |A[t]|, as (m, m) arrays."""
    rows = _rows(solution.inequalities, weights)
    position = _position(len(weights))
    # A packed entry off the diagonal stands for two equal entries of the matrix.
    share = np.where(np.eye(len(weights), dtype=bool), 1.0, 0.5) * solution.unit
    packed = solution.of_entries + rows.T @ solution.of_inequalities
    packed_magnitude = solution.of_entries + abs(rows).T @ solution.of_inequalities
    return share * packed[position], share * packed_magnitude[position]


def _next_round(solution: _Solution, weights: Floats, k: int) -> tuple[Integers, dict[str, Floats]]:
    """Drop inequalities that do not bind, add violated ones, and start from where we are."""
    binding = solution.of_inequalities > LEAST_MULTIPLIER
    kept = solution.inequalities[binding]
    violated = _violated(solution.relaxed, weights, k)
    added = violated[~np.isin(violated, kept)]

    first = len(weights) + 1 + len(solution.of_entries)
    last = first + len(binding)

    def resized(vector: Floats) -> Floats:
        return np.concatenate(
            [vector[:first], vector[first:last][binding], np.zeros(len(added)), vector[last:]]
        )

    start = {"x": solution.x, "y": resized(solution.y), "s": resized(solution.s)}
    return np.concatenate([kept, added]), start


def _violated(relaxed: Floats, weights: Floats, k: int) -> Integers:
    """Most violated pair and triangle inequalities, numbered as in _rows."""
    m = len(weights)
    root = _scaled_root(weights)
    z = relaxed / np.outer(root, root)
    numbers, violations = [], []
    for i in range(m):
        violation = z[i][:, None] + z[i] - z[i, i] - z
        np.fill_diagonal(violation, z[i] - z[i, i])
        violation[i], violation[:, i] = 0.0, 0.0
        j, third = np.nonzero(np.triu(violation > LEAST_VIOLATION * k / m))
        numbers.append(np.ravel_multi_index((np.full_like(j, i), j, third), (m, m, m)))
        violations.append(violation[j, third])
    worst = np.argsort(-np.concatenate(violations), kind="stable")
    return np.concatenate(numbers)[worst[: INEQUALITIES_PER_POINT * m]]


def _rows(inequalities: Integers, weights: Floats) -> sp.csc_matrix:
    """Coefficients of ``z[i, i] + z[j, l] - z[i, j] - z[i, l]`` in the packed entries of Z.

    An inequality has the number ``(i m + j) m + l``; ``l = j`` stands for ``z[i, i] - z[i, j]``.
    """
    m = len(weights)
    position = _position(m)
    root = _scaled_root(weights)
    i, j, third = np.unravel_index(inequalities, (m, m, m))
    number = np.arange(len(inequalities))
    triangle = third != j
    terms = [
        (number, i, i, 1.0),
        (number, i, j, -1.0),
        (number[triangle], i[triangle], third[triangle], -1.0),
        (number[triangle], j[triangle], third[triangle], 1.0),
    ]
    return sp.csc_matrix(
        (
            np.concatenate([sign / (root[a] * root[b]) for _, a, b, sign in terms]),
            (
                np.concatenate([numbers for numbers, _, _, _ in terms]),
                np.concatenate([position[a, b] for _, a, b, _ in terms]),
            ),
        ),
        (len(inequalities), m * (m + 1) // 2),
    )


def _position(m: int) -> Integers:
    """Place of each entry of a symmetric matrix in its lower triangle, packed by columns."""
    column, row = np.triu_indices(m)
    position = np.empty((m, m), dtype=np.int64)
    position[row, column] = position[column, row] = np.arange(len(row))
    return position


def _scaled_root(weights: Floats) -> Floats:
    """Square roots of the weights in units of their mean, which leaves Z as it is."""
    return np.sqrt(weights / weights.mean())


def _nonnegative(multipliers: Floats) -> Floats:
    """Clip to zero what the proof does not allow: negative, infinite or undefined multipliers."""
    return np.where(np.isfinite(multipliers) & (multipliers > 0), multipliers, 0.0)
