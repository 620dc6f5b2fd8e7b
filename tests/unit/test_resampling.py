import numpy as np
import pytest

from mall_segments.resampling import fit_batch


def test_each_data_set_is_fitted_by_itself(blobs, generator):
    sets = np.stack([blobs, blobs * 2])
    labels, wcss = fit_batch(sets, np.ones((2, 300)), 3, 8, generator)
    assert wcss[1] == pytest.approx(4 * wcss[0])
    for each in labels:
        assert sorted(np.bincount(each)) == [100, 100, 100]
