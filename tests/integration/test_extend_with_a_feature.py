"""docs/extend-with-a-feature.md, done as it stands in a copy of the project and of the library."""

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.conftest import ROOT, Project
from tests.integration.test_mall_segments import undescribed
from tests.waiting import LONGEST

PAGE = (ROOT / "docs" / "extend-with-a-feature.md").read_text()
BLOCKS = re.compile(r"^(?:`(?P<file>[\w./]+)`\n)?```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
FEATURE = "visits_per_month"


class Extended(Project):
    """A copy of the project with a library of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        shutil.copytree(ROOT / "src", folder / "src")

    def run(self, command, *arguments):
        environment = os.environ | {"PYTHONPATH": str(self.folder / "src")}
        return subprocess.run(
            [Path(sys.executable).with_name(command), *map(str, arguments)],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """The project after the edits of the page, and what its build commands said."""
    project = Extended(tmp_path_factory.mktemp("extended"))
    with project.seed.open(newline="") as seed, (project.folder / "visits.csv").open("w") as file:
        header, *rows = csv.reader(seed)
        writer = csv.writer(file)
        writer.writerow([*header, "Visits per month"])
        # Those who spend much come more often, and regularly so.
        writer.writerows([*row, int(row[4]) // 10 + int(row[0]) % 3] for row in rows)
    file_name, said = None, []
    for block in BLOCKS.finditer(PAGE):
        file_name = block["file"] or file_name
        if block["kind"] == "diff":
            edit(project.folder / file_name, block["text"])
        else:
            for command in block["text"].splitlines():
                said.append(carry_out(project, command))
    project.said = said
    return project


def edit(path, difference):
    """Replace the lines of a diff without line numbers, which must be there exactly once."""
    lines = difference.splitlines()
    before = "".join(line[1:] + "\n" for line in lines if not line.startswith("+"))
    after = "".join(line[1:] + "\n" for line in lines if not line.startswith("-"))
    text = path.read_text()
    assert text.count(before) == 1, (
        f"{path.name} has these lines {text.count(before)} times:\n{before}"
    )
    path.write_text(text.replace(before, after))


def carry_out(project, command):
    if command.startswith("perl "):
        files = [word for word in shlex.split(command) if word.endswith(".yml")]
        before = [(project.folder / file).read_text() for file in files]
        subprocess.run(shlex.split(command), cwd=project.folder, check=True)
        for file, text in zip(files, before, strict=True):
            assert (project.folder / file).read_text() != text, f"{file} is unchanged: {command}"
        return ""
    arguments = shlex.split(command)
    result = project.run(*arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_segments_are_made_of_the_feature(extended):
    *_, explained = extended.said
    assert "visits per month" in explained.lower()
    ((feature_set, customers),) = extended.query(
        "select feature_set, customers from marts.segmentation_quality", extended.published
    )
    assert feature_set == f"annual_income_k_usd, spending_score, {FEATURE}"
    assert customers == 200
    centroids = extended.query(
        f"select count(distinct segment_key) from marts.segment_centroids"
        f" where feature = '{FEATURE}'",
        extended.published,
    )
    assert centroids == extended.query(
        "select k from marts.segmentation_quality", extended.published
    )


def test_profiles_are_those_of_the_file(extended):
    profiles = extended.query(
        f"select segment_key, {FEATURE}_mean, {FEATURE}_p90 from marts.segment_profiles order by 1",
        extended.published,
    )
    assert len(profiles) > 1
    expected = extended.query(
        f"select segment_key, avg({FEATURE}), quantile_cont({FEATURE}, 0.9)"
        " from marts.customer_segments group by 1 order by 1",
        extended.published,
    )
    for (key, *figures), (own_key, *own_figures) in zip(profiles, expected, strict=True):
        assert (key, figures) == (own_key, pytest.approx(own_figures))
    ((mean,),) = extended.query(
        f"select avg({FEATURE}) from marts.customer_segments", extended.published
    )
    with (extended.folder / "visits.csv").open(newline="") as file:
        visits = [int(row["Visits per month"]) for row in csv.DictReader(file)]
    assert mean == pytest.approx(sum(visits) / 200)


def test_a_value_out_of_range_goes_to_quarantine(extended):
    text = (extended.folder / "visits.csv").read_text().splitlines()
    text[1] = text[1].rpartition(",")[0] + ",61"
    (extended.folder / "dirty.csv").write_text("\n".join(text))
    result = extended.run("mall-segments", "inspect", "dirty.csv", "--json")
    assert json.loads(result.stdout)["reasons"] == {f"{FEATURE}:out_of_range": 1}


def test_everything_is_described_and_in_a_style(extended):
    manifest = json.loads((extended.folder / "target" / "manifest.json").read_text())
    assert set(undescribed(manifest)) == set()
    described = {
        (node["alias"], column)
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "seed", "snapshot")
        for column in node["columns"]
    }
    built = extended.query(
        "select table_name, column_name from duckdb_columns()"
        f" where not internal and column_name like '{FEATURE}%'",
        extended.warehouse,
    )
    assert {name for name, _ in built} >= {"raw_customers", "stg_customers", "customer_segments"}
    assert set(built) <= described
    shutil.copy(ROOT / "pyproject.toml", extended.folder)
    for command in ("ruff check src", "ruff format --check src", "sqlfmt --check dbt_project"):
        result = extended.run(*command.split())
        assert result.returncode == 0, result.stdout + result.stderr
