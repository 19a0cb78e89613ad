# make demo     pseudo labels, trainings and tests, a table and a picture
# make test     the test suite
# make install  the environment in .venv that both need
# make dist     wheel and sdist in dist/, checked
# make docs     the documentation, in work_dirs/site
# make test-upstream  the test suite and the shortest demo on the openmmlab stack
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
UPSTREAM := .venv-upstream
WHEELS := .mmcv-wheels

.PHONY: install demo test lint dist docs test-upstream
install: $(VENV)/installed

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --upgrade pip
	$(PY) -m pip install --constraint constraints.txt torch
	$(PY) -m pip install --constraint constraints.txt --editable '.[onedl,crf,coco,ray,dev]'
	touch $@

# DATA=folder in VOCdevkit's layout; RESUME=1 resumes an interrupted demo;
# ARGS=more options, see `box2seg demo --help`.
demo: install
	$(PY) tools/benchmark/demo.py $(if $(DATA),'$(DATA)') $(if $(filter-out 0,$(RESUME)),--resume) $(ARGS)

# Several tests at once, with one thread each.
test: install
	OMP_NUM_THREADS=1 $(PY) -m pytest --numprocesses auto --maxprocesses 4 \
		--dist loadscope $(ARGS)

lint: install
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

dist: install
	rm -rf dist
	$(PY) -m build
	$(PY) -m twine check --strict dist/*

# Reads the sources without importing them; fetches nothing.
docs: install
	$(PY) -m pip install --quiet --constraint constraints.txt mkdocs mkdocs-material 'mkdocstrings[python]'
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict

# Builds mmcv with its ops once for each version of Python and torch. The wheel
# is moved and the environment marked when they are complete, so an interrupted
# run starts the unfinished part again.
$(UPSTREAM)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv --clear $(UPSTREAM)
	$(UPSTREAM)/bin/python -m pip install --upgrade pip
	$(UPSTREAM)/bin/python -m pip install --constraint constraints.txt torch setuptools wheel ninja
	set -e; . $(UPSTREAM)/bin/activate; \
	wheels=$(WHEELS)/$$(python -c 'import sys, torch; print(f"{sys.implementation.cache_tag}-torch-{torch.__version__}")'); \
	if ! test -d $$wheels; then \
		rm -rf $$wheels.part; \
		FORCE_CUDA=0 MMCV_WITH_OPS=1 python -m pip wheel --no-cache-dir --no-build-isolation --no-deps \
			--constraint constraints.txt --wheel-dir $$wheels.part mmcv; \
		mv $$wheels.part $$wheels; \
	fi; \
	python -m pip install --constraint constraints.txt $$wheels/*.whl
	$(UPSTREAM)/bin/python -m pip install --constraint constraints.txt --editable '.[openmmlab,crf,coco,ray,dev]'
	touch $@

# mmengine 0.10.7 cannot load its own checkpoints without the variable.
test-upstream: export TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD := 1
test-upstream: $(UPSTREAM)/installed
	OMP_NUM_THREADS=1 $(UPSTREAM)/bin/python -m pytest --numprocesses auto --maxprocesses 4 \
		--dist loadscope $(ARGS)
	$(UPSTREAM)/bin/python tools/benchmark/demo.py --methods grabcut box2seg --seeds 0
