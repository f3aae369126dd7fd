# Two commands: `make demo` and `make test`. Both make their own .venv; nothing else is needed than
# Python 3.11 or newer with venv (on Debian: apt-get install python3-venv make); the tests of pages need
# Chromium, which is installed where that is possible.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo test chromium bench choose tune lint clean

$(VENV)/pip.done:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || (echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..." >&2; exit 1)
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'
	touch $@

$(VENV)/app.done: $(VENV)/pip.done pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable '.[app]'
	touch $@

$(VENV)/test.done: $(VENV)/app.done
	$(PIP) install --constraint constraints.txt --editable '.[torch]' --group test
	touch $@

demo: $(VENV)/app.done  ## The main job on a real data set: out/demo/report.html
	$(BIN)/eigenshrink demo --output out/demo

chromium:  ## A browser for the tests of pages: found, installed (Debian, as root) or asked for
	@for name in "$$CHROMIUM" chromium chromium-browser google-chrome google-chrome-stable; do \
	  if command -v "$$name" >/dev/null 2>&1; then exit 0; fi; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; \
	else \
	  echo "The tests of pages need Chromium: apt-get install -y chromium, or CHROMIUM=/path/to/it" >&2; exit 1; \
	fi

test: $(VENV)/test.done chromium  ## Lint, types, every test: two workers of one BLAS thread each
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	env OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile -q

bench: $(VENV)/test.done  ## This project and its peers side by side: out/bench/
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BIN)/python -m benchmarks.run

choose: $(VENV)/test.done  ## Ways of choosing alpha where the truth is known: out/bench/choose.md
	$(BIN)/python -m benchmarks.choose

tune: $(VENV)/test.done  ## Tuning the weight decay of networks against a grid of trainings: out/bench/tune.md
	$(BIN)/python -m benchmarks.tune

clean:
	rm -rf $(VENV) out

.PHONY: pictures
pictures: $(VENV)/test.done chromium  ## The pictures of the README, from the demo's data
	$(BIN)/python docs/pictures.py
