# make demo     pseudo labels, trainings and tests, a table and a picture
# make test     the test suite
# make install  the environment in .venv that both need
# make test-properties, make fuzz, make test-kill
#               long checks of reliability, see CONTRIBUTING.md
# make dist     wheel and sdist in dist/, checked
# make docs     the documentation, in work_dirs/site
# make test-upstream  the test suite and the shortest demo on the openmmlab stack
# make test-oldest    the same with the oldest versions; needs PYTHON=python3.10
#                     or python3.11
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
WHEELS := .mmcv-wheels

.PHONY: install demo test test-properties fuzz test-kill lint dist docs
.PHONY: test-upstream test-oldest
install: $(VENV)/installed

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --upgrade pip
	$(PY) -m pip install --constraint constraints.txt torch
	$(PY) -m pip install --constraint constraints.txt --editable '.[onedl,crf,coco,hed,ray,sam,onnx,dev]'
	touch $@

# DATA=folder in VOCdevkit's layout; RESUME=1 resumes an interrupted demo;
# ARGS=more options, see `box2seg demo --help`.
demo: install
	$(PY) tools/benchmark/demo.py $(if $(DATA),'$(DATA)') $(if $(filter-out 0,$(RESUME)),--resume) $(ARGS)

# Several tests at once, with one thread each.
test: install
	OMP_NUM_THREADS=1 $(PY) -m pytest --numprocesses auto --maxprocesses 4 \
		--dist loadscope $(ARGS)

# More than 200,000 generated examples; the last lines show how many passed.
test-properties: install
	OMP_NUM_THREADS=1 $(PY) -m pytest -m property --numprocesses 2 \
		--dist worksteal --hypothesis-profile thorough $(ARGS)

# 10,000 damaged annotation files.
fuzz: install
	OMP_NUM_THREADS=1 $(PY) tests/fuzz/fuzz_annotations.py $(ARGS)

# A training that is killed 20 times and resumed.
test-kill: install
	OMP_NUM_THREADS=1 $(PY) tests/reliability/kill_training.py $(ARGS)

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

# The openmmlab stack. mmcv is compiled once for each version of Python and
# torch. Its folder is moved and the environment marked when they are complete,
# so after an interruption the unfinished part starts again.
.venv-upstream/installed: CONSTRAINTS := constraints.txt
.venv-upstream/installed: EXTRAS := openmmlab,crf,coco,hed,ray,sam,onnx,dev
.venv-upstream/installed: constraints.txt
.venv-oldest/installed: CONSTRAINTS := constraints-oldest.txt
.venv-oldest/installed: EXTRAS := openmmlab,crf,coco,hed,ray,dev
.venv-oldest/installed: constraints-oldest.txt
.venv-upstream/installed .venv-oldest/installed: pyproject.toml
	$(PYTHON) -m venv --clear $(@D)
	set -e; . $(@D)/bin/activate; \
	install="python -m pip install --constraint $(CONSTRAINTS)"; \
	$$install --upgrade pip; \
	$$install torch setuptools wheel ninja; \
	wheels=$(WHEELS)/$$(python -c 'import sys, torch; print(f"{sys.implementation.cache_tag}-torch-{torch.__version__}")'); \
	if ! test -d $$wheels; then \
		rm -rf $$wheels.part; \
		FORCE_CUDA=0 MMCV_WITH_OPS=1 python -m pip wheel --no-cache-dir --no-build-isolation --no-deps \
			--constraint $(CONSTRAINTS) --wheel-dir $$wheels.part mmcv; \
		mv $$wheels.part $$wheels; \
	fi; \
	$$install $$wheels/*.whl; \
	$$install --editable '.[$(EXTRAS)]'
	touch $@

# mmengine 0.10.7 cannot load its own checkpoints without the variable.
test-upstream test-oldest: export TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD := 1
test-upstream test-oldest: test-%: .venv-%/installed
	OMP_NUM_THREADS=1 .venv-$*/bin/python -m pytest --numprocesses auto --maxprocesses 4 \
		--dist loadscope $(ARGS)
	.venv-$*/bin/python tools/benchmark/demo.py --methods grabcut box2seg --seeds 0
