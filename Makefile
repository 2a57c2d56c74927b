# `make help` lists what there is.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run install check test lint format typecheck audit lock wheels messages train evaluate bench bench-latency bench-live bench-pages bench-stages bench-study bench-tutorial bench-video screenshots compare chaos mutants docs tables commands figures image image-test clean

BASE_PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null && { command -v $$p; break; }; done)
VENV ?= .venv
PYTHON = $(VENV)/bin/python
# Half of the time tests wait for processes of a site, which leave a core free.
AT_ONCE ?= --numprocesses 2 --dist loadgroup --no-loadscope-reorder
# What was not tested is listed at the end, each with its reason.
SAY_SKIPS = -rs
export DEBUG ?= true

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/serve.installed  ## Install what is missing and run the whole site (PORT, DATA_DIR)
	@[ ! -x $(VENV)/docs/bin/mkdocs ] || $(MAKE) --no-print-directory var/docs/index.html || true
	@exec $(PYTHON) manage.py start

install: $(VENV)/serve.installed  ## Only install what the site needs

test: $(VENV)/dev.installed $(VENV)/docs.installed  ## Install test tools and run every check and test
	sh scripts/install-browser $(PYTHON)
	sh scripts/install-servers
	$(MAKE) --no-print-directory lint typecheck
	$(PYTHON) -m pytest $(AT_ONCE) $(SAY_SKIPS)
	sh scripts/with-postgresql $(PYTHON) -m pytest $(AT_ONCE) $(SAY_SKIPS) tests/accounts tests/recognition tests/api tests/admin tests/jobs tests/test_row_locks.py --ignore tests/admin/test_running_site.py
	sh scripts/with-postgresql $(PYTHON) -m pytest $(AT_ONCE) $(SAY_SKIPS) -m "not site" tests/series tests/videos tests/studies

check: $(VENV)/dev.installed  ## The fast loop: style, types, import rules, tests without a site or a browser
	$(MAKE) --no-print-directory lint typecheck
	$(PYTHON) -m pytest $(AT_ONCE) -m "not site" tests/jobs tests/accounts tests/api tests/admin tests/recognition tests/test_architecture.py tests/test_rooms.py

lint: $(VENV)/dev.installed  ## Style, formatting, import rules, missing migrations, scripts of the pages, workflows
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports --no-cache
	$(PYTHON) manage.py makemigrations --check --dry-run
	sh scripts/lint-with-npm

format: $(VENV)/dev.installed  ## Format the code
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

typecheck: $(VENV)/dev.installed  ## Check types
	$(VENV)/bin/mypy

audit: $(VENV)/audit.installed  ## Known vulnerabilities of the packages a server runs (asks the internet)
	@sh scripts/audit $(VENV)/audit/bin/pip-audit requirements/constraints.txt

