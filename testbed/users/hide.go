package users

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// hidden replaces what must not be read anywhere.
const hidden = "(hidden)"

// signed finds JWTs: no text that holds one, ours or another's, is written.
var signed = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?`)

// longest is how many characters of a server's text are kept.
const longest = 300

// hide takes the user's secrets out of a text that a server had a part in: API
// Manager's own messages quote consumer keys, and a proxy may quote anything.
func (u *user) hide(text string) string {
	basic := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(u.app.Key) + ":" + url.QueryEscape(u.app.Secret)))
	plain := base64.StdEncoding.EncodeToString([]byte(u.app.Key + ":" + u.app.Secret))
	for _, secret := range []string{basic, plain, u.app.Key, u.app.Secret, u.owner.Password, u.refresh} {
		if len(secret) == 0 {
			continue
		}
		text = strings.ReplaceAll(text, secret, hidden)
		text = strings.ReplaceAll(text, url.QueryEscape(secret), hidden)
	}
	text = signed.ReplaceAllString(text, hidden)
	if u.target == nil {
		return text
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "…"
	}
	return text
}

// hiding is an error whose text is hidden and whose cause is kept.
func (u *user) hiding(err error) error { return &hiddenError{u.hide(err.Error()), err} }

type hiddenError struct {
	text  string
	cause error
}

func (e *hiddenError) Error() string { return e.text }

func (e *hiddenError) Unwrap() error { return e.cause }
