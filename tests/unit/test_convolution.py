import numpy as np
import pytest
from scipy.fft import dctn

from mall_segments import convolution
from mall_segments.convolution import Kernel

SHAPES = [(7,), (8,), (6, 5), (9, 4, 3), (10, 3, 4, 5)]


def even_above(length):
    return 2 * ((length + 1) // 2)


def direct_sums(transformed, lengths, histogram):
    """The kernel of a cosine transform, by offsets, added up pair by pair."""
    missing = [
        (0, length // 2 + 1 - kept) for length, kept in zip(lengths, transformed.shape, strict=True)
    ]
    kernel = dctn(np.pad(transformed, missing), type=1)
    places = np.indices(histogram.shape).reshape(histogram.ndim, -1)
    offsets = np.abs(places[:, :, None] - places[:, None])
    nearest = [
        np.minimum(along, length - along) for along, length in zip(offsets, lengths, strict=True)
    ]
    return (kernel[tuple(nearest)] @ histogram.ravel()).reshape(histogram.shape)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("periods", [1, 2, 3])
@pytest.mark.parametrize("left_out", [0, 1, 2])
@pytest.mark.parametrize("most_waves", [0, 128])
def test_a_convolution_is_the_sum_over_all_pairs(
    generator, monkeypatch, shape, periods, left_out, most_waves
):
    monkeypatch.setattr(convolution, "MOST_WAVES", most_waves)
    lengths = [even_above(periods * places) for places in shape]
    transformed = generator.normal(size=[max(length // 2 + 1 - left_out, 1) for length in lengths])
    histogram = generator.random(shape)
    everywhere = [slice(0, places) for places in shape[1:]]
    found = Kernel.of(shape, lengths, transformed).convolved(histogram, everywhere)
    assert found == pytest.approx(direct_sums(transformed, lengths, histogram), abs=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_outside_the_box_may_be_left_out(generator, shape):
    kernel = Kernel.of(shape, [2 * places for places in shape], generator.normal(size=shape))
    box = [slice(1, places - 1) for places in shape]
    histogram = np.zeros(shape)
    histogram[tuple(box)] = 1.0
    found = kernel.convolved(histogram, box[1:])
    everywhere = [slice(0, places) for places in shape[1:]]
    assert found == pytest.approx(kernel.convolved(histogram, everywhere), abs=1e-9)
