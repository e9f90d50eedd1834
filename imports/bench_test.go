package imports

import (
	"bufio"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"hallpass/models"
	"hallpass/models/modelstest"
)

// rows writes a file of n accounts: eight students for each employee, as districts have it.
func rows(w io.Writer, n int) {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "account_id,role,clever_id,first_name,last_name,email,sis_id,schools,last_used")
	for i := range n {
		role := "student"
		if i%9 == 0 {
			role = "teacher"
		}
		fmt.Fprintf(b, "app-%d,%s,%024x,First%d,Last%d,person%d@district.example,%d,s1,2026-05-01T10:00:00Z\n", i, role, i, i%5000, i%20000, i, i)
	}
	b.Flush()
}

// BenchmarkAMillionAccounts reads, looks at and applies a million rows once: with -benchtime=1x. It tells how many rows
// a second each step takes, and the most memory the program's heap held while reading.
func BenchmarkAMillionAccounts(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		store := modelstest.Open(b, modelstest.URL(b), time.Now)
		district := modelstest.District(b, store, "d1")
		modelstest.Write(b, store, district, func(tx *models.Tx) error {
			_, err := tx.WriteSchools(b.Context(), []models.RosterSchool{{CleverID: "s1", Name: "Lincoln High"}}, &models.Seen{})
			return err
		})
		var peak atomic.Uint64
		stop := make(chan struct{})
		go func() {
			var m runtime.MemStats
			for tick := time.NewTicker(200 * time.Millisecond); ; {
				select {
				case <-stop:
					tick.Stop()
					return
				case <-tick.C:
					runtime.ReadMemStats(&m)
					peak.Store(max(peak.Load(), m.HeapInuse))
				}
			}
		}()
		file, end := io.Pipe()
		go func() { rows(end, n); end.Close() }()
		began := time.Now()
		i, err := File(b.Context(), store, district, "million.csv", 0, file, true)
		if err != nil || i.State != models.ImportDropped {
			b.Fatalf("%s %s, %v", i.State, i.Error, err)
		}
		b.ReportMetric(n/time.Since(began).Seconds(), "rows/s-read-and-looked-at")
		file, end = io.Pipe()
		go func() { rows(end, n); end.Close() }()
		began = time.Now()
		if i, err = File(b.Context(), store, district, "million.csv", 0, file, false); err != nil || i.State != models.ImportApplied {
			b.Fatalf("%s %s, %v", i.State, i.Error, err)
		}
		b.ReportMetric(n/time.Since(began).Seconds(), "rows/s-with-applying")
		close(stop)
		b.ReportMetric(float64(peak.Load())/1e6, "MB-heap-peak")
	}
}
