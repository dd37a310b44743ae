# The commands of daily work; .ci/run runs the same ones. Build logic belongs to Cargo.

.DEFAULT_GOAL := help
.PHONY: help install run web test test-web fuzz check check-fmt check-clippy check-doc audit audit-web seed schema bench bench-micro bench-guard

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

install: ## build and install `guardianeye` with the console into ~/.cargo/bin
	web/build.sh --if-possible
	cargo install --path . --locked

run: ## start the server on http://127.0.0.1:8000 (DATABASE_URL; default: SQLite under data/)
	web/build.sh --if-possible
	cargo run --release --locked -- serve

web: ## build the console into web/dist, which the next build embeds
	web/build.sh

test: ## all tests, on SQLite and PostgreSQL (ARGS="--test it paging" for some)
	tests/postgres.sh cargo test --locked $(ARGS)

test-web: ## browser tests of the console (Chromium), against the built server
	web/tests/run.sh

fuzz: ## random input against the server, from a new seed (FUZZ_SECONDS=10 for each target)
	FUZZ_SECONDS=$(or $(FUZZ_SECONDS),10) tests/postgres.sh cargo test --locked --test it -- fuzz:: --nocapture

check: check-fmt check-clippy check-doc ## formatting, lints and documentation

check-fmt:
	cargo fmt --all --check

check-clippy:
	cargo clippy --locked --all-targets -- -D warnings

check-doc:
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --locked --no-deps --document-private-items

audit: ## licences, sources and advisories of the Rust dependencies, where cargo-deny is installed
	.ci/audit

audit-web: ## advisories of the npm packages
	web/audit.sh

seed: ## demo data (ARGS="--users 10000 --sessions 200000" for a large set)
	cargo run --release --locked -- db seed $(ARGS)

schema: ## write schema.graphql from the code
	cargo run --locked --quiet -- schema > schema.graphql.new && mv schema.graphql.new schema.graphql

bench: ## load test on both databases, compared with pgbench (ARGS="--quick", "--growth", "--help")
	cargo bench --locked --profile profiling --bench load -- $(ARGS)

bench-micro: ## micro-benchmarks in one process (ARGS="query" for one)
	cargo bench --locked --profile profiling --bench micro -- $(ARGS)

bench-guard: ## instruction counts of these against the baseline (needs valgrind; ARGS=--update after a change)
	cargo bench --locked --profile profiling --bench guard -- $(ARGS)
