# Needs only make and Python 3.11 or newer with its venv module; everything else goes into .venv.
# Extra arguments: make demo ARGS=--once

PYTHON ?= python3
ARGS ?=
UV ?= uv

PY    := .venv/bin/python
PEERS := .venv-peers/bin/python
# The peers, under the same server and driver as ours.
PEER_PACKAGES := django-helpdesk==2.6.1 roundup==2.6.0 \
	$(shell grep -Eo '^(granian|psycopg|psycopg-binary)==[0-9.]+' requirements.txt)

LOCK := $(UV) pip compile --quiet --no-config --universal --python-version 3.11 --fork-strategy fewest \
	--only-binary :all: --generate-hashes --no-strip-extras --emit-build-options --custom-compile-command "make lock"

CHROMIUM_PACKAGES := chromium fonts-noto-cjk

.DEFAULT_GOAL := help
.PHONY: help demo run test test-fast chromium check bench bench-peers lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: .venv/runtime.stamp ## a fresh city with a simulated hour of calls, served until Ctrl+C
	$(PY) run.py demo $(ARGS)

run: .venv/runtime.stamp ## the real thing: web and scheduler
	$(PY) run.py $(ARGS)

test: check chromium ## everything: make check, all tests, 100 % branch coverage of the rules
	$(PY) -m pytest -n auto --cov

test-fast: check ## the same without the stories in a browser
	$(PY) -m pytest -n auto -m "not browser"

chromium: ## bring the browser of the tests where it is missing (Debian, Ubuntu; as root or by sudo)
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || test -n "$$CHROMIUM" || { \
	  echo "Installing Chromium for the browser tests ..."; \
	  sudo=$$(test "$$(id -u)" = 0 || echo sudo); \
	  $$sudo apt-get update -qq; \
	  $$sudo apt-get install -y -qq --no-install-recommends $(CHROMIUM_PACKAGES) >/dev/null || \
	    echo "It did not come; the browser tests will fail: apt-get install $(CHROMIUM_PACKAGES)" >&2; }

check: .venv/dev.stamp ## fast: style, types, import contracts, generated diagram
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports --no-logo
	$(PY) run.py state-diagram --check

bench: .venv/dev.stamp ## the speed goals, each as a ratio with its limit in the same run
	$(PY) -m bench $(ARGS)

bench-peers: .venv/dev.stamp .venv-peers/peers.stamp ## the same work in django-helpdesk and roundup
	$(PY) -m bench.peers --python $(PEERS) $(ARGS)

lock: ## pin and hash the requirements again (needs uv; LOCK is the whole command)
	$(LOCK) $(ARGS) requirements.in -o requirements.txt
	$(LOCK) $(ARGS) requirements-routing.in -o requirements-routing.txt
	$(LOCK) $(ARGS) requirements-dev.in -o requirements-dev.txt

clean: ## remove the venvs and caches; data in var/ stays
	rm -rf .venv .venv-peers .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

define make_venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.13" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python has no venv module here; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing into $(@D) ..."
	@$(PYTHON) -m venv --clear $(@D)
endef

.venv/runtime.stamp: requirements.txt
	$(make_venv)
	@$(PY) -m pip install --quiet --require-hashes -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/runtime.stamp
	@echo "Installing what the tests need ..."
	@$(PY) -m pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

.venv-peers/peers.stamp: Makefile requirements.txt
	$(make_venv)
	@$(PEERS) -m pip install --quiet $(PEER_PACKAGES)
	@touch $@
