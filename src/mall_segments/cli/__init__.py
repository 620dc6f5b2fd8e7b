"""The command line: `mall-segments`.

Exit codes: 0 done; 1 the build failed, or a fault of our own; 2 refused: the source, a setting or
an argument; 3 the audit failed: a data test or an expectation; 4 customers to forget are in no
file; 74 a file or disk cannot be read or written; 75 another build is running, the warehouse
changed during this one, or a file is locked: try again; 128 and the number of the signal that
stopped it.
"""

from __future__ import annotations

import click

from mall_segments.cli.build import build
from mall_segments.cli.builds import builds, rollback
from mall_segments.cli.certify import certify
from mall_segments.cli.check import check
from mall_segments.cli.docs import docs
from mall_segments.cli.explain import explain
from mall_segments.cli.export import export
from mall_segments.cli.forget import forget
from mall_segments.cli.inspect import inspect
from mall_segments.cli.report import report
from mall_segments.cli.score import score
from mall_segments.cli.segments import segments
from mall_segments.environment import check_environment
from mall_segments.errors import MallSegmentsError
from mall_segments.publish.progress import told_to


class Commands(click.Group):
    """A group of commands that ends with a message, not a traceback, on our own errors."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command and turn a MallSegmentsError into a message and its exit code."""
        try:
            return super().invoke(ctx)
        except MallSegmentsError as error:
            told_to(ctx).failed(error)
            ctx.exit(error.exit_code)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """Return the commands in the order in which they are needed."""
        return list(self.commands)


@click.group(cls=Commands)
@click.version_option(package_name="mall-segments")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Segment customers, publish the result, and look at it."""
    # `build` does so itself, when it knows whether it is to print events.
    if ctx.invoked_subcommand != build.name:
        check_environment()


for command in (
    inspect,
    build,
    segments,
    report,
    explain,
    score,
    check,
    docs,
    certify,
    builds,
    rollback,
    export,
    forget,
):
    main.add_command(command)
