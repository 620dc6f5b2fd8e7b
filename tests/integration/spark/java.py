"""Finds the Java of the tests of Spark; run as a module, installs one where there is none."""

import os
import shutil
import subprocess

import click
from dbt.adapters.exceptions import FailedToConnectError

# What Spark 4 runs on, of Debian 12 and of Debian 13.
PACKAGES = ("openjdk-17-jre-headless", "openjdk-21-jre-headless")


def install_java(found):
    """From Debian's packages, where we may."""
    if os.name != "posix" or os.geteuid() != 0 or not shutil.which("apt-get"):
        raise click.ClickException(f"{found} `make test-spark` does so for root, with apt-get.")
    _run(["apt-get", "update"])
    package = first_offered(_is_offered)
    _run(["apt-get", "install", "--yes", "--no-install-recommends", package])


def first_offered(is_offered):
    """The first of the packages that the system has."""
    for package in PACKAGES:
        if is_offered(package):
            return package
    raise click.ClickException(f"The system's packages have none of {', '.join(PACKAGES)}.")


def _is_offered(package):
    said = subprocess.run(["apt-cache", "show", package], capture_output=True, check=False)
    return said.returncode == 0


def _run(command):
    click.echo(" ".join(command))
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, check=True, env=environment)


def main():
    # Only here: what looks for examples imports this file without the extra spark.
    from dbt.adapters.sparksession.preflight import check_java

    try:
        check_java()
    except FailedToConnectError as error:
        click.echo(error.msg)
        install_java(error.msg)
        check_java()
    click.echo(f"The tests of Spark use {os.environ.get('JAVA_HOME') or shutil.which('java')}.")


if __name__ == "__main__":
    main()
