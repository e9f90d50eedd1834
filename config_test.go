package main

import (
	"encoding/base64"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// environment answers as os.LookupEnv does.
type environment map[string]string

func (e environment) lookUp(name string) (string, bool) {
	value, ok := e[name]
	return value, ok
}

func (e environment) with(pairs ...string) environment {
	out := environment{}
	maps.Copy(out, e)
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

const keyText = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

// enough is the least that serve can do with.
var enough = environment{
	"DATABASE_URL": "postgres://hallpass:dbsecret@db.example/hallpass", "HALLPASS_BASE_URL": "https://hallpass.example.org/",
	"HALLPASS_CLEVER_CLIENT_ID": "app", "HALLPASS_CLEVER_CLIENT_SECRET": "appsecret", "HALLPASS_COOKIE_KEY": keyText,
	"HALLPASS_TOKEN_KEYS": "k1:" + keyText,
}

func TestConfigDefaults(t *testing.T) {
	c, err := loadConfig(enough.lookUp, needs{clever: true, console: true, keys: true})
	if err != nil {
		t.Fatal(err)
	}
	if c.addr != "127.0.0.1:8080" || c.sessionIdle != 2*time.Hour || c.sessionLength != 12*time.Hour ||
		c.cleverAPIURL != "https://api.clever.com" || c.cleverOAuth != "https://clever.com" || c.baseURL != "https://hallpass.example.org" {
		t.Errorf("defaults are off: %+v", c)
	}
	if c.log == nil || c.databaseURL != enough["DATABASE_URL"] || c.cleverSecret != "appsecret" || len(c.cookieKeys) != 1 || len(c.cookieKeys[0]) != 32 {
		t.Error("what was set has not arrived")
	}
}

// TestConfigNamesEverythingAtOnce: somebody who sets up a server wants one list, not one round for each mistake.
func TestConfigNamesEverythingAtOnce(t *testing.T) {
	home := environment{"XDG_DATA_HOME": "/home/somebody/data"}
	_, err := loadConfig(home.lookUp, needs{clever: true, console: true, keys: true})
	if err == nil {
		t.Fatal("nothing is set, and nothing is missing")
	}
	for _, name := range []string{"HALLPASS_CLEVER_CLIENT_ID", "HALLPASS_CLEVER_CLIENT_SECRET", "HALLPASS_BASE_URL", "HALLPASS_COOKIE_KEY", "HALLPASS_TOKEN_KEYS"} {
		if n := strings.Count(err.Error(), name+" is missing"); n != 1 {
			t.Errorf("%s is called missing %d times in:\n%v", name, n, err)
		}
	}
	wrong := map[string]string{
		"HALLPASS_ADDR": "8080", "HALLPASS_BASE_URL": "hallpass.example.org", "HALLPASS_SESSION_IDLE": "soon", "HALLPASS_SESSION_ABSOLUTE": "3s",
		"HALLPASS_CLEVER_API_URL": "https://api.clever.com/v3.1", "HALLPASS_CLEVER_AUTH_URL": "ftp://clever.com", "HALLPASS_LOG_LEVEL": "loud",
		"HALLPASS_LOG": "xml", "HALLPASS_COOKIE_KEY": "c2hvcnQ=", "HALLPASS_TOKEN_KEYS": keyText,
	}
	all := enough.with()
	for name, value := range wrong {
		all[name] = value
		_, err := loadConfig(enough.with(name, value).lookUp, needs{clever: true, console: true, keys: true})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
	_, err = loadConfig(all.lookUp, needs{clever: true, console: true, keys: true})
	for name := range wrong {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("with everything wrong, %s is not named in:\n%v", name, err)
		}
	}
	_, err = loadConfig(enough.with("HALLPASS_SESSION_IDLE", "13h").lookUp, needs{})
	if err == nil || !strings.Contains(err.Error(), "HALLPASS_SESSION_ABSOLUTE") {
		t.Errorf("a session that outlasts itself: %v", err)
	}
}

// TestConfigAsksOnlyForWhatIsUsed: migrate needs no Clever.
func TestConfigAsksOnlyForWhatIsUsed(t *testing.T) {
	if _, err := loadConfig(environment{"DATABASE_URL": "postgres://db.example/hallpass"}.lookUp, needs{}); err != nil {
		t.Error(err)
	}
	c, err := loadConfig(environment{"XDG_DATA_HOME": "/home/somebody/data"}.lookUp, needs{})
	if err != nil || c.dataDir != "/home/somebody/data/hallpass" {
		t.Errorf("without DATABASE_URL the data is kept in %q: %v", c.dataDir, err)
	}
}

func TestConfigSecretsFromFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	older := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 40)))
	env := environment{
		"HALLPASS_BASE_URL": "https://hallpass.example.org", "HALLPASS_CLEVER_CLIENT_ID": "app",
		"DATABASE_URL_FILE":                  file("db", "postgres://hallpass:dbsecret@db.example/hallpass\n"),
		"HALLPASS_CLEVER_CLIENT_SECRET_FILE": file("clever", "  appsecret\n"),
		"HALLPASS_COOKIE_KEY_FILE":           file("keys", keyText+",\n"+older+"\n"),
		"HALLPASS_TOKEN_KEYS_FILE":           file("tokens", "k1:"+keyText+"\n"),
	}
	c, err := loadConfig(env.lookUp, needs{clever: true, console: true, keys: true})
	if err != nil {
		t.Fatal(err)
	}
	if c.databaseURL != "postgres://hallpass:dbsecret@db.example/hallpass" || c.cleverSecret != "appsecret" {
		t.Error("what stands in the files has not arrived")
	}
	if got := []int{len(c.cookieKeys[0]), len(c.cookieKeys[1])}; !slices.Equal(got, []int{32, 40}) {
		t.Errorf("keys of %v bytes, want the first one first", got)
	}

	_, err = loadConfig(env.with("HALLPASS_CLEVER_CLIENT_SECRET", "appsecret").lookUp, needs{clever: true, console: true, keys: true})
	if err == nil || !strings.Contains(err.Error(), "HALLPASS_CLEVER_CLIENT_SECRET and HALLPASS_CLEVER_CLIENT_SECRET_FILE are both set") {
		t.Errorf("set twice: %v", err)
	}
	missing := filepath.Join(dir, "nowhere")
	_, err = loadConfig(env.with("DATABASE_URL_FILE", missing).lookUp, needs{clever: true, console: true, keys: true})
	if err == nil || !strings.Contains(err.Error(), "DATABASE_URL_FILE: "+missing) {
		t.Errorf("a file that is not there: %v", err)
	}
	_, err = loadConfig(env.with("HALLPASS_COOKIE_KEY_FILE", file("empty", "\n")).lookUp, needs{clever: true, console: true, keys: true})
	if err == nil || !strings.Contains(err.Error(), "HALLPASS_COOKIE_KEY is missing") {
		t.Errorf("an empty file: %v", err)
	}
}

// TestSecretsAreNeverPrinted runs the program itself, since what it prints passes more hands than loadConfig's.
func TestSecretsAreNeverPrinted(t *testing.T) {
	const secret = "Tr0ub4dor-and-3"
	// A user name, so that the one below is not taken from the machine's account.
	const at = "postgres://hallpass:" + secret + "@127.0.0.1"
	for name, env := range map[string][]string{
		"key is no base64":      {"HALLPASS_COOKIE_KEY=" + secret, "DATABASE_URL=" + at + ":1/none"},
		"nobody listens":        {"DATABASE_URL=" + at + ":1/none?connect_timeout=2"},
		"port is no number":     {"DATABASE_URL=" + at + ":" + "port/none"},
		"host is no host":       {"DATABASE_URL=" + at + "%zz:5432/none"},
		"not an address at all": {"DATABASE_URL=host=127.0.0.1 port=1 password=" + secret + " sslmode=sometimes"},
		"both are set":          {"HALLPASS_CLEVER_CLIENT_SECRET=" + secret, "HALLPASS_CLEVER_CLIENT_SECRET_FILE=/nowhere", "DATABASE_URL=" + at + ":1/none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env = append(env, "HALLPASS_BASE_URL=https://hallpass.example.org", "HALLPASS_CLEVER_CLIENT_ID=app")
			if !strings.Contains(strings.Join(env, " "), "CLIENT_SECRET=") {
				env = append(env, "HALLPASS_CLEVER_CLIENT_SECRET="+secret)
			}
			if !strings.Contains(strings.Join(env, " "), "COOKIE_KEY=") {
				env = append(env, "HALLPASS_COOKIE_KEY="+keyText)
			}
			code, out, errOut := outcome(t, env, "serve")
			if code != 1 || errOut == "" {
				t.Errorf("exit code %d, want 1, with a reason:\n%s%s", code, out, errOut)
			}
			for _, never := range []string{secret, keyText} {
				if strings.Contains(out+errOut, never) {
					t.Errorf("a secret is printed:\n%s%s", out, errOut)
				}
			}
		})
	}
}

// TestCatalogueIsCheckedAtStart: an app's own catalogue is read with the settings, and each mistake in it is named with
// its line beside everything else that is wrong.
func TestCatalogueIsCheckedAtStart(t *testing.T) {
	c, err := loadConfig(enough.lookUp, needs{clever: true, console: true, keys: true})
	if err != nil || c.catalogue != nil {
		t.Errorf("with none named: %v, %v", c.catalogue, err)
	}
	c, err = loadConfig(enough.with("HALLPASS_CATALOGUE", "examples/catalogue.yaml").lookUp, needs{clever: true, console: true, keys: true})
	if err != nil {
		t.Fatalf("the example is refused: %v", err)
	}
	if _, _, known := c.catalogue.Find("report_cards.send"); !known {
		t.Error("the example's permission is not in the catalogue")
	}
	if _, _, known := c.catalogue.Find("sync.run"); !known {
		t.Error("the example does not extend the shipped catalogue")
	}
	file := filepath.Join(t.TempDir(), "catalogue.yaml")
	text := "extends: shipped\npermissions:\n  - {name: Rooms, scope: school, en: Book., es: Reservar.}\n  - {name: rooms.book, scope: building, en: Book., es: Reservar.}\nrules:\n  - {role: student, permissions: [rooms.book]}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = loadConfig(enough.with("HALLPASS_CATALOGUE", file, "HALLPASS_LOG", "xml").lookUp, needs{clever: true, console: true, keys: true})
	for _, want := range []string{"HALLPASS_CATALOGUE: " + file, "line 3", "line 4", "line 6", "HALLPASS_LOG"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named in:\n%v", want, err)
		}
	}
	large := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(large, make([]byte, maxCatalogue+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(t.TempDir(), "missing.yaml"), large, t.TempDir()} {
		if _, err := loadConfig(enough.with("HALLPASS_CATALOGUE", path).lookUp, needs{clever: true, console: true, keys: true}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
