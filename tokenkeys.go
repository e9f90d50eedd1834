package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	gosync "sync"
	"time"

	"hallpass/models"
)

const tokenKeysSetting = "HALLPASS_TOKEN_KEYS"

// tokenKeys are the keys that districts' tokens are kept with. From the environment they stay as they are; from a file
// they follow it, so that a key can be put before the others while the program runs. nil: none are set.
func (s *settings) tokenKeys(needed bool, log *slog.Logger) func() (*models.Keyring, error) {
	before := len(s.problems)
	text := s.text(tokenKeysSetting, "")
	if len(s.problems) > before {
		return nil
	}
	if text == "" {
		if needed {
			s.problem("%s is missing: an id and 32 random bytes in base64, as `echo \"$(date +%%Y%%m%%d):$(openssl rand -base64 32)\"` prints them", tokenKeysSetting)
		}
		return nil
	}
	ring, err := models.ParseKeyring(text)
	if err != nil {
		s.problem("%s: %v", tokenKeysSetting, err)
		return nil
	}
	if path, ok := s.env(tokenKeysSetting + "_FILE"); ok {
		f := &keyFile{path: path, log: log, ring: ring}
		f.seen, _ = f.look() // if it has changed since it was read, it is read again
		return f.keys
	}
	return ring.Always()
}

// keyFile is a file of keys that may change at any time.
type keyFile struct {
	path string
	log  *slog.Logger

	mu   gosync.Mutex
	seen keyFileState
	ring *models.Keyring
}

// keyFileState tells one content of a file from another without reading it.
type keyFileState struct {
	modified time.Time
	size     int64
}

func (f *keyFile) look() (keyFileState, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		if at, ok := errors.AsType[*fs.PathError](err); ok {
			err = at.Err
		}
		return keyFileState{}, err
	}
	return keyFileState{info.ModTime(), info.Size()}, nil
}

// keys are the file's keys as they are now. A file that has become unreadable changes nothing: the keys from before
// stay, and the log says so once.
func (f *keyFile) keys() (*models.Keyring, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, err := f.look()
	if err == nil && now == f.seen {
		return f.ring, nil
	}
	var ring *models.Keyring
	if err == nil {
		var raw []byte
		if raw, err = os.ReadFile(f.path); err == nil {
			ring, err = models.ParseKeyring(strings.TrimSpace(string(raw)))
		}
	}
	if err != nil {
		if now != f.seen {
			f.log.Error("keys of tokens could not be read again, the ones from before stay", "error", fmt.Errorf("%s_FILE: %w", tokenKeysSetting, err))
			f.seen = now
		}
		return f.ring, nil
	}
	f.log.Info("keys of tokens were read again", "newest", ring.Newest())
	f.ring, f.seen = ring, now
	return ring, nil
}
