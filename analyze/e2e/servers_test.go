package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/internal/child"
	"github.com/tokenpersistence/toolkit/internal/programtest"
)

// storesVariable names the folder of the stores' programs.
const storesVariable = "TOKEN_PERSISTENCE_STORES"

// program finds a program of the stores, as testbed/stores.sh leaves it.
func program(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(os.Getenv(storesVariable), name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("NOT RUN: %v", err)
	}
	return path
}

// answering starts a server and waits until it answers there.
func answering(t *testing.T, address string, cmd *exec.Cmd) *child.Process {
	t.Helper()
	p, _ := programtest.Launch(t, nil, cmd)
	programtest.Eventually(t, filepath.Base(cmd.Path)+" is ready", time.Minute, func() error {
		select {
		case <-p.Done():
			t.Fatalf("it has ended: %v", p.Err())
		default:
		}
		_, err := programtest.Get(address)
		return err
	})
	return p
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// blocks is a copy of the study's block.
func blocks(t *testing.T) (data string) {
	t.Helper()
	data = filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(data, os.DirFS(filepath.Join(study, "data", "tsdb"))); err != nil {
		t.Fatal(err)
	}
	return data
}

// prometheus serves a folder, and calls itself what labels say.
func prometheus(t *testing.T, data, labels string) (url string) {
	t.Helper()
	dir := os.Getenv("TOKEN_PERSISTENCE_PROMETHEUS")
	if dir == "" {
		t.Skip("TOKEN_PERSISTENCE_PROMETHEUS is not set: make test-stores")
	}
	listen := programtest.FreeAddress(t)
	answering(t, "http://"+listen+"/-/ready", exec.Command(filepath.Join(dir, "prometheus"),
		"--config.file="+file(t, "prometheus.yml", "global: {external_labels: {"+labels+"}}\n"),
		// As a sidecar wants it: blocks stay as they are.
		"--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h",
		"--storage.tsdb.path="+data, "--storage.tsdb.retention.time=100y", "--web.listen-address="+listen, "--log.level=warn"))
	return "http://" + listen
}

// victoriaMetrics is a single node that was written to.
func victoriaMetrics(t *testing.T, name string, flags ...string) string {
	t.Helper()
	path := program(t, name)
	listen := programtest.FreeAddress(t)
	answering(t, "http://"+listen+"/health", exec.Command(path, append([]string{
		"-storageDataPath=" + filepath.Join(t.TempDir(), "data"), "-retentionPeriod=100y", "-httpListenAddr=" + listen,
		"-memory.allowedBytes=256MB", "-loggerLevel=WARN",
	}, flags...)...))
	url := "http://" + listen
	push(t, url+"/api/v1/write", nil)
	// What was written can be searched a second later, and sooner if asked to.
	if _, err := programtest.Get(url + "/internal/force_flush"); err != nil {
		t.Fatal(err)
	}
	return url
}

// thanos is a Query over two sidecars, each beside a replica of one Prometheus with
// data of its own.
type thanos struct {
	url      string
	sidecars []sidecar
}

// sidecar is a store with the address at which the Query asks it.
type sidecar struct {
	process *child.Process
	address string
}

func newThanos(t *testing.T, a, b string) thanos {
	t.Helper()
	path := program(t, "thanos")
	query := programtest.FreeAddress(t)
	out := thanos{url: "http://" + query}
	args := []string{"query", "--http-address=" + query, "--grpc-address=" + programtest.FreeAddress(t), "--query.replica-label=replica"}
	for i, data := range []string{a, b} {
		beside := prometheus(t, data, "cluster: apim, replica: "+"ab"[i:i+1])
		web, address := programtest.FreeAddress(t), programtest.FreeAddress(t)
		process := answering(t, "http://"+web+"/-/ready", exec.Command(path, "sidecar",
			"--prometheus.url="+beside, "--tsdb.path="+data, "--http-address="+web, "--grpc-address="+address))
		out.sidecars = append(out.sidecars, sidecar{process, address})
		args = append(args, "--endpoint="+address)
	}
	answering(t, out.url+"/-/ready", exec.Command(path, args...))
	programtest.Eventually(t, "the Query knows both replicas", time.Minute, func() error {
		body, err := programtest.Get(out.url + "/api/v1/stores")
		if err == nil && (!contains(body, `"replica":"a"`) || !contains(body, `"replica":"b"`)) {
			err = fmt.Errorf("%s", body)
		}
		return err
	})
	return out
}

// tenant is the one that the study was written as.
const tenant = "load-test"

// cortex is what Cortex writes and reads with, in one process, and keeps its data in
// files.
func cortex(t *testing.T, flags ...string) string {
	t.Helper()
	path := program(t, "cortex")
	web, grpc := programtest.FreeAddress(t), programtest.FreeAddress(t)
	host, port := split(t, web)
	_, grpcPort := split(t, grpc)
	home := t.TempDir()
	config := fmt.Sprintf(`
target: "distributor,ingester,store-gateway,querier,query-frontend"
auth_enabled: true
server: {http_listen_address: %[1]s, http_listen_port: %[2]s, grpc_listen_address: %[1]s, grpc_listen_port: %[3]s}
distributor: {shard_by_all_labels: true, pool: {health_check_ingesters: true}, ring: {instance_addr: %[1]s, kvstore: {store: inmemory}}}
ingester: {lifecycler: {address: %[1]s, join_after: 0s, min_ready_duration: 0s, final_sleep: 0s, num_tokens: 16, ring: {kvstore: {store: inmemory}, replication_factor: 1}}}
storage: {engine: blocks}
blocks_storage: {backend: filesystem, tsdb: {dir: %[4]s/tsdb}, bucket_store: {sync_dir: %[4]s/sync}, filesystem: {dir: %[4]s/blocks}}
store_gateway: {sharding_ring: {kvstore: {store: inmemory}}}
frontend_worker: {frontend_address: %[5]s}
`, host, port, grpcPort, home, grpc)
	answering(t, "http://"+web+"/ready", exec.Command(path, append([]string{
		"-config.file=" + file(t, "cortex.yaml", config), "-querier.store-gateway-addresses=" + grpc,
		"-distributor.ingestion-rate-limit=1e7", "-distributor.ingestion-burst-size=10000000", "-log.level=error",
	}, flags...)...))
	push(t, "http://"+web+"/api/v1/push", http.Header{"X-Scope-Orgid": {tenant}})
	return "http://" + web + "/prometheus"
}
