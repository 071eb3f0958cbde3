# run: a served demonstration. test, check, bench, clean: for those who change it.
# Everything lives in .venv and var; nothing outside this folder is touched.
.POSIX:
PYTHON = python3
VENV = .venv
BIN = $(VENV)/bin
HOST = 127.0.0.1
PORT = 8000

.PHONY: run test check bench exact clean

run: $(VENV)/.runtime
	@echo "== [2/3] demonstration claims: var/triage.db (kept if they are there already)"
	@mkdir -p var
	@$(BIN)/triage demo
	@echo "== [3/3] serving; stop with Ctrl-C, start again with make run"
	@exec $(BIN)/triage serve --host $(HOST) --port $(PORT)

test: $(VENV)/.dev
	$(BIN)/python -m pytest

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/triage rules check

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench.run

# A hundred thousand random claims against a walk over every completion; about a quarter of an hour.
exact: $(VENV)/.dev
	$(BIN)/python -m tests.bench.whole_claim 100000

# The stamps are written only after pip has finished, so an interrupted install starts again.
$(VENV)/.runtime: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "This needs Python 3.11, 3.12 or 3.13. Name one with: make run PYTHON=python3.12" >&2; exit 1; }
	@echo "== [1/3] installing into $(VENV) (only once, or after a change of dependencies)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "python3 -m venv failed; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	@echo "== installing what tests and checks need"
	@$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "var/ (your claims) is kept; remove it by hand"
