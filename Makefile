# Everything a newcomer types. `make demo` and `make test` set up what they need in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Times and results of small networks are best with one thread a process.
export OMP_NUM_THREADS ?= 1
# Many tests start processes, and compiling every module again in each takes seconds.
unexport PYTHONDONTWRITEBYTECODE
PYTEST := $(BIN)/python -m pytest
IN_TWO := -n 2 --dist worksteal
# The broadest tests for their time: contracts, composition, optimisers, and the house itself.
FAST := tests/test_structure.py tests/test_tests.py tests/core tests/layers/test_contract.py \
  tests/optim tests/runs

.PHONY: demo check test test-all soak lint format bench clean

demo: $(VENV)/installed ## Train on real digits, write a report, say where it is.
	OMP_NUM_THREADS=2 $(BIN)/neuropil train

check: $(VENV)/installed-dev ## Give a first answer in a minute: style, and the broadest of the tests.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PYTEST) $(IN_TWO) --quiet $(FAST)

test: $(VENV)/installed-dev ## Run every test and every example in the documentation.
	$(PYTEST) $(IN_TWO)

test-all: $(VENV)/installed-extended ## Run what needs more than Python, or more time: Chromium, torchrun, PostgreSQL.
	$(PYTEST) -m extended tests

soak: $(VENV)/installed-dev ## Kill runs by the hundred and mutate files by the ten thousand: hours.
	$(PYTEST) $(IN_TWO) -m soak tests

lint: $(VENV)/installed-dev ## Check style, documentation and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

format: $(VENV)/installed-dev ## Fix what can be fixed automatically.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed-bench ## Time the library beside its peers.
	$(BIN)/python -m benchmarks --help

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Neuropil needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/installed

$(VENV)/installed-extended: $(VENV)/installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[extended]'
	@touch $@

$(VENV)/installed-bench: benchmarks/requirements.txt $(VENV)/installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --requirement benchmarks/requirements.txt
	@touch $@

clean: ## Remove what the commands above made.
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis build dist
