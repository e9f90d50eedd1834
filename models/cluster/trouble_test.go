package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	check(t, err)
	return n
}

// realBin is the folder of the programs of this machine.
func realBin(t *testing.T) string {
	t.Helper()
	bin, _, err := Find()
	check(t, err)
	return bin
}

// programsDir is a folder with scripts in place of PostgreSQL's programs.
func programsDir(t *testing.T, scripts map[string]string) string {
	t.Helper()
	dir := openDir(t)
	check(t, os.Chmod(dir, 0o755))
	for name, text := range scripts {
		check(t, whole(func() error { return os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755) }))
	}
	return dir
}

func says(version string) string { return "echo '" + version + "'" }

func TestNoPrograms(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	words := []string{"apt-get install postgresql", "dnf install postgresql-server postgresql-contrib", "brew install postgresql@17", "DATABASE_URL"}
	_, err := start(t.Context(), throwAway(dir), places{path: []string{t.TempDir()}, globs: []string{t.TempDir() + "/*/bin"}})
	wantTrouble(t, err, ErrNoPrograms, words...)
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder was made for nothing: %v", err)
	}
	o := throwAway(dir)
	o.BinDir = t.TempDir()
	_, err = Start(t.Context(), o)
	wantTrouble(t, err, ErrNoPrograms, append(words, o.BinDir)...)
}

func TestFindPrefersTheHighestRelease(t *testing.T) {
	t.Parallel()
	made := func(v string) string {
		return programsDir(t, map[string]string{"postgres": says("postgres (PostgreSQL) " + v), "initdb": ""})
	}
	v14, v16, v17, v17b, beta := made("14.9"), made("16.4"), made("17.2 (Homebrew)"), made("17.5"), made("18beta1")
	client := programsDir(t, map[string]string{"pg_config": says(v17b)})
	got, err := places{path: []string{"relative", v14, v16, client}, globs: []string{beta, v17, "/nowhere/*"}}.programs(t.Context(), "")
	check(t, err)
	var bins []string
	for _, p := range got {
		bins = append(bins, p.bin)
	}
	if want := []string{v17b, v17, v16, beta}; !slices.Equal(bins, want) {
		t.Errorf("got %v, want %v", bins, want)
	}
}

func TestTooOld(t *testing.T) {
	t.Parallel()
	bin := programsDir(t, map[string]string{"postgres": says("postgres (PostgreSQL) 14.9 (Debian 14.9-1)"), "initdb": "exit 1"})
	for _, o := range []Options{{ThrowAway: true}, {ThrowAway: true, BinDir: bin}} {
		_, err := start(t.Context(), o, places{globs: []string{bin}})
		wantTrouble(t, err, ErrTooOld, "15 or newer", "14.9", bin, "DATABASE_URL")
	}
}

func TestOtherVersion(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	mustStop(t, mustStart(t, throwAway(dir)))
	_, major, err := Find()
	check(t, err)
	newer := programsDir(t, map[string]string{"postgres": says("postgres (PostgreSQL) 99.1"), "initdb": "exit 1"})
	_, err = start(t.Context(), throwAway(dir), places{globs: []string{newer}})
	wantTrouble(t, err, ErrOtherVersion, dir, fmt.Sprintf("PostgreSQL %d", major), "PostgreSQL 99", "pg_dump")
	// Both installed: the data's own version is used, though a higher one is there.
	c, err := start(t.Context(), throwAway(dir), places{globs: []string{newer, realBin(t)}})
	check(t, err)
	if c.Version() != major {
		t.Errorf("runs version %d on data of %d", c.Version(), major)
	}
	mustStop(t, c)
}

func TestMissingExtension(t *testing.T) {
	// Not parallel: it changes what is looked for.
	defer func(was []string) { extensions = was }(extensions)
	extensions = append(slices.Clone(extensions), "no_such_extension")
	_, err := Start(t.Context(), throwAway(dataDir(t)))
	wantTrouble(t, err, ErrNoContrib, "no_such_extension", "postgresql-contrib", "DATABASE_URL")
	if strings.Contains(err.Error(), "pg_trgm") {
		t.Errorf("names an extension that is there: %v", err)
	}
}

func TestForeignFolderIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	check(t, os.WriteFile(filepath.Join(dir, "PG_VERSION"), []byte("15\n"), 0o600))
	check(t, os.Mkdir(filepath.Join(dir, "pg"), 0o700))
	_, err := Start(t.Context(), throwAway(dir))
	wantTrouble(t, err, ErrForeign, dir, "PG_VERSION", "empty")
	entries, err := os.ReadDir(dir)
	check(t, err)
	if len(entries) != 2 {
		t.Errorf("the refused folder holds %v", entries)
	}
}

func TestOtherKind(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	mustStop(t, mustStart(t, throwAway(dir)))
	_, err := Start(t.Context(), Options{Dir: dir})
	wantTrouble(t, err, ErrOtherKind, dir, "throw-away", "another folder")
	mustStop(t, mustStart(t, throwAway(dir)))
}

