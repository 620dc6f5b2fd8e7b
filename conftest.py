"""Names that the docstring examples use without importing them."""

import numpy
import pytest


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace: dict[str, object]) -> None:
    doctest_namespace["np"] = numpy
