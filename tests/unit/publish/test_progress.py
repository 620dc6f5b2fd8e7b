import json

import pytest

from mall_segments.errors import MallSegmentsError
from mall_segments.publish.progress import Json, Lines, Live, Node, Published, Quiet

STARTED = Node("model", "marts.builds", "started", 3, 0.0)
BUILT = Node("model", "marts.builds", "success", 3, 0.25)
PASSED = Node("test", "unique_builds", "pass", 3, 0.1)
FAILED = Node("test", "never_null_builds", "fail", 3, 0.1)
DONE = Published("abc", 200, 5, 12.5, "published/mall.duckdb")
REFUSED = MallSegmentsError("REFUSED", "why", "what to do")


def tell(progress):
    progress.step("build")
    for node in (STARTED, BUILT, PASSED, FAILED):
        progress.node(node)
    progress.note("[/b] a note")
    progress.published(DONE)
    progress.failed(REFUSED)
    progress.close()


def test_lines_name_relations_and_failed_tests_only(capsys):
    tell(Lines())
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = [line[10:] for line in printed.err.splitlines()]
    assert lines[:5] == [
        "Build with dbt",
        "  1/3 model marts.builds: success in 0.25 s",
        "  3/3 test never_null_builds: fail in 0.10 s",
        "[/b] a note",
        "Published build abc: 200 customers in 5 segments, after 12.5 s, in published/mall.duckdb",
    ]
    assert "REFUSED: why\nwhat to do\n" in printed.err


def test_json_is_one_object_per_event_on_standard_output(capsys):
    tell(Json())
    printed = capsys.readouterr()
    assert printed.err == ""
    events = [json.loads(line) for line in printed.out.splitlines()]
    assert [event["event"] for event in events] == (
        ["step", *["node"] * 4, "note", "published", "failed"]
    )
    assert all(event.pop("elapsed_seconds") >= 0 for event in events)
    assert events[-2] == {"event": "published", **vars(DONE)}
    assert events[-1]["exit_code"] == 2


def test_quiet_says_only_why_it_failed(capsys):
    tell(Quiet())
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "REFUSED: why\nwhat to do\n"


@pytest.mark.parametrize("variable", ["NO_COLOR", "FORCE_COLOR"])
def test_live_ends_with_every_step_ticked_off(capsys, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    monkeypatch.setenv("COLUMNS", "120")
    tell(Live())
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Build with dbt" in printed.err
    assert "3/3" in printed.err
    assert "never_null_builds" in printed.err
    assert "[/b] a note" in printed.err
    assert "Published build abc" in printed.err
