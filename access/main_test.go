package access_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain has rapid draw the same values every time where CI=true, as modelstest.Run does: what a commit is told must
// not depend on luck.
func TestMain(m *testing.M) {
	if os.Getenv("CI") == "true" {
		if err := flag.Set("rapid.seed", "20261120"); err != nil {
			fmt.Fprintln(os.Stderr, "fix the seed of rapid:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}
