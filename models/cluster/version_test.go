package cluster

import (
	"fmt"
	"testing"
)

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]version{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n":     {15, 18, false},
		"postgres (PostgreSQL) 17.2 (Homebrew)":                      {17, 2, false},
		"postgres (PostgreSQL) 18beta1":                              {18, 0, true},
		"postgres (PostgreSQL) 18beta1 (Debian 18~beta1-1.pgdg12+1)": {18, 0, true},
		"postgres (PostgreSQL) 19devel":                              {19, 0, true},
		"postgres (PostgreSQL) 16rc1":                                {16, 0, true},
		"postgres (PostgreSQL) 9.6.24":                               {9, 6, false},
		"postgres (PostgreSQL) 16.3 (Ubuntu 16.3-0ubuntu0.24.04.1)":  {16, 3, false},
		"postgres (PostgreSQL) 17":                                   {17, 0, false},
	} {
		got, err := parseVersion(text)
		if err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "postgres", "postgres (PostgreSQL) ", "postgres (PostgreSQL) x", "postgres (PostgreSQL) 0.1", "postgres (PostgreSQL) 15beta",
		"postgres (PostgreSQL) 15x", "postgres (EnterpriseDB Advanced Server) 15.4", "psql (PostgreSQL) 15.1", "postgres (PostgreSQL) 99999999999999999999.1",
	} {
		if got, err := parseVersion(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	for _, s := range []string{"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "postgres (PostgreSQL) 18beta1", "postgres (PostgreSQL) 17.2 (Homebrew)", "15", "\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parseVersion(s)
		if err != nil {
			if v != (version{}) {
				t.Fatalf("%q: %v together with %v", s, v, err)
			}
			return
		}
		if v.major < 1 || v.major > 999 || v.minor < 0 || v.minor > 9999 {
			t.Fatalf("%q: %v", s, v)
		}
		text := fmt.Sprintf("postgres (PostgreSQL) %d.%d", v.major, v.minor)
		if v.pre {
			text = fmt.Sprintf("postgres (PostgreSQL) %ddevel", v.major)
		}
		if again, err := parseVersion(text); err != nil || again != v {
			t.Fatalf("%q: %v, and written out again %v, %v", s, v, again, err)
		}
	})
}
