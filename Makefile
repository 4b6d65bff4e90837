# `make run` and `make test` need only Python 3.11-3.13 (with venv) and make; everything else is set up.

PORT ?= 8000
VENV ?= .venv
export PORT

BIN := $(VENV)/bin
PY := $(BIN)/python
# Settings refuse to load without a database; this one is never asked.
NO_DATABASE := DATABASE_URL=$${DATABASE_URL:-postgresql://nobody@127.0.0.1/none}
WITH_SERVERS := $(PY) -m shop.config.run --with-parent with-servers --
SOURCES := manage.py shop campaigns loyalty tests

.DEFAULT_GOAL := help
.PHONY: help setup run test test-fast test-slow check lint format types imports migrations openapi \
	openapi-check messages bench docs clean requirements

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- using it ------------------------------------------------------------------------------------

setup: $(VENV)/.runtime ## Install what running needs (PYTHON=… picks the interpreter)

run: $(VENV)/.runtime ## Start the whole shop with demo data (PORT=8000); Ctrl-C stops it
	@$(PY) -m shop.config.run --with-parent

test: $(VENV)/.development ## Run the tests, but for the long drills (ARGS=… goes to pytest)
	@exec $(PY) -m pytest -m "not slow" -n 2 --dist loadfile $(ARGS)

test-fast: $(VENV)/.development ## Run the tests one by one, up to the first failure
	@exec $(PY) -m pytest -m "not slow" -x -q $(ARGS)

test-slow: $(VENV)/.development ## Run the long drills
	@exec $(PY) -m pytest -m slow -n 2 --dist loadfile $(ARGS)

clean: ## Forget caches, logs and the embedded databases with their demo data
	@if [ -f $(VENV)/.runtime ]; then $(PY) -m shop.config.run clean; fi
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage htmlcov
	@find $(SOURCES) -name __pycache__ -prune -exec rm -rf {} +

# --- checking it ---------------------------------------------------------------------------------

check: lint types imports migrations openapi-check test ## Check everything, as CI does

lint: $(VENV)/.development ## Check style and form
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.development ## Bring the code into form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.development ## Check the types
	@$(NO_DATABASE) $(BIN)/mypy $(SOURCES)

imports: $(VENV)/.development ## Check the layers
	@$(BIN)/lint-imports

migrations: $(VENV)/.development ## Check that no model change lacks its migration
	@$(WITH_SERVERS) $(PY) manage.py makemigrations --check --dry-run

openapi: $(VENV)/.development ## Write docs/openapi.yaml anew
	@$(NO_DATABASE) $(PY) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

openapi-check: $(VENV)/.development ## Check that docs/openapi.yaml is what the code says
	@mkdir -p var
	@$(NO_DATABASE) $(PY) manage.py spectacular --validate --fail-on-warn --file var/openapi.yaml
	@diff -u docs/openapi.yaml var/openapi.yaml || { echo "Run 'make openapi' and commit."; exit 1; }

# --- what is generated ---------------------------------------------------------------------------

messages: $(VENV)/.development ## Bring the translations up to date with the code, and compile them
	@$(PY) -m shop.config.translations extract
	@$(PY) -m shop.config.translations compile

docs: openapi ## Write the generated documents anew
	@$(NO_DATABASE) $(PY) -m shop.config.problems_page > docs/problems.md

bench: $(VENV)/.development ## Measure the speed targets
	@$(PY) -m bench

requirements: ## Resolve the pins anew (needs uv)
	@for name in requirements requirements-dev; do \
		uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
			$$name.in --output-file $$name.txt || exit 1; \
	done

# --- the virtual environment ---------------------------------------------------------------------
# The stamps make a second start instant; a changed requirements file installs again.

$(VENV)/.runtime: requirements.txt
	@$(call prepare_venv)
	@$(call install,requirements.txt)
	@touch $@

$(VENV)/.development: requirements-dev.txt requirements.txt
	@$(call prepare_venv)
	@$(call install,requirements-dev.txt)
	@touch $(VENV)/.runtime $@

# Find an interpreter that starts and is supported, and make the environment unless it works already.
define prepare_venv
if ! $(PY) -m pip --version >/dev/null 2>&1; then \
	for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
		$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
			>/dev/null 2>&1 || continue; \
		supported=$$python; \
		$$python -c 'import venv, ensurepip' >/dev/null 2>&1 && { usable=$$python; break; }; \
	done; \
	if [ -z "$$supported" ]; then \
		echo "Huigan needs Python 3.11, 3.12 or 3.13. $(or $(PYTHON),python3) is" \
			"$$($(or $(PYTHON),python3) --version 2>&1 | tail -n 1)."; \
		echo "Install one of them, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.13"; \
		exit 1; \
	elif [ -z "$$usable" ]; then \
		echo "$$supported cannot make virtual environments. On Debian and Ubuntu:" \
			"apt-get install python3-venv"; \
		exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$usable --version) …"; \
	if [ -f $(VENV)/pyvenv.cfg ]; then rm -rf $(VENV); fi; \
	$$usable -m venv $(VENV) || exit 1; \
fi
endef

# The pins are complete, hence --no-deps: an old pip would resolve `coverage[toml]` anew, to a release that
# has no hash here. The .pth file lets plain `pytest` and editors find the packages.
define install
echo "Installing $(1) (the first time this takes a minute or two) …"; \
if ! $(PY) -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes -r $(1); then \
	echo; \
	echo "The packages could not be installed. Is the package index reachable? To name a mirror:"; \
	echo "  make $(MAKECMDGOALS) PIP_INDEX_URL=https://…/simple"; \
	exit 1; \
fi; \
echo "$(CURDIR)" > "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/huigan.pth"
endef