LOCK = $(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --custom-compile-command "make lock" $(ARGS) --output-file

lock: $(VENV)/lock.installed  ## Resolve requirements/*.in into constraints.txt and docs.txt (asks the internet; ARGS=--upgrade)
	$(LOCK) requirements/constraints.txt requirements/serve.in requirements/s3.in requirements/train.in requirements/dev.in
	$(LOCK) requirements/docs.txt requirements/docs.in

wheels: $(VENV)/lock.installed  ## Is there a wheel of every package for every Python and platform? (asks the internet)
	$(PYTHON) scripts/check_wheels.py $(VENV)/lock/bin/uv

messages: $(VENV)/dev.installed  ## Bring the translations in locale/ up to date with the sources (needs gettext)
	$(PYTHON) manage.py makemessages --all --no-wrap --no-obsolete --add-location file --ignore tests --ignore var --ignore node_modules
	sed -i '/^"POT-Creation-Date:/d' locale/*/LC_MESSAGES/django.po
	$(PYTHON) manage.py compilemessages --ignore .venv

BUILD_DOCS = NO_MKDOCS_2_WARNING=1 $(VENV)/docs/bin/mkdocs build --strict --quiet

docs: $(VENV)/docs.installed  ## Build the documentation as a site, into var/docs, which the site shows at /docs/
	$(BUILD_DOCS)

# Where the tool is installed already, a start of the site brings the pages up to date.
var/docs/index.html: $(wildcard docs/*.md docs/*/*.md docs/screenshots/* *.md models/*.md) mkdocs.yml scripts/documentation.py
	@$(BUILD_DOCS)

commands: $(VENV)/serve.installed  ## Write the page of commands anew from what they say of themselves
	$(PYTHON) scripts/document_commands.py

tables: $(VENV)/serve.installed  ## Write the figures of docs/figures into the tables of the documentation
	$(PYTHON) scripts/render_figures.py

train: $(VENV)/train.installed  ## Train, export and calibrate the model (ARGS="--data PATH …"); resumes
	$(PYTHON) manage.py train_model $(ARGS)

evaluate: $(VENV)/train.installed  ## Evaluate the shipped model on the test images (ARGS="--data PATH …")
	$(PYTHON) manage.py evaluate_model $(ARGS)

bench: $(VENV)/dev.installed  ## Photos a second through the whole site and through the bare recognizer (JSON=path)
	$(PYTHON) -m benchmarks.throughput $(if $(JSON),--json $(JSON)) $(ARGS)

figures: $(VENV)/serve.installed  ## Print what the model is wanted to reach beside what it does
	$(PYTHON) manage.py model_figures

bench-latency: $(VENV)/train.installed $(VENV)/dev.installed  ## One face through the model, beside Keras at 96×96; written beside the model
	$(PYTHON) -m benchmarks.latency $(ARGS)

bench-live: $(VENV)/dev.installed  ## The live page's figures: one client, many, a flood, an hour's frames (JSON=path)
	$(PYTHON) -m benchmarks.live $(if $(JSON),--json $(JSON)) $(ARGS)

bench-pages: $(VENV)/dev.installed  ## First paint of a history of 1,000 photos, its queries; bytes and layout shifts of pages (JSON=path)
	$(PYTHON) -m benchmarks.pages $(if $(JSON),--json $(JSON)) $(ARGS)

bench-stages: $(VENV)/dev.installed  ## What each stage of a photo and of a live frame costs one core (JSON=path)
	$(PYTHON) -m benchmarks.stages $(if $(JSON),--json $(JSON)) $(ARGS)

bench-study: $(VENV)/dev.installed  ## A study with 25 participants at once: what is stored, markers beside the truth, a killed process (JSON=path)
	$(PYTHON) -m benchmarks.study $(if $(JSON),--json $(JSON)) $(ARGS)

bench-tutorial: $(VENV)/dev.installed  ## How long a newcomer takes from sign-up to an open study, by the tutorial (JSON=path)
	$(PYTHON) -m benchmarks.study_tutorial $(if $(JSON),--json $(JSON)) $(ARGS)

bench-video: $(VENV)/dev.installed  ## What a minute of 720p video costs in core seconds and memory (JSON=path; ARGS="--peer-python PATH", "--hours 2")
	$(PYTHON) -m benchmarks.video $(if $(JSON),--json $(JSON)) $(ARGS)

screenshots: $(VENV)/dev.installed  ## Take the pictures of the pages in docs/screenshots anew (needs a browser)
	$(PYTHON) -m benchmarks.screenshots $(ARGS)

compare: $(VENV)/dev.installed  ## Visage beside fer and deepface (FER=python DEEPFACE=python ARGS="--faces PATH --photos PATH")
	$(PYTHON) -m benchmarks.compare $(if $(FER),--fer $(FER)) $(if $(DEEPFACE),--deepface $(DEEPFACE)) $(ARGS)

chaos: $(VENV)/dev.installed  ## Break the running site in every way it must survive, and print what became of it
	$(PYTHON) -m tests.chaos.promises $(if $(JSON),--json $(JSON)) $(ARGS)
	sh scripts/with-postgresql $(PYTHON) -m tests.chaos.promises --only writers

mutants: $(VENV)/dev.installed  ## Make a sample of mistakes by chance in a copy of the code, then those of the list, and see which tests fail (ARGS="--size 250")
	nice -n 19 $(PYTHON) -m tests.mutations.sample $(if $(JSON),--json $(JSON)) $(ARGS)
	nice -n 19 $(PYTHON) -m tests.mutations

image:  ## Build the image (with docker, or else buildah as root)
	sh scripts/image build

image-test: $(VENV)/dev.installed  ## Build the image, start every process from it, and try what they do
	sh scripts/image build
	$(PYTHON) -m pytest -s --timeout 900 tests/image/trial.py

clean:  ## Delete the virtual environment and caches; data stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	@test -n "$(BASE_PYTHON)" || { echo "Python 3.11, 3.12, 3.13 or 3.14 is needed and was not found on PATH." >&2; exit 1; }
	@$(BASE_PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(BASE_PYTHON) cannot make virtual environments (on Debian: apt-get install python3-venv)." >&2; exit 1; }

$(VENV)/serve.installed: requirements/serve.txt requirements/serve.in requirements/constraints.txt | $(VENV)/bin/python
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements/serve.txt
	@touch $@

$(VENV)/train.installed: requirements/train.txt requirements/train.in $(VENV)/serve.installed
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements/train.txt
	@touch $@

$(VENV)/dev.installed: requirements/dev.txt requirements/dev.in requirements/s3.txt requirements/s3.in $(VENV)/train.installed
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	@touch $@

# Apart from the rest: what the tool needs shall not decide what the site gets.
$(VENV)/audit.installed: | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	@touch $@

# Apart from the rest, too. It is one program, and needs no Python of its own.
$(VENV)/lock.installed: | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@touch $@

# Apart from the rest, for the same reason.
$(VENV)/docs.installed: requirements/docs.txt | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)/docs
	$(VENV)/docs/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/docs.txt
	@touch $@
