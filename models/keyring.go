package models

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Keyring is the keys that districts' tokens are sealed with at rest. The first seals, each opens what it sealed.
type Keyring struct{ keys []tokenKey }

type tokenKey struct {
	id   string
	aead cipher.AEAD
}

// ErrNoKeys says that this program was given no keys to keep tokens with.
var ErrNoKeys = errors.New("no keys to keep tokens with")

// errSealed says that a kept token cannot be opened: its key is gone, or it is not what was sealed for this district.
var errSealed = errors.New("the kept token cannot be opened")

var keyID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,32}$`)

// ParseKeyring reads keys as ID:BASE64, divided by commas or line ends, the newest first. Each is 32 bytes for
// AES-256-GCM. Its errors quote no key.
func ParseKeyring(text string) (*Keyring, error) {
	ring, seen := &Keyring{}, map[string]bool{}
	for i, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		id, coded, found := strings.Cut(part, ":")
		if !found || !keyID.MatchString(id) {
			return nil, fmt.Errorf("key %d is not ID:BASE64, with an id of up to 32 letters, digits, dots, dashes and underscores", i+1)
		}
		if seen[id] {
			return nil, fmt.Errorf("two keys are called %s", id)
		}
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(coded))
		if err != nil || len(key) != 32 {
			return nil, fmt.Errorf("key %s is not base64 of 32 bytes", id)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", id, err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", id, err)
		}
		seen[id] = true
		ring.keys = append(ring.keys, tokenKey{id, aead})
	}
	if len(ring.keys) == 0 {
		return nil, ErrNoKeys
	}
	return ring, nil
}

// Newest is the id of the key that seals.
func (r *Keyring) Newest() string { return r.keys[0].id }

// Always is the ring as Config.TokenKeys, for one that never changes.
func (r *Keyring) Always() func() (*Keyring, error) {
	return func() (*Keyring, error) { return r, nil }
}

// boundTo ties what is sealed to its district and its key: copied into another district's row, it does not open.
func boundTo(district, key string) []byte {
	return []byte("hallpass district token\x00" + district + "\x00" + key)
}

// seal closes a token under the newest key. district is Clever's id.
func (r *Keyring) seal(district, token string) (sealed []byte, key string) {
	k := r.keys[0]
	nonce := make([]byte, k.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return k.aead.Seal(nonce, nonce, []byte(token), boundTo(district, k.id)), k.id
}

// open gives a token back.
func (r *Keyring) open(district, key string, sealed []byte) (string, error) {
	for _, k := range r.keys {
		if k.id != key {
			continue
		}
		n := k.aead.NonceSize()
		if len(sealed) < n {
			return "", errSealed
		}
		plain, err := k.aead.Open(nil, sealed[:n], sealed[n:], boundTo(district, key))
		if err != nil {
			return "", errSealed
		}
		return string(plain), nil
	}
	return "", fmt.Errorf("%w: there is no key %q", errSealed, key)
}
