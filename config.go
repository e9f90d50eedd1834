package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hallpass/access"
	"hallpass/models"
)

// config is every setting, read once from the environment and checked once. README lists them.
type config struct {
	databaseURL string // "" means a private cluster in dataDir
	dataDir     string
	addr        string
	baseURL     string

	cleverID, cleverSecret     string
	cleverAPIURL, cleverOAuth  string
	cookieKeys                 [][]byte
	sessionIdle, sessionLength time.Duration
	catalogue                  *access.Catalogue // nil: the shipped one
	tokenKeys                  func() (*models.Keyring, error)

	log *slog.Logger
}

// needs says which settings a command cannot do without.
type needs struct{ clever, console, keys bool }

// settings reads the environment and remembers everything that is wrong with it, so that one message can name it all.
type settings struct {
	env      func(string) (string, bool)
	problems []string
}

func (s *settings) problem(format string, args ...any) {
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

// text is the setting, or what is in the file that NAME_FILE points to, or the default.
func (s *settings) text(name, def string) string {
	value, set := s.env(name)
	path, fromFile := s.env(name + "_FILE")
	switch {
	case set && fromFile:
		s.problem("%s and %s_FILE are both set: keep one", name, name)
	case fromFile:
		raw, err := os.ReadFile(path)
		if err != nil {
			if at, ok := errors.AsType[*fs.PathError](err); ok {
				err = at.Err // the path is said already
			}
			s.problem("%s_FILE: %s: %v", name, path, err)
		}
		return strings.TrimSpace(string(raw))
	case set && strings.TrimSpace(value) != "":
		return strings.TrimSpace(value)
	}
	return def
}

func (s *settings) required(name, what string) string {
	before := len(s.problems)
	value := s.text(name, "")
	if value == "" && len(s.problems) == before {
		s.problem("%s is missing: %s", name, what)
	}
	return value
}

func (s *settings) duration(name string, def time.Duration) time.Duration {
	text := s.text(name, "")
	if text == "" {
		return def
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Minute {
		s.problem("%s: %q is not a duration of a minute or more, such as 90m or 12h", name, text)
		return def
	}
	return d
}

func (s *settings) web(name, text string) string {
	u, err := url.Parse(text)
	if text != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "") {
		s.problem("%s: want https:// and a host, nothing after it", name)
	}
	return strings.TrimSuffix(text, "/")
}

// loadConfig reads and checks the settings. Its error names every one that is missing or wrong, and no secret.
func loadConfig(env func(string) (string, bool), n needs) (config, error) {
	s := &settings{env: env}
	c := config{
		databaseURL:   s.text("DATABASE_URL", ""),
		dataDir:       s.text("HALLPASS_DATA", ""),
		addr:          s.text("HALLPASS_ADDR", "127.0.0.1:8080"),
		sessionIdle:   s.duration("HALLPASS_SESSION_IDLE", 2*time.Hour),
		sessionLength: s.duration("HALLPASS_SESSION_ABSOLUTE", 12*time.Hour),
		cleverAPIURL:  s.web("HALLPASS_CLEVER_API_URL", s.text("HALLPASS_CLEVER_API_URL", "https://api.clever.com")),
		cleverOAuth:   s.web("HALLPASS_CLEVER_AUTH_URL", s.text("HALLPASS_CLEVER_AUTH_URL", "https://clever.com")),
		catalogue:     s.catalogue("HALLPASS_CATALOGUE"),
		log:           s.logger(),
	}
	c.tokenKeys = s.tokenKeys(n.keys, c.log)
	if c.databaseURL == "" && c.dataDir == "" {
		dir, err := dataHome(env)
		if err != nil {
			s.problem("neither DATABASE_URL nor HALLPASS_DATA is set, and there is no home folder to keep data in")
		}
		c.dataDir = dir
	}
	if _, _, err := net.SplitHostPort(c.addr); err != nil {
		s.problem("HALLPASS_ADDR: %q is not host:port", c.addr)
	}
	if n.clever {
		c.cleverID = s.required("HALLPASS_CLEVER_CLIENT_ID", "the client id of your app, from Clever's dashboard")
		c.cleverSecret = s.required("HALLPASS_CLEVER_CLIENT_SECRET", "the client secret of your app, from Clever's dashboard")
	}
	if n.console {
		c.baseURL = s.web("HALLPASS_BASE_URL", s.required("HALLPASS_BASE_URL", "the address people type, such as https://hallpass.example.org"))
		c.cookieKeys = s.keys("HALLPASS_COOKIE_KEY")
	}
	if c.sessionIdle > c.sessionLength {
		s.problem("HALLPASS_SESSION_IDLE is longer than HALLPASS_SESSION_ABSOLUTE")
	}
	return c, s.err()
}

// err is everything that is wrong, in one message.
func (s *settings) err() error {
	if len(s.problems) > 0 {
		return fmt.Errorf("settings:\n  %s\nREADME.md lists them all", strings.Join(s.problems, "\n  "))
	}
	return nil
}

// keys reads the cookie keys: base64, 32 bytes or more each, the one that signs first.
func (s *settings) keys(name string) [][]byte {
	text := s.required(name, "32 random bytes in base64, as `openssl rand -base64 32` prints them")
	var keys [][]byte
	for i, part := range strings.Split(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(part)
		if err != nil || len(key) < 32 {
			s.problem("%s: key %d is not base64 of 32 bytes or more", name, i+1)
			continue
		}
		keys = append(keys, key)
	}
	return keys
}

// maxCatalogue is the size in bytes of a catalogue that is read: many times what 256 permissions take.
const maxCatalogue = 1 << 20

// catalogue reads the app's own catalogue of permissions. Every mistake in it is a problem of its own, with its line.
func (s *settings) catalogue(name string) *access.Catalogue {
	path, set := s.env(name)
	if path = strings.TrimSpace(path); !set || path == "" {
		return nil
	}
	text, err := readAtMost(path, maxCatalogue)
	if err != nil {
		if at, ok := errors.AsType[*fs.PathError](err); ok {
			err = at.Err // the path is said already
		}
		s.problem("%s: %s: %v", name, path, err)
		return nil
	}
	c, err := access.ParseCatalogue(text)
	if err != nil {
		s.problem("%s: %s: %s", name, path, strings.ReplaceAll(err.Error(), "\n", "\n    "))
	}
	return c
}

func readAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("larger than %d bytes", most)
	}
	return text, err
}

func (s *settings) logger() *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.text("HALLPASS_LOG_LEVEL", "info"))); err != nil {
		s.problem("HALLPASS_LOG_LEVEL: want debug, info, warn or error")
	}
	options := &slog.HandlerOptions{Level: level}
	switch format := s.text("HALLPASS_LOG", "text"); format {
	case "json":
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	case "text":
	default:
		s.problem("HALLPASS_LOG: %q is neither text nor json", format)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

// dataHome is where programs keep data of their user.
func dataHome(env func(string) (string, bool)) (string, error) {
	if dir, ok := env("XDG_DATA_HOME"); ok && filepath.IsAbs(dir) {
		return filepath.Join(dir, "hallpass"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "share", "hallpass"), nil
}
