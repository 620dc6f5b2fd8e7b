"""Ward's tree of the customers, cut to the few last merges that a picture can show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mall_segments.libraries import load_libraries
from mall_segments.lloyd import Floats, Integers

LEAVES = 30


@dataclass(frozen=True)
class TreeNode:
    """A group of customers in the tree.

    Attributes
    ----------
    node : int, 0 for the root; inner nodes by falling height, then the leaves from left to right
    parent_node : int or None for the root
    height : float, Ward distance at which the group is merged; 0 for a leaf
    position : float, across the tree: leaves at 0, 1, ..., an inner node between its two children
    members : (c,) array of row numbers
    """

    node: int
    parent_node: int | None
    height: float
    position: float
    members: Integers


def cluster_tree(rows: Floats, leaves: int = LEAVES) -> list[TreeNode]:
    """Return Ward's tree down to its last leaves, ordered by node.

    Parameters
    ----------
    rows : (n, d) array
        Scaled features, one row per customer, ordered by customer.
    leaves : int
        Leaves to stop at, 1 or more; with fewer customers each is a leaf.

    Returns
    -------
    list of TreeNode
        2 * min(n, leaves) - 1 of them, none without customers.

    Notes
    -----
    The larger group stands to the left. Source: Ward (1963), Hierarchical grouping to optimize an
    objective function; heights as in `scipy.cluster.hierarchy.linkage`, the square root of twice
    the growth of the within-cluster sum of squares.

    Examples
    --------
    >>> tree = cluster_tree(np.array([[0.0], [0.0], [1.0], [9.0]]), leaves=3)
    >>> [(one.node, one.parent_node, one.position, len(one.members)) for one in tree]
    [(0, None, 1.25, 4), (1, 0, 0.5, 3), (2, 1, 0.0, 2), (3, 1, 1.0, 1), (4, 0, 2.0, 1)]
    >>> [round(one.height, 3) for one in tree]
    [10.614, 1.155, 0.0, 0.0, 0.0]
    """
    load_libraries()
    from scipy.cluster.hierarchy import linkage

    if not len(rows):
        return []
    merges = linkage(rows, method="ward") if len(rows) > 1 else np.empty((0, 4))
    return _Tree(merges, len(rows), min(leaves, len(rows))).nodes()


class _Tree:
    """The last merges of a linkage, numbered and placed."""

    def __init__(self, merges: Floats, customers: int, leaves: int) -> None:
        self.merges = merges
        self.customers = customers
        # In a linkage the groups are numbered in the order in which they arise, the root last.
        self.root = customers + len(merges) - 1
        self.smallest_inner = self.root - leaves + 2
        self.places: dict[int, float] = {}
        self.leaves: list[int] = []

    def nodes(self) -> list[TreeNode]:
        self._place()
        groups = [*range(self.root, self.smallest_inner - 1, -1), *self.leaves]
        number = {group: index for index, group in enumerate(groups)}
        parents = {
            child: number[group]
            for group in groups
            if group >= self.smallest_inner
            for child in self._children(group)
        }
        return [
            TreeNode(
                node=number[group],
                parent_node=parents.get(group),
                height=self._height(group),
                position=self.places[group],
                members=self._members(group),
            )
            for group in groups
        ]

    def _place(self) -> None:
        waiting = [self.root]
        while waiting:
            group = waiting.pop()
            if group < self.smallest_inner:
                self.places[group] = float(len(self.leaves))
                self.leaves.append(group)
            else:
                waiting.extend(reversed(self._children(group)))
        # A group arises after its parts.
        for group in range(self.smallest_inner, self.root + 1):
            left, right = self._children(group)
            self.places[group] = (self.places[left] + self.places[right]) / 2

    def _children(self, group: int) -> list[int]:
        first, second = (int(part) for part in self.merges[group - self.customers, :2])
        return sorted((first, second), key=lambda part: (-self._size(part), part))

    def _size(self, group: int) -> int:
        return int(self.merges[group - self.customers, 3]) if group >= self.customers else 1

    def _height(self, group: int) -> float:
        if group < self.smallest_inner:
            return 0.0
        return float(self.merges[group - self.customers, 2])

    def _members(self, group: int) -> Integers:
        members: list[int] = []
        waiting = [group]
        while waiting:
            part = waiting.pop()
            if part < self.customers:
                members.append(part)
            else:
                waiting.extend(int(one) for one in self.merges[part - self.customers, :2])
        return np.sort(np.array(members, dtype=np.intp))
