package collector

import (
	"slices"
	"strings"
)

// digest is what the text of a digest says about the statement.
type digest struct {
	kind     statementKind
	prepares bool // PREPARE or DEALLOCATE: takes time for the kind, but is no execution of it
	hidden   bool // a prepared statement whose text the server does not tell (MariaDB)
	cut      bool // the server cut the text before it named a table
}

// Both servers keep the first max_digest_length bytes of a statement, by
// default 1024, and mark no cut; as text they are at least three quarters of it.
const (
	maxDigestText = 2048
	cutDigestText = 768
)

// classify finds the kind of a statement by its digest text, as either server
// writes it, and the default schema of the session that ran it. Other schemas'
// tables do not count, whatever their names.
func classify(text, session, schema string) digest {
	text = text[:min(len(text), maxDigestText)]
	home := strings.EqualFold(session, schema)
	if len(text) > shortDigestText && !mentionsToken(text) {
		return digest{cut: home && len(text) >= cutDigestText && !namesTable(text)}
	}
	words := digestWords(text)
	var d digest
	if d.prepares, words = unwrap(words); len(words) == 0 {
		return d
	}
	switch k := wordless(words); {
	case k != kindNone && home:
		d.kind = k
		return d
	case k != kindNone:
		return d
	case words[0].is("EXECUTE"):
		d.hidden = true
		return d
	}
	g := targetGroup(words, home, schema)
	switch {
	case g == groupNone && isCleanupCall(words, home, schema):
		d.kind = kindCleanup
	case g == groupNone:
		d.cut = home && len(text) >= cutDigestText && !namesTable(text)
	case session == "":
		// Applications have a default schema; we, and people who look, name it.
		d.kind = kindMonitor
	default:
		d.kind = ruled(words, g)
	}
	return d
}

// shortDigestText is longer than any statement about transactions and than a call
// of the cleanup procedure.
const shortDigestText = 128

