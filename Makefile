# Token Persistence Toolkit. `make demo` and `make test` install what they need.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
PKG      := github.com/prometheus/common/version
LDFLAGS  := -X $(PKG).Version=$(VERSION) -X $(PKG).Revision=$(shell git rev-parse --short HEAD 2>/dev/null)
PROGRAMS := exporter analyze testbed
TOOLS    := $(CURDIR)/.cache/tools
# Tools are built apart from our module, so that their dependencies stay out of it.
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULN   := golang.org/x/vuln/cmd/govulncheck@v1.9.0
NFPM     := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0

.PHONY: release image test-packages test-install test-stores test-migrating dashboards demo tax bench bench-stats bench-jtl test test-concurrent test-plain test-race test-mysql test-matrix test-moto test-jmeter test-rules test-alerts fuzz soak lint vuln golden build setup help study case-study
.DEFAULT_GOAL := help

help: ## say what each target does
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' $(MAKEFILE_LIST) | awk '{ line = sprintf("%-14s", $$1); \
		for (i = 2; i <= NF; i++) { if (length(line $$i) > 78) { print line; line = sprintf("%-14s", "") } line = line " " $$i } print line }'

demo: ## run the published experiment on this machine (about 5 minutes, ARGS=... are flags of testbed demo)
	@$(MAKE) --no-print-directory -j2 setup build
	@exec bin/testbed demo $(ARGS)

study: ## the experiment with 8 pairs of 70 s for each grant (about an hour; leave the machine alone; MySQL of Debian sid where it can be fetched)
	@$(MAKE) --no-print-directory -j2 setup build
	@testbed/install.sh mysql || echo 'the MySQL of Debian sid cannot be fetched: the study runs on the server of make demo' >&2
	@[ -n "$$TOKEN_PERSISTENCE_MYSQLD" ] || [ ! -x .cache/mysql/mysqld ] || export TOKEN_PERSISTENCE_MYSQLD=$(CURDIR)/.cache/mysql/mysqld; \
		exec bin/testbed study $(ARGS)

case-study: build ## the documents of docs/case-study from its data (RUN=folder of a study: from that run)
	@[ -z "$(RUN)" ] || { rm -rf docs/case-study/data && bin/testbed pack $(RUN) docs/case-study/data; }
	@ANALYZE=$(CURDIR)/bin/analyze docs/case-study/make.sh

tax: ## what disappears of the database's CPU when persistence is off beside what the exporter says (about 3 minutes; TOKEN_PERSISTENCE_MYSQLD=path for MySQL)
	@$(MAKE) --no-print-directory -j2 setup build
	@exec bin/testbed tax --pairs 3 --users 30 $(ARGS)

build: ## compile the three programs into bin/
	CGO_ENABLED=0 go build -ldflags '$(LDFLAGS)' -o bin/ $(addprefix ./,$(PROGRAMS))

setup: ## install the database server that the rig and the tests start (Debian packages)
	@testbed/install.sh database

# Packages that start no goroutine (a test sees to it): the race detector has
# nothing to look for there, and their arithmetic takes ten times as long with it.
SERIAL := ./alerts ./analyze/estimate ./analyze/plan ./analyze/projection ./analyze/queueing ./analyze/stats ./analyze/study ./analyze/windows ./dashboards ./docs
# Packages that do, and have tests that do not: those tests leave the race detector out.
PARTLY := ./analyze/report
# Packages whose tests link Prometheus' storage engine: to compile its 700 packages
# a second time for the race detector takes minutes. make test-race does.
PROMETHEUS := ./alerts/e2e ./analyze ./analyze/e2e ./analyze/inspect ./analyze/source ./analyze/source/sourcetest ./analyze/statsbench ./internal/promtest ./testbed ./testbed/rig

# Packages whose tests wait longest, for servers: they begin first, and others run beside them.
LONG := ./exporter ./exporter/collector

# A database server is installed once and its fresh data directory copied for each test.
test-concurrent test-plain test-race test-mysql test-matrix test-alerts: export TOKEN_PERSISTENCE_TEMPLATES := $(CURDIR)/.cache/templates
test-concurrent test-plain test-race test-mysql test-matrix test-alerts: export TOKEN_PERSISTENCE_PROMETHEUS := $(CURDIR)/.cache/prometheus

# make lint vets. Nobody debugs these programs: without DWARF they are linked in two thirds of the time.
GOTEST := go test -vet=off -ldflags=-w

test: test-concurrent test-plain ## all tests against a real server, with the race detector where there is more than one goroutine

# The halves of make test; make -j2 runs them beside each other.
test-concurrent: setup
	@testbed/install.sh prometheus
	GORACE=atexit_sleep_ms=0 $(GOTEST) -race -p 3 -parallel 4 -timeout 12m $(LONG) $$(go list ./... | grep -vxF "$$(go list $(SERIAL) $(PROMETHEUS) $(LONG))")

