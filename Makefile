# Two commands are enough: `make demo` shows it work, `make test` proves it. Both set up what they need.
UV_VERSION = 0.13.9
UV         = .uv-boot/bin/uv
PY         = .venv/bin/python
STRETTO    = .venv/bin/stretto
DEMO       = build/demo
MARKET     = build/market
OF_CORE    = $(addprefix tests/,core plans context reviewers synthesis planners engines agents/test_teams.py)
export UV_SYSTEM_CERTS = 1

.PHONY: demo market test laws coverage crash soak check fix lock bench clean
.DEFAULT_GOAL := help

help:  ## what can be done here
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(UV):
	python3 -m venv .uv-boot
	.uv-boot/bin/pip install -q --disable-pip-version-check uv==$(UV_VERSION)

.venv/.stamp: $(UV) locks/dev.txt pyproject.toml
	test -x $(PY) || $(UV) venv -q --python "$$(command -v python3)" .venv
	$(UV) pip sync -q --python $(PY) --require-hashes locks/dev.txt
	$(UV) pip install -q --python $(PY) --no-deps -e .
	touch $@

demo: .venv/.stamp  ## run the IT-operations job on its own logs, approving by itself
	@rm -rf $(DEMO) && mkdir -p build && cp -R examples/it-operations $(DEMO)
	$(STRETTO) run -w $(DEMO) --approve all "Analyze these logs, report breaches, and fix issues."

market: .venv/.stamp  ## write the market report from its tables and notes
	@rm -rf $(MARKET) && mkdir -p build && cp -R examples/market-report $(MARKET)
	$(STRETTO) run -w $(MARKET) "Write a market report on cargo e-bikes from these sources"

test: .venv/.stamp  ## the whole test suite
	$(PY) -m pytest -n 2

laws: .venv/.stamp  ## look for new cases that break a law: every property test, ten times, with fresh chance
	for turn in 1 2 3 4 5 6 7 8 9 10; do LAWS=search $(PY) -m pytest -q -n 2 -m hypothesis || exit 1; done

coverage: .venv/.stamp  ## how much of the core, line by line and branch by branch, its tests reach
	$(PY) -m pytest -n 2 --timeout 600 $(OF_CORE) --cov=stretto.core --cov-branch --cov-report=term-missing --cov-fail-under=100

crash: .venv/.stamp  ## 500 random runs killed with kill -9 at random places
	$(PY) -m tests.crash.storm --cases 500

soak: .venv/.stamp  ## 2,000 runs in which every fifth call fails
	$(PY) -m tests.crash.soak --runs 2000

check: .venv/.stamp  ## format, lint, types, import contracts
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/mypy examples/market-report/generate.py
	.venv/bin/lint-imports --no-cache

fix: .venv/.stamp  ## format and mend what can be mended
	.venv/bin/ruff check --fix-only -q . ; .venv/bin/ruff format .

COMPILE = $(UV) pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links
lock: $(UV)  ## pin the dependencies anew
	$(COMPILE) --group dev -o locks/dev.txt
	! grep -nE '://|^-' locks/*.txt

bench: .venv/.stamp  ## measure: what orchestrating and streaming gain, cost per task, workers, reloading, checking, planning, streams, retrieval, queries, calculation, verification, telemetry, a server under load, pages
	for one in tasks model_server worker reloading check_plan planning streaming retrieval query calculation verification telemetry server pages; do $(PY) bench/$$one.py || exit 1; done

clean:  ## remove what these commands made
	rm -rf .venv .uv-boot build .mypy_cache .ruff_cache .pytest_cache
