"""`make test-spark` installs Java where there is none, and says what to do where it may not."""

import click
import pytest

pytestmark = pytest.mark.spark


@pytest.fixture
def java(monkeypatch, tmp_path):
    """The module on a machine without Java, and the commands that it runs."""
    from tests.integration.spark import java

    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    java.commands = []
    monkeypatch.setattr(java, "_run", java.commands.append)
    return java


def program(folder, name):
    (folder / name).write_text("#!/bin/sh\necho 'openjdk version \"17.0.15\"' >&2\n")
    (folder / name).chmod(0o755)


def test_the_java_that_is_there_is_used(java, tmp_path, capsys):
    program(tmp_path, "java")
    java.main()
    assert java.commands == []
    assert str(tmp_path / "java") in capsys.readouterr().out


def test_root_gets_the_first_package_that_the_system_offers(java, tmp_path, monkeypatch):
    program(tmp_path, "apt-get")
    monkeypatch.setattr(java.os, "geteuid", lambda: 0)
    monkeypatch.setattr(java, "_is_offered", lambda package: "21" in package)
    java.install_java("No Java found.")
    update, install = java.commands
    assert update == ["apt-get", "update"]
    assert install[-1] == "openjdk-21-jre-headless"
    assert java.first_offered(lambda _: True) == "openjdk-17-jre-headless"
    with pytest.raises(click.ClickException, match="none of openjdk-17-jre-headless, openjdk-21"):
        java.first_offered(lambda _: False)


@pytest.mark.parametrize("user", [0, 1000])
def test_who_cannot_install_is_told_what_to_do(java, monkeypatch, user):
    monkeypatch.setattr(java.os, "geteuid", lambda: user)
    with pytest.raises(click.ClickException, match="Install Java 17 or 21"):
        java.main()
    assert java.commands == []
