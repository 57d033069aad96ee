package inspect

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// TestNames reads the mode from what people call their folders.
func TestNames(t *testing.T) {
	for path, want := range map[string]string{
		"results-on/password/2g_heap/100_users":                "on results/password/2g_heap/100_users 100",
		"results-off/password/2g_heap/100_users":               "off results/password/2g_heap/100_users 100",
		"token-persistence/PersistenceOff/run-1.jtl":           "off token-persistence//run-1 ",
		"with-persistence/3/a.jtl":                             "on /3/a ",
		"without_token_persistence/3/a.jtl":                    "off token/3/a ",
		"non-persistent/x.jtl":                                 "off /x ",
		"persistent/x.jtl":                                     "on /x ",
		"persistence_enabled_2/x.jtl":                          "on 2/x ",
		"persistence-false/x.jtl":                              "off /x ",
		"OIDC_Grant_Redirect_With_Consent/4G_heap/50_users":    " OIDC_Grant_Redirect_With_Consent/4G_heap/50_users 50",
		"OIDC_Grant_Redirect_Without_Consent/4G_heap/50_users": " OIDC_Grant_Redirect_Without_Consent/4G_heap/50_users 50",
		"token-persistence-tests/run":                          " token-persistence-tests/run ",
		"2g_Heap_100_Users_off/results":                        "off 2 g heap 100 users/results 100",
		"baseline-7/x":                                         "on 7/x ",
		"jwt-7/x":                                              "off 7/x ",
	} {
		got, err := Names{On: []string{"baseline*"}, Off: []string{"jwt*"}}.traitsOf(path)
		if text := got.mode + " " + got.key + " " + got.users; err != nil || text != want {
			t.Errorf("%s: %q, %v; want %q", path, text, err, want)
		}
	}
	for path, want := range map[string]string{
		"on/results-off/x": "says that persistence was on",
		"on-off/x":         "says both on and off",
		"both":             "fits both --on and --off",
	} {
		_, err := Names{On: []string{"both"}, Off: []string{"bo*"}}.traitsOf(path)
		if _, ok := errors.AsType[*source.SpecError](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
	for _, pattern := range []string{"[a", "a/b"} {
		if (Names{Only: []string{pattern}}).Check() == nil {
			t.Errorf("%q is a pattern", pattern)
		}
	}
}

// TestPair pairs by names first, by time what is left, and leaves out what has
// no partner.
func TestPair(t *testing.T) {
	at := func(minute int, mode, key string) proposal {
		return proposal{grant: "password", label: "token", mode: mode, key: key, name: mode + key, load: Stretch{Start: time.Unix(int64(minute)*60, 0)}}
	}
	paired, alone := pair([]proposal{at(0, "on", "1"), at(1, "on", "2"), at(2, "off", "2"), at(3, "off", "x"), at(4, "on", "3")})
	var got []string
	for _, p := range paired {
		got = append(got, p.name+":"+string(rune('0'+p.block))+p.ask())
	}
	const want = "on1:1 # was persistence on?,on2:2 # was persistence on?,off2:2 # was persistence on?,offx:1 # was persistence on?"
	if strings.Join(got, ",") != want {
		t.Errorf("pairs %q", got)
	}
	if len(alone) != 1 || alone[0].name != "on3" {
		t.Errorf("alone: %v", alone)
	}
	if paired[0].guessed != true || paired[1].guessed != false {
		t.Errorf("guessed: %v, %v", paired[0].guessed, paired[1].guessed)
	}
}
