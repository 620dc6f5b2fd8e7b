# Every target installs what it needs. PYTHON names the interpreter to make .venv with.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Python compiles what it imports; to compile every file of every package takes half a minute.
INSTALL := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-compile

.DEFAULT_GOAL := help
.PHONY: help build report app test test-spark browser sail check docs faults fuzz bench bench-full \
	bench-quality bench-build bench-intake bench-assignment lint format lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: $(VENV)/installed ## Build the segments, publish and print them, write the report
	$(BIN)/mall-segments build
	$(BIN)/mall-segments report

report: $(VENV)/installed ## Write the report of the last build, and its charts as pictures
	$(BIN)/mall-segments report --pictures published/pictures

app: $(VENV)/installed-app ## Show the published segments in the browser, by the example app
	$(BIN)/streamlit run examples/streamlit_app.py

test: lint browser sail ## Lint, check types, run every test and a build in a temporary place
	$(BIN)/mypy & types=$$!; \
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 12 && wait $$types

browser: $(VENV)/installed-dev ## Find a Chromium for the browser tests, or install one
	$(BIN)/python -m tests.browser.chromium

sail: $(VENV)/installed-sail ## Install Sail, the Spark without Java that a smoke test of `make test` builds on

check: $(VENV)/installed ## Check the last build with Great Expectations and write Data Docs
	$(BIN)/mall-segments check

docs: $(VENV)/installed ## Write the documentation of the last build to site/
	$(BIN)/mall-segments docs

faults: $(VENV)/installed-dev ## Kill builds, fill disks and poll real builds; prove the mall segments
	$(BIN)/pytest -m faults

test-spark: $(VENV)/installed-spark sail ## Test Spark against DuckDB, on a cluster too; installs Java where there is none
	$(BIN)/python -m tests.integration.spark.java
	$(BIN)/mypy src adapters/dbt-sparksession/dbt/adapters/sparksession
	$(BIN)/pytest -m 'not faults' adapters/dbt-sparksession/tests tests/integration/spark

fuzz: $(VENV)/installed-dev ## Feed 20,000 random and mutated files to the intake
	INTAKE_FUZZ_INPUTS=20000 $(BIN)/pytest tests/unit/intake/test_fuzz.py

bench: $(VENV)/installed-bench ## Measure the segmentation of up to 1 million customers and its peers: minutes
	$(BIN)/python benchmarks/segmentation.py

# BENCH="--rows 10000000 100000000" measures other sizes; see benchmarks/segmentation.py --help.
bench-full: $(VENV)/installed-bench ## The same of 1 and 10 million, and k = 2 to 10: hours, 3 GB of disk
	$(BIN)/python benchmarks/segmentation.py --section segmentation-full --limit 3600 \
		--rows 1000000 10000000 --data integer-2 integer-3 integer-6 continuous-3 continuous-6 \
		--sweep-rows 1000000 10000000 $(BENCH)

bench-quality: $(VENV)/installed-bench ## Measure how good the optimum is on twenty data sets, against peers
	$(BIN)/python benchmarks/quality.py

bench-build: $(VENV)/installed ## Measure whole builds of 100 thousand to 10 million customers
	$(BIN)/python benchmarks/whole_build.py

bench-intake: $(VENV)/installed ## Measure the intake of a file of 1 GB
	$(BIN)/python benchmarks/intake.py

bench-assignment: $(VENV)/installed ## Measure how 10 million customers are assigned best
	$(BIN)/python benchmarks/assignment.py

lint: $(VENV)/installed-dev ## Check format and style of Python and SQL
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/sqlfmt --check --quiet dbt_project tests/dbt analyses

format: $(VENV)/installed-dev ## Format Python and SQL
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfmt dbt_project tests/dbt analyses

lock: ## Refresh constraints.txt with the newest versions that pyproject.toml allows
	rm -rf target/lock && $(PYTHON) -m venv target/lock
	target/lock/bin/python -m pip --quiet install -e '.[test-spark]'
	target/lock/bin/python -m pip freeze --exclude-editable | grep '==' > constraints.txt
	rm -rf target/lock

clean: ## Remove what the other targets made, but not what was published
	rm -rf $(VENV) target logs dev.duckdb dev.duckdb.wal

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "mall-segments needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 build"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e . -c constraints.txt
	touch $@

$(VENV)/installed-app: $(VENV)/installed
	$(INSTALL) -e '.[app]' -c constraints.txt
	touch $@

# In one step: to install the rest of the packages after the first takes longer.
$(VENV)/installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e '.[dev]' -c constraints.txt
	touch $(VENV)/installed $@

$(VENV)/installed-spark: $(VENV)/installed-dev
	$(INSTALL) -e '.[test-spark]' -c constraints.txt
	touch $@

# Beside the other packages: the client has the name of pyspark, which the extra spark installs.
$(VENV)/installed-sail: $(VENV)/installed-dev
	$(INSTALL) --no-deps --upgrade --target $(VENV)/sail -c constraints.txt pyspark-client==4.1.3 pysail \
		dbt-spark sqlparams googleapis-common-protos grpcio grpcio-status zstandard
	touch $@

$(VENV)/installed-bench: $(VENV)/installed
	$(INSTALL) -e '.[bench]' -c constraints.txt
	touch $@
