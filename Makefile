# Everything a person does, each a line or two. `make demo` and `make test` need Python 3.11+, make and git, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Dagster warns of its own beta parameters at every import.
export PYTHONWARNINGS := ignore
# uv installs no bytecode. Where the environment forbids Python to write it, every process compiles anew all that it
# imports: collecting the unit tests took 33 s of a core, and takes 12 s with bytecode.
export PYTHONDONTWRITEBYTECODE :=

DEVICES := 10000
INTERVAL := 60
PACK := 25

.PHONY: bench-spark verdict infra-changes deploy help demo drill up down reset test check coverage lint format docs cost prove prove-record load bench bench-edge bench-alerts bench-growth bench-open-hour bench-compaction bench-backfill bench-quarter bench-memory bench-console bench-console-api bench-reading-texts bench-hostile-client bench-day bench-notifications bench-ui-year bench-tick-memory strain truth truth-tests lock raise-pins clean

help:  ## What there is to do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(READY): requirements.txt pyproject.toml
	@echo "setting up $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 ..."; rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.8
	@UV_SYSTEM_CERTS=1 UV_LINK_MODE=copy $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -r requirements.txt
	@UV_SYSTEM_CERTS=1 $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

demo: $(READY)  ## The main job, from TLS handshakes to curated Parquet, and its report
	@$(BIN)/python -m infra.local demo $(if $(SIZE),--size $(SIZE)) $(if $(READINGS),--readings $(READINGS))

drill: $(READY)  ## Each store lost and restored: how long that takes, and what is lost
	@$(BIN)/python -m infra.local drill

up: $(READY)  ## The same, staying up, with the Dagster UI; Ctrl-C stops it all
	@$(BIN)/python -m infra.local up $(if $(SIZE),--size $(SIZE))

down: $(READY)  ## Stop what a killed session left running
	@$(BIN)/python -m infra.local down

reset: $(READY)  ## Stop everything and remove all local state
	@$(BIN)/python -m infra.local reset

# Two workers, each with a local AWS of its own; a module stays on one of them. Their order is that of support/time_box.py.
PARALLEL := -n 2 --dist loadfile --no-loadscope-reorder

test: $(READY)  ## All tests
	@$(BIN)/python -m pytest $(PARALLEL) --durations 10

check: $(READY)  ## For the daily loop: lint, types and the tests that need no server
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest $(PARALLEL) iot_pipeline_tests/unit

coverage: $(READY)  ## All tests, and which lines they do not reach
	@$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term:skip-covered

lint: $(READY)  ## Lint, format and types; and that the contract breaks nothing of the one that was released
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m iot_pipeline.contract compatibility

verdict: $(READY)  ## What the static checks say of the stacks of every environment; the planted mistakes: `python -m infra.verdict planted`
	@$(BIN)/python -m infra.verdict

BASE ?= main
infra-changes: $(READY)  ## What the stacks change of those of BASE, a revision or an assembly's folder: security, replacements, the rest
	@$(BIN)/python -m infra.changes $(BASE) $(if $(ENV),--environment $(ENV))

PART ?= all
deploy: $(READY)  ## The verdict, the changes since BASE if it is given, then the CDK's command line, to AWS: make deploy ENV=staging
	@test -n "$(ENV)" || { echo "say which environment of infra/environments.toml: make deploy ENV=staging"; exit 2; }
	@$(BIN)/python -m infra.deploy_to_aws $(ENV) --part $(PART) $(if $(filter command% environment%,$(origin BASE)),--base $(BASE))

format: $(READY)  ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(READY)  ## Generate every page and table that is made from code: contract, rules, alerts, access, what runs by itself, cost, permissions, checks
	@$(BIN)/python -m iot_pipeline.contract.docs > docs/contract-tables.md
	@$(BIN)/python -m iot_pipeline.alerting.rule_docs > docs/alert-rules.md
	@$(BIN)/python -m iot_pipeline.defs.pipeline_alerts.docs > docs/pipeline-alerts.md
	@$(BIN)/python -m iot_pipeline.console.access_docs > docs/console-access.md
	@$(BIN)/python -m infra.unattended
	@$(BIN)/python -m infra.local.deploy.coverage > docs/local-aws-stacks.md
	@$(BIN)/python -m infra.local.emulator.stock_report > docs/ministack-report.md
	@$(BIN)/python -m infra.cost count
	@$(BIN)/python -m infra.cost picture
	@$(BIN)/python -m infra.cost page
	@$(BIN)/python -m infra.prover table
	@$(BIN)/python -m infra.verdict.checks_page > docs/infrastructure-checks.md

cost: $(READY)  ## The monthly bill of a fleet: DEVICES, INTERVAL in seconds, PACK readings a message, SIZE
	@$(BIN)/python -m infra.cost --devices $(DEVICES) --interval $(INTERVAL) --pack $(PACK) --size $(or $(SIZE),team)

prove: $(READY)  ## Whether every role on AWS may do what is called under it, and nothing else; every size and environment
	@$(BIN)/python -m infra.prover prove

# Calls of every process of a small demo and of tests of edge and watcher, for the prover; some ten minutes.
prove-record: $(READY)  ## Record which AWS calls the product makes, and on what
	@rm -rf .local/recorded && mkdir -p .local/recorded
	@RECORDED_CALLS=$(CURDIR)/.local/recorded PYTHONPATH=$(CURDIR)/infra/local/recording \
		$(BIN)/python -m infra.local demo --readings 20000
	@RECORDED_CALLS=$(CURDIR)/.local/recorded PYTHONPATH=$(CURDIR)/infra/local/recording IOT_TEST_MINUTES=0 \
		$(BIN)/python -m pytest -q iot_pipeline_tests/integration/edge iot_pipeline_tests/integration/defs/test_pipeline_alerts.py
	@$(BIN)/python -m infra.prover record .local/recorded

