# Everything happens in .venv; `make` alone lists what there is.

PYTHON ?= python3
TORCH_INDEX ?=
REPORT ?= report.yaml
ARGS ?=

set_up := $(PYTHON) tools/set_up.py --torch-index "$(TORCH_INDEX)"
bin := .venv/bin

.PHONY: help setup report test torture fuzz check bench docs clean clean-all
.DEFAULT_GOAL := help

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  PYTHON=python3.12        the Python to use (3.11 to 3.13)'
	@echo '  REPORT=mine/report.yaml  the file that `make report` builds'
	@echo '  ARGS="--set images.4=7"  more options: .venv/bin/fervis build --help'
	@echo '  TORCH_INDEX=https://download.pytorch.org/whl/cpu'
	@echo '                           PyTorch without CUDA, some gigabytes less on Linux'

setup:  ## make .venv with everything a report needs
	@$(set_up) report

report: setup  ## build report.yaml into site/index.html and site/report.pdf
	@$(bin)/python build.py "$(REPORT)" $(ARGS)

test:  ## run every test
	@$(set_up) test
	@$(bin)/python -m pytest $(ARGS)

torture: export FERVIS_KILLS = 50
torture: export FERVIS_KILLED_REPORT = report.yaml
torture: export FERVIS_TIMES = 50
torture:  ## the long tests: 50 kills of the whole report, many examples of hostile input
	@$(set_up) test
	@$(bin)/python -m pytest -x --timeout 7200 tests/faults tests/apart tests/batch tests/spec tests/data $(ARGS)

fuzz:  ## try mutated files on the readers: ARGS="report --runs 100000", see tests/fuzz/README.md
	@$(set_up) test fuzz
	@$(bin)/python -m tests.fuzz $(ARGS)

check:  ## lint, check formatting, types and imports
	@$(set_up) dev
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/lint-imports

bench:  ## measure against the usual tools, into benchmarks/RESULTS.md
	@$(set_up) bench
	@$(bin)/python benchmarks/bench.py $(ARGS)

docs: setup  ## bring docs/report-yaml.md and the README's table up to date
	@$(bin)/python tools/docs.py

clean:  ## remove the built site, stored results and left-overs of tools
	rm -rf .fervis .site.* build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find site -mindepth 1 ! -name .gitkeep -delete

clean-all: clean  ## remove .venv, too
	rm -rf .venv
