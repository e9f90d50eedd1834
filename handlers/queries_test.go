package handlers

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"hallpass/clever/sandbox"
	"hallpass/models"
)

// counter stands between the store and PostgreSQL and counts the statements that are run, but for those by which the
// pool asks a connection that has had nothing to do for a second whether it still lives. Trips are how often somebody
// waited for an answer.
type counter struct{ run, trips atomic.Int64 }

// between gives the address of the counter in place of the database's.
func (n *counter) between(t *testing.T, database string) string {
	t.Helper()
	cfg, err := pgconn.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	network, address := pgconn.NetworkAddress(cfg.Host, cfg.Port)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	ctx := context.WithoutCancel(t.Context()) // the store closes after the test's context has ended
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go n.relay(ctx, client, network, address)
		}
	}()
	u := url.URL{Scheme: "postgres", User: url.UserPassword(cfg.User, cfg.Password), Host: l.Addr().String(), Path: "/" + cfg.Database, RawQuery: "sslmode=disable"}
	return u.String()
}

// relay passes everything on, and reads what the client says: after the first message, each begins with its type and
// its length.
func (n *counter) relay(ctx context.Context, client net.Conn, network, address string) {
	defer client.Close()
	server, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(client, server)
		client.Close()
	}()
	for head := make([]byte, 4); ; head = make([]byte, 5) {
		if _, err := io.ReadFull(client, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[len(head)-4:])-4)
		if _, err := io.ReadFull(client, body); err != nil {
			return
		}
		if len(head) == 5 {
			simple := head[0] == 'Q' && string(body) != "-- ping\x00"
			if simple || head[0] == 'E' { // the execution of a prepared one
				n.run.Add(1)
			}
			if simple || head[0] == 'S' { // Sync: what was sent up to here is to be answered
				n.trips.Add(1)
			}
		}
		if _, err := server.Write(append(head, body...)); err != nil {
			return
		}
	}
}

// atRest is the count once the store has every connection back: a page that was read does not wait for its transaction
// to end.
func (n *counter) atRest(t *testing.T, store *models.Store) int64 {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); store.JobPool().Stat().AcquiredConns() > 0; <-tick.C {
		if time.Now().After(end) {
			t.Fatal("a transaction does not end")
		}
	}
	return n.run.Load()
}

// TestListsAskAFixedNumberOfQuestions: however many rows a page has, and wherever it is. Beginning the transaction and
// putting up its wall are two of them, ending it is one more.
func TestListsAskAFixedNumberOfQuestions(t *testing.T) {
	n := &counter{}
	c := newConsoleOver(t, n.between)
	admin, staff := c.signedIn(sandbox.DistrictAdminUserID), c.holding(sandbox.ManySchoolsUserID)
	ask := func(b *browser, path string) (queries int64, rows int) {
		b.get(seedHome + path) // statements are prepared at the first sight
		before := n.atRest(t, c.store)
		doc := b.get(seedHome + path).doc(t)
		return n.atRest(t, c.store) - before, doc.Find("main tbody tr").Length()
	}
	next, _ := admin.get(seedHome + "district_admin/users").doc(t).Find(`main a[rel="next"]`).Attr("href")
	a, b := strconv.FormatInt(c.id(sandbox.SeedUserID), 10), strconv.FormatInt(c.id(sandbox.ContactUserID), 10)
	many, school := strconv.FormatInt(c.id(sandbox.ManySchoolsUserID), 10), c.box.SchoolID(1)
	for _, row := range []struct {
		name  string
		who   *browser
		paths []string
		most  int64
	}{
		{"people", admin, []string{"district_admin/users", next[len(seedHome):], "district_admin/users?sort=-changed"}, 8},
		{"people of a role", admin, []string{"district_admin/users?role=student", "district_admin/users?role=district_admin"}, 8},
		{"found people", admin, []string{"district_admin/users?q=brakus", "district_admin/users?q=whitlock"}, 12},
		{"a person", admin, []string{"district_admin/users/" + a, "district_admin/users/" + b}, 9},
		{"access of a person", admin, []string{"district_admin/users/" + a + "/access", "district_admin/users/" + many + "/access"}, 10},
		{"why", admin, []string{
			"district_admin/users/" + a + "/access/why?permission=grades.edit&place=school:" + school, "district_admin/users/" + many + "/access/why?permission=users.view&place=school:" + school,
		}, 9},
		{"who can", admin, []string{"district_admin/access/who-can?permission=grades.view&place=school:" + school, "district_admin/access/who-can?permission=classroom.view&place=school:" + c.box.SchoolID(0)}, 19},
		{"comparison", admin, []string{"district_admin/users/" + a + "/compare?with=" + many, "district_admin/users/" + many + "/compare?with=" + a}, 13},
		{"people at own schools", staff, []string{"staff/users", "staff/users?role=student"}, 9},
		{"schools", admin, []string{"district_admin/schools", "district_admin/schools?q=middle"}, 7},
		{"syncs", admin, []string{"district_admin/syncs"}, 5},
		{"home", admin, []string{"district_admin/"}, 9},
	} {
		var first int64
		for i, path := range row.paths {
			queries, rows := ask(row.who, path)
			t.Logf("%s: %d queries for %d rows", path, queries, rows)
			if i == 0 {
				first = queries
			}
			if queries > row.most || queries != first {
				t.Errorf("%s, %s: %d queries for %d rows, want %d as for the first and at most %d", row.name, path, queries, rows, first, row.most)
			}
		}
	}
}

// TestPersonTakesOneRoundTrip: who is signed in and whom the page is about are asked together, and that ends the
// transaction too.
func TestPersonTakesOneRoundTrip(t *testing.T) {
	n := &counter{}
	c := newConsoleOver(t, n.between)
	admin, path := c.signedIn(sandbox.DistrictAdminUserID), seedHome+"district_admin/users/"+strconv.FormatInt(c.id(sandbox.ManySchoolsUserID), 10)
	for range 17 { // each connection prepares its statements at the first sight
		admin.get(path)
	}
	n.atRest(t, c.store)
	before := n.trips.Load()
	admin.get(path)
	n.atRest(t, c.store)
	if trips := n.trips.Load() - before; trips != 1 {
		t.Errorf("a person's page takes %d round trips, want one", trips)
	}
}
