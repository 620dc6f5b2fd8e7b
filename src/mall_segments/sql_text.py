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
