# Everything a developer types, for GNU Make 3.81 (which macOS ships) and newer. `make help` lists it.

# Not a tool line in go.mod: its own dependencies would mix with ours.
GOLANGCI_LINT = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# What `make generate` writes. These files are committed, so that a clone builds with Go alone.
GENERATED = views/*_templ.go models/schema.sql

.DEFAULT_GOAL := help

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

.PHONY: setup
setup: ## install the PostgreSQL programs where they are missing (apt-get or Homebrew)
	@.ci/install postgresql

.PHONY: setup-test
setup-test: ## the same, and the browser that the tests drive
	@.ci/install postgresql chromium

.PHONY: demo
demo: setup ## a whole Hallpass with an invented district; ARGS="--users 50000"
	go run . demo $(ARGS)

.PHONY: dev
dev: setup ## the demo, begun anew whenever a page or a Go file changes (do not commit meanwhile)
	go tool templ generate --watch --cmd "go run . demo $(ARGS)"

.PHONY: test
test: setup-test ## vet and test everything; ARGS="-run Name -v"
	go vet ./...
	go test -timeout 30m $(ARGS) ./...
	@echo "All tests passed."

.PHONY: race
race: setup-test ## the same tests under the race detector
	go test -race -timeout 60m $(ARGS) ./...

.PHONY: lint
lint: ## golangci-lint, room borders included
	go run $(GOLANGCI_LINT) run --allow-parallel-runners

.PHONY: fmt
fmt: ## format the Go files as lint wants them
	go run $(GOLANGCI_LINT) fmt

.PHONY: generate
generate: setup ## write the generated files: pages and the dumped schema
	go generate .
	go test ./models -run '^TestSchemaDump$$' -count=1 -update

.PHONY: check-generated
check-generated: setup ## fail if `make generate` would change anything
	@before=$$(cksum $(GENERATED) 2>&1); \
	$(MAKE) generate || exit 1; \
	if [ "$$before" != "$$(cksum $(GENERATED))" ]; then \
		git --no-pager diff --stat -- $(GENERATED); \
		echo "Generated files do not match their sources. Run make generate and commit what it writes." >&2; \
		exit 1; \
	fi

.PHONY: screenshots
screenshots: setup-test ## take the README's pictures anew
	go test . -tags screenshots -run '^TestScreenshots$$' -count=1

.PHONY: bench
bench: setup ## speed and memory with a million people; see bench/
	go run ./bench $(ARGS)

.PHONY: chaos
chaos: setup ## kill, cut off and fill up everything, and look whether anything is lost; see chaos/
	go run ./chaos $(ARGS)

.PHONY: ci
ci: ## what guards main, as it runs there
	bash .ci/run
