// Package jmeter_test holds the JMeter plans against what their README says and,
// where JMeter is at hand, against the testbed's key manager.
package jmeter_test

import (
	"encoding/xml"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/testbed/users"
)

// node is any element of a plan.
type node struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Nodes   []node     `xml:",any"`
}

func (n node) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// property is the text of a child by its attribute name.
func (n node) property(name string) string {
	for _, child := range n.Nodes {
		if child.attr("name") == name {
			return child.Text
		}
	}
	return ""
}

// walk visits every element with the hashTree that follows it.
func (n node) walk(visit func(element, below node)) {
	for i, child := range n.Nodes {
		var below node
		if i+1 < len(n.Nodes) && n.Nodes[i+1].XMLName.Local == "hashTree" {
			below = n.Nodes[i+1]
		}
		visit(child, below)
		child.walk(visit)
	}
}

func (n node) find(kind string) (found []node) {
	n.walk(func(element, _ node) {
		if element.XMLName.Local == kind {
			found = append(found, element)
		}
	})
	return found
}

func readPlan(t *testing.T, grant string) (text string, plan node) {
	t.Helper()
	b, err := os.ReadFile(grant + ".jmx")
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(b, &plan); err != nil {
		t.Fatal(err)
	}
	return string(b), plan
}

// request is what a sampler sends and what a good answer has.
type request struct {
	label, grant string
	fields       []string
	parts        []string
}

var client = []string{"client_id", "client_secret"}

// plans says which requests each plan makes.
func plans() map[string][]request {
	owner := append([]string{"password", "scope", "username"}, client...)
	pair := []string{`"access_token"`, `"refresh_token"`}
	return map[string][]request{
		"client_credentials": {{users.Label("client_credentials"), "client_credentials", append([]string{"scope"}, client...), pair[:1]}},
		"password":           {{users.Label("password"), "password", owner, pair}},
		"refresh_token": {
			{"Obtain_First_Token", "password", owner, pair},
			{users.Label("refresh_token"), "refresh_token", append([]string{"refresh_token"}, client...), pair},
		},
	}
}

