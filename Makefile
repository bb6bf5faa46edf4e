# Targets for people. Continuous integration runs `make test` and nothing else.

GO      ?= go
FUZZTIME ?= 60s
BENCH   ?= .
VERSION ?= $(shell git describe --tags --always 2>/dev/null || echo dev)
LDFLAGS  = -s -w -X main.version=$(VERSION)
TOOLS    = $(CURDIR)/.tools
export GOWORK = off
# Programs are built without cgo; what is looked at and tested, with the race
# detector: on a new machine everything is compiled twice and not four times.
STATIC   = CGO_ENABLED=0 GOFLAGS="$(GOFLAGS) -trimpath"
RACE     = GOFLAGS="$(GOFLAGS) -race"

.PHONY: build test lint fuzz bench soak bench-peers bench-pages package container screenshots deps tools

build:
	$(STATIC) $(GO) build -ldflags "$(LDFLAGS)" -o bin/rathausnetz ./cmd/rathausnetz

# What the tests need beside Go: a Redis server, a browser, and OpenID software that is not ours.
deps:
	./.ci/deps

# Where deps could install a Debian to boot, docs/betrieb.md is carried out on it. The
# packages that wait most come first, beside those that compute; lint has vetted them.
test: deps lint package
	RATHAUSNETZ_REQUIRE=redis,browser,node$$(test -e $(TOOLS)/debian/.complete && echo ,nspawn) $(GO) test -race -vet=off -p 3 -timeout 15m ./testnet ./cmd/rathausnetz ./portal/web ./...

tools: $(TOOLS)/staticcheck $(TOOLS)/errcheck
$(TOOLS)/nfpm:
	$(STATIC) GOBIN=$(TOOLS) $(GO) install github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.44.0
$(TOOLS)/staticcheck:
	$(STATIC) GOBIN=$(TOOLS) $(GO) install honnef.co/go/tools/cmd/staticcheck@v0.8.2
$(TOOLS)/errcheck:
	$(STATIC) GOBIN=$(TOOLS) $(GO) install github.com/kisielk/errcheck@v1.30.0

lint: tools
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	$(RACE) $(GO) vet ./...
	$(RACE) $(TOOLS)/staticcheck ./...
	$(RACE) $(TOOLS)/errcheck -ignoretests -exclude .ci/errcheck.txt ./...
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

# The directory beside SQLite, PostgreSQL, Redis, Bleve and nginx, in one run
# of about ten minutes; writes the tables into docs/benchmarks.md. PEERS passes
# options on: PEERS='-only http'.
PEERS_MODULES = github.com/mattn/go-sqlite3@v1.14.53 github.com/jackc/pgx/v5@v5.12.0 github.com/blevesearch/bleve/v2@v2.5.7
bench-peers: $(TOOLS)/peers
	$(TOOLS)/peers -node $(CURDIR)/bin/rathausnetz -write $(CURDIR)/docs/benchmarks.md $(PEERS)

$(TOOLS)/peers: build
	./.ci/peers
	mkdir -p $(TOOLS)
	cp go.mod $(TOOLS)/peers.mod && cp go.sum $(TOOLS)/peers.sum
	$(GO) get -modfile=$(TOOLS)/peers.mod $(PEERS_MODULES)
	CGO_ENABLED=1 $(GO) build -modfile=$(TOOLS)/peers.mod -tags peers -o $(TOOLS)/peers ./testnet/peers

# A result page from memory beside nginx sending the same bytes as a file: half
# a minute. Drawing pages is BenchmarkPages in portal/web.
bench-pages: $(TOOLS)/peers
	$(TOOLS)/peers -only pages -node $(CURDIR)/bin/rathausnetz

# Random runs of SOAK each, and what is too long for every day: 200 gossip nodes restarted at once, a cut of two minutes.
SOAK ?= 10m
soak:
	RATHAUSNETZ_SOAK=$(SOAK) $(GO) test -count=1 -v -timeout 60m -run 'TestSoak|TestRandomRun' ./testnet ./federation/mirror ./discovery

# Pictures of the main pages of two portals, for the README and for looking at.
screenshots: deps
	mkdir -p docs/screenshots
	SCREENSHOTS=$(CURDIR)/docs/screenshots RATHAUSNETZ_REQUIRE=browser $(GO) test -count=1 -run TestScreenshots ./testnet

# A Debian package, an archive, the bill of materials and their checksums in dist/.
package: build $(TOOLS)/nfpm
	$(STATIC) VERSION=$(VERSION) GO=$(GO) cmd/rathausnetz/package/build.sh

# The image as an archive, dist/rathausnetz.oci.tar; needs buildah, no registry.
container: build
	mkdir -p dist
	cp /etc/ssl/certs/ca-certificates.crt dist/ca-certificates.crt
	buildah bud --format oci --timestamp $$(git log -1 --format=%ct) -t rathausnetz:$(VERSION) -f cmd/rathausnetz/package/Containerfile .
	buildah push rathausnetz:$(VERSION) oci-archive:dist/rathausnetz.oci.tar:rathausnetz:$(VERSION)
