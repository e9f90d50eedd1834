package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/models/cluster"
)

// owner is the superuser of the servers that are started here.
const owner = "chaos_owner"

// server is a PostgreSQL server that can be made to die. models/cluster is not used, because it keeps its server to
// itself, without a TCP port for a proxy to stand before. It writes in earnest: fsync and checksums are on.
type server struct {
	Bin  string `json:"bin"`
	Data string `json:"data"`
	UID  uint32 `json:"uid"` // whom it runs as where we are root, which PostgreSQL refuses; else 0
	GID  uint32 `json:"gid"`

	log      string
	address  string
	password string
}

// newServer makes a server's data in an empty folder and starts it.
func newServer(ctx context.Context, folder string, random *rand.Rand, settings ...string) (*server, error) {
	bin, _, err := cluster.Find() //nolint:contextcheck // it is over at once
	if err != nil {
		return nil, err
	}
	s := &server{Bin: bin, Data: filepath.Join(folder, "pg"), log: filepath.Join(folder, "pg.log")}
	if s.UID, s.GID, err = account(); err != nil {
		return nil, err
	}
	if s.address, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	secret := make([]byte, 16)
	for i := range secret {
		secret[i] = byte(random.Uint32())
	}
	s.password = hex.EncodeToString(secret)
	pass := filepath.Join(folder, "password")
	err = errors.Join(os.Mkdir(s.Data, 0o700), os.WriteFile(pass, []byte(s.password), 0o600), os.WriteFile(s.log, nil, 0o600))
	for _, path := range []string{folder, s.Data, pass, s.log} {
		if s.UID != 0 {
			err = errors.Join(err, os.Chown(path, int(s.UID), int(s.GID)))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("make database folder: %w", err)
	}
	err = s.run(ctx, "initdb", "-D", s.Data, "-U", owner, "--pwfile="+pass, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--data-checksums")
	if err != nil {
		return nil, err
	}
	_, port, _ := strings.Cut(s.address, ":")
	conf := append([]string{
		"listen_addresses = '127.0.0.1'", "port = " + port, "unix_socket_directories = ''", "max_connections = 100", "jit = off",
		"shared_buffers = '128MB'", "timezone = 'UTC'",
	}, settings...)
	if runtime.GOOS == "linux" {
		conf = append(conf, "recovery_init_sync_method = 'syncfs'") // recovery would open and flush each of thousands of files
	}
	file, err := os.OpenFile(filepath.Join(s.Data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("configure database: %w", err)
	}
	_, err = file.WriteString(strings.Join(conf, "\n") + "\n")
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("configure database: %w", err)
	}
	return s, s.start(ctx)
}

// account is whom a server runs as: 0 for ourselves.
func account() (uid, gid uint32, err error) {
	if os.Geteuid() != 0 {
		return 0, 0, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
			gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
			if err1 == nil && err2 == nil {
				return uint32(uid), uint32(gid), nil
			}
		}
	}
	return 0, 0, errors.New("PostgreSQL does not run as root, and neither of the accounts postgres and nobody exists")
}

// run runs one of PostgreSQL's programs. What it says goes to a file: the server it may leave behind would hold a pipe.
func (s *server) run(ctx context.Context, program string, args ...string) error {
	said, err := os.CreateTemp("", "hallpass-chaos-*.out")
	if err != nil {
		return fmt.Errorf("run %s: %w", program, err)
	}
	defer os.Remove(said.Name())
	defer said.Close()
	cmd := exec.CommandContext(ctx, filepath.Join(s.Bin, program), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", said, said
	cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches it through us
	if s.UID != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: s.UID, Gid: s.GID}
	}
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(said.Name())
		return fmt.Errorf("run %s: %w\n%s%s", program, err, text, s.last())
	}
	return nil
}

// last is the end of the server's log.
func (s *server) last() string {
	text, _ := os.ReadFile(s.log)
	return string(text[max(0, len(text)-1500):])
}

func (s *server) start(ctx context.Context) error {
	return s.run(ctx, "pg_ctl", "start", "-D", s.Data, "-w", "-t", "120", "-l", s.log)
}

// restart stops the server as if its machine had lost power, but for the disk's cache, and starts it again.
func (s *server) restart(ctx context.Context) error {
	return s.run(ctx, "pg_ctl", "restart", "-D", s.Data, "-m", "immediate", "-w", "-t", "120", "-l", s.log)
}

// up reports whether the server runs.
func (s *server) up(ctx context.Context) bool {
	return s.run(ctx, "pg_ctl", "status", "-D", s.Data) == nil
}

func (s *server) stop(ctx context.Context) error {
	if !s.up(ctx) {
		return nil
	}
	return s.run(ctx, "pg_ctl", "stop", "-D", s.Data, "-m", "immediate", "-w", "-t", "60")
}

// url is a database's address; through is another way to the server than its own, "" for none.
func (s *server) url(database, through string) string {
	if through == "" {
		through = s.address
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(owner, s.password), Host: through, Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// create makes an empty database.
func (s *server) create(ctx context.Context, database string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url("postgres", ""))
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{database}.Sanitize()); err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	return nil
}
