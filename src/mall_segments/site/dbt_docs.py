"""dbt's documentation of a build as one file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from mall_segments.environment import WAREHOUSE
from mall_segments.errors import MallSegmentsError

TARGET = "warehouse"
# What dbt's page asks the browser to load before it knows what that is, and what it should ask.
MENDED = {
    '<use xlink:href="{{': '<use ng-attr-xlink:href="{{',
    "href=\"${require('./assets/favicons/favicon.ico')}\"": 'href="data:,"',
}


class DbtDocsError(MallSegmentsError):
    """dbt could not write its documentation."""

    exit_code = 1

    def __init__(self, said: str) -> None:
        super().__init__("DBT_DOCS_FAILED", said, "The whole log is in logs/dbt.log.")


def write_dbt_docs(project: Path, database: Path, page: Path) -> None:
    """Write dbt's documentation of the project, with what is really in a database.

    dbt opens the database read-only, beside its readers, and works in a folder of its own, so that
    the next build finds the parsed project as it left it.

    Parameters
    ----------
    project : folder of the dbt project
    database : DuckDB file of a build
    page : HTML file to write

    Raises
    ------
    DbtDocsError
    """
    with tempfile.TemporaryDirectory() as target:
        command = [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", "--quiet"]
        command += ["docs", "generate", "--static", "--target", TARGET, "--target-path", target]
        command += ["--project-dir", str(project), "--profiles-dir", str(project)]
        others = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            cwd=project,
            env=others | {WAREHOUSE: str(database.resolve())},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise DbtDocsError((done.stdout + done.stderr).strip())
        text = (Path(target) / "static_index.html").read_text(encoding="utf-8")
    # Where the project is on this machine is nobody's business.
    hidden = {json.dumps(target)[1:-1]: "target", json.dumps(str(project))[1:-1]: ""}
    for found, instead in (hidden | MENDED).items():
        text = text.replace(found, instead)
    page.write_text(text, encoding="utf-8")
