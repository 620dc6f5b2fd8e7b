from __future__ import annotations

from typing import Any

import pytest
from dbt.adapters.sparksession.credentials import SparkSessionCredentials
from dbt.adapters.sparksession.session_conf import session_conf
from dbt_common.exceptions import DbtRuntimeError


@pytest.fixture(autouse=True)
def _no_spark_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SPARK_REMOTE", "PYSPARK_GATEWAY_PORT"):
        monkeypatch.delenv(name, raising=False)


def credentials(**options: Any) -> SparkSessionCredentials:
    return SparkSessionCredentials.from_dict({"schema": "main", **options})


def test_the_session_is_local_unless_the_profile_says_otherwise() -> None:
    assert credentials().master == "local[*]"
    assert credentials(master="", remote="").master == "local[*]"
    assert credentials(remote="sc://spark:15002").master is None


def test_a_remote_of_the_environment_is_that_of_a_profile_without_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPARK_REMOTE", "sc://elsewhere")
    assert credentials().remote == "sc://elsewhere"
    assert credentials(master="local[2]").remote is None


def test_spark_submit_keeps_its_master(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    assert "spark.master" not in session_conf(credentials())


@pytest.mark.parametrize(
    "master",
    [
        "local",
        "local[*]",
        "local[4]",
        "local[2,3]",
        "local-cluster[2,1,1024]",
        "spark://a:7077",
        "spark://a:7077,b:7077",
        "yarn",
        "k8s://https://cluster:443",
    ],
)
def test_masters_of_spark_are_taken(master: str) -> None:
    assert credentials(master=master).master == master


@pytest.mark.parametrize("master", ["locale", "local[0]", "spark://a", "mesos://a:5050", "a:7077"])
def test_other_masters_are_refused_with_those_that_there_are(master: str) -> None:
    with pytest.raises(DbtRuntimeError, match=r"expected one like local\[\*\]") as refused:
        credentials(master=master)
    assert master in str(refused.value)


def test_a_connect_url_as_master_is_told_where_it_belongs() -> None:
    with pytest.raises(DbtRuntimeError, match="Say remote: sc://host"):
        credentials(master="sc://host")


@pytest.mark.parametrize("remote", ["localhost:15002", "spark://a:7077", "sc://", "sc://a:port"])
def test_what_is_no_connect_url_is_refused(remote: str) -> None:
    with pytest.raises(DbtRuntimeError, match="expected the URL of a Spark Connect server"):
        credentials(remote=remote)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"master": "local", "remote": "sc://a"}, "both a master .* and a remote"),
        ({"method": "thrift"}, "Use the type spark for thrift"),
        ({"connect_timeout": 0}, "expected a number of seconds above 0"),
    ],
)
def test_options_that_contradict_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DbtRuntimeError, match=message):
        credentials(**options)


def test_debug_does_not_show_the_token_of_a_url() -> None:
    shown = dict(credentials(remote="sc://spark:443/;token=secret").connection_info())
    assert shown["remote"] == "sc://spark:443"


def test_the_profile_overrides_the_defaults_and_keeps_the_place_of_the_catalog() -> None:
    conf = session_conf(
        credentials(
            master="local[3]",
            catalog_dir="/data/catalog",
            server_side_parameters={
                "spark.sql.shuffle.partitions": 12,
                "spark.driver.extraJavaOptions": "-Xss4m",
            },
        )
    )
    assert conf["spark.sql.shuffle.partitions"] == "12"
    # Of two stacks Java takes the last.
    assert conf["spark.driver.extraJavaOptions"].endswith(" -Xss16m -Xss4m")
    assert "/data/catalog/derby.log" in conf["spark.driver.extraJavaOptions"]
    assert conf["spark.sql.warehouse.dir"] == "file:///data/catalog/warehouse"


def test_a_cluster_keeps_its_own_catalog_and_partitions() -> None:
    conf = session_conf(credentials(master="spark://a:7077"))
    assert conf["spark.driver.extraJavaOptions"] == "-Xss16m"
    assert (
        not {
            "spark.sql.catalogImplementation",
            "spark.sql.warehouse.dir",
            "spark.sql.shuffle.partitions",
        }
        & conf.keys()
    )
