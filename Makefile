# buildpool: everything a developer runs. `make help` lists it.
# Needs Go and make; what else is needed is fetched through the Go module proxy and
# kept outside the tree.

GO       ?= go
FUZZTIME ?= 20s
BIN      := bin
LINT     := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
IMAGE    ?= buildpool:$(VERSION)

.DEFAULT_GOAL := help
.PHONY: help demo test race lint fuzz soak bench bench-alicloud generate verify e2e fidelity fidelity-quick fidelity-wall image clean build

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## play an afternoon of builds: no account, no cluster, under a minute
	@$(GO) run ./cmd/buildpool demo

test: ## unit, conformance and scenario tests; chart, manifests and examples
	$(GO) test ./...
	$(GO) -C deploy/checks test -skip '^TestReferenceIsFresh$$' ./...

race: ## the same under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race $$($(GO) list ./... | grep -v '/nodegroups$$')
	CGO_ENABLED=1 $(GO) test -race ./nodegroups -history.ops=5000

lint: ## vet, formatting and linters
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt'ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) -C e2e vet ./...
	$(GO) -C e2e/oracle vet -tags externalgrpc ./...
	$(GO) -C deploy/checks vet ./...
	$(GO) run $(LINT) run --allow-parallel-runners ./...
	cd e2e && $(GO) run $(LINT) run --allow-parallel-runners -c ../.golangci.yml ./...
	cd deploy/checks && $(GO) run $(LINT) run --allow-parallel-runners -c ../../.golangci.yml ./...

fuzz: ## fuzz every parser for FUZZTIME each
	@set -e; for dir in $$(git grep -l '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u); do \
	  for f in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$dir/*_test.go | sort -u); do \
	    echo "== $$dir $$f"; $(GO) test ./$$dir -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x; done; done

soak: ## two million random operations, and the real autoscaler over 1,000 nodes: half an hour
	$(GO) test ./nodegroups -run '^TestRandomHistories$$' -v -timeout 2h -history.ops=2000000
	BUILDPOOL_E2E_SOAK=1 $(GO) -C e2e test -count=1 -v -timeout 45m -run '^TestScale$$' .

bench: ## benchmarks whose numbers the docs quote
	$(GO) test -run '^$$' -bench . -benchmem ./...

bench-alicloud: ## side by side with the in-tree alicloud provider, see docs/alicloud.md
	@$(GO) -C e2e/alicloud test -count=1 . >&2
	@$(GO) -C e2e/alicloud run .

generate: ## write the generated files again
	$(GO) generate ./...
	$(GO) -C deploy/checks run ./cmd/manifests
	$(GO) -C deploy/checks test -run '^(TestRendered|TestReferenceIsFresh)$$' -update .

verify: ## fail if a generated file is stale
	@mkdir -p $(BIN)
	@$(GO) run ./cmd/buildpool schema > $(BIN)/schema.json
	@diff -u nodegroups/config/nodegroups.schema.json $(BIN)/schema.json || { echo "stale: run make generate"; exit 1; }
	@$(GO) test -count=1 -run '^TestSchemasAreUpToDate$$' ./simulations/report
	@$(GO) run ./cmd/buildpool validate deploy/nodegroups.yaml
	@$(GO) mod tidy -diff
	@$(GO) -C e2e mod tidy -diff
	@$(GO) -C deploy/checks mod tidy -diff
	@rm -rf $(BIN)/manifests && $(GO) -C deploy/checks run ./cmd/manifests -out ../../$(BIN)/manifests
	@$(GO) -C deploy/checks test -run '^TestReferenceIsFresh$$' .
	@diff -ru deploy/manifests $(BIN)/manifests || { echo "stale: run make generate"; exit 1; }

e2e: ## the real control plane and each cluster-autoscaler against buildpool
	$(GO) -C e2e test -count=1 -timeout 75m ./...

FIDELITY := $(GO) -C e2e/oracle test -tags externalgrpc -vet=off -count=1 -timeout 6h -run '^TestFidelity$$' .
SEEDS ?= 5
# Which oracle it is: its runs are kept until its code changes. The simulator plays anew.
ORACLE = $$(find nodegroups ess grpcserver simulations/workload e2e/oracle -name '*.go' | LC_ALL=C sort | xargs cat | sha256sum | cut -c1-12)

fidelity: ## the simulator against the real cluster-autoscaler in virtual time, see docs/fidelity.md; goes on where it was ended; CASES='a regular expression'
	@mkdir -p $(BIN)
	nice $(FIDELITY) -v -seeds $(SEEDS) -cases '$(CASES)' -key "$(ORACLE)-$(SEEDS)" -rows $(CURDIR)/$(BIN)/fidelity.json -table $(CURDIR)/$(BIN)/fidelity.md

fidelity-quick: ## the same for a few cases, three seeds each: minutes
	$(FIDELITY) -short

WALL = $(CURDIR)/$(BIN)/wall.csv
WALL_MAX ?= 40
WALL_SEED ?= 11

fidelity-wall: ## a quarter of an hour on the real control plane, then the same builds in the oracle and the simulator; WALL_MAX=3 for a group that is too small, WALL_SEED=N for other builds
	@mkdir -p $(BIN)
	BUILDPOOL_E2E_WALL=$(WALL) BUILDPOOL_E2E_WALL_MAX=$(WALL_MAX) BUILDPOOL_E2E_WALL_SEED=$(WALL_SEED) \
	  $(GO) -C e2e test -count=1 -v -timeout 45m -run '^TestFidelityOnTheWallClock$$' .
	$(GO) -C e2e/oracle test -tags externalgrpc -vet=off -count=1 -v -run '^TestWall$$' . -wall $(WALL)

build: ## the binary, in bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/buildpool ./cmd/buildpool

image: ## a container image (needs docker)
	docker build --build-arg VERSION=$(VERSION) -t $(IMAGE) -f deploy/Dockerfile .

clean: ## remove what builds left in the tree
	rm -rf $(BIN) dist
	$(GO) clean -testcache
