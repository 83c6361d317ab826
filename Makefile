# Everything is installed into .venv by what needs it, once for every version of pyproject.toml.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/installed
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

.PHONY: help demo test test-peers bench lint types clean

help:
	@echo "make demo        a loss beside its gradient, and a model fitted with it"
	@echo "make test        tests and the examples in docstrings, with coverage"
	@echo "make test-peers  tests against PyTorch, JAX, autograd, SciPy and Numba"
	@echo "make bench       speed against a gradient by hand, autograd and PyTorch (BENCH=--quick, BENCH=--write)"
	@echo "make lint        ruff"
	@echo "make types       mypy --strict"
	@echo "make clean       remove what these targets made, .venv too"

demo: $(INSTALLED)-demo
	$(RUN) examples/demo.py build/sunspots_gradient.py

test: $(INSTALLED)-test
	$(RUN) -m pytest -m "not peers" --cov=ad_compiler --cov-branch --cov-report=term:skip-covered

# pytest exits with 5 when it collects no test: that fails here, as any other non-zero code.
test-peers: $(INSTALLED)-test,peers
	JAX_PLATFORMS=cpu $(RUN) -m pytest -m peers

bench: $(INSTALLED)-bench
	$(ONE_THREAD) $(RUN) benchmarks/run.py $(BENCH)

lint: $(INSTALLED)-lint
	$(RUN) -m ruff check .

types: $(INSTALLED)-lint
	$(RUN) -m mypy --strict ad_compiler

# The name of the stamp says which extras of pyproject.toml are installed.
$(INSTALLED)-%: pyproject.toml | $(RUN)
	$(RUN) -m pip install --quiet --editable ".[$*]"
	touch $@

$(RUN):
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) build dist *.egg-info .coverage .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
