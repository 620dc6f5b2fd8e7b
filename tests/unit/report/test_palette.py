from itertools import combinations

import numpy as np
import pytest

from mall_segments.report.palette import ROLES, SEGMENT_COLOURS, SHAPES, in_colours, variables

# Machado, Oliveira & Fernandes (2009), severity 1: what a dichromat sees, in linear RGB.
VISION = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
THEMES = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


def linear(colour):
    values = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """Contrast ratio of WCAG 2.2."""
    light, dark = sorted((linear(c) @ [0.2126, 0.7152, 0.0722] for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(rgb):
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(np.clip(to_xyz @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089], 0.008856, None))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@THEMES
def test_text_has_the_contrast_of_level_aa(dark):
    colours = variables(dark)
    for role in ("ink", "muted", "accent", "good", "warn", "bad"):
        for ground in ("page", "raised"):
            assert contrast(colours[role], colours[ground]) >= 4.5, (role, ground)


@THEMES
def test_marks_stand_out_from_the_page(dark):
    colours = variables(dark)
    for name in colours:
        if name.startswith("segment-") or name in {"above", "below", "soft"}:
            assert contrast(colours[name], colours["page"]) >= 3, name


@THEMES
@pytest.mark.parametrize("vision", VISION)
def test_no_two_segments_look_alike(dark, vision):
    seen = [lab(VISION[vision] @ linear(pair[dark])) for pair in SEGMENT_COLOURS]
    nearest = min(np.linalg.norm(one - other) for one, other in combinations(seen, 2))
    # 2.3 is the just noticeable difference of CIE 1976.
    assert nearest >= 5 * 2.3


def test_there_is_a_shape_for_every_colour():
    assert len(set(SHAPES)) == len(SHAPES) == len(SEGMENT_COLOURS)


def test_a_colour_without_a_value_is_an_error():
    assert in_colours("var(--ink)", dark=True) == ROLES["ink"][1]
    with pytest.raises(KeyError, match="no-such-role"):
        in_colours("var(--no-such-role)")