// mentionsToken tells texts that have the beginning of a token table's name from
// most others, without taking them apart: a full digest table has 10 MB of text.
func mentionsToken(text string) bool {
	for i := strings.IndexByte(text, '_'); i >= 0; {
		for _, part := range []string{"IDN", "REVOKED"} {
			if i >= len(part) && strings.EqualFold(text[i-len(part):i], part) {
				return true
			}
		}
		next := strings.IndexByte(text[i+1:], '_')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return false
}

// namesTable reports whether a table of any name, or nothing that could have
// one, is in what is left of a text. Both servers write keywords in upper case.
func namesTable(text string) bool {
	verb, _, _ := strings.Cut(text, " ")
	if !slices.Contains([]string{"SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH", "(", "EXECUTE"}, verb) {
		return true
	}
	return slices.ContainsFunc([]string{"FROM `", "INTO `", "UPDATE `", "JOIN `"}, func(part string) bool { return strings.Contains(text, part) })
}

// unwrap removes what MySQL writes before the text of a prepared statement.
func unwrap(words []digestWord) (prepares bool, _ []digestWord) {
	if len(words) > 1 && !words[0].quoted && !words[1].quoted {
		switch {
		case words[0].is("PREPARE"), words[0].is("DEALLOCATE"):
			return !words[1].is("PREPARE"), words[1:]
		case words[0].is("EXECUTE") && !words[1].is("IMMEDIATE"):
			return false, words[1:]
		}
	}
	return false, words
}

// wordless is the kind of a statement that names no table.
func wordless(words []digestWord) statementKind {
	switch first := words[0]; {
	case first.is("COMMIT"):
		return kindCommit
	case first.is("BEGIN"), first.is("ROLLBACK"),
		first.is("START") && len(words) > 1 && words[1].is("TRANSACTION"),
		first.is("SET") && slices.ContainsFunc(words[1:min(len(words), 4)], func(w digestWord) bool {
			return strings.EqualFold(w.text, "autocommit")
		}):
		return kindTransactionControl
	}
	return kindNone
}

// ruled finds the first rule that fits.
func ruled(words []digestWord, g tableGroup) statementKind {
	verb := strings.ToUpper(words[0].text)
	if verb == "(" || verb == "WITH" {
		verb = "SELECT"
	}
	for _, r := range statementRules {
		if r.group == g && slices.Contains(strings.Fields(r.verbs), verb) && comparesColumn(words, r.columns) {
			return r.kind
		}
	}
	return restKinds[g]
}

// comparesColumn reports whether one of the columns stands before an equals sign or
// IN with values.
func comparesColumn(words []digestWord, columns string) bool {
	names := strings.Fields(columns)
	for i := 1; i+1 < len(words); i++ {
		next := words[i+1]
		isList := next.is("IN") && i+3 < len(words) && !words[i+3].is("SELECT")
		if !words[i].quoted || next.text != "=" && !isList {
			continue
		}
		for _, name := range names {
			if strings.EqualFold(words[i].text, name) {
				return true
			}
		}
	}
	return len(names) == 0
}

// target returns the group of the table that the statement writes to, or of the
// first one that counts where it only reads or writes to something unknown.
func targetGroup(words []digestWord, home bool, schema string) tableGroup {
	found := groupNone
	for i, w := range words {
		if !w.quoted {
			continue
		}
		g := groupOf(strings.ToUpper(w.text))
		if g == groupNone || !isOurs(words, i, home, schema) {
			continue
		}
		found = g
		break
	}
	if found != groupNone && (words[0].is("INSERT") || words[0].is("REPLACE")) && !writesFirst(words) {
		return groupOtherTokenTables
	}
	return found
}

// counts reports whether the name at i belongs to the token schema.
func isOurs(words []digestWord, i int, home bool, schema string) bool {
	if i < 2 || words[i-1].text != "." {
		return home
	}
	return strings.EqualFold(words[i-2].text, schema)
}

// writesFirst reports whether the first table of an INSERT is a token table and
// not only the source of a copy.
func writesFirst(words []digestWord) bool {
	for i, w := range words {
		if w.quoted && (i+1 == len(words) || words[i+1].text != ".") {
			return groupOf(strings.ToUpper(w.text)) != groupNone
		}
	}
	return false
}

func isCleanupCall(words []digestWord, home bool, schema string) bool {
	if !words[0].is("CALL") {
		return false
	}
	for i, w := range words {
		if w.quoted && strings.EqualFold(w.text, cleanupProcedure) {
			return isOurs(words, i, home, schema)
		}
	}
	return false
}

// digestWord is a piece of a digest text.
type digestWord struct {
	text   string
	quoted bool // an identifier; both servers quote every one of them
}

func (w digestWord) is(keyword string) bool { return !w.quoted && strings.EqualFold(w.text, keyword) }

// digestWords splits a digest text. Comments are left out: the servers write one
// for the further rows of VALUES.
func digestWords(text string) []digestWord {
	var words []digestWord
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case strings.HasPrefix(text[i:], "/*"):
			end := strings.Index(text[i+2:], "*/")
			if end < 0 {
				return words
			}
			i += end + 4
		case c == '`' || c == '"':
			name, length, closed := quotedName(text[i:])
			if !closed {
				return words
			}
			words = append(words, digestWord{name, true})
			i += length
		case isWordByte(c):
			end := i + 1
			for end < len(text) && isWordByte(text[end]) {
				end++
			}
			words = append(words, digestWord{text[i:end], false})
			i = end
		default:
			words = append(words, digestWord{text[i : i+1], false})
			i++
		}
	}
	return words
}

// quotedName reads a quoted identifier, in which a doubled quote stands for one.
func quotedName(text string) (name string, length int, closed bool) {
	quote := text[0]
	for i := 1; i < len(text); i++ {
		if text[i] != quote {
			continue
		}
		if i+1 < len(text) && text[i+1] == quote {
			i++
			continue
		}
		return strings.ReplaceAll(text[1:i], string([]byte{quote, quote}), string(quote)), i + 1, true
	}
	return "", 0, false
}

func isWordByte(c byte) bool {
	return c == '_' || c == '$' || c == '@' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
