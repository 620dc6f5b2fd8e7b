"""The notebook runs on a published build, and shows what it gives."""

import nbformat
import pytest
from nbclient import NotebookClient

from tests.integration.conftest import ROOT
from tests.waiting import LONGEST

NOTEBOOK = ROOT / "analyses" / "explore_customers.ipynb"
REFRESH = (
    "The committed outputs are stale. Run `mall-segments build`, then "
    "`jupyter execute --inplace analyses/explore_customers.ipynb`."
)
SECTIONS = [
    "Shape and description",
    "Missing values",
    "Distributions",
    "By gender",
    "Correlations",
    "Outliers",
    "Age bands",
    "Segments",
]


def committed():
    return nbformat.read(NOTEBOOK, as_version=4)


def execute(notebook, folder):
    """Run a notebook as if it lay in a folder; its first error is raised."""
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, kernel_name="python3", resources=resources, timeout=LONGEST).execute()
    return notebook


def outputs(notebook):
    """What each cell says in words and tables, and how many pictures it shows."""
    said = {}
    for cell in notebook.cells:
        shown = [output.get("data", {}) for output in cell.get("outputs", [])]
        said[cell["id"]] = (
            [output["output_type"] for output in cell.get("outputs", [])],
            [output.get("text") for output in cell.get("outputs", [])],
            [(data.get("text/plain"), data.get("text/html")) for data in shown],
            sum(data.get("image/svg+xml", "").startswith("<svg") for data in shown),
        )
    return said


@pytest.fixture(autouse=True)
def _default_place(monkeypatch):
    monkeypatch.delenv("MALL_SEGMENTS_PUBLISHED", raising=False)


def test_the_committed_outputs_are_those_of_a_published_build(first_build):
    executed = execute(committed(), first_build.folder / "analyses")
    assert outputs(executed) == outputs(committed()), REFRESH


def test_every_section_shows_something_and_the_file_stays_small():
    sections = {}
    for cell in committed().cells:
        if cell["cell_type"] == "markdown" and cell["source"].startswith("## "):
            title = cell["source"].partition("\n")[0].removeprefix("## ")
            sections[title] = []
        elif sections:
            sections[title] += [data for output in cell["outputs"] for data in output["data"]]
    assert list(sections) == SECTIONS
    for title, kinds in sections.items():
        assert "image/svg+xml" in kinds or title == "Shape and description"
        assert "text/html" in kinds or title == "Distributions"
    assert NOTEBOOK.stat().st_size < 400_000
    assert "/tmp" not in NOTEBOOK.read_text()


def test_it_opens_the_published_file_from_the_root_or_by_name(first_build, monkeypatch, tmp_path):
    opening = committed()
    cells = [cell for cell in opening.cells if cell["id"] == "connect"]
    opening.cells = [
        *cells,
        nbformat.v4.new_code_cell("ask('from marts.segment_profiles').shape[0]"),
    ]
    (said,) = execute(opening, first_build.folder).cells[1]["outputs"]
    assert said["data"]["text/plain"] == "5"
    monkeypatch.setenv("MALL_SEGMENTS_PUBLISHED", str(first_build.published))
    (said,) = execute(opening, tmp_path).cells[1]["outputs"]
    assert said["data"]["text/plain"] == "5"
