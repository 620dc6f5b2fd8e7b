import json
import shutil
import sys
from contextlib import nullcontext

import pytest

from mall_segments.errors import AuditFailedError
from mall_segments.publish import dbt_folders, dbt_run
from mall_segments.publish.database import StorageError
from mall_segments.publish.dbt_run import BuildFailedError, RefusedInBuildError, run_dbt
from mall_segments.publish.progress import Quiet


class Recorder(Quiet):
    def __init__(self):
        self.nodes = []

    def node(self, node):
        self.nodes.append(node)


def event(name, level="info", msg="", **data):
    return {"info": {"name": name, "level": level, "msg": msg, "invocation_id": "b1"}, "data": data}


def result(name, kind, status, unique_id="model.mall_segments.a"):
    node = {
        "resource_type": kind,
        "node_name": "a",
        "node_relation": {"relation_name": '"mall"."marts"."a"' if kind == "model" else ""},
        "node_status": status,
        "unique_id": unique_id,
    }
    return event(name, node_info=node, total=2, execution_time=0.5, status=status)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a dbt that prints some events and ends with some code."""
    nodes = {
        f"model.mall_segments.{name}": {
            "resource_type": "model",
            "schema": schema,
            "alias": name,
            "columns": {"build_id": {}},
            "config": {"materialized": "incremental" if name == "a" else "table"},
        }
        for name, schema in (("a", "marts"), ("b", "marts"), ("c", "ml"))
    }
    aside = tmp_path / "aside"
    aside.mkdir()
    for name, is_enabled in (("unique_a", True), ("unique_of_a_model_switched_off", False)):
        nodes[f"test.{name}"] = {
            "resource_type": "test",
            "name": name,
            "config": {"enabled": is_enabled},
        }

    def run(events, code=0):
        said = [line if isinstance(line, str) else json.dumps(line) for line in events]
        script = tmp_path / "dbt.py"
        script.write_text(
            "import pathlib, sys\n"
            "target, logs = (pathlib.Path(sys.argv[sys.argv.index(option) + 1])"
            " for option in ('--target-path', '--log-path'))\n"
            f"(target / 'manifest.json').write_text({json.dumps({'nodes': nodes})!r})\n"
            "logs.mkdir()\n"
            "(logs / 'dbt.log').write_text(f'{[path.name for path in target.iterdir()]}')\n"
            f"print({chr(10).join(said)!r})\nsys.exit({code})\n"
        )
        popen = dbt_run.subprocess.Popen
        monkeypatch.setattr(
            dbt_run.subprocess,
            "Popen",
            lambda command, **options: popen([sys.executable, script, *command], **options),
        )
        recorder = Recorder()
        shutil.rmtree(aside / "target", ignore_errors=True)
        shutil.rmtree(aside / "logs", ignore_errors=True)
        return run_dbt(tmp_path, aside / "mall.duckdb", {"k": 6}, [], recorder), recorder.nodes

    return run


def test_what_was_made_is_told_by_the_log_and_the_manifest(run):
    made, nodes = run(
        [
            result("LogStartLine", "model", "started"),
            result("LogModelResult", "model", "success"),
            result("LogTestResult", "unit_test", "pass", "unit_test.a"),
            "DeprecationWarning: of some library",
        ]
    )
    assert made.build_id == "b1"
    assert made.marts == {"a": ["build_id"], "b": ["build_id"]}
    assert made.histories == {"a"}
    assert made.not_built == ["b"]
    assert made.not_tested == ["unique_a"]
    assert [(node.kind, node.name, node.status) for node in nodes] == [
        ("model", "marts.a", "started"),
        ("model", "marts.a", "success"),
        ("test", "a", "pass"),
    ]


@pytest.mark.parametrize("code", [0, 1])
def test_dbt_works_in_folders_of_its_own_and_hands_them_over(run, tmp_path, code):
    """It finds what was parsed before, and what another build leaves meanwhile is not read."""
    target, log = tmp_path / "target", tmp_path / "logs" / "dbt.log"
    target.mkdir()
    log.parent.mkdir()
    (target / "manifest.json").write_text("of another build")
    (target / "partial_parse.msgpack").write_text("parsed before")
    log.write_text("of another build\n")
    with nullcontext() if code == 0 else pytest.raises(BuildFailedError):
        run([result("LogModelResult", "model", "success")], code)
    assert "nodes" in json.loads((target / "manifest.json").read_text())
    first, last = log.read_text().splitlines()
    assert first == "of another build"
    assert "partial_parse.msgpack" in last
    assert {path.name for path in target.iterdir()} == {"manifest.json", "partial_parse.msgpack"}


def test_a_log_that_grew_large_begins_anew(run, tmp_path, monkeypatch):
    monkeypatch.setattr(dbt_folders, "LARGEST_LOG", 3)
    for _ in range(2):
        run([result("LogModelResult", "model", "success")])
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == ["dbt.log", "dbt.log.1"]


def test_a_failed_test_is_an_audit_that_failed(run):
    with pytest.raises(AuditFailedError, match="Got 5 results"):
        run(
            [
                result("LogTestResult", "test", "fail"),
                result("SkippingDetails", "model", "skipped"),
                event("RunResultError", "error", "  Got 5 results, configured to fail if != 0"),
            ],
            code=1,
        )


def test_a_failed_model_is_a_build_that_failed(run):
    with pytest.raises(BuildFailedError, match="Compilation Error in model x"):
        run(
            [
                result("LogModelResult", "model", "error"),
                result("LogTestResult", "test", "fail"),
                event("RunResultError", "error", "  Compilation Error in model x"),
            ],
            code=1,
        )


def test_a_refusal_keeps_its_code(run):
    said = "Runtime Error\n  mall_segments.errors.InputRefusedError: EMPTY_FILE: No rows. Add."
    with pytest.raises(RefusedInBuildError) as caught:
        run(
            [
                result("LogModelResult", "model", "error"),
                event("RunResultError", "error", said),
            ],
            code=1,
        )
    assert caught.value.code == "EMPTY_FILE"
    assert caught.value.message == "No rows. Add."
    assert caught.value.exit_code == 2


def test_a_full_disk_in_dbt_is_named(run):
    with pytest.raises(StorageError, match="no space left"):
        run([event("RunResultError", "error", "IO Error: No space left on device")], code=1)


def test_what_dbt_says_in_plain_text_is_not_lost(run):
    with pytest.raises(BuildFailedError, match="no such option: --nope"):
        run(["Error: no such option: --nope"], code=2)
