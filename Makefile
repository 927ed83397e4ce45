# The two commands to know: `make demo` and `make test`. Both set up what they need first.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Versions the embedded LocalStack works on. Another one may be named: make setup PYTHON=3.12
PYTHON ?= >=3.11,<3.13
BIN := .venv/bin
# Of the images that `make infra` names.
TAG ?= dev
LOCALSTACK := orchestrator/embedded/localstack-requirements.txt
# One story of a whole fleet, which counts what each run costs: nothing runs beside it.
FLEET := tests/behaviour/pipeline
# The forecast service, which really trains, and the pipeline that asks it.
FORECAST := tests/behaviour/forecast_api
# All three styles on a fleet of their own, the scheduled one by its clocks.
COMPARE := tests/behaviour/compare

.PHONY: help setup demo test test-squad test-faults test-forecast test-compare test-browser test-compose infra chaos lint render pacts bench clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.setup ## Make .venv and LocalStack's own environment

demo: setup ## Load a sample history, run the pipeline in both styles, compare
	$(BIN)/python -m orchestrator.demo

test: setup lint ## Check style and types, then run every test but those of the slower targets
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore $(FLEET) --ignore $(COMPARE) --ignore $(FORECAST)
	$(BIN)/python -m pytest $(FLEET)

test-squad: setup ## One squad's unit and contract tests with nobody else's code: make test-squad SQUAD=pickles
	$(BIN)/python -m tests.alone "$(SQUAD)"

test-faults: setup .tools/libfaketime.so.1 ## One test for each fault that nothing may be lost by (minutes)
	$(BIN)/python -m pytest tests/faults

test-forecast: setup ## Amazon Forecast's API and the pipeline order-volume on it, with real trainings (minutes)
	$(BIN)/python -m pytest $(FORECAST)

test-compare: setup ## `brigade compare` on a small pipeline, faults included (minutes)
	$(BIN)/python -m pytest $(COMPARE)

test-browser: setup ## The pages of `brigade serve` in a headless Chromium, which must be installed
	$(BIN)/python -m pytest tests/browser

test-compose: setup ## Build and use docker-compose.yml on a Docker engine, faults included (minutes)
	$(BIN)/python -m pytest -s tests/compose

infra: .venv/.infra ## The CloudFormation templates for AWS, in cdk.out: types, cdk-nag, cfn-lint and tests (minutes; brings Node)
	$(BIN)/mypy infra tests/infra/*.py
	rm -rf cdk.out
	$(BIN)/python -m infra --out cdk.out --tag "$(TAG)"
	$(BIN)/cfn-lint cdk.out/*.template.json
	$(BIN)/python -m pytest tests/infra

chaos: setup ## Many runs in both styles under a mix of faults, and a table of what became of them (minutes)
	$(BIN)/brigade chaos

lint: setup ## Check style, types, and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

render: setup ## Write again the files that follow from the pipelines
	$(BIN)/brigade render

pacts: setup ## Write again what each component's tests say that it relies on
	WRITE_PACTS=1 $(BIN)/python -m pytest tests/contracts -k committed

bench: setup ## Measure the worker's overhead, the gain of extracting in parallel, and what waiting for Amazon Forecast costs
	$(BIN)/python -m bench.worker
	$(BIN)/python -m bench.extract
	$(BIN)/python -m bench.models
	$(BIN)/python -m bench.polling

clean: ## Remove what setup and the tests made in this folder
	rm -rf .venv .tools .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.setup: pyproject.toml uv.lock $(LOCALSTACK) | .tools/uv
	env -u VIRTUAL_ENV .tools/uv sync --locked --all-extras --no-extra infra --python "$(PYTHON)"
	$(BIN)/python -m orchestrator.embedded.prepare
	@touch $@

# CDK and a Node, 450 MB that nothing else needs.
.venv/.infra: .venv/.setup
	env -u VIRTUAL_ENV .tools/uv sync --locked --all-extras --python "$(PYTHON)"
	@touch $@

# What sets a worker's clock wrong: Debian's where it is installed, else from a wheel.
.tools/libfaketime.so.1: | .tools/uv
	@set -- /usr/lib/*/faketime/libfaketime.so.1; \
	if [ -e "$$1" ]; then ln -sf "$$1" $@; else \
	.tools/uv pip install --quiet --no-deps --target .tools/libfaketime libfaketime==3.0.1 && \
	ln -sf libfaketime/libfaketime/vendor/libfaketime/src/libfaketime.so.1 $@; fi

# The uv of the machine, else one of our own: in a venv, or beside it where Python has no ensurepip.
.tools/uv:
	@mkdir -p .tools
	@if uv --version >/dev/null 2>&1; then ln -sf "$$(command -v uv)" $@; \
	elif python3 -m venv .tools/venv >/dev/null 2>&1 && .tools/venv/bin/python -m pip install --quiet uv; then ln -sf venv/bin/uv $@; \
	elif python3 -m pip install --quiet --target .tools/lib uv; then ln -sf lib/bin/uv $@; \
	else echo "uv is missing and could not be installed: install it (https://docs.astral.sh/uv), then try again" >&2; exit 1; fi
