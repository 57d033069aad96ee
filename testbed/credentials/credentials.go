// Package credentials holds the OAuth2 clients and resource owners with which
// load is made: made up for the rig, or read from a file for a real API Manager.
// It refuses to print: a set of credentials formats as a count.
//
//	set := credentials.Make(10, 100)
//	set, warning, err := credentials.Read("credentials.csv")
//	err := json.NewEncoder(stdin).Encode(set)
package credentials

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
)

// Set is what the load generator logs in with.
type Set struct {
	Applications []Application `json:"applications"`
	Users        []User        `json:"users"`
}

// Application is an OAuth2 client.
type Application struct {
	Key    string `json:"key"`
	Secret string `json:"secret"`
	Line   int    `json:"-"` // of the file it was read from; 0: made
}

// User is a resource owner of the password grant.
type User struct {
	Name     string `json:"name"`
	Password string `json:"password"`
	Line     int    `json:"-"` // of the file it was read from; 0: made
}

// Make invents a set. Keys and secrets have the 28 characters API Manager's
// have; users are named as in WSO2's own test plans, with a mark that tells two
// sets in one user store apart.
func Make(applications, users int) Set {
	var s Set
	for range applications {
		s.Applications = append(s.Applications, Application{Key: text28(), Secret: text28()})
	}
	mark := strings.ToLower(rand.Text()[:6])
	for i := range users {
		s.Users = append(s.Users, User{Name: fmt.Sprintf("testUser_%s_%d", mark, i+1), Password: text28()})
	}
	return s
}

// text28 returns 28 random characters of base 32, 140 bits.
func text28() string { return (rand.Text() + rand.Text())[:28] }

// String hides every key and password.
func (s Set) String() string {
	return fmt.Sprintf("%d applications and %d users (hidden)", len(s.Applications), len(s.Users))
}

// GoString hides as String does.
func (s Set) GoString() string { return s.String() }

// LogValue hides as String does.
func (s Set) LogValue() slog.Value { return slog.StringValue(s.String()) }
