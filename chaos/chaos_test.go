package main

import (
	"context"
	"os"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == keepCommand {
		if err := keep(context.Background(), os.Stdin); err != nil {
			os.Stderr.WriteString("keep: " + err.Error() + "\n")
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestALittleChaos is a short `make chaos`: everything that needs no root, a few times.
func TestALittleChaos(t *testing.T) {
	if testing.Short() && os.Getenv("CI") != "true" {
		t.Skip("it starts servers and kills programs")
	}
	seed := uint64(time.Now().UnixNano())
	if os.Getenv("CI") == "true" {
		seed = 1
	}
	t.Logf("seed %d", seed)
	o := options{seed: seed, users: 300, killed: 8, consoles: 4, merged: 6, restarted: 2, network: 3, replicas: 1}
	differences, err := wreak(t.Context(), o, t.Output(), time.Now)
	if err != nil || differences > 0 {
		t.Errorf("%d differences: %v", differences, err)
	}
}

// TestDifferencesAreSeen: a comparison that finds nothing must not be one that cannot.
func TestDifferencesAreSeen(t *testing.T) {
	for _, c := range []struct{ a, b, left []string }{
		{[]string{"x", "y"}, []string{"y", "x"}, nil},
		{[]string{"x", "x"}, []string{"x"}, []string{"x"}},
		{[]string{"x"}, []string{"y", "z"}, []string{"x"}},
	} {
		if got := without(c.a, c.b); len(got) != len(c.left) || len(got) > 0 && got[0] != c.left[0] {
			t.Errorf("%v without %v is %v, want %v", c.a, c.b, got, c.left)
		}
	}
}
