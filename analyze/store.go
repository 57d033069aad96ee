package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/config"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// storeOptions are the flags about a Prometheus API that compare, windows and
// estimate share.
type storeOptions struct {
	flavor       string
	headers      []string
	params       []string
	allowPartial bool
	cache        string
}

// add declares the flags.
func (o *storeOptions) add(c *kingpin.CmdClause) {
	c.Flag("prometheus.flavor", "What answers: "+strings.Join(source.Flavors(), ", ")+". auto asks it.").PlaceHolder("auto").EnumVar(&o.flavor, source.Flavors()...)
	c.Flag("prometheus.header", "Header of every query, such as the tenant of Mimir. Repeat for more.").PlaceHolder("X-Scope-OrgID=TENANT").StringsVar(&o.headers)
	c.Flag("prometheus.param", "Parameter of every query. Repeat for more.").PlaceHolder("NAME=VALUE").StringsVar(&o.params)
	c.Flag("prometheus.allow-partial", "Leave a series out whose answer the server calls incomplete, and say so, instead of ending.").BoolVar(&o.allowPartial)
	c.Flag("prometheus.cache", "Folder for complete answers: an interrupted reading goes on from them. One for each account.").PlaceHolder("DIR").StringVar(&o.cache)
}

func (o storeOptions) given() bool {
	return o.flavor != "" || len(o.headers) > 0 || len(o.params) > 0 || o.allowPartial || o.cache != ""
}

// into adds the flags to a spec, in whose place they stand.
func (o storeOptions) into(s source.Spec) (source.Spec, error) {
	if s.Kind != "prometheus" {
		if o.given() {
			return s, usage("the flags --prometheus.* belong to a source of kind prometheus: leave them out")
		}
		return s, nil
	}
	if o.flavor != "" {
		s.Flavor = o.flavor
	}
	s.AllowPartial = s.AllowPartial || o.allowPartial
	s.Cache = o.cache
	params, err := pairs("--prometheus.param", o.params)
	if err != nil {
		return s, err
	}
	if s.Params == nil {
		s.Params = map[string][]string{}
	}
	maps.Copy(s.Params, params)
	headers, err := pairs("--prometheus.header", o.headers)
	if err != nil || len(headers) == 0 {
		return s, err
	}
	all := config.Headers{Headers: map[string]config.Header{}}
	if s.HTTP.HTTPHeaders != nil {
		maps.Copy(all.Headers, s.HTTP.HTTPHeaders.Headers)
	}
	for name, values := range headers {
		all.Headers[name] = headerOf(name, values)
	}
	if err := all.Validate(); err != nil {
		return s, usage("--prometheus.header: %v here: give it as authorization or basic_auth, below source.prometheus.http or in the file of --prometheus.http-config", err)
	}
	s.HTTP.HTTPHeaders = &all
	return s, nil
}

// tenantHeaders name a tenant, which is no secret; what other headers hold may be.
var tenantHeaders = []string{"x-scope-orgid", "thanos-tenant"}

func headerOf(name string, values []string) config.Header {
	if slices.Contains(tenantHeaders, strings.ToLower(name)) {
		return config.Header{Values: values}
	}
	var h config.Header
	for _, v := range values {
		h.Secrets = append(h.Secrets, config.Secret(v))
	}
	return h
}

// shownArguments returns the command line as a report may show it: without the
// values of headers that may be secret.
func shownArguments(args []string) []string {
	const flag = "--prometheus.header"
	shown := slices.Clone(args)
	for i, arg := range args {
		before, pair := "", arg
		if text, ok := strings.CutPrefix(arg, flag+"="); ok {
			before, pair = flag+"=", text
		} else if i == 0 || args[i-1] != flag {
			continue
		}
		if name, _, ok := strings.Cut(pair, "="); ok && !slices.Contains(tenantHeaders, strings.ToLower(strings.TrimSpace(name))) {
			shown[i] = before + name + "=<secret>"
		}
	}
	return shown
}

// pairs reads NAME=VALUE, where a name may come more than once. No error shows a
// value, which may be a password.
func pairs(flag string, texts []string) (map[string][]string, error) {
	out := map[string][]string{}
	for i, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(name, " \t:\r\n") {
			return nil, usage("%s number %d is not NAME=VALUE", flag, i+1)
		}
		out[name] = append(out[name], strings.TrimSpace(value))
	}
	return out, nil
}

// storeLines says in the words of an experiment file what the flags say.
func storeLines(s source.Spec) []string {
	var out []string
	if s.Flavor != "" {
		out = append(out, "flavor: "+s.Flavor)
	}
	var params []string
	for _, name := range slices.Sorted(maps.Keys(s.Params)) {
		values := make([]string, len(s.Params[name]))
		for i, v := range s.Params[name] {
			values[i] = strconv.Quote(v)
		}
		params = append(params, fmt.Sprintf("%q: [%s]", name, strings.Join(values, ", ")))
	}
	if len(params) > 0 {
		out = append(out, "params: {"+strings.Join(params, ", ")+"}")
	}
	if s.AllowPartial {
		out = append(out, "allow_partial: true")
	}
	return out
}
