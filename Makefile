# make demo   pseudo labels, training and test of three methods, one table
# make test   the test suite
# make install  the environment in .venv that both need
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: install demo test lint
install: $(VENV)/installed

$(VENV)/installed: setup.py constraints.txt box2seg_mmseg/toolbox.py
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --upgrade pip
	$(PY) -m pip install --constraint constraints.txt torch
	$(PY) -m pip install --constraint constraints.txt --editable '.[onedl,crf,coco,ray,dev]'
	touch $@

# DATA=folder in VOCdevkit's layout; RESUME=1 goes on after an interruption;
# ARGS=more options, see tools/benchmark/demo.py --help.
demo: install
	$(PY) tools/benchmark/demo.py $(if $(DATA),'$(DATA)') $(if $(filter-out 0,$(RESUME)),--resume) $(ARGS)

# Several tests at once, with one thread each.
test: install
	OMP_NUM_THREADS=1 $(PY) -m pytest --numprocesses auto --maxprocesses 4 \
		--dist loadscope $(ARGS)

lint: install
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

# The documentation in work_dirs/site; reads the sources without importing them.
.PHONY: docs
docs: install
	$(PY) -m pip install --quiet --constraint constraints.txt mkdocs mkdocs-material 'mkdocstrings[python]'
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict
