package main

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"hallpass/clever/sandbox"
)

const seedHome = "/d/" + sandbox.SeedDistrictID + "/"

func TestDemoScript(t *testing.T) {
	v, home := visit(t, "District admin")
	if home.status != http.StatusOK || home.path() != seedHome+"district_admin/" {
		t.Fatalf("the sign-in for scripts ends at %s with status %d", home.path(), home.status)
	}
	list := v.get(seedHome + "district_admin/users?q=brakus")
	people := list.Find("tr").FilterFunction(func(_ int, row *goquery.Selection) bool { return strings.Contains(words(row), "PortalOnly") }).Find("a.person") // what the old app has of him holds no role
	if people.Length() != 1 || words(people) != "Brakus, Danny D" {
		t.Fatalf("searching brakus finds %q", words(people))
	}
	if row := words(people.Closest("tr")); !strings.Contains(row, "Teacher") || !strings.Contains(row, "Staff") || !strings.Contains(row, "PortalOnly") {
		t.Errorf("the row does not tell both roles: %s", row)
	}
	href, _ := people.Attr("href")
	page := v.get(href)
	if page.words("h1") != "Danny D Brakus" {
		t.Errorf("the page is about %q", page.words("h1"))
	}
	// School by role: what is held where, and nothing more.
	held := map[string]string{}
	page.Find("table.matrix tbody tr").Each(func(_ int, row *goquery.Selection) {
		school, _ := row.Find("th a").Attr("href")
		row.Find("td.holds").Each(func(_ int, cell *goquery.Selection) {
			role, _ := cell.Attr("data-label")
			held[role+" at "+school[strings.LastIndex(school, "/")+1:]] = words(cell.Find("strong"))
		})
	})
	teacher, staff := "Teacher at "+sandbox.SeedTeacherSchool, "Staff at "+sandbox.SeedStaffSchool
	if len(held) != 2 || !strings.HasPrefix(held[teacher], "Teacher") || !strings.Contains(held[staff], "PortalOnly") {
		t.Errorf("the matrix says %q", held)
	}
	text := words(page.Find("main"))
	for _, id := range []string{sandbox.SeedUserID, sandbox.SeedTeacherLegacy, sandbox.SeedStaffLegacy, "74002", "42"} {
		if !strings.Contains(text, id) {
			t.Errorf("the page does not show %s", id)
		}
	}
}

func TestDemoPeopleLandWhereTheyBelong(t *testing.T) {
	want := map[string]struct{ view, heading string }{
		"District admin":                    {"district_admin", ", Marisol"},
		"School staff":                      {"staff", ", Desmond"},
		"School Tech Lead":                  {"staff", ", Linh"},
		"Teacher":                           {"teacher", "My sections"},
		"Teacher and staff":                 {"choose", "Welcome, Danny"},
		"Teacher, staff at two schools":     {"choose", "Welcome, Imani"},
		"Teacher, staff and district admin": {"choose", "Welcome, Rosalind"},
		"Student":                           {"", "Hello"},
		"Contact":                           {"", "Hello"},
		"No role shared":                    {"", "Hello"},
	}
	people := sharedDemo(t).people
	if len(people) != len(want) {
		t.Errorf("the table names %d people, want %d", len(people), len(want))
	}
	for _, p := range people {
		t.Run(p.label, func(t *testing.T) {
			_, page := visit(t, p.label)
			expect, known := want[p.label]
			switch {
			case !known:
				t.Errorf("nobody expects %s to land at %s", p.name, page.path())
			case expect.view == "":
				if page.words("main.pass h1") != expect.heading || page.Find(`form[action="/signout"]`).Length() != 1 || page.Find(".problem, .notice").Length() > 0 {
					t.Errorf("%s gets no kind page at %s: %s", p.name, page.path(), page.words("main"))
				}
			case expect.view == "choose": // signed in, and asked in which of several roles to begin
				if page.status != http.StatusOK || page.path() != "/signin/choose-view" || page.words("h1") != expect.heading {
					t.Errorf("%s lands at %s (status %d) under %q", p.name, page.path(), page.status, page.words("h1"))
				}
			case page.status != http.StatusOK || page.path() != seedHome+expect.view+"/" || !strings.HasSuffix(page.words("h1"), expect.heading):
				t.Errorf("%s lands at %s (status %d) under %q", p.name, page.path(), page.status, page.words("h1"))
			}
		})
	}
}