load: $(READY)  ## 200 devices, 10,000 readings/s for a minute, every fault on; the books must be exact
	@$(BIN)/python -m infra.local demo --readings 100000 --live-rate 10000 --live-pack 25 --live-seconds 60

bench: $(READY)  ## The curated build and the warehouse's load against bare COPYs, and curated against raw queries
	@$(BIN)/python -m infra.local.bench.curated
	@$(BIN)/python -m infra.local.bench.load

# The extra `spark` is needed for this (docs/spark.md), and nothing else here needs it.
bench-spark: $(READY)  ## Spark's rows against Athena's: the demo's million and 100,000 hostile payloads; readings/s, and Glue's price
	@$(BIN)/python -m iot_pipeline_tests.spark_rows --readings 1000000 --hostile 100000

bench-edge: $(READY)  ## The edge's handler beside libraries that only validate, readings a second
	@$(BIN)/python -m infra.local.bench.edge_handler

bench-alerts: $(READY)  ## From a device to its alert, hop by hop, both ways, five minutes each; a sweep of 10,000 devices, and costs
	@$(BIN)/python -m infra.local.bench.alert_latency

bench-growth: $(READY)  ## What a tick of each sensor and schedule costs with a day of history and with a year of it
	@IOT_PARTITIONS_START=2025-01-01T00:00:00+00:00 $(BIN)/python -m infra.local.bench.growth

bench-open-hour: $(READY)  ## What Athena scans for an hour that is built again and again while it fills
	@$(BIN)/python -m infra.local.bench.open_hour

bench-compaction: $(READY)  ## Six queries before and after compaction, and a thousand compactions under a reader
	@$(BIN)/python -m infra.local.bench.compaction

bench-backfill: $(READY)  ## A backfill of 2,000 hours killed three times, under a reader
	@$(BIN)/python -m infra.local.bench.backfill

bench-quarter: $(READY)  ## A simulated quarter with nine kinds of trouble: every partition, builds, alerts, dollars; DAYS=91
	@$(BIN)/python -m infra.local.bench.quarter $(if $(DAYS),--days $(DAYS))

bench-notifications: $(READY)  ## 100,000 notifications of raw objects, the sensor killed twice, on SQLite and on PostgreSQL
	@$(BIN)/python -m infra.local.bench.notifications

bench-ui-year: $(READY)  ## Dagster's pages with a day and with a year of hours, in Chromium
	@$(BIN)/python -m infra.local.bench.ui_year

bench-tick-memory: $(READY)  ## The memory of a process that evaluates sensors and sweeps 2,000 times
	@$(BIN)/python -m infra.local.bench.tick_memory

strain: $(READY)  ## `make up` beside four busy processes: whether it comes up and stops cleanly
	@$(BIN)/python -m infra.local.bench.strain

bench-day: $(READY)  ## A day of `make up`, compressed: 100,000 messages, 2,000 queries, 500 loads; whose memory grows, what is left
	@$(BIN)/python -m infra.local.bench.day

# Java 24 or newer and Maven are needed for these two, and nothing else here needs them.
truth: $(READY)  ## The local Athena against a real Trino: documented statements, 10,000 expressions, the product's tables
	@$(BIN)/python -m iot_pipeline_tests.truth

truth-tests: $(READY)  ## The tests that ask Athena, and the demo, with a real Trino behind its API
	@IOT_LOCAL_ATHENA=trino IOT_TEST_MINUTES=0 $(BIN)/python -m pytest iot_pipeline_tests/integration/local/athena iot_pipeline_tests/integration/lake
	@IOT_LOCAL_ATHENA=trino $(BIN)/python -m infra.local demo

bench-console: $(READY)  ## 500 devices, 20 browsers' streams, ten minutes: the console's memory, drops, how soon a reading shows
	@$(BIN)/python -m infra.local.bench.console_streams

bench-console-api: $(READY)  ## The console's API with 20 users at once, p95 by route
	@$(BIN)/python -m infra.local.bench.console_api

bench-reading-texts: $(READY)  ## What it costs to read a megabyte of blanks, comments, brackets, ...: CPU time, Redshift and Athena
	@$(BIN)/python -m infra.local.bench.reading_texts

bench-hostile-client: $(READY)  ## 50 clients of the local Redshift, one of them hostile: the others' p99 against its quiet value
	@$(BIN)/python -m infra.local.bench.hostile_client

bench-memory: $(READY)  ## How much memory 10 million readings in one hour take, of 200 devices and of one
	@$(BIN)/python -m infra.local.bench.memory

lock: $(READY)  ## Pin the requirements anew from pyproject.toml
	@{ echo '# Pinned by `make lock` from pyproject.toml; one set for Python 3.11 to 3.13. It names no registry.'; \
		UV_SYSTEM_CERTS=1 $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev \
			--no-header --no-annotate --constraint requirements.txt pyproject.toml; } > requirements.new
	@mv requirements.new requirements.txt

raise-pins: $(READY)  ## Raise the pins, PACKAGES="..." or all, and say what breaks: .ci/run judges a clone; kept if it passes
	@UV_SYSTEM_CERTS=1 $(BIN)/python -m iot_pipeline_tests.raise_pins $(PACKAGES)

clean: reset  ## Remove the virtual environment and all local state
	@rm -rf $(VENV) .local
