"""docs/spark.md counts the lines that differ by engine, and how many there are is still true."""

import re
import subprocess

from tests.integration.conftest import ROOT

COUNTED = re.compile(r"^(?P<command>(?:awk|cat|grep) .+?) +# (?P<count>\d+)$", re.MULTILINE)


def test_the_lines_that_differ_by_engine_are_counted():
    page = (ROOT / "docs" / "spark.md").read_text(encoding="utf-8")
    counted = {line["command"]: int(line["count"]) for line in COUNTED.finditer(page)}
    assert len(counted) == 4
    found = {
        command: int(
            subprocess.run(command, shell=True, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
        )
        for command in counted
    }
    assert found == counted
