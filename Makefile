# The README's two commands are `make run` and `make test`; each does all of its own set-up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Node comes from the machine, or else from PyPI into the virtual environment.
export PATH := $(PATH):$(CURDIR)/$(BIN)
PIP := $(BIN)/pip --disable-pip-version-check --quiet install --require-hashes
NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --silent

.PHONY: help setup run test check bench lock clean

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(VENV)/run.stamp vteam/web/static/manifest.json vteam/web/locale/fr/LC_MESSAGES/django.mo ## the `vteam` command in .venv, with its pages

run: setup ## the demo campaign, with all its processes; prints what to open
	@$(BIN)/vteam demo --fans 60

test: setup $(VENV)/dev.stamp node_modules/dev.stamp ## every test, real browsers and databases included
	@tests/tools.sh
	@tests/both.sh

check: setup $(VENV)/dev.stamp node_modules/dev.stamp ## style, types, layers, migrations, translations
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@npm run --silent check
	@VTEAM_DEMO=true VTEAM_DATA=$$(mktemp -d) DJANGO_SETTINGS_MODULE=vteam.settings $(BIN)/python -m django makemigrations --check
	@$(BIN)/python -m vteam.web.messages check

bench: setup $(VENV)/dev.stamp ## how fast vTeam is here, beside its peers: every bench, short
	@for name in redirect posting standings home replay memory pass-on mail torrents announce witness draw worlds; do $(BIN)/vteam bench $$name --quick || exit 1; done

lock: $(VENV)/dev.stamp ## pin the dependencies anew, with hashes
	@requirements/lock.sh

clean: ## forget everything that was built; data folders stay
	rm -rf $(VENV) node_modules vteam/web/static

# Set-up ---------------------------------------------------------------------------------------------------
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || (echo "vTeam needs Python 3.11 or newer. Name one: make PYTHON=python3.12 run"; exit 1)
	@$(PYTHON) -m venv $(VENV) || (rm -rf $(VENV); echo "Python's venv module is missing here. On Debian: apt install python3-venv"; exit 1)

$(VENV)/run.stamp: requirements/run.txt requirements/build.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what vTeam needs into $(VENV) (once)…"
	@$(PIP) -r requirements/build.txt -r requirements/run.txt
	@$(BIN)/pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	@echo "Installing the test tools into $(VENV) (once)…"
	@$(PIP) -r requirements/dev.txt
	@touch $@

$(VENV)/node.stamp: requirements/node.txt | $(VENV)/bin/python
	@node --version 2>/dev/null | grep -qE '^v(2[0-9]|[3-9][0-9])\.' || $(PIP) -r requirements/node.txt
	@touch $@

node_modules/run.stamp: package-lock.json $(VENV)/node.stamp
	@echo "Fetching what the pages are built from (once)…"
	@$(NPM_CI) --omit=dev
	@touch $@

node_modules/dev.stamp: package-lock.json node_modules/run.stamp
	@$(NPM_CI)
	@touch node_modules/run.stamp $@

vteam/web/static/manifest.json: node_modules/run.stamp $(VENV)/run.stamp $(shell find vteam/web/assets -type f)
	@node vteam/web/assets/build.mjs
	@touch $@

%.mo: %.po $(VENV)/run.stamp
	@$(BIN)/python -m vteam.web.messages compile
	@touch $@
