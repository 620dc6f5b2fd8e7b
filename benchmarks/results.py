"""The sections of RESULTS.md, each replaced on its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown.

    >>> print(table(["case", "wall s"], [["floor", 1]]))
    | case | wall s |
    |---|---|
    | floor | 1 |
    """
    lines = [head, *rows]
    text = ["| " + " | ".join(map(str, line)) + " |" for line in lines]
    return "\n".join([text[0], "|" + "---|" * len(head), *text[1:]])


def replace_section(name: str, text: str, path: Path = RESULTS) -> None:
    """Put the text between the section's markers, or at the end if it has none yet."""
    first, last = f"<!-- {name} -->", f"<!-- end of {name} -->"
    section = f"{first}\n{text.strip()}\n{last}"
    page = path.read_text() if path.exists() else "# Results\n"
    marked = re.compile(f"{re.escape(first)}.*?{re.escape(last)}", re.DOTALL)
    if marked.search(page):
        page = marked.sub(lambda _: section, page)
    else:
        page = f"{page.rstrip()}\n\n{section}\n"
    path.write_text(page)
