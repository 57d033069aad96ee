package source

import (
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/common/config"
)

// cache keeps answers of a server in a folder, so that a reading that was
// interrupted goes on where it was. It keeps complete answers only: none that is
// partial or empty, and none about the last hour, to which samples may be added.
// A nil cache keeps nothing.
type cache struct {
	dir   string
	scope string // server, account and parameters
	now   func() time.Time
}

// settled is how old data are to which nothing is added any more: remote writes
// come late, and after an outage by much.
const settled = time.Hour

// question is what was asked; step is 0 for raw samples.
type question struct {
	query    string
	from, to time.Time
	step     time.Duration
}

// keptAnswer is one file of a cache.
type keptAnswer struct {
	Key    string
	Notes  []string
	Labels []map[string]string
	Times  [][]int64 // milliseconds since the epoch
	Values [][]float64
}

// newCache opens a folder, or makes it.
func newCache(spec Spec, params url.Values) (*cache, error) {
	if spec.Cache == "" {
		return nil, nil
	}
	if err := os.MkdirAll(spec.Cache, 0o700); err != nil {
		return nil, fmt.Errorf("--prometheus.cache: %w", err)
	}
	return &cache{dir: spec.Cache, scope: scope(spec, params), now: time.Now}, nil
}

// scope tells apart what could answer differently: the server, the user, the
// tenant and the parameters. Passwords and tokens are not in it, so one folder
// is for one account.
func scope(spec Spec, params url.Values) string {
	server, user := spec.URL, ""
	if u, err := url.Parse(spec.URL); err == nil {
		user, u.User = u.User.Username(), nil
		server = strings.TrimRight(u.String(), "/")
	}
	if a := spec.HTTP.BasicAuth; a != nil {
		user += " " + a.Username + a.UsernameFile
	}
	return strings.Join([]string{"1", server, user, headerText(spec.HTTP.HTTPHeaders), params.Encode()}, "\n")
}

// headerText names headers in their order with what they hold; files by name.
func headerText(headers *config.Headers) string {
	if headers == nil {
		return ""
	}
	var out []string
	for name, h := range headers.Headers {
		for _, secret := range h.Secrets {
			sum := sha256.Sum256([]byte(secret))
			h.Values = append(slices.Clip(h.Values), hex.EncodeToString(sum[:]))
		}
		out = append(out, fmt.Sprintf("%s: %q %q", strings.ToLower(name), h.Values, h.Files))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func (c *cache) key(q question) string {
	return fmt.Sprintf("%s\n%s\n%s\n%s", c.scope, q.query, rangeText(q.from, q.to), q.step)
}

func (c *cache) path(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(c.dir, hex.EncodeToString(sum[:16])+".gob.gz")
}

// get returns an answer that is kept. A file that cannot be read whole, or is
// about another question, counts as none and is written anew.
func (c *cache) get(q question) ([]rawSeries, []string, bool) {
	if c == nil {
		return nil, nil, false
	}
	key := c.key(q)
	file, err := os.Open(c.path(key))
	if err != nil {
		return nil, nil, false
	}
	defer func() { _ = file.Close() }() // it was read only
	z, err := gzip.NewReader(file)
	if err != nil {
		return nil, nil, false
	}
	var e keptAnswer
	// The end of the stream holds its checksum, so what decodes but is cut off or
	// damaged shows there.
	if err := gob.NewDecoder(z).Decode(&e); err != nil || e.Key != key || !atEnd(z) {
		return nil, nil, false
	}
	return e.series(), e.Notes, true
}

// put keeps an answer if it is complete.
func (c *cache) put(q question, found []rawSeries, notes []string) error {
	if c == nil || len(found) == 0 || incomplete(notes) != "" || c.now().Sub(q.to) < settled {
		return nil
	}
	key := c.key(q)
	e := keptAnswer{Key: key, Notes: notes}
	for _, s := range found {
		times, values := make([]int64, len(s.samples)), make([]float64, len(s.samples))
		for i, p := range s.samples {
			times[i], values[i] = p.t, p.v
		}
		e.Labels, e.Times, e.Values = append(e.Labels, s.labels), append(e.Times, times), append(e.Values, values)
	}
	if err := e.write(c.dir, c.path(key)); err != nil {
		return fmt.Errorf("keep an answer in --prometheus.cache: %w", err)
	}
	return nil
}

// write makes the file appear whole or not at all.
func (e keptAnswer) write(dir, path string) error {
	file, err := os.CreateTemp(dir, ".part-*")
	if err != nil {
		return err
	}
	z := gzip.NewWriter(file)
	err = errors.Join(gob.NewEncoder(z).Encode(e), z.Close(), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// atEnd reads the rest of a stream, of which there should be nothing.
func atEnd(r io.Reader) bool {
	n, err := io.Copy(io.Discard, r)
	return n == 0 && err == nil
}

func (e keptAnswer) series() []rawSeries {
	out := make([]rawSeries, len(e.Labels))
	for i, labels := range e.Labels {
		if labels == nil {
			labels = map[string]string{}
		}
		out[i] = rawSeries{labels: labels, samples: make([]sample, len(e.Times[i]))}
		for j, t := range e.Times[i] {
			out[i].samples[j] = sample{t, e.Values[i][j]}
		}
	}
	return out
}
