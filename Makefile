# `make quick` and `make test` set up everything that they need.
PYTHON ?= python3
RECORD ?= quick
BIN := .venv/bin
# By `python -m`, because the scripts in .venv name the folder it was made in, which may have moved since. Snakemake's
# cache lies here, so that a home folder need not be writable.
SNAKEMAKE = XDG_CACHE_HOME="$$PWD/.snakemake/cache" python -m snakemake
IS_NEW := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
TEX := latexmk texlive-latex-base texlive-latex-recommended texlive-latex-extra texlive-science texlive-fonts-recommended

# Snakemake writes paths into its log, and a locale may not have their letters.
export PYTHONUTF8 := 1
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: quick smoke overnight full paper test coverage mutants torture lint benchmark setup tex clean

quick: ## the laptop's record, with its PDF, in minutes
	@$(MAKE) --no-print-directory record RECORD=quick

smoke overnight full: ## the tests' record, the night of a computer without a GPU, and the full replication
	@$(MAKE) --no-print-directory record RECORD=$@

.PHONY: record
record: setup tex
	$(SNAKEMAKE) --cores all --config record=$(RECORD)

paper: setup tex ## the PDF of a record that exists: make paper RECORD=reference
	$(SNAKEMAKE) --cores all paper --config record=$(RECORD)

TEST = pytest -n auto --dist loadfile --no-loadscope-reorder --durations=25

test: setup tex ## the tests; make test SLOW=1 adds those that take longest, with the smoke record from start to PDF
	python -m $(TEST) $(if $(SLOW),,-m "not slow")

# Not part of `test`, because it costs the start of every process of the tests.
coverage: setup tex ## all tests, with the lines of src and experiments that none of them reaches; at least 95 %
	@rm -f .coverage .coverage.*
	python -m coverage run -m $(TEST)
	-@python -m coverage combine --quiet # without the data of what the tests have killed
	python -m coverage report

mutants: setup ## changes of constants and signs, each of which the tests must notice
	python tests/mutants.py

torture: setup ## two hundred sequences of kills, edits and damages of a record, other ones each time
	FGAN_TORTURE=200 python -m pytest -n 0 tests/project/test_torture.py

lint: setup
	python -m ruff check .
	python -m ruff format --check .
	python -m snakefmt --check Snakefile rules
	$(SNAKEMAKE) --lint --config record=smoke

benchmark: setup ## speed of populations against a plain loop (the README's table), in minutes
	python -m benchmarks

setup: .venv/installed

.venv/installed: requirements.lock requirements.hashes pyproject.toml
	@case "$$PWD" in *:*) echo "Python makes no environment in a folder with ':' in its path: rename it"; exit 1;; esac
	@$(PYTHON) $(IS_NEW) || { echo "Python 3.11 or newer is needed, and $(PYTHON) is not: make PYTHON=python3.11"; exit 1; }
	@[ ! -e .venv ] || $(BIN)/python $(IS_NEW) 2>/dev/null || rm -rf .venv # half-made, by an older Python
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement requirements.hashes
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@for path in .venv/lib/python*/site-packages/__editable__.*.pth; do echo ../../../../src >"$$path"; done # a copy finds its own code
	@touch $@

tex:
	@if command -v latexmk >/dev/null && command -v pdflatex >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $(TEX) >/dev/null \
	  || echo "TeX could not be installed, so there will be no PDF; install: $(TEX)"; \
	else echo "TeX is missing, so there will be no PDF; install: $(TEX)"; fi

clean: ## delete the environment and all records but the committed one
	rm -rf .venv .snakemake results/smoke results/quick results/overnight results/full results/extended results/.data