func TestRequests(t *testing.T) {
	for grant, want := range plans() {
		t.Run(grant, func(t *testing.T) {
			_, plan := readPlan(t, grant)
			var got []request
			plan.walk(func(element, below node) {
				if element.XMLName.Local == "HTTPSamplerProxy" {
					got = append(got, sampler(t, element, below))
				}
			})
			for i := range want {
				slices.Sort(want[i].fields)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(request{})); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// sampler reads a request and checks what all of them share.
func sampler(t *testing.T, element, below node) request {
	t.Helper()
	r := request{label: element.attr("testname")}
	for _, field := range element.find("elementProp") {
		name, value := field.property("Argument.name"), field.property("Argument.value")
		switch name {
		case "":
			continue // the list itself
		case "grant_type":
			r.grant = value
			continue
		case "scope":
			if value != "device_${__RandomString(10,0123456789,)}" {
				t.Errorf("%s: scope %s", r.label, value)
			}
		}
		if field.property("HTTPArgument.always_encode") != "true" {
			t.Errorf("%s: %s is sent as it is", r.label, name)
		}
		r.fields = append(r.fields, name)
	}
	slices.Sort(r.fields)
	for name, want := range map[string]string{
		"protocol": "${protocol}", "domain": "${host}", "port": "${port}", "path": "${path}", "method": "POST", "follow_redirects": "false",
		"auto_redirects": "false", "use_keepalive": "true", "DO_MULTIPART_POST": "false",
	} {
		if got := element.property("HTTPSampler." + name); got != want {
			t.Errorf("%s: %s is %q, want %q", r.label, name, got, want)
		}
	}
	status := false
	for _, a := range below.find("ResponseAssertion") {
		text := a.Nodes[0].Nodes[0].Text
		kind := a.property("Assertion.test_field") + " " + a.property("Assertion.test_type")
		switch {
		case a.attr("enabled") != "true" || a.property("Assertion.assume_success") != "false":
			t.Errorf("%s: assertion %s is off", r.label, a.attr("testname"))
		case kind == "Assertion.response_code 8" && text == "200": // 8: equals
			status = true
		case kind == "Assertion.response_data 16": // 16: has the text
			r.parts = append(r.parts, text)
		default:
			t.Errorf("%s: assertion %s of %q", r.label, kind, text)
		}
	}
	if !status {
		t.Errorf("%s: no assertion of the status", r.label)
	}
	return r
}

// TestTrees holds the form JMeter reads: in a hashTree every element is
// followed by the hashTree of what belongs to it.
func TestTrees(t *testing.T) {
	var check func(t *testing.T, tree node)
	check = func(t *testing.T, tree node) {
		t.Helper()
		if len(tree.Nodes)%2 != 0 {
			t.Errorf("a hashTree has %d elements", len(tree.Nodes))
			return
		}
		for i := 0; i < len(tree.Nodes); i += 2 {
			element, below := tree.Nodes[i], tree.Nodes[i+1]
			if element.XMLName.Local == "hashTree" || below.XMLName.Local != "hashTree" {
				t.Errorf("%s is followed by %s", element.XMLName.Local, below.XMLName.Local)
				return
			}
			if element.attr("enabled") != "true" || element.attr("testname") == "" {
				t.Errorf("%s %q is off or has no name", element.XMLName.Local, element.attr("testname"))
			}
			check(t, below)
		}
	}
	for grant := range plans() {
		_, plan := readPlan(t, grant)
		if plan.XMLName.Local != "jmeterTestPlan" || !strings.HasPrefix(plan.attr("jmeter"), "5.") || len(plan.Nodes) != 1 {
			t.Errorf("%s is no plan of JMeter 5", grant)
			continue
		}
		check(t, plan.Nodes[0])
	}
}

// TestLoad holds the published load and the loop that keeps connections.
func TestLoad(t *testing.T) {
	for grant := range plans() {
		_, plan := readPlan(t, grant)
		groups := plan.find("ThreadGroup")
		if len(groups) != 1 {
			t.Fatalf("%s has %d thread groups", grant, len(groups))
		}
		for name, want := range map[string]string{
			"num_threads": "${__P(concurrency,100)}", "ramp_time": "${__P(rampUpPeriod,60)}", "duration": "${__P(time,900)}",
			"scheduler": "true", "on_sample_error": "continue", "same_user_on_next_iteration": "true",
		} {
			if got := groups[0].property("ThreadGroup." + name); got != want {
				t.Errorf("%s: %s is %q, want %q", grant, name, got, want)
			}
		}
		loops := plan.find("LoopController")
		if len(loops) != 1 || loops[0].property("LoopController.loops") != "-1" {
			t.Errorf("%s: the loop inside the thread is %+v", grant, loops)
		}
		// The chain stays with one application; the other plans take turns per request.
		inside := false
		plan.walk(func(element, below node) {
			if element.XMLName.Local == "LoopController" {
				inside = len(below.find("CSVDataSet")) == 1
			}
		})
		if inside != (grant != "refresh_token") || len(plan.find("CSVDataSet")) != 1 {
			t.Errorf("%s: credentials are read in the loop: %t", grant, inside)
		}
		for _, timer := range []string{"ConstantTimer", "UniformRandomTimer", "GaussianRandomTimer", "ConstantThroughputTimer"} {
			if len(plan.find(timer)) > 0 {
				t.Errorf("%s thinks: %s", grant, timer)
			}
		}
	}
}

// TestResultFile holds the columns that analyze wants, and that no answer is
// saved, which has a token in it.
func TestResultFile(t *testing.T) {
	saved := []string{
		"time", "latency", "timestamp", "success", "label", "code", "message", "threadName", "dataType", "fieldNames",
		"saveAssertionResultsFailureMessage", "bytes", "sentBytes", "url", "threadCounts", "idleTime", "connectTime",
	}
	for grant := range plans() {
		_, plan := readPlan(t, grant)
		collectors := plan.find("ResultCollector")
		if len(collectors) != 1 || collectors[0].property("filename") != "${out}" {
			t.Fatalf("%s has %d result files", grant, len(collectors))
		}
		var got []string
		for _, value := range collectors[0].find("value") {
			for _, field := range value.Nodes {
				if field.Text == "true" {
					got = append(got, field.XMLName.Local)
				}
			}
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(saved)), slices.Sorted(slices.Values(got))); diff != "" {
			t.Errorf("%s: saved (-want +got):\n%s", grant, diff)
		}
	}
}

// TestProperties holds the README's table against the plans.
func TestProperties(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `-J(\\w+)` \\| `([^`]*)` \\|").FindAllStringSubmatch(string(readme), -1) {
		told[row[1]] = row[2]
	}
	for grant, requests := range plans() {
		text, _ := readPlan(t, grant)
		asked := map[string]string{}
		for _, found := range regexp.MustCompile(`\$\{__P\((\w+),([^)]*)\)\}`).FindAllStringSubmatch(text, -1) {
			asked[found[1]] = found[2]
		}
		if diff := cmp.Diff(told, asked); diff != "" {
			t.Errorf("properties of %s (-README +plan):\n%s", grant, diff)
		}
		if !strings.Contains(string(readme), "`"+grant+".jmx`") {
			t.Errorf("the README does not name %s.jmx", grant)
		}
		for _, r := range requests {
			if !strings.Contains(string(readme), "`"+r.label+"`") {
				t.Errorf("the README does not name %s", r.label)
			}
		}
	}
	for _, found := range regexp.MustCompile(`-J(\w+)`).FindAllStringSubmatch(string(readme), -1) {
		if _, known := told[found[1]]; !known {
			t.Errorf("-J%s is not in the README's table", found[1])
		}
	}
}
