# make            builds bin/assay
# make test       everything CI runs, after installing what is missing (see scripts/setup)
# make bench      the figures of docs/benchmarks.md
# make kill       the kill-anywhere harness at full length

GO ?= go

.PHONY: build test vet race shop darwin bench kill setup

build:
	$(GO) build -o bin/assay ./cmd/assay

test: setup vet darwin race shop

setup:
	@./scripts/setup

vet:
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	$(GO) vet ./...
	$(GO) tool -modfile=tools/go.mod staticcheck ./...
	cd examples/shop && $(GO) vet ./...

darwin:
	GOOS=darwin $(GO) build ./...

race:
	$(GO) test -race ./...

shop:
	cd examples/shop && $(GO) test -race ./...

bench:
	$(GO) test -run '^$$' -bench . ./...

kill:
	ASSAY_KILL_ROUNDS=10 $(GO) test -race -run Kill -timeout 60m -v ./internal/hold/... ./internal/cli/...
