package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// oldest is the lowest major version that Hallpass supports.
const oldest = 15

// extensions are those the schema needs; Fedora packs them apart from the server.
var extensions = []string{"pg_trgm", "btree_gin"}

// version is what a program said of itself. A pre-release (beta, rc, devel) is
// used only where there is nothing else: its data cannot be taken further.
type version struct {
	major, minor int
	pre          bool
}

func (v version) String() string {
	if v.pre {
		return fmt.Sprintf("%d (pre-release)", v.major)
	}
	return fmt.Sprintf("%d.%d", v.major, v.minor)
}

// program is one installed set of server programs.
type program struct {
	bin     string
	version version
}

// places is where to look for programs.
type places struct {
	path  []string // folders of PATH
	globs []string // patterns of bin folders
}

func usualPlaces() places {
	return places{path: filepath.SplitList(os.Getenv("PATH")), globs: []string{
		"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
		"/usr/pgsql-*/bin",                                   // PGDG on Fedora, RHEL
		"/usr/libexec/postgresql*",                           // Alpine
		"/opt/homebrew/opt/postgresql@*/bin",                 // Homebrew, Apple silicon
		"/opt/homebrew/opt/postgresql/bin",                   //
		"/usr/local/opt/postgresql@*/bin",                    // Homebrew, Intel
		"/usr/local/opt/postgresql/bin",                      //
		"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",    // Homebrew, Linux
		"/Applications/Postgres.app/Contents/Versions/*/bin", //
		"/usr/local/pgsql/bin",                               // built by hand
	}}
}

// Find returns the folder and the major version of the best PostgreSQL server
// programs on this machine: the highest release from 15 on, from PATH (also by
// pg_config) and the folders of Debian, Fedora, Alpine, Homebrew and
// Postgres.app. The error is ErrNoPrograms or ErrTooOld.
func Find() (bin string, version int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	found, err := usualPlaces().programs(ctx, "")
	if err != nil {
		return "", 0, err
	}
	return found[0].bin, found[0].version.major, nil
}

// programs lists the usable installations, best first; never empty without an error.
func (w places) programs(ctx context.Context, only string) ([]program, error) {
	dirs := []string{only}
	if only == "" {
		dirs = w.folders(ctx)
	}
	var found []program
	var old *program
	for _, dir := range dirs {
		if !executable(filepath.Join(dir, "postgres")) || !executable(filepath.Join(dir, "initdb")) {
			continue
		}
		v, err := programVersion(ctx, dir)
		switch {
		case err != nil && only != "":
			return nil, trouble(ErrNoPrograms, err, "%s, but the postgres program in %s does not run: %v. %s", needs, dir, err, install)
		case err != nil:
			continue
		case v.major < oldest:
			if old == nil || old.version.major < v.major {
				old = &program{dir, v}
			}
		default:
			found = append(found, program{dir, v})
		}
	}
	if len(found) == 0 && old != nil {
		return nil, trouble(ErrTooOld, nil, "%s, and this machine has only PostgreSQL %s (in %s). Install a newer one beside it (Debian, Ubuntu: see https://apt.postgresql.org; Fedora: sudo dnf install postgresql-server postgresql-contrib; macOS: brew install postgresql@17), or set DATABASE_URL to a newer PostgreSQL server that you have.", needs, old.version, old.bin)
	}
	if len(found) == 0 {
		in := "on this machine"
		if only != "" {
			in = "in " + only
		}
		return nil, trouble(ErrNoPrograms, nil, "%s, and no PostgreSQL server programs (postgres, initdb) were found %s. %s", needs, in, install)
	}
	slices.SortStableFunc(found, func(a, b program) int {
		switch {
		case a.version.pre != b.version.pre && a.version.pre:
			return 1
		case a.version.pre != b.version.pre:
			return -1
		case a.version.major != b.version.major:
			return b.version.major - a.version.major
		}
		return b.version.minor - a.version.minor
	})
	return found, nil
}

// folders are the candidates, each once, links resolved so that a folder of
// links to single programs (as in /opt/homebrew/bin) leads to the real one.
func (w places) folders(ctx context.Context) []string {
	var dirs []string
	add := func(dir string) {
		if dir != "" && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, dir := range w.path {
		if !filepath.IsAbs(dir) {
			// As os/exec does: never run what happens to lie in the working directory.
			continue
		}
		if at := filepath.Join(dir, "postgres"); executable(at) {
			if real, err := filepath.EvalSymlinks(at); err == nil {
				add(filepath.Dir(real))
			}
			add(dir)
		}
		if at := filepath.Join(dir, "pg_config"); executable(at) {
			if out, err := output(ctx, at, "--bindir"); err == nil {
				add(strings.TrimSpace(out))
			}
		}
	}
	for _, glob := range w.globs {
		// The only error is a malformed pattern, and the patterns are constants.
		matches, _ := filepath.Glob(glob)
		for _, dir := range matches {
			add(dir)
		}
	}
	return dirs
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

func output(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Dir, cmd.WaitDelay = environment(), "/", time.Second
	out, err := cmd.Output()
	return string(out), err
}

func programVersion(ctx context.Context, bin string) (version, error) {
	out, err := output(ctx, filepath.Join(bin, "postgres"), "--version")
	if err != nil {
		return version{}, fmt.Errorf("run postgres --version: %w", err)
	}
	return parseVersion(out)
}

var versionText = regexp.MustCompile(`^postgres \(PostgreSQL\) ([1-9][0-9]{0,2})(?:\.([0-9]{1,4})|(devel|(?:alpha|beta|rc)[0-9]{1,3}))?(?:[.+ ~-].*)?$`)

// parseVersion reads the first line of `postgres --version`, such as
// "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)" or "… 18beta1".
func parseVersion(s string) (version, error) {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	m := versionText.FindStringSubmatch(strings.TrimSpace(line))
	if m == nil {
		return version{}, fmt.Errorf("%q is not a PostgreSQL version", line)
	}
	v := version{pre: m[3] != ""}
	// At most four digits each by the pattern: these cannot fail.
	v.major, _ = strconv.Atoi(m[1])
	v.minor, _ = strconv.Atoi(m[2])
	return v, nil
}

// checkExtensions asks the running server, which alone knows for certain where
// it looks for them.
func (c *Cluster) checkExtensions(ctx context.Context, prog program) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return fmt.Errorf("look for extensions: %w", err)
	}
	defer conn.Close(ctx)
	var missing []string
	err = conn.QueryRow(ctx, "select coalesce(array_agg(e), '{}') from unnest($1::text[]) e where e not in (select name from pg_available_extensions)", extensions).Scan(&missing)
	if err != nil {
		return fmt.Errorf("look for extensions: %w", err)
	}
	if len(missing) > 0 {
		return trouble(ErrNoContrib, errors.New(strings.Join(missing, ", ")),
			"PostgreSQL %s in %s lacks the extension %s, which comes with its contrib package. Install it (Debian, Ubuntu: sudo apt-get install postgresql-%d; Fedora: sudo dnf install postgresql-contrib; macOS: brew reinstall postgresql@%d), or set DATABASE_URL to a PostgreSQL server that has it.",
			prog.version, prog.bin, strings.Join(missing, ", "), prog.version.major, prog.version.major)
	}
	return nil
}
