"""How a build shows what it does: live to a person, as lines to a log, as JSON to a program."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import Protocol

import click

from mall_segments.errors import MallSegmentsError

STEPS = {
    "candidate": "Copy the warehouse",
    "build": "Build with dbt",
    "audit": "Audit",
    "publish": "Publish",
}


# Where the context of a command keeps whom it tells.
EVENTS = "mall_segments.events"


@dataclass(frozen=True)
class Node:
    """One node of dbt's graph at work or done.

    Attributes
    ----------
    kind : model, seed, snapshot or test
    name : relation or test
    status : started, or how it ended
    total : nodes of this run
    seconds : how long it took
    """

    kind: str
    name: str
    status: str
    total: int
    seconds: float


@dataclass(frozen=True)
class Published:
    """A build that BI now reads."""

    build_id: str
    customers: int
    k: int
    duration_seconds: float
    path: str


class Progress(Protocol):
    """What a build tells while it runs."""

    def step(self, name: str) -> None:
        """Begin one of STEPS."""

    def node(self, node: Node) -> None:
        """Tell of a node of dbt's graph."""

    def note(self, text: str) -> None:
        """Tell something worth knowing."""

    def published(self, build: Published) -> None:
        """Tell that the build is published."""

    def failed(self, error: MallSegmentsError) -> None:
        """Tell why nothing was published."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class Quiet:
    """Says nothing but why a build failed."""

    def step(self, name: str) -> None:
        """Say nothing."""

    def node(self, node: Node) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def published(self, build: Published) -> None:
        """Say nothing."""

    def failed(self, error: MallSegmentsError) -> None:
        """Print the error."""
        click.secho(f"{error.code}: {error.message}", fg="red", err=True)
        click.echo(error.hint, err=True)

    def close(self) -> None:
        """Do nothing."""


class Lines(Quiet):
    """One line for each step and each relation, with the seconds since the beginning."""

    def __init__(self) -> None:
        self.begin = time.monotonic()
        self.done = 0

    def step(self, name: str) -> None:
        """Print the step."""
        self._line(STEPS[name])

    def node(self, node: Node) -> None:
        """Print what was built, and every test that failed."""
        if node.status == "started":
            return
        self.done += 1
        if node.kind != "test" or node.status not in ("pass", "success"):
            took = f" in {node.seconds:.2f} s" if node.seconds else ""
            self._line(f"  {self.done}/{node.total} {node.kind} {node.name}: {node.status}{took}")

    def note(self, text: str) -> None:
        """Print the note."""
        self._line(text)

    def published(self, build: Published) -> None:
        """Print what is published."""
        self._line(_sentence(build))

    def _line(self, text: str) -> None:
        click.echo(f"{time.monotonic() - self.begin:6.1f} s  {text}", err=True)


class Json(Quiet):
    """One JSON object per line on standard output."""

    def __init__(self) -> None:
        self.begin = time.monotonic()

    def step(self, name: str) -> None:
        """Print the step."""
        self._event("step", step=name)

    def node(self, node: Node) -> None:
        """Print the node."""
        self._event("node", **asdict(node))

    def note(self, text: str) -> None:
        """Print the note."""
        self._event("note", text=text)

    def published(self, build: Published) -> None:
        """Print the build."""
        self._event("published", **asdict(build))

    def failed(self, error: MallSegmentsError) -> None:
        """Print the error."""
        told = {"code": error.code, "message": error.message, "hint": error.hint}
        self._event("failed", **told, exit_code=error.exit_code)

    def _event(self, event: str, **fields: object) -> None:
        elapsed = round(time.monotonic() - self.begin, 3)
        click.echo(json.dumps({"event": event, "elapsed_seconds": elapsed, **fields}))


def print_events(ctx: click.Context, _option: click.Parameter, wanted: bool) -> bool:
    """Let a command tell what it does, and why it fails, as JSON; the callback of an option."""
    if wanted:
        ctx.meta[EVENTS] = Json()
    return wanted


def told_to(ctx: click.Context) -> Quiet:
    """Return whom a command tells why it fails."""
    return ctx.meta.get(EVENTS) or Quiet()


class Live(Quiet):
    """A bar with the step, the nodes at work, how many are done and the time that has passed."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )
        from rich.progress import Progress as Bars

        self.working: list[str] = []
        self.bars = Bars(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<20}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[now]}", markup=True),
            console=Console(stderr=True),
        )
        self.bars.start()
        self.task = self.bars.add_task("Wait for the lock", total=1, now="")

    def step(self, name: str) -> None:
        """Tick off the step before and show this one."""
        self._finish()
        self.task = self.bars.add_task(STEPS[name], total=1, now="")

    def node(self, node: Node) -> None:
        """Show what is at work."""
        from rich.markup import escape

        if node.status == "started":
            self.working.append(node.name)
        else:
            self.working = [name for name in self.working if name != node.name]
            self.bars.advance(self.task)
            if node.status in ("error", "fail"):
                self.bars.print(f"[red]{node.status}[/red] {escape(node.name)}")
        now = escape(", ".join(self.working[-2:]))
        self.bars.update(self.task, total=node.total, now=now)

    def note(self, text: str) -> None:
        """Print the note above the bars."""
        self.bars.print(text, markup=False, highlight=False)

    def published(self, build: Published) -> None:
        """Tick off the last step and print what is published."""
        self._finish()
        self.bars.stop()
        click.echo(_sentence(build), err=True)

    def close(self) -> None:
        """Give the cursor back."""
        self.bars.stop()

    def _finish(self) -> None:
        total = self.bars.tasks[self.task].total
        self.bars.update(self.task, completed=total, now="")
        self.working.clear()


def _sentence(build: Published) -> str:
    return (
        f"Published build {build.build_id}: {build.customers:,} customers in {build.k} segments, "
        f"after {build.duration_seconds:.1f} s, in {build.path}"
    )