test-plain: setup
	@testbed/install.sh prometheus
	$(GOTEST) -p 3 -parallel 4 -timeout 12m ./testbed $(PROMETHEUS) $(SERIAL) $(PARTLY)

test-race: setup ## the packages that make test runs without the race detector because they link Prometheus' engine, with it (most of it compiling)
	@testbed/install.sh prometheus
	$(GOTEST) -race -parallel 4 -timeout 20m $(PROMETHEUS)

bench: setup build ## measure the exporter's figures beside mysqld_exporter (about 40 minutes; QUICK=1: 5)
	@testbed/install.sh mysqld-exporter
	@go run ./exporter/bench $(if $(QUICK),--quick) $(ARGS)

bench-stats: ## sizes, coverage, power and abstention of the statistics, in simulations with a known truth (a few minutes; QUICK=1: 30 s)
	@go run ./analyze/statsbench $(if $(QUICK),--quick) $(ARGS)

bench-jtl: ## our reader of result files beside DuckDB, gawk and a newline count on a file of 1 GB (7 rounds; ARGS=--rounds=3)
	@command -v gawk >/dev/null || testbed/install.sh gawk || echo 'gawk cannot be installed here' >&2
	@cd analyze/jtlbench && go run . $(ARGS)

# The soak is not repeated here: TOKEN_PERSISTENCE_MYSQLD=path make soak does it.
test-mysql: ## the tests of what talks to the database, against the MySQL of Debian sid
	@testbed/install.sh prometheus
	@status=0; testbed/install.sh mysql || status=$$?; \
	if [ $$status = 3 ]; then echo 'NOT RUN: test-mysql (the server cannot be fetched from here)'; exit 0; fi; \
	[ $$status = 0 ] || exit $$status; set -x; \
	TOKEN_PERSISTENCE_MYSQLD=$(CURDIR)/.cache/mysql/mysqld \
		$(GOTEST) -parallel 4 -skip '^TestSoak$$' -timeout 12m ./exporter ./exporter/bench ./exporter/collector ./internal/mysqltest ./internal/preload ./internal/tokentable ./compose

SERVERS ?= machine mysql mariadb-sid

test-matrix: setup ## what test-mysql runs, on MariaDB 10.11 and 11.8 and MySQL 9.7 (Debian 12 and sid), and with DSN='user:password@tcp(host:port)/' on a server of yours (SERVERS= for that one only; up to 10 minutes each); ends with a table
	@testbed/install.sh prometheus
	@set --; for server in $(SERVERS); do \
		status=0; case $$server in machine) set -- "$$@" 'server of this machine='; continue ;; \
		mysql) name='MySQL of Debian sid' program=mysqld ;; mariadb-sid) name='MariaDB of Debian sid' program=mariadbd ;; \
		*) echo "SERVERS: $$server is not machine, mysql or mariadb-sid" >&2; exit 2 ;; esac; \
		testbed/install.sh "$$server" || status=$$?; \
		case $$status in 0) set -- "$$@" "$$name=$(CURDIR)/.cache/$$server/$$program" ;; 3) set -- --missing "$$name" "$$@" ;; *) exit $$status ;; esac; \
	done; \
	[ -z "$$DSN" ] || export TOKEN_PERSISTENCE_TEST_DSN="$$DSN"; \
	go run ./internal/mysqltest/matrix "$$@"

test-moto: ## the CloudWatch collector against moto, an AWS emulator that others wrote (Debian sid)
	@status=0; testbed/install.sh moto || status=$$?; \
	if [ $$status = 3 ]; then echo 'NOT RUN: test-moto (moto cannot be fetched from here)'; exit 0; fi; \
	[ $$status = 0 ] || exit $$status; set -x; \
	TOKEN_PERSISTENCE_MOTO=$(CURDIR)/.cache/moto/run go test -count=1 -run Moto -v ./exporter/amazon

test-stores: ## the recorded study read back from Prometheus, VictoriaMetrics, Thanos and Cortex, the real programs (4 minutes; half an hour more to build them once)
	@testbed/install.sh prometheus
	@testbed/stores.sh
	TOKEN_PERSISTENCE_PROMETHEUS=$(CURDIR)/.cache/prometheus TOKEN_PERSISTENCE_STORES=$(CURDIR)/.cache/stores \
		go test -count=1 -timeout 20m -v ./analyze/e2e

test-migrating: setup ## the rules for a history of mysqld_exporter and YACE against both programs (a minute; minutes more to build YACE once)
	@testbed/install.sh mysqld-exporter
	@testbed/install.sh moto || echo 'NOT RUN: test-migrating with YACE (moto cannot be fetched from here)'
	@testbed/stores.sh yace
	@moto=; yace=; [ ! -x .cache/moto/run ] || moto=$(CURDIR)/.cache/moto; [ ! -x .cache/stores/yace ] || yace=$(CURDIR)/.cache/stores; set -x; \
	TOKEN_PERSISTENCE_MYSQLD_EXPORTER=$(CURDIR)/.cache/mysqld-exporter TOKEN_PERSISTENCE_MOTO=$$moto TOKEN_PERSISTENCE_STORES=$$yace \
		go test -count=1 -v -run 'Names' ./alerts/e2e

