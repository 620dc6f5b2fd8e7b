"""Great Expectations on the built warehouse: distributions, plausibility and drift."""
