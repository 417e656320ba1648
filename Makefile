# segmentation: the commands of the project. Each sets up what it needs by itself.

.PHONY: help demo demo-grocery test lint fuzz bench psql install deb test-deb test-pgbouncer dist clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z%-]+):.*## /\1\t/' | expand -t 14

demo: install ## set up everything, segment 2,357 real customers, show a workspace
	@tools/cluster start
	@tools/demo

demo-grocery: install ## real baskets of 2,469 households, downloaded: what each will buy next, and all ten axes
	@tools/cluster start
	@tools/demo-grocery

test: install ## set up everything and run all tests
	@tools/cluster start
	@tools/test

test-pg%: ## the same for another PostgreSQL: test-pg17, test-pg18
	@PG_MAJOR=$* $(MAKE) --no-print-directory test

lint: ## formatting, clippy with warnings as errors
	@tools/setup
	@tools/lint

fuzz: ## every decoder and parser under libFuzzer, 10 minutes each
	@tools/fuzz

bench: install ## speed against plain SQL and against the peers, as ratios
	@tools/cluster start
	@benches/run

psql: ## a shell in the demo database
	@tools/cluster start
	@tools/psql

install: ## build the extension and install it beside PostgreSQL's own
	@tools/setup
	@tools/install

deb: ## Debian packages for each PostgreSQL that is here with its headers, in target/packages
	@tools/package

test-deb: deb ## installs the package on a bare Debian, in a folder of its own, and runs the demo's SQL there
	@tests/package

test-pgbouncer: install ## a workspace through pgbouncer in transaction mode, which is installed for it
	@tools/cluster start
	@tests/pgbouncer

dist: ## the release for PGXN, in target/packages
	@tools/dist

clean: ## remove the private cluster and what was built
	@tools/cluster remove
	@rm -rf target .venv
