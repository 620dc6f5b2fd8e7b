"""Text and names as SQL spells them."""

from __future__ import annotations


def literal(text: str) -> str:
    """Return text as a SQL literal.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return a name as a quoted SQL identifier.

    >>> identifier('the "id" of')
    '"the ""id"" of"'
    """
    return '"' + name.replace('"', '""') + '"'


def double(value: float) -> str:
    """Return a number as a SQL constant that is exactly it.

    >>> double(0.1)
    "cast('0.1' as double)"
    """
    return f"cast('{float(value)!r}' as double)"