func TestNotWritable(t *testing.T) {
	t.Parallel()
	shut := openDir(t)
	check(t, os.Chmod(shut, 0o555))
	var who *account
	if os.Geteuid() == 0 {
		var err error
		who, err = serverAccount("")
		check(t, err)
	}
	_, line := run(t, "try", filepath.Join(shut, "data"), "", who)
	if !strings.HasPrefix(line, "writable=false") || !strings.Contains(line, shut) || !strings.Contains(line, "permission denied") {
		t.Errorf("got %q, want ErrNotWritable that names the folder", line)
	}
	// A file where the folder should be.
	file := filepath.Join(openDir(t), "file")
	check(t, os.WriteFile(file, nil, 0o600))
	_, err := Start(t.Context(), throwAway(file))
	wantTrouble(t, err, ErrNotWritable, file)
}

func TestFolderThatTheServersAccountCannotReach(t *testing.T) {
	t.Parallel()
	needRoot(t)
	closed := filepath.Join(openDir(t), "closed")
	check(t, os.Mkdir(closed, 0o700))
	dir := filepath.Join(closed, "deep", "data")
	_, err := Start(t.Context(), throwAway(dir))
	wantTrouble(t, err, ErrNotWritable, dir, "chmod o+x "+closed, "root")
	check(t, os.Chmod(closed, 0o711))
	c := mustStart(t, throwAway(dir))
	info, err := os.Stat("/proc/" + itoa(c.Pid()))
	if err == nil && owner(info) == 0 {
		t.Error("the server runs as root")
	}
}

func TestRootUsesTheAccountThatOwnsTheData(t *testing.T) {
	t.Parallel()
	needRoot(t)
	top := openDir(t)
	who := &account{uid: 65534, gid: 65534}
	check(t, who.own(top))
	dir := filepath.Join(top, "data")
	_, line := run(t, "try", dir, "", who)
	if strings.HasPrefix(line, "writable") {
		t.Fatal(line)
	}
	o := Options{Dir: dir, ThrowAway: true}
	mustStop(t, mustStart(t, o))
	if _, line = run(t, "try", dir, "", who); strings.HasPrefix(line, "writable") {
		t.Errorf("after root used the folder, its owner cannot: %s", line)
	}
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	disk := openDir(t)
	if err := mount(disk, "20m"); err != nil {
		t.Logf("no small disk to fill (%v): initdb only says that it is full", err)
		real := realBin(t)
		o := throwAway(dataDir(t))
		o.Cache = ""
		o.BinDir = programsDir(t, map[string]string{
			"postgres": `exec "` + real + `/postgres" "$@"`,
			"initdb":   `echo 'initdb: error: could not write file "x": No space left on device' >&2; exit 1`,
		})
		_, err := Start(t.Context(), o)
		wantTrouble(t, err, ErrDiskFull, o.Dir, "Free some space")
		return
	}
	t.Cleanup(func() { check(t, unmount(disk)) })
	dir := filepath.Join(disk, "data")
	_, err := Start(t.Context(), Options{Dir: dir})
	wantTrouble(t, err, ErrDiskFull, dir, "Free some space")
	// The cache is a copy, not initdb.
	_, err = Start(t.Context(), throwAway(dir))
	if err == nil {
		t.Fatal("40 MB fit on a disk of 20 MB")
	}

	check(t, resize(disk, "120m"))
	c := mustStart(t, Options{Dir: dir})
	exec1(t, c, "create table kept as select 'x' as word")
	check(t, syscall.Kill(c.Pid(), syscall.SIGKILL))
	<-c.Done()
	mustStop(t, c)
	fill(t, filepath.Join(disk, "filler"))
	_, err = Start(t.Context(), Options{Dir: dir})
	wantTrouble(t, err, ErrDiskFull, dir)
	check(t, os.Remove(filepath.Join(disk, "filler")))
	if got := ask(t, mustStart(t, Options{Dir: dir}), "select word from kept"); got != "x" {
		t.Errorf("after the disk was full: %q", got)
	}
}

func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	check(t, err)
	defer file.Close()
	for block := make([]byte, 1<<12); err == nil; {
		_, err = file.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

func TestSettingsThatAreNotFree(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"listen_addresses", "FSYNC", "log_statement", "hba_file", "logging_collector"} {
		_, err := Start(t.Context(), Options{ThrowAway: true, Settings: map[string]string{name: "x"}})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("setting %s: error %v", name, err)
		}
	}
	if _, err := Start(t.Context(), Options{}); err == nil {
		t.Error("durable data without a folder were accepted")
	}
}

func TestServersLastWordsAreInTheError(t *testing.T) {
	t.Parallel()
	o := throwAway(dataDir(t))
	o.Cache, o.Settings = "", map[string]string{"no_such_setting": "1"}
	_, err := Start(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") || !strings.Contains(err.Error(), o.Dir) {
		t.Errorf("error %v", err)
	}
}
