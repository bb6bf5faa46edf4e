# Targets for people. Continuous integration runs `make test` and nothing else.

GO      ?= go
FUZZTIME ?= 60s
BENCH   ?= .
VERSION ?= $(shell git describe --tags --always 2>/dev/null || echo dev)
LDFLAGS  = -s -w -X main.version=$(VERSION)
TOOLS    = $(CURDIR)/.tools
export GOWORK = off

.PHONY: build test lint fuzz bench package screenshots deps tools

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o bin/rathausnetz ./cmd/rathausnetz

# What the tests need beside Go: a Redis server, a browser, and OpenID software that is not ours.
deps:
	./.ci/deps

test: deps lint
	RATHAUSNETZ_REQUIRE=redis,browser,node $(GO) test -race -timeout 12m ./...

tools: $(TOOLS)/staticcheck $(TOOLS)/errcheck
$(TOOLS)/staticcheck:
	GOBIN=$(TOOLS) $(GO) install honnef.co/go/tools/cmd/staticcheck@v0.8.2
$(TOOLS)/errcheck:
	GOBIN=$(TOOLS) $(GO) install github.com/kisielk/errcheck@v1.30.0

lint: tools
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(TOOLS)/staticcheck ./...
	$(TOOLS)/errcheck -ignoretests -exclude .ci/errcheck.txt ./...
	@! grep -rnE '^func init\(\)' --include=*.go . || { echo "init functions are not used here"; exit 1; }
	@! grep -rnE 'time\.Sleep\(' --include=*_test.go . || { echo "tests wait for a condition, never for a time"; exit 1; }

# Every fuzz target for FUZZTIME each.
fuzz:
	@for dir in $$(grep -rlE '^func Fuzz' --include=*_test.go . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$dir/*_test.go | cut -c6-); do \
	    echo "== $$dir $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$dir || exit 1; \
	  done; done

bench:
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem ./...

# Pictures of the main pages of two portals, for the README and for looking at.
screenshots: deps
	mkdir -p docs/screenshots
	SCREENSHOTS=$(CURDIR)/docs/screenshots RATHAUSNETZ_REQUIRE=browser $(GO) test -count=1 -run TestScreenshots ./testnet

package: build
	mkdir -p dist
	tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$$(git log -1 --format=%ct)" -czf dist/rathausnetz_linux_amd64.tar.gz -C bin rathausnetz -C .. README.md CHANGELOG.md
