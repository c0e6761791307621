# make            builds bin/assay
# make test       everything CI runs, after installing what is missing (see scripts/setup)
# make bench      the figures of docs/benchmarks.md
# make tickets    the second example alone: its services' own tests, and all its defects
# make kill       the kill-anywhere harness at full length
# make long       the long forms of all tests, which take hours: see docs/testing.md

GO ?= go
TEST = $(GO) test -vet=off # vet is a target of its own

.PHONY: build test vet race contracts-race contracts-full contracts-proto shop tickets e2e databases etcd nats postgres darwin bench kill long setup

build:
	$(GO) build -o bin/assay ./cmd/assay

test: setup vet darwin race shop e2e

setup:
	@./scripts/setup

vet:
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	$(GO) vet ./...
	$(GO) tool -modfile=tools/go.mod staticcheck ./...
	for d in shop gotest sim consistency/etcd consistency/nats consistency/postgres; do (cd examples/$$d && $(GO) vet ./...) || exit 1; done

darwin:
	GOOS=darwin $(GO) build ./...

# Each test runs once: under the race detector all packages but the command line, whose tests run real systems and judge their timing, and
# what computes in one goroutine, which takes five times as long there and runs without it, contracts in full (those of Protobuf, whose pairs
# would take minutes, as they are). Of contracts, the tests run under the race detector that share what is behind a lock.
# What takes longest comes first, so that it does not run alone in the end.
race:
	$(TEST) -race -p 3 -timeout 30m ./internal/simrun ./internal/env/plain $$($(GO) list ./... | grep -v -e internal/cli -e internal/diff -e internal/trial -e check/consistency/txn -e assay/contract)
	$(MAKE) -j 3 contracts-race contracts-full contracts-proto
	$(TEST) -timeout 30m -run '^TestOpensAtOnce$$' ./internal/report # as long as it can be without the race detector

contracts-race:
	$(TEST) -race -timeout 30m -run '^(TestSameSeed|TestGenerated|TestTwice|TestRoots)$$' ./contract/jsonschema ./contract/proto

contracts-full:
	ASSAY_CONTRACT_FULL=1 $(TEST) -timeout 30m ./internal/diff ./internal/trial ./check/consistency/txn $$($(GO) list ./contract/... | grep -v proto)

contracts-proto:
	$(TEST) -timeout 30m ./contract/proto

shop:
	cd examples/shop && $(TEST) -race ./...

# TestTickets is a part of e2e, with two of the defects.
tickets:
	ASSAY_TICKETS_DEFECTS=all $(GO) test -run '^TestTickets$$' -timeout 30m -v ./internal/cli

# Real systems: transcripts, kill-anywhere, the shop with each defect, a Go test outside the module.
e2e:
	$(TEST) -timeout 30m ./internal/cli
	cd examples/gotest && { $(TEST) ./... || $(TEST) ./...; } # a driver that was late on a busy machine gets a second chance
	$(MAKE) -j 3 databases
	cd examples/sim && CATALOGUE_MENDED=1 $(TEST) ./...
	for m in examples/sim/catalogue/*/go.mod; do (cd $$(dirname $$m) && $(GO) test -count=20 -modfile=fixed.mod .) || exit 1; done

# They mostly wait, so e2e runs them at once.
databases: etcd nats postgres

etcd nats postgres:
	cd examples/consistency/$@ && { $(TEST) ./... || $(TEST) ./...; } # a cluster that lost its leader on a busy machine gets a second chance

bench:
	$(GO) test -run '^$$' -bench . ./...
	$(GO) run ./bench/driver

kill:
	ASSAY_KILL_ROUNDS=10 $(GO) test -p 1 -run Kill -timeout 60m -v ./internal/hold/... ./internal/cli/...

# What make test tries a few hundred times is tried thousands of times.
long: kill tickets
	ASSAY_CONTRACT_FULL=1 $(GO) test -timeout 60m ./contract/...
	ASSAY_CONSISTENCY_FULL=1 $(GO) test -timeout 120m ./check/consistency/...
	ASSAY_SIM_FULL=1 $(GO) test -timeout 120m ./internal/simrun
	$(GO) run ./bench/sim identity