func TestDemoOutsideIDsLeadToThePerson(t *testing.T) {
	v, _ := visit(t, "District admin")
	users := seedHome + "district_admin/users/"
	first := v.get(users + sandbox.SeedUserID)
	if _, err := strconv.Atoi(strings.TrimPrefix(first.path(), users)); err != nil {
		t.Errorf("the Clever id leads to %s, not to an id of Hallpass", first.path())
	}
	for _, id := range []string{sandbox.SeedTeacherLegacy, sandbox.SeedStaffLegacy, strings.TrimPrefix(first.path(), users)} {
		if p := v.get(users + id); p.status != http.StatusOK || p.path() != first.path() || p.words("h1") != "Danny D Brakus" {
			t.Errorf("%s leads to %s with status %d", id, p.path(), p.status)
		}
	}
	for _, path := range []string{
		users + sandbox.SameEmailOtherUserID, users + "67290af290b55408fa4b0000", users + "0", users + "999999999",
		"/d/" + sandbox.OtherDistrictID + "/district_admin/users", "/d/" + sandbox.OtherDistrictID + "/district_admin/users/" + sandbox.SeedUserID,
	} {
		if p := v.get(path); p.status != http.StatusNotFound {
			t.Errorf("%s: status %d, want not found", path, p.status)
		}
	}
}

func TestDemoAddressInUse(t *testing.T) {
	d := sharedDemo(t)
	taken := strings.TrimPrefix(d.console, "http://")
	for flag, args := range map[string][]string{
		"--addr":         {"demo", "--addr", taken, "--sandbox-addr", "127.0.0.1:0"},
		"--sandbox-addr": {"demo", "--addr", "127.0.0.1:0", "--sandbox-addr", taken},
	} {
		out, err := ran(t, args...)
		if err == nil || !strings.Contains(err.Error(), taken) || !strings.Contains(err.Error(), "in use") || !strings.HasSuffix(err.Error(), " "+flag) {
			t.Errorf("%s of a running demo: %v", flag, err)
		}
		if out != "" {
			t.Errorf("it had begun already:\n%s", out)
		}
	}
}

// TestDemoEndsClean presses Ctrl-C at the program itself, at three moments: the server ends with it, and nothing stays
// behind.
func TestDemoEndsClean(t *testing.T) {
	const serving = "Stop with Ctrl-C."
	for name, said := range map[string]string{
		"while it makes a cluster": "Starting a private PostgreSQL", "while it syncs": "  schools ", "while it serves": serving,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tmp := reachable(t)
			users := "150"
			if name == "while it syncs" {
				users = "20000" // it takes a while, and is not brought to its end
			}
			cmd := program(t.Context(), t, []string{"TMPDIR=" + tmp}, "demo", "--addr", "127.0.0.1:0", "--sandbox-addr", "127.0.0.1:0", "--users", users)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			var errOut strings.Builder
			cmd.Stderr = &errOut
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			for lines.Scan() && !strings.Contains(lines.Text(), said) {
			}
			server := 0
			if name == "while it makes a cluster" {
				eventually(t, "a data folder", func() bool { return len(glob(t, tmp, "hallpass-*", "pg")) == 1 })
			} else if server = postmaster(t, tmp); syscall.Kill(server, 0) != nil {
				t.Fatalf("no server has the process id %d", server)
			}
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatalf("%v\n%s", err, errOut.String())
			}
			// On a busy machine it may have come further than we saw when the signal reaches it.
			served := name == "while it serves"
			for lines.Scan() {
				served = served || strings.Contains(lines.Text(), serving)
			}
			if err := lines.Err(); err != nil {
				t.Fatal(err)
			}
			// Interrupted on the way, it has not done what was asked: only the last moment is a success.
			if err := cmd.Wait(); (err == nil) != served || strings.Contains(errOut.String(), "panic") {
				t.Errorf("%v\n%s", err, errOut.String())
			}
			if server != 0 && !errors.Is(syscall.Kill(server, 0), syscall.ESRCH) {
				t.Errorf("the server %d outlives the demo", server)
			}
			if left := glob(t, tmp, "*"); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			t.Logf("its last words: %s", errOut.String())
		})
	}
}

// eventually waits for something that nobody announces.
func eventually(t *testing.T, what string, there func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !there() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("no %s", what)
		}
	}
}

func glob(t *testing.T, parts ...string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// reachable is a temporary folder that the account of the database server can pass through, with a short name.
func reachable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "hp") //nolint:usetesting // the parents of t.TempDir are closed to other accounts
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// postmaster is the process id of the server in the one data folder in dir.
func postmaster(t *testing.T, dir string) int {
	t.Helper()
	found := glob(t, dir, "hallpass-*", "pg", "postmaster.pid")
	if len(found) != 1 {
		t.Fatalf("servers in %s: %v", dir, found)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// TestDemoKeepsANamedFolder: with --data, the district is still there the next time.
func TestDemoKeepsANamedFolder(t *testing.T) {
	data := filepath.Join(reachable(t), "data")
	for _, want := range []string{"new", "read"} {
		d, err := invent("--users", "150", "--data", data)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.stop(); err != nil {
			t.Errorf("stopped: %v", err)
		}
		found := regexp.MustCompile(`(?m)^  users +(\d+) read +(\d+) new`).FindStringSubmatch(d.text)
		if found == nil {
			t.Fatalf("no line about users in:\n%s", d.text)
		}
		if isNew := found[1] == found[2]; isNew != (want == "new") {
			t.Errorf("%s of %s people are new", found[2], found[1])
		}
	}
}
