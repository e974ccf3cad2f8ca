# Everything works inside this folder: the packages are in .venv/, nothing else is touched.
# Paths are relative, and programs are started as modules of .venv's Python, so that spaces and
# accents in the name of the folder do no harm.

PYTHON ?= python3
# What people pass in is text, never a program: no $(…) in it is run by make, and recipes read it
# as "$$NAME", so that none is run by the shell. The other variables are the maintainer's own.
GIVEN := PYTHON NOTEBOOK LESSON REPOSITORY CPU GPU AGAIN SOLUTIONS
$(foreach name,$(GIVEN),$(eval override $(name) := $$(value $(name))))
export $(GIVEN)

VENV := .venv
BIN := $(VENV)/bin/python
READY := $(VENV)/ready
EXTRAS := test,site
# On Linux, PyTorch brings more than 4 GB of libraries for GPUs. Its smaller builds are taken where
# there is no such GPU; CPU=1 or GPU=1 decides by hand.
CPU_INDEX := https://download.pytorch.org/whl/cpu
CHOOSE := index=$$("$$PYTHON" tools/torch_builds.py $(CPU_INDEX)) || exit 1;
CONSTRAINT := --constraint constraints.txt
PYTEST := $(BIN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# Two kernels side by side on two cores: more threads each would only be in each other's way.
test slow check newest: export OMP_NUM_THREADS := 1

.PHONY: help run lab test slow check handout slides lessons prose colab bench site newest clean
.DEFAULT_GOAL := help

help: ## say what can be made (this)
	@echo "make TARGET, where TARGET is one of"
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  \1 \t/' | expand -t 12
	@echo "The first of them sets up .venv/ (about 2 GB, or 6 GB with PyTorch for GPUs on Linux; a few minutes)."

# One pip run, and only when what it reads has changed.
$(READY): pyproject.toml constraints.txt
	@command -v -- "$$PYTHON" > /dev/null || { printf '%s\n' "There is no $$PYTHON here: install Python 3.11 or newer, or say which: make PYTHON=/path/to/python"; exit 1; }
	@"$$PYTHON" -c 'import os, sys; v = sys.version.split()[0]; sys.exit(None if sys.version_info >= (3, 11) else os.environ["PYTHON"] + f" is Python {v}, the lessons need 3.11 or newer: say which to use, for example make PYTHON=python3.12")'
	@$(CHOOSE) set -x; "$$PYTHON" -m venv $(VENV) && \
	$(BIN) -m pip install --quiet --disable-pip-version-check --editable ".[$(EXTRAS)]" $(CONSTRAINT) $$index
	@touch $(READY)

LAB := $(BIN) -m jupyterlab --ServerApp.root_dir=notebooks
ifeq ($(SOLUTIONS),)
LAB += --ContentsManager.hide_globs=solutions --ContentsManager.hide_globs=__pycache__
endif

run: $(READY) ## execute all lessons headless into executed/, and print what they reached
	$(BIN) -m tools.build run -- "$$LESSON"

lab: $(READY) ## open JupyterLab on the lessons (SOLUTIONS=1: on the solutions too)
	@$(LAB) || { status=$$?; test "$$(id -u)" != 0 || echo "You are root, and JupyterLab does not start for root, because whoever reaches its page may then do anything here: log in as another user, or, in a container of your own, type: $(LAB) --allow-root"; exit $$status; }

test: $(READY) ## run the tests, and all lessons through nbval
	$(PYTEST)

slow: $(READY) ## run the slow tests: lessons in JupyterLab, in a real browser, and as on Colab
	$(PYTEST) -m slow tests

check: $(READY) ## check a notebook, a folder of them or a zip: NOTEBOOK=path (AGAIN=1: anew)
	$(BIN) -m tools.build check $(if $(AGAIN),--again) -- "$$NOTEBOOK"

handout: $(READY) ## build what a class is given into handout/, without solutions
	$(BIN) -m tools.build handout

lessons: $(READY) ## authors: make the notebooks anew from lessons/, executed (LESSON=02: one)
	$(BIN) -m tools.build lessons -- "$$LESSON"

prose: $(READY) ## authors: the same where no code changed, without executing
	$(BIN) -m tools.build prose -- "$$LESSON"

colab: $(READY) ## maintainers: write the project's address into the lessons: REPOSITORY=owner/name
	$(BIN) -m tools.build colab -- "$$REPOSITORY"
	@touch $(READY)

bench: $(READY) ## measure training, prediction and loading side by side
	$(BIN) benchmarks/bench.py

site: $(READY) ## build the website into site/html/
	$(BIN) -m sphinx -W --keep-going -b html docs site/html -d site/doctrees

slides: $(READY) ## build the slides of each lesson into site/slides/
	$(BIN) -m tools.build slides

newest: ## run the tests against the newest releases, in .venv-newest/ (another 6 GB)
	@$(CHOOSE) set -x; "$$PYTHON" -m venv .venv-newest && \
	.venv-newest/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager --editable ".[$(EXTRAS)]" $$index
	.venv-newest/bin/python -m tools.build held
	$(MAKE) test VENV=.venv-newest READY=

clean: ## remove what was made here, .venv too; the lessons' own folders stay
	rm -rf .venv .venv-newest executed checked handout site .cache .pytest_cache .ruff_cache .mypy_cache
