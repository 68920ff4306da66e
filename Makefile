# make run    the whole of Mailsales on this machine; PORT=9000 make run puts it on another port
# make test   every check and every test
# make faults twenty minutes of kill -9, frozen workers, outages, wrong replies and odd mail; make test has a minute of it
# make audit  known weaknesses of the libraries (asks a public database)
export UV_SYSTEM_CERTS = 1
export UV_PYTHON_DOWNLOADS = never
export UV_NO_CONFIG = 1
# Compiled modules make every start but the first faster; foreign settings of Python would break ours.
unexport PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH VIRTUAL_ENV

RECENT = import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(RECENT)' 2>/dev/null && echo $$python && break; done)
PROJECT = manage.py mailsales accounts campaigns delivery reports tests
RUN = .venv/bin/python -m
# A .venv whose Python does not run (made by another user, or on another machine) is made anew.
BROKEN := $(shell test ! -e .venv || .venv/bin/python -c '' 2>/dev/null || rm -rf .venv)

.PHONY: run test faults audit lock
.DELETE_ON_ERROR:

run: .venv/.base
	@MAILSALES_DIE_WITH_PARENT=$$PPID exec .venv/bin/python manage.py stack

test: .venv/.dev
	@.ci/need
	@echo 'ruff, djlint, mypy, Django …'
	@$(RUN) ruff format -q --check .
	@$(RUN) ruff check -q .
	@$(RUN) djlint --quiet --lint templates
	@$(RUN) mypy $(PROJECT)
	@MAILSALES_ENV=production SECRET_KEY=only-for-this-check-0123456789-abcdefghijklmnopqrstuvwxyz PUBLIC_URL=https://mailsales.example.jp \
		DATABASE_URL=postgresql://mailsales@localhost/mailsales REDIS_URL=redis://localhost \
		.venv/bin/python manage.py check --deploy --fail-level WARNING
	@.venv/bin/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@$(RUN) pytest

faults: .venv/.dev
	@MAILSALES_FAULTS=long $(RUN) pytest --timeout 900 tests/faults tests/delivery/test_inbound_fuzz.py

audit: .venv/.dev
	@.tools/bin/uv tool run pip-audit --disable-pip --require-hashes -r requirements/base.txt

lock: .tools/bin/uv
	@.tools/bin/uv pip compile -q --universal --generate-hashes --no-header pyproject.toml -o requirements/base.txt
	@.tools/bin/uv pip compile -q --universal --generate-hashes --no-header --group dev pyproject.toml -o requirements/dev.txt

.venv/.base .venv/.dev: .venv/.%: requirements/%.txt | .tools/bin/uv
	@test -x .venv/bin/python || .tools/bin/uv venv -q --python "$$(command -v $(PYTHON))" .venv
	@echo 'Installing the libraries …'
	@VIRTUAL_ENV="$$PWD/.venv" .tools/bin/uv pip install -q --require-hashes -r $< && touch $@

.tools/bin/uv: requirements/uv.txt
	@test -n '$(PYTHON)' || { echo 'Mailsales needs Python 3.11 or newer. PYTHON=/path/to/python make run names one.' >&2; exit 1; }
	@rm -rf .tools
	@if $(PYTHON) -m pip --version >/dev/null 2>&1; \
	then $(PYTHON) -m pip install -q --disable-pip-version-check --root-user-action=ignore --require-hashes --target .tools -r $<; \
	else $(PYTHON) -m venv .tools && .tools/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<; fi
	@touch $@
