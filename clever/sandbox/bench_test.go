package sandbox_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"hallpass/clever/sandbox"
)

// BenchmarkUsersPage writes pages of 1,000 users without a network, to show
// what of a sync's time is the sandbox's own.
func BenchmarkUsersPage(b *testing.B) {
	s, err := sandbox.New(sandbox.Options{Seed: 1, Users: 1_000_000, ClientID: "app", ClientSecret: "secret", RateLimit: -1})
	if err != nil {
		b.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	f := &fixture{s: s, url: srv.URL, client: http.DefaultClient}
	token := f.tokenOf(b, s.DistrictID())
	i := 0
	for b.Loop() {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/v3.1/users?limit=1000&starting_after="+s.UserIDAt(i*1000%990_000), nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := discard{http.Header{}}
		s.Handler().ServeHTTP(w, r)
		i++
	}
	b.ReportMetric(float64(i)*1000/b.Elapsed().Seconds(), "users/s")
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(p []byte) (int, error) { return io.Discard.Write(p) }
