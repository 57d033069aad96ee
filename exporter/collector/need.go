package collector

// Need is a right of our account in the database that a collector uses. The
// check command turns needs into statements to paste.
type Need struct {
	Privilege string   // SELECT, REFERENCES or PROCESS
	Columns   []string // none for the whole object
	Schema    string   // empty for the schema of the token tables; "*" for a global privilege
	Table     string   // empty for a global privilege
	Flavor    string   // the only flavour that needs it; empty for both
	Optional  string   // what is missing without it; empty where the collector fails without it
}

// Needer is a collector that reads the database. Tables are the token tables
// that the schema holds, or may hold, by the names of tokentable in upper case.
type Needer interface {
	Needs(tables []string) []Need
}
