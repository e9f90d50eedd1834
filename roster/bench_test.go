package roster

import (
	"context"
	"fmt"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"hallpass/clever"
	"hallpass/clever/sandbox"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// peak samples the memory that Go holds until the returned function is called, which gives the most seen, in MB.
// The sandbox is in the same process, so its share is counted too.
func peak() func() float64 {
	ctx, stop := context.WithCancel(context.Background())
	most := make(chan uint64)
	go func() {
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		var m runtime.MemStats
		var seen uint64
		for {
			select {
			case <-ctx.Done():
				most <- seen
				return
			case <-ticker.C:
				runtime.ReadMemStats(&m)
				seen = max(seen, m.HeapInuse+m.StackInuse)
			}
		}
	}()
	return func() float64 {
		stop()
		return float64(<-most) / (1 << 20)
	}
}

// BenchmarkFullSync syncs a district over HTTP, the first time and again unchanged. Users per second are those of the
// user pages alone.
func BenchmarkFullSync(b *testing.B) {
	for _, n := range []int{10_000, 60_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			box, err := sandbox.New(sandbox.Options{Seed: 7, Users: n, ClientID: "app", ClientSecret: "secret", RateLimit: -1})
			if err != nil {
				b.Fatal(err)
			}
			server := httptest.NewServer(box.Handler())
			defer server.Close()
			client, err := clever.New(clever.Config{APIURL: server.URL, AuthURL: server.URL, ClientID: "app", ClientSecret: "secret"})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				b.StopTimer()
				store := modelstest.New(b)
				runtime.GC()
				sync := func() (users float64, whole time.Duration, mb float64) {
					memory := peak()
					var from, to time.Time
					begun := time.Now()
					run, err := Full(b.Context(), store, client, sandbox.SeedDistrictID, Options{Progress: func(p models.SyncProgress) {
						switch {
						case p.Type == models.RosterTerms && p.Done:
							from = time.Now()
						case p.Type == models.RosterUsers && p.Done:
							to = time.Now()
						}
					}})
					if err != nil {
						b.Fatal(err)
					}
					return float64(of(run, models.RosterUsers).Read) / to.Sub(from).Seconds(), time.Since(begun), memory()
				}
				b.StartTimer()
				first, firstTook, firstMB := sync()
				again, againTook, _ := sync()
				b.ReportMetric(first, "users/s")
				b.ReportMetric(again, "unchanged-users/s")
				b.ReportMetric(firstTook.Seconds(), "first-s")
				b.ReportMetric(againTook.Seconds(), "again-s")
				b.ReportMetric(firstMB, "peak-MB")
			}
		})
	}
}

// BenchmarkEvents takes ten thousand events over, most of them changes of one person each.
func BenchmarkEvents(b *testing.B) {
	const users, events = 20_000, 10_000
	box, err := sandbox.New(sandbox.Options{Seed: 7, Users: users, ClientID: "app", ClientSecret: "secret", RateLimit: -1})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(box.Handler())
	defer server.Close()
	client, err := clever.New(clever.Config{APIURL: server.URL, AuthURL: server.URL, ClientID: "app", ClientSecret: "secret"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		store := modelstest.New(b)
		if _, err := Full(b.Context(), store, client, sandbox.SeedDistrictID, Options{}); err != nil {
			b.Fatal(err)
		}
		for i := range events {
			id := box.UserIDAt(i * 7 % users)
			if i%10 == 9 {
				err = box.RemoveUser(id)
			} else {
				err = box.EditUser(id, func(u map[string]any) { u["email"] = fmt.Sprintf("%d.%d@example.org", b.N, i) })
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		begun, read := time.Now(), 0
		for more := true; more; {
			done, err := Follow(b.Context(), store, client, sandbox.SeedDistrictID, Options{})
			if err != nil {
				b.Fatal(err)
			}
			more, read = done.More, read+of(done.Run, models.RosterEvents).Read
		}
		b.ReportMetric(float64(read)/time.Since(begun).Seconds(), "events/s")
		if read != events {
			b.Fatalf("%d events", read)
		}
	}
}
