import duckdb
import pytest

from mall_segments.intake.source import inspect_file

SETTINGS = {"column_aliases": {}, "gender_map": {}}


@pytest.fixture(scope="session")
def session():
    with duckdb.connect() as session:
        yield session


@pytest.fixture
def inspect(session, tmp_path):
    """Write bytes or text to a file and inspect it."""

    def inspect(content, **settings):
        path = tmp_path / "customers.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return inspect_file(session, path, {**SETTINGS, **settings})

    return inspect
