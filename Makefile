PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DOCS ?= ../shared/docs

.PHONY: docs real test-real sharing test-exhaustive reports-real open-inference parity bench soak test-busy help install run run-secured test check contract mutants clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | sort

# One file stands for the whole environment, so that nothing is installed twice. What is installed from a
# checkout is compiled as pip compiles packages: where Python may not write, it would do so at each start.
$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mlconform needs Python 3.11 or later; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q conformance mock_server
	@touch $@

install: $(VENV)/.installed ## make the environment at the locked versions

run: install ## run the whole suite against the reference mock; reports go to reports/latest
	@$(BIN)/mlconform run --level observed --out reports/latest

run-secured: install ## the same where the mock has users; reports go to reports/latest/secured
	@$(BIN)/mlconform run --profile opensearch-ml --security --level observed --out reports/latest/secured

test: install ## the project's own tests
	$(BIN)/python -m pytest -n auto --dist worksteal

check: install ## types and style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: install ## the documentation pages into DOCS, from the checkout of their repository in CHECKOUT
	$(BIN)/mlconform contract docs --checkout $(CHECKOUT) --out $(DOCS)

contract: install ## generate the contracts from the pages in DOCS
	$(BIN)/mlconform contract build --docs $(DOCS)

open-inference: install ## the third profile, an example: judge two real servers, each in an environment of its own
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		--target $(VENV)-open-inference/profile --upgrade examples/open-inference
	PYTHONPATH=$(VENV)-open-inference/profile $(BIN)/python examples/open-inference/judge.py --out reports/latest/open-inference

mutants: install ## put each deliberate fault into the mock and see that its check notices
	$(BIN)/mlconform mutants

clean: ## remove the environment and the reports of the last run
	rm -rf $(VENV) reports/latest

parity: install ## replay the recordings of real nodes on the mock, a scenario a line; fails where it is apart
	@$(BIN)/python -m mlconform.mock_server.parity tests/observed/*

bench: install ## the mock beside Prism and WireMock, where wrk, npx and mvn are there, 200 connections at once, and runs over TLS
	@$(BIN)/python benchmarks/bench.py
	@$(BIN)/python benchmarks/parallel.py
	@$(BIN)/python benchmarks/secured.py

soak: install ## a minute of 64 connections and faults: no write is lost, every request is answered
	@$(BIN)/python benchmarks/soak.py

test-busy: install ## the tests of our own errors and of judging TIMES (50) times, beside twice as many busy processes as cores; WHOLE=1: all tests
	@$(BIN)/python benchmarks/busy.py --times $(or $(TIMES),50) $(if $(WHOLE),--whole)

REAL = --seed $(or $(SEED),0) --max-wait $(or $(MAX_WAIT),120)

real: install ## the suite on real nodes (REAL_NODE names the kit), verdict by verdict beside the mock; SEED, MAX_WAIT, CLUSTERS
	@$(BIN)/python benchmarks/real.py $(REAL) $(CLUSTERS)

sharing: install ## runs that meet on one real node, and sweeps and kills: everything is as before, no run blames the server
	@$(BIN)/python benchmarks/sharing.py

test-real: install ## the tests on a real node (REAL_NODE names the kit), which make test leaves out
	$(BIN)/python -m pytest tests/real -m real

test-exhaustive: install ## the tests that make test leaves out because they take minutes
	$(BIN)/python -m pytest -n auto --dist worksteal -m exhaustive tests

reports-real: install ## the same, and its reports are copied into reports/
	@$(BIN)/python benchmarks/real.py $(REAL) --publish reports $(CLUSTERS)
