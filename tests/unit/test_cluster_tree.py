import numpy as np
import pytest
from scipy.cluster.hierarchy import dendrogram, linkage
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from mall_segments.cluster_tree import LEAVES, cluster_tree


def leaves_of(tree):
    parents = {one.parent_node for one in tree}
    return [one for one in tree if one.node not in parents]


def children_of(tree, node):
    return [one for one in tree if one.parent_node == node]


def test_the_last_thirty_leaves_hold_every_customer_once(mall_rows):
    tree = cluster_tree(mall_rows())
    leaves = leaves_of(tree)
    assert len(tree) == 2 * LEAVES - 1
    assert [one.node for one in tree] == list(range(len(tree)))
    members = np.concatenate([one.members for one in leaves])
    assert sorted(members.tolist()) == list(range(200))
    assert [one.position for one in leaves] == list(range(LEAVES))
    assert {one.height for one in leaves} == {0.0}


def test_a_node_is_made_of_its_two_children(mall_rows):
    tree = cluster_tree(mall_rows())
    inner = [one for one in tree if children_of(tree, one.node)]
    assert len(inner) == LEAVES - 1
    for one in inner:
        left, right = sorted(children_of(tree, one.node), key=lambda child: child.position)
        assert len(left.members) >= len(right.members)
        assert np.array_equal(np.union1d(left.members, right.members), one.members)
        assert len(left.members) + len(right.members) == len(one.members)
        assert one.position == (left.position + right.position) / 2
        assert one.height >= max(left.height, right.height)
        assert one.node < min(left.node, right.node)


def test_heights_and_leaves_are_scipy_s(mall_rows):
    rows = mall_rows()
    merges = linkage(rows, "ward")
    drawn = dendrogram(merges, p=LEAVES, truncate_mode="lastp", no_plot=True)
    tree = cluster_tree(rows)
    heights = sorted(height for *_, height, _ in map(tuple, drawn["dcoord"]))
    assert sorted(one.height for one in tree if one.height) == pytest.approx(heights)
    sizes = sorted(int(text.strip("()")) if "(" in text else 1 for text in drawn["ivl"])
    assert sorted(len(one.members) for one in leaves_of(tree)) == sizes


@pytest.mark.parametrize("k", [2, 5, 12])
def test_a_cut_into_k_is_the_clustering_of_scikit_learn(mall_rows, k):
    rows = mall_rows()
    tree = cluster_tree(rows, leaves=k)
    labels = np.empty(len(rows), dtype=int)
    for number, leaf in enumerate(leaves_of(tree)):
        labels[leaf.members] = number
    assert adjusted_rand_score(labels, AgglomerativeClustering(k).fit_predict(rows)) == 1.0


def test_the_height_is_the_root_of_twice_the_growth_of_the_sum_of_squares(mall_rows):
    rows = mall_rows()
    root, *_ = tree = cluster_tree(rows)

    def squares(members):
        return ((rows[members] - rows[members].mean(axis=0)) ** 2).sum()

    growth = squares(root.members) - sum(squares(one.members) for one in children_of(tree, 0))
    assert root.height == pytest.approx((2 * growth) ** 0.5)


@pytest.mark.parametrize("customers", [0, 1, 2, 7])
def test_few_customers_are_leaves_each(customers):
    tree = cluster_tree(np.arange(float(customers))[:, None])
    assert len(leaves_of(tree)) == customers
    assert len(tree) == max(2 * customers - 1, 0)


def test_customers_on_one_point_are_merged_at_no_height():
    tree = cluster_tree(np.zeros((40, 2)))
    assert len(leaves_of(tree)) == LEAVES
    assert {one.height for one in tree} == {0.0}
