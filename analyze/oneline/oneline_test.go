package oneline

import "testing"

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                    "",
		"password – 5 %":      "password – 5 %",
		"a\x1b[31m\nb\u00a0c": "a\ufffd[31m b c",
		"\xff\u202e":          "\ufffd\ufffd",
		"tab\there\r\n":       "tab here  ",
	} {
		if got := Text(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
