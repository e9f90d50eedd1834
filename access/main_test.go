package access_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain has rapid draw the same values every time where CI=true, as modelstest.Run does: what a commit is told must
// not depend on luck. It draws 10,000 districts for each property there, which without any I/O takes seconds.
func TestMain(m *testing.M) {
	if os.Getenv("CI") == "true" {
		for name, value := range map[string]string{"rapid.seed": "20261120", "rapid.checks": "10000"} {
			if err := flag.Set(name, value); err != nil {
				fmt.Fprintln(os.Stderr, "fix what rapid draws:", err)
				os.Exit(1)
			}
		}
	}
	os.Exit(m.Run())
}
