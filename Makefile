# Everything a developer types. Needs python3 >= 3.11 with venv, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The build that the tests use; it has no CUDA in it where the index offers one without.
TORCH := 'torch==2.13.0; python_version < "3.12"'
SOURCES := asyncgen kernels tests benchmarks

.DEFAULT_GOAL := help
.PHONY: help demo cycle test test-slow check format bench torture clean mypy pyright

help:  ## Show the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.demo  ## Grow a dataset of 100 tasks on the embedded model into runs/demo.
	$(BIN)/asyncgen generate runs/demo --endpoint local --target 100

cycle: $(VENV)/.train  ## The whole paper on the embedded model: data, finetuning, evaluation (SUPERNI=DIR: on its tasks too).
	$(BIN)/asyncgen cycle runs/cycle --config benchmarks/cycle.toml $(if $(SUPERNI),--superni $(SUPERNI))

test: $(VENV)/.dev  ## Run the tests.
	$(BIN)/python -m pytest -n logical --dist loadfile

test-slow: $(VENV)/.dev  ## Run the tests that take minutes.
	$(BIN)/python -m pytest -m slow

check: $(VENV)/.dev  ## Check format, lint and types; change nothing.
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	@$(MAKE) --no-print-directory --output-sync --jobs 2 mypy pyright

mypy pyright: $(VENV)/.dev
	$(BIN)/$@

format: $(VENV)/.dev  ## Format the code and mend what the linter can.
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

bench: $(VENV)/.dev  ## Run the benchmarks, on CORPUS=FILE if given; findings: benchmarks/LOG.md.
	$(BIN)/asyncgen bench filter $(if $(CORPUS),--corpus $(CORPUS))
	$(BIN)/python benchmarks/bench_growth.py $(if $(CORPUS),--stream $(CORPUS))
	$(BIN)/python benchmarks/bench_embedded.py
	$(BIN)/python benchmarks/bench_engine.py

torture: $(VENV)/.dev  ## Kill, starve and crowd real runs for an hour.
	$(BIN)/python benchmarks/torture.py kills --kills 100 --target 2000
	$(BIN)/python benchmarks/torture.py kills --kills 100 --target 2000 --faults
	$(BIN)/python benchmarks/torture.py kills --kills 100 --target 2000 --faults --endpoints 3
	$(BIN)/python benchmarks/torture.py own --kills 20 --target 500
	$(BIN)/python benchmarks/torture.py wal --kills 60 --target 2000
	$(BIN)/python benchmarks/torture.py disk --target 2000
	$(BIN)/python benchmarks/torture.py limit --target 500
	$(BIN)/python benchmarks/torture.py crowd --kills 30 --target 500

clean:  ## Remove the environment and all caches; runs stay.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "asyncgen needs Python 3.11 or later: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	# The pip that comes with an old Python neither resumes a download nor tells its progress.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	touch $@

$(VENV)/.demo: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[local,speed]'
	touch $@

$(VENV)/.train: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[local,speed,train]' $(TORCH)
	touch $@ $(VENV)/.demo

$(VENV)/.dev: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.demo
