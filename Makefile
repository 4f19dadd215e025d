# Every target has a line after ## that `make help` prints.
SHELL := /bin/sh
GO ?= go
TOOLS := .tools/bin
FUZZTIME ?= 10s
DURATION ?= 1h
# What `make run` is asked for; make run URL=http://127.0.0.1:9000 LISTEN=127.0.0.1:9000
DATA ?= data
LISTEN ?= localhost:8080
URL ?= http://localhost:8080

export CGO_ENABLED = 0

.DEFAULT_GOAL := help
.PHONY: help run build tools test fmt lint unit clients rest seeds browser consistency crash soak fuzz bench cover clean assets

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build and start the registry on http://localhost:8080, data in ./data
	@exec bin/packhouse serve --data $(DATA) --listen $(LISTEN) --url $(URL)

build: ## build bin/packhouse, one static binary
	@$(GO) build -trimpath -o bin/packhouse ./cmd/packhouse

tools: ## install what the tests need, where it is missing (as root for Debian packages)
	@scripts/step 'Debian packages' scripts/debian-packages
	@scripts/step 'Go tools (minutes, the first time)' scripts/go-tools crane regctl helm versitygw pebble staticcheck
	@scripts/step 'JavaScript packages' scripts/node-modules

test: tools ## run all tests: the check that decides
	@scripts/test

assets: ## build the stylesheet and the icons from the design system, after a change of their sources
	@scripts/assets

fmt: ## format the Go files
	@gofmt -l -w cmd internal test

lint: ## formatting, vet, staticcheck, go.mod; golangci-lint too if it is installed
	@scripts/test lint

unit: ## tests of the packages, with the race detector
	@scripts/test unit

clients: ## docker, podman, skopeo … against the built binary, on both backends
	@scripts/test clients

rest: ## GitHub's Go and JavaScript clients against the REST API, on both backends
	@scripts/test rest

seeds: ## the documents that this registry implements, acted out with docker
	@scripts/test seeds

browser: ## a real Chromium through the pages, in every language; pictures in test/browser/screenshots
	@scripts/test browser

consistency: ## 16 clients on the same tags, on one process and on two, for DURATION (1h)
	@$(GO) test -count=1 -timeout 0 ./test/consistency -args -for $(DURATION)

crash: ## kill -9 and power cuts, 200 of each; as root
	@scripts/crash long

soak: ## garbage collection against 64 clients, for DURATION (1h)
	@$(GO) test -count=1 -timeout 0 -v ./test/soak -args -for $(DURATION)

fuzz: ## every fuzz target for FUZZTIME (10s)
	@scripts/fuzz $(FUZZTIME)

bench: ## measure beside distribution, nginx and a bare loop; half an hour, see docs/benchmarks.md
	@$(GO) run ./test/bench

cover: ## test coverage of the packages, by function, in .tools/cover.html
	@mkdir -p .tools
	@$(GO) test -coverpkg=./internal/... -coverprofile=.tools/cover.out ./internal/...
	@$(GO) tool cover -func=.tools/cover.out | tail -n 1
	@$(GO) tool cover -html=.tools/cover.out -o .tools/cover.html

clean: ## remove what was built; data and installed tools stay
	@rm -rf bin .tools/cover.out .tools/cover.html
