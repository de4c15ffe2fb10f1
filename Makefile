# `make` lists what there is. Everything runs on Python 3.11+ alone; the first call of a target installs what it needs into .venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

TEST_DATABASE_URL ?= postgres://root@127.0.0.1:5432/helpdesk
TEST_REDIS_URL    ?= redis://127.0.0.1:6379/9
# What a real installation would have, for the checks that look at settings.
PRODUCTION_LIKE := SECRET_KEY=only-for-the-check-0123456789-abcdefghijklmnopqrstuvwxyz ALLOWED_HOSTS=support.example.com \
	SITE_URL=https://support.example.com EMAIL_HOST=mail.example.com DEBUG=0 DEMO=0
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test test-services check format messages screenshots

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/installed ## the whole product with demo data at http://127.0.0.1:8000 (PORT, SMTP_PORT change the ports)
	@exec $(BIN)/python manage.py demo

demo-reset: ## throws the demo's data away; the next `make demo` starts over
	@if [ -n "$$DATABASE_URL" ]; then echo "DATABASE_URL is set: empty that database yourself." >&2; exit 1; fi
	@if [ -e $(VENV)/installed ]; then $(BIN)/python manage.py demo --reset; \
	elif [ -n "$$VAR_DIR" ]; then echo "VAR_DIR is set: empty that folder yourself." >&2; exit 1; \
	else rm -rf var; echo "The demo's data is gone."; fi

test: $(VENV)/installed-dev ## all tests on the embedded default: SQLite, no server (TESTS="tests/portal -x" for some)
	env -u DATABASE_URL -u REDIS_URL $(BIN)/python -m pytest --nomigrations $(TESTS)

test-services: $(VENV)/installed-dev ## on PostgreSQL and Redis those that ask either (TEST_DATABASE_URL, TEST_REDIS_URL)
	DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL) $(BIN)/python -m pytest --services $(TESTS)

check: $(VENV)/installed-dev ## everything that reads the code without running it
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet templates
	$(PRODUCTION_LIKE) $(BIN)/python manage.py makemigrations --check --dry-run
	$(PRODUCTION_LIKE) $(BIN)/python manage.py check --deploy --fail-level WARNING

format: $(VENV)/installed-dev ## puts the code into its one form
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

messages: $(VENV)/installed ## collects the words of pages and mails into locale/, and compiles what is translated there (needs gettext)
	DEMO=1 $(BIN)/python manage.py makemessages --all --add-location file --no-wrap --no-obsolete -i tests -i bench -i docs -i var
	DEMO=1 $(BIN)/python manage.py compilemessages --ignore .venv

screenshots: $(VENV)/installed-dev ## takes docs/screenshots anew from a demo of its own
	$(BIN)/python docs/screenshots.py

$(VENV)/created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; name one with PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/installed: requirements.txt | $(VENV)/created
	@echo "Installing what the product runs on (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	@echo "Installing what tests and checks it (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
