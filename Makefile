# What can be done here; each target makes what it needs in .venv, and a second run is quick.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
UV := UV_HTTP_TIMEOUT=$${UV_HTTP_TIMEOUT:-10} $(BIN)/uv --quiet pip
TESTS ?= tests --ignore=tests/system --ignore=tests/browser
ARGS ?=

.DEFAULT_GOAL := help

# uv is several times as fast as pip. Where it is not to be had, or reaches no registry, pip does it.
INSTALL = if [ -s $(VENV)/.uv ] && $(UV) install --compile-bytecode --python $(BIN)/python $(1); \
	then :; else : >$(VENV)/.uv; $(PIP) install $(1); fi
GET_UV := $(PIP) install --only-binary :all: --require-hashes -r requirements/uv.txt

# Some machines have it set: every process that is started would compile the program anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: install
install: $(VENV)/.runtime ## Install the program as .venv/bin/coffers

.PHONY: demo
demo: $(VENV)/.runtime ## Run everything with a simulated exchange (ARGS="--port 0 --json")
	@$(BIN)/coffers demo $(ARGS)

.PHONY: test
test: $(VENV)/.dev ## Run the tests (TESTS=tests/unit for some, ARGS="-k name")
	@$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not long" $(TESTS) $(ARGS)

.PHONY: test-long
test-long: $(VENV)/.dev ## Run the tests of minutes: clocks that are set, lines that stay cut, many examples
	@$(BIN)/python -m pytest -m long tests $(ARGS)
	@$(BIN)/python -m pytest -n 4 --dist loadfile -m hypothesis --hypothesis-profile long tests/unit $(ARGS)

.PHONY: test-system
test-system: $(VENV)/.dev ## Run the tests that need programs of Debian (apt-get install pgbouncer prometheus)
	@$(BIN)/python -m pytest -n 2 --dist loadfile tests/system $(ARGS)

.PHONY: test-browser
test-browser: $(VENV)/.browser ## Run the tests in a browser (apt-get install chromium)
	@$(BIN)/python -m pytest -n 2 --dist loadfile tests/browser $(ARGS)

.PHONY: check
check: $(VENV)/.dev ## Lint, format, types, the house's floors, and the docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/make_catalogue.py --check
	$(BIN)/python scripts/make_exchange_docs.py --check
	$(BIN)/python -m pytest tests/docs

.PHONY: soak
soak: $(VENV)/.dev ## Let faults strike at random for five minutes (ARGS="--database postgres --seed 7")
	@PYTHONPATH=tests $(BIN)/python -m faults.soak $(ARGS)

.PHONY: bench
bench: $(VENV)/.dev ## Measure, as ratios, into bench/results.json
	@$(BIN)/python -m bench.run $(ARGS)

.PHONY: format
format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: pins
pins: $(VENV)/.dev ## Pin dependencies anew, after pyproject.toml has changed
	[ -x $(BIN)/uv ] || $(GET_UV)
	echo uv | $(UV) compile --universal --generate-hashes - -o requirements/uv.txt
	$(UV) compile --universal --generate-hashes --all-extras pyproject.toml \
		-o requirements/runtime.txt
	$(UV) compile --universal --generate-hashes --all-extras --group dev \
		pyproject.toml -o requirements/dev.txt
	$(UV) compile --universal --generate-hashes --all-extras --group browser \
		-c requirements/dev.txt pyproject.toml -o requirements/browser.txt
	echo setuptools | $(UV) compile --universal --generate-hashes \
		-c requirements/dev.txt - -o requirements/build.txt

.PHONY: clean
clean: ## Remove everything that was made here
	rm -rf $(VENV) build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	@echo "Making $(VENV) ..." >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@$(PYTHON) -m venv $(VENV)

# Says whether uv installs: not where pip was told of a registry of one's own, which uv knows nothing
# of.
$(VENV)/.uv: requirements/uv.txt | $(BIN)/python
	@if $(BIN)/python -m pip config list | grep -E '[.](index-url|no-index)=' >/dev/null || \
		! $(GET_UV) --retries 0 --timeout 10 2>/dev/null; then : >$@; else echo uv >$@; fi

# The exact versions and hashes of requirements/ first; then the program itself, which adds none.
$(VENV)/.runtime: requirements/runtime.txt pyproject.toml | $(VENV)/.uv
	@echo "Installing what Coffers runs on (half a minute at first) ..." >&2
	@$(call INSTALL,--require-hashes -r requirements/runtime.txt)
	@$(call INSTALL,--no-deps --editable .)
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo "Installing what the tests need ..." >&2
	@$(call INSTALL,--require-hashes -r requirements/dev.txt)
	@touch $@

$(VENV)/.browser: requirements/browser.txt $(VENV)/.dev
	@echo "Installing what drives a browser ..." >&2
	@$(call INSTALL,--require-hashes -r requirements/browser.txt)
	@touch $@
