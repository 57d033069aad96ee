package collector

// needers are all collectors that read the database. What they need does not
// depend on how they are set up.
func needers() []Needer {
	return []Needer{MySQL{}, TableIO{}, TableSize{}, (*Tokens)(nil), (*Statements)(nil), (*Census)(nil), (*TokenSchema)(nil)}
}

// Grants returns the statements that give an account what every collector needs
// on such a server, given these token tables. What shows the statements of other
// sessions is not among them.
func Grants(server Server, schema, account string, tables []string) []string {
	var needs []Need
	for _, c := range needers() {
		needs = append(needs, c.Needs(tables)...)
	}
	s := Draft(server, schema, account)
	var statements []string
	for _, n := range MergeNeeds(needs) {
		if n.suits(server) && n.Privilege != privilegeProcess {
			statements = append(statements, s.Grant(n))
		}
	}
	return statements
}

// Draft returns a session without a connection, good for writing grants to an
// account that cannot log in yet. account is quoted.
func Draft(server Server, schema, account string) *Session {
	return &Session{Server: server, Schema: schema, account: account}
}