test-rules: ## the alerts' rules and cases in promtool 2.42 (Debian 12) and 3 (Debian sid), half a minute
	@testbed/install.sh prometheus
	@status=0; tools=.cache/prometheus; testbed/install.sh prometheus-sid || status=$$?; \
	case $$status in 0) tools="$$tools .cache/prometheus-sid" ;; \
	3) echo 'NOT RUN: test-rules with promtool 3 (it cannot be fetched from here)' ;; *) exit $$status ;; esac; \
	alerts/promtool.sh $$tools

FUZZTIME ?= 60s

# Inputs are not made smaller for long: of code that starts goroutines the coverage
# differs from run to run, and minimizing would take all the time.
fuzz: ## a minute for each fuzz target (FUZZTIME=60s)
	@status=0; for package in $$(git grep -l '^func Fuzz' -- '*_test.go' | xargs -n 1 dirname | sort -u); do \
	  for target in $$(go test -list '^Fuzz' ./$$package | grep '^Fuzz'); do \
	    echo "== $$package $$target"; \
	    go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x ./$$package || status=1; \
	  done; \
	done; exit $$status

SOAK ?= 1h

soak: setup ## break everything in random order for SOAK=1h (ARGS=-soak.seed=N repeats one)
	go test ./exporter -run '^TestSoak$$' -soak $(SOAK) -timeout 0 -v $(ARGS)

# To optimise what golangci-lint is made of takes longer than it gains.
lint: ## gofmt, golangci-lint with go vet in it
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -d $$(git ls-files '*.go'); exit 1; }
	GOBIN=$(TOOLS) go install '-gcflags=all=-N -l' -gcflags=std= $(GOLANGCI)
	$(TOOLS)/golangci-lint run ./...

vuln: ## known vulnerabilities in what we call (needs the Go vulnerability database)
	GOBIN=$(TOOLS) go install $(GOVULN)
	@$(TOOLS)/govulncheck ./... || { [ $$? = 3 ] && exit 1; \
	  echo 'NOT RUN: govulncheck (the Go vulnerability database cannot be reached from here)'; }

dashboards: ## write the Grafana dashboards from their rows
	@go run ./dashboards

golden: ## rewrite the golden files after an intended change; read the diff
	go test ./exporter/... ./analyze/... ./alerts ./compose -update

test-jmeter: setup ## run the plans of testbed/jmeter against the rig's key manager, in Debian's JMeter 2.13
	@status=0; testbed/install.sh jmeter || status=$$?; \
	if [ $$status = 3 ]; then echo 'NOT RUN: test-jmeter (JMeter cannot be fetched from here)'; exit 0; fi; \
	[ $$status = 0 ] || exit $$status; set -x; \
	TOKEN_PERSISTENCE_JMETER=$(CURDIR)/.cache/jmeter/run go test -count=1 -run JMeter -v ./testbed/jmeter

test-alerts: setup ## one alert from load to notification: a database saturates with persistence on and recovers with it off (under 3 minutes)
	@testbed/install.sh prometheus
	@status=0; testbed/install.sh alertmanager || status=$$?; \
	if [ $$status = 3 ]; then echo 'NOT RUN: test-alerts (Alertmanager cannot be fetched from here)'; exit 0; fi; \
	[ $$status = 0 ] || exit $$status; set -x; \
	TOKEN_PERSISTENCE_ALERTMANAGER=$(CURDIR)/.cache/alertmanager \
		$(GOTEST) -count=1 -timeout 8m -v -run 'Saturated|Alertmanager' ./alerts/e2e ./compose

DIST ?= dist

release: ## archives, Debian packages, SBOMs and checksums of the commit into DIST=dist (SIGN_KEY=file of a private SSH key, TARGETS="linux/amd64 …")
	@nfpm=$(TOOLS)/nfpm; GOBIN=$(TOOLS) go install $(NFPM) || nfpm=; \
		VERSION='$(VERSION)' NFPM=$$nfpm SIGN_KEY='$(SIGN_KEY)' TARGETS='$(TARGETS)' deploy/release.sh '$(DIST)'

image: ## container images of both programs (ENGINE=docker|podman|buildah, PLATFORM=linux/arm64, ARGS=... are flags of its build)
	@VERSION='$(VERSION)' ENGINE='$(ENGINE)' PLATFORM='$(PLATFORM)' deploy/image.sh $(ARGS)

test-packages: setup ## releases twice, installs and runs the packages and images in a Debian of their own (root, mmdebstrap, buildah; 2 to 10 minutes)
	@deploy/test-packages.sh

test-install: setup ## run the README's three ways to install as someone new would, with a clock (root, mmdebstrap, buildah; 10 to 20 minutes)
	@deploy/test-install.sh
