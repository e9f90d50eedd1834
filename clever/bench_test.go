package clever_test

import (
	"net/http/httptest"
	"testing"

	"hallpass/clever"
	"hallpass/clever/sandbox"
)

// BenchmarkUsers walks a large district from the sandbox through the client,
// both on this machine and sharing its cores.
func BenchmarkUsers(b *testing.B) {
	s, err := sandbox.New(sandbox.Options{Seed: 1, Users: 200_000, ClientID: "id", ClientSecret: "secret", RateLimit: -1})
	if err != nil {
		b.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	c, err := clever.New(clever.Config{APIURL: srv.URL, AuthURL: srv.URL, ClientID: "id", ClientSecret: "secret"})
	if err != nil {
		b.Fatal(err)
	}
	token, err := c.DistrictToken(b.Context(), s.DistrictID())
	if err != nil {
		b.Fatal(err)
	}
	users := 0
	for b.Loop() {
		for page, err := range c.Users(b.Context(), token.Token, "") {
			if err != nil {
				b.Fatal(err)
			}
			users += len(page.Items)
		}
	}
	b.ReportMetric(float64(users)/b.Elapsed().Seconds(), "users/s")
}
