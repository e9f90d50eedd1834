package sandbox

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"sync"
	"time"
)

// oidcKey signs ID tokens. It is made when it is first asked for.
type oidcKey struct {
	once sync.Once
	key  *rsa.PrivateKey
	err  error
}

const keyID = "sandbox-1"

func (s *Sandbox) signingKey() (*rsa.PrivateKey, error) {
	s.oidc.once.Do(func() { s.oidc.key, s.oidc.err = rsa.GenerateKey(rand.Reader, 2048) })
	return s.oidc.key, s.oidc.err
}

// issuer is this host, as the request named it; the real one is
// https://clever.com.
func issuer(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (s *Sandbox) discovery(w http.ResponseWriter, r *http.Request) {
	base := issuer(r)
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer": base, "authorization_endpoint": base + "/oauth/authorize", "token_endpoint": base + "/oauth/tokens",
		"userinfo_endpoint": base + "/userinfo", "jwks_uri": base + "/oauth/jwks",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "scopes_supported": []string{"openid"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic"},
	})
}

func (s *Sandbox) jwks(w http.ResponseWriter, _ *http.Request) {
	key, err := s.signingKey()
	if err != nil {
		s.fail(w, http.StatusInternalServerError, "no key")
		return
	}
	enc := base64.RawURLEncoding.EncodeToString
	writeJSON(w, http.StatusOK, map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID,
		"n": enc(key.N.Bytes()), "e": enc(big.NewInt(int64(key.E)).Bytes()),
	}}})
}

// idToken makes the signed statement of who signed in; it is good for an hour.
func (s *Sandbox) idToken(r *http.Request, g grant) (string, error) {
	key, err := s.signingKey()
	if err != nil {
		return "", fmt.Errorf("sandbox: make signing key: %w", err)
	}
	claims, ok := s.claims(g.caller)
	if !ok {
		return "", errors.New("sandbox: make ID token: the user is gone")
	}
	now := s.opt.Now()
	claims["iss"], claims["aud"] = issuer(r), s.opt.ClientID
	claims["iat"], claims["exp"] = now.Unix(), now.Add(time.Hour).Unix()
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	head, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": keyID})
	if err != nil {
		return "", fmt.Errorf("sandbox: make ID token: %w", err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("sandbox: make ID token: %w", err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	text := enc(head) + "." + enc(body)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sandbox: sign ID token: %w", err)
	}
	return text + "." + enc(sig), nil
}
