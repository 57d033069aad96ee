package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestOptionFileMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"user=x":                  "line 1: option outside of a group",
		"[client\nuser=x":         "line 1: group without a closing ]",
		"[client]\n!include /etc": "line 2: !include is not followed",
		"[client]\npassword=" + strings.Repeat("c4n4ry", 1<<18): "line 2: longer than 64 KiB",
	} {
		if _, err := parseMyCnf(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), want) || len(err.Error()) > 100 {
			t.Errorf("%.40q: got %.200v, want %s", text, err, want)
		}
	}
}

func FuzzOptionFile(f *testing.F) {
	f.Add(clientFile)
	for _, seed := range []string{"", "[client]\npassword=\"", "[client]\npassword='\\", "[client]\n=", "[]\n[client]\nhost\n", "[client]\r\nport = 1 # x\r\n", "\x00[client]", "!"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if client, err := parseMyCnf(strings.NewReader(text)); err == nil {
			client.address()
		} else if len(err.Error()) > 200 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
		const secret = "c4n4ry-Pa55w0rd"
		client, err := parseMyCnf(strings.NewReader("[client]\npassword=" + secret + "\n" + text))
		if shown := fmt.Sprintf("%v %+v %#v", client, client, err); strings.Contains(shown, secret) && !strings.Contains(text, secret) {
			t.Errorf("the password shows in %s", shown)
		}
		if again := strings.Contains(strings.ToLower(text), "password"); err == nil && !again && client.Password.Reveal() != secret {
			t.Errorf("the password is lost")
		}
	})
}
