"""The findings of a checkpoint in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mall_segments.checks.checkpoint import Finding
from mall_segments.checks.sentences import described

KEYS_SHOWN = 10


def print_findings(findings: Sequence[Finding], console: Console) -> None:
    """Print one row per expectation, and the keys of failing rows."""
    for relation, group in groupby(findings, key=lambda finding: finding.relation):
        table = Table(title=relation, title_justify="left", box=None, show_header=False)
        for finding in group:
            mark = "[green]pass[/green]" if finding.success else "[red]FAIL[/red]"
            table.add_row(mark, escape(described(finding)), escape(finding.observed))
        console.print(table, highlight=False)
    for finding in findings:
        if not finding.success and finding.failing:
            shown = ", ".join(str(key) for key, _ in finding.failing[:KEYS_SHOWN])
            more = len(finding.failing) - KEYS_SHOWN
            rest = f" and {more:,} more" if more > 0 else ""
            console.print(
                f"{finding.relation}.{finding.column}: rows {shown}{rest}",
                markup=False,
                highlight=False,
            )
