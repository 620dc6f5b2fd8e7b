"""Colours and shapes of the report, in light and dark.

Every colour of a segment has a contrast of at least 3 to 1 with the page (WCAG 2.2, 1.4.11), and no
two of them look alike to people with protanopia, deuteranopia or tritanopia; tests prove both.
Shapes say the same once more. In the page a colour is the name of a CSS variable, so that the
theme and print change it without drawing again; `in_colours` puts the value there for pictures.
"""

from __future__ import annotations

import math
import re

# Roles of the page: name -> (light, dark).
ROLES = {
    "page": ("#ffffff", "#15181d"),
    "raised": ("#f5f6f8", "#1e232a"),
    "line": ("#d5d9df", "#363d47"),
    "ink": ("#1a1d21", "#eceff3"),
    "muted": ("#545c66", "#aab3be"),
    "accent": ("#0b5cad", "#7cc0ff"),
    "above": ("#b04a00", "#ff9c5f"),
    "below": ("#00609c", "#6cbcf5"),
    "soft": ("#868f9a", "#7b8591"),
    "good": ("#146c43", "#5fd39a"),
    "warn": ("#8a5a00", "#f0c04a"),
    "bad": ("#b3261e", "#ff8f86"),
}
SEGMENT_COLOURS = (
    ("#0072B2", "#62BDF2"),
    ("#D1590A", "#F5813F"),
    ("#5B1A78", "#A050C8"),
    ("#1A9A73", "#45DCA8"),
    ("#620911", "#F2E35C"),
    ("#89547D", "#A54D6C"),
    ("#8A75F1", "#C13237"),
    ("#91904D", "#CDFDA8"),
    ("#764516", "#77629B"),
    ("#98004E", "#A1FFFB"),
)


def segment_colour(index: int) -> str:
    """Return the colour of a segment as CSS has it.

    Examples
    --------
    >>> segment_colour(0), segment_colour(10)
    ('var(--segment-1)', 'var(--segment-1)')
    """
    return f"var(--segment-{index % len(SEGMENT_COLOURS) + 1})"


def colour(role: str) -> str:
    """Return the colour of a role as CSS has it.

    Examples
    --------
    >>> colour("ink")
    'var(--ink)'
    """
    if role not in ROLES:
        raise KeyError(role)
    return f"var(--{role})"


def variables(dark: bool) -> dict[str, str]:
    """Return the value of every CSS variable.

    Examples
    --------
    >>> variables(dark=False)["page"]
    '#ffffff'
    """
    roles = {name: pair[dark] for name, pair in ROLES.items()}
    segments = {f"segment-{i}": pair[dark] for i, pair in enumerate(SEGMENT_COLOURS, start=1)}
    return roles | segments


def in_colours(text: str, dark: bool = False) -> str:
    """Return a text with the values of the colours instead of their names.

    Examples
    --------
    >>> in_colours('{"fill": "var(--page)"}')
    '{"fill": "#ffffff"}'
    """
    values = variables(dark)
    return re.sub(r"var\(--([a-z0-9-]+)\)", lambda match: values[match[1]], text)


def _polygon(corners: int, turn: float = 0.0, inner: float | None = None) -> str:
    """Return a regular polygon, or a star, as an SVG path; triangles are drawn larger."""
    size = 1.25 if corners == 3 else 1.0
    steps = corners if inner is None else 2 * corners
    points = []
    for step in range(steps):
        angle = 2 * math.pi * step / steps + math.radians(turn) - math.pi / 2
        radius = inner if inner is not None and step % 2 else size
        points.append(f"{radius * math.cos(angle):.3f},{radius * math.sin(angle):.3f}")
    return "M" + "L".join(points) + "Z"


# SVG paths, as Vega takes them for the shape of a mark and a browser for a glyph.
SHAPES = (
    "M0,-1A1,1,0,1,1,0,1A1,1,0,1,1,0,-1Z",
    "M-0.85,-0.85L0.85,-0.85L0.85,0.85L-0.85,0.85Z",
    _polygon(4),
    _polygon(3),
    "M-0.35,-1L0.35,-1L0.35,-0.35L1,-0.35L1,0.35L0.35,0.35L0.35,1L-0.35,1L-0.35,0.35L-1,0.35L-1,-0.35L-0.35,-0.35Z",
    _polygon(3, turn=180),
    _polygon(5, inner=0.45),
    _polygon(6, turn=30),
    _polygon(3, turn=90),
    _polygon(3, turn=-90),
)


def shape(index: int) -> str:
    """Return the SVG path of a segment's glyph, around 0, some 2 wide."""
    return SHAPES[index % len(SHAPES)]
