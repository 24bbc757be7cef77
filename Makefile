# What a person does with this project. `make help` lists it.
# The work is in scripts/, each of which can be run by itself.

SHELL := bash
.DEFAULT_GOAL := help
NODE := scripts/with-node

.PHONY: help run demo test bench peers faults build ui packages check-packages bindings openapi lint deny unit e2e window screens check-directions clean

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 20

run: ## Install what is missing, build, and open the app (without a display: make demo)
	@scripts/run

demo: ## The main job without a window: a clip goes up and is watched
	@scripts/demo

test: ## Install what the tests need, and run all of them
	@scripts/test

bench: ## Speed and memory beside curl, rclone, s5cmd and the AWS CLI
	@scripts/bench

peers: ## Another S3 in the place of the embedded one: garage, alone and as a cluster
	@scripts/peers

faults: ## Every fault at every step of every protocol: some hours (scripts/faults --help)
	@scripts/faults

build: ## Build app, server and command line, optimised
	@scripts/install run
	@$(MAKE) --no-print-directory ui
	cargo build --release --locked -p dailies-server -p dailies-cli
	cargo build --release --locked -p dailies-desktop --features custom-protocol

ui: ## Build the web UI that the app embeds
	@$(NODE) scripts/ui-build

packages: ## The packages of this system, into target/packages: .deb and .rpm, .dmg, or .exe and .msi
	@scripts/packages

check-packages: ## The same, and each installed, used and removed again (Debian, Ubuntu)
	@scripts/packages --check

bindings: ## Write the TypeScript types of the Rust types that cross to the page
	DAILIES_WRITE_BINDINGS=1 cargo test --locked -p dailies-desktop --features custom-protocol bindings

openapi: ## Write docs/openapi.json, the description of the server's REST parts
	DAILIES_WRITE_OPENAPI=1 cargo test --locked -p dailies-server --test team_api openapi

lint: check-directions ## Formatting, lints and the directions of dependency
	cargo fmt --all --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked -p dailies-desktop --all-targets --features custom-protocol -- -D warnings

check-directions: ## No crate sees what it must not know
	@scripts/check-directions

deny: ## Licences, sources and versions of every dependency
	@scripts/deny

unit: ## Tests of every crate but the shell and the end-to-end tests
	cargo nextest run --locked --workspace --exclude dailies-desktop -E 'not package(e2e)'

e2e: ## The whole product against real counterparts and broken networks
	cargo build --locked --workspace --exclude dailies-desktop
	cargo nextest run --locked --workspace --exclude dailies-desktop -E 'package(e2e)'

window: ## The app in a real window
	@scripts/window

screens: ## Every screen of the UI in Chromium, with axe
	@$(NODE) npm --prefix ui run test:screens

clean: ## Remove what was built
	cargo clean
	rm -rf ui/node_modules ui/dist tests/counterparts/node_modules .tools
