# make demo | test | check | bench | clean. Everything happens inside .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
EXTRAS := engine,test,check

.PHONY: serve demo test test-fast test-long check format bench bench-service clean help

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.ready ## index examples/ and answer its questions, without a key
	@$(BIN)/python -m examples.demo

serve: $(VENV)/.ready ## the whole service on this machine, until Ctrl-C
	@command -v redis-server >/dev/null || \
		{ echo "redis-server is needed: apt-get install redis-server"; exit 3; }
	@$(BIN)/pilotfish up

test: $(VENV)/.ready ## all tests, files side by side on the cores there are
	$(BIN)/python -m pytest -n auto --dist loadfile

test-fast: $(VENV)/.ready ## the unit tests alone
	$(BIN)/python -m pytest -m "not slow and not long"

test-long: $(VENV)/.ready ## the longest fault tests: Postgres, everything killed at once
	$(BIN)/python -m pytest -m long

check: $(VENV)/.ready ## formatter, linter, strict types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.ready ## let the formatter write
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.bench ## measure everything; writes benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.judges
	$(BIN)/python -m benchmarks.structured
	$(BIN)/python -m benchmarks.prompting

bench-service: $(VENV)/.bench ## measure the service: over an hour; needs redis-server and PostgreSQL
	@command -v redis-server >/dev/null || \
		{ echo "redis-server is needed: apt-get install redis-server"; exit 3; }
	@ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || \
		{ echo "PostgreSQL is needed: apt-get install postgresql"; exit 3; }
	$(BIN)/python -m benchmarks.service

clean:
	rm -rf $(VENV) .demo .pytest_cache .mypy_cache .ruff_cache

# torch first and pinned: this takes a CPU build where one is offered.
$(VENV)/.ready: pyproject.toml constraints.txt
	@echo "setting up $(VENV): a few minutes the first time"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "cannot make a virtual environment: apt-get install python3-venv"; exit 1; }
	@$(PIP) install --upgrade pip hatchling editables -c constraints.txt
	@$(PIP) install torch -c constraints.txt
	@$(PIP) install --no-build-isolation -e ".[$(EXTRAS)]" -c constraints.txt
	@# for tests; it asks for an older SQLAlchemy than ours and works with it
	@$(PIP) install --no-deps llama-index-vector-stores-postgres -c constraints.txt
	@touch $@

$(VENV)/.bench: $(VENV)/.ready
	@$(PIP) install -e ".[$(EXTRAS),bench]" --no-build-isolation -c constraints.txt
	@# it asks for an older PyStemmer than ours and works with it
	@$(PIP) install --no-deps llama-index-retrievers-bm25 -c constraints.txt
	@touch $@
