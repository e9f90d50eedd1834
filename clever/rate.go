package clever

import (
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Clever counts 1,200 requests a minute per bearer token in fixed windows and
// says so in X-RateLimit-* on every answer. The headers may come in any letter
// case and several times, one set per bucket; the tightest counts.

// checkRetry repeats what may pass by itself: 429, 500, 502, 503 and broken
// connections. 401 and the other 4xx are answers, 501 is a refusal.
func (c *Client) checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		return retryable(err), nil
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable:
		return true, nil
	}
	return false, nil
}

// retryable leaves out failures that a second try cannot mend.
func retryable(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return false
	}
	// Certificate trouble is a setting or an attack, never a passing cloud.
	text := err.Error()
	return !strings.Contains(text, "x509:") && !strings.Contains(text, "tls:") &&
		!strings.Contains(text, "unsupported protocol scheme")
}

// backoff is retryablehttp's: how long until try n+1 (n counts from 0).
func (c *Client) backoff(_, _ time.Duration, n int, resp *http.Response) time.Duration {
	if resp != nil && resp.StatusCode == http.StatusTooManyRequests {
		// A reset in the past means that the two clocks disagree: back off blindly.
		if d, ok := resetIn(resp.Header, c.cfg.Now()); ok && d > 0 {
			return min(d+c.jitter(), c.cfg.MaxRateWait)
		}
		if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s >= 0 {
			return min(time.Duration(s)*time.Second+c.jitter(), c.cfg.MaxRateWait)
		}
	}
	d := c.cfg.MinWait << min(n, 16)
	if d <= 0 || d > c.cfg.MaxWait {
		d = c.cfg.MaxWait
	}
	return min(d/2+rand.N(d/2+1), c.cfg.MaxWait)
}

func (c *Client) jitter() time.Duration { return rand.N(c.cfg.MinWait + 1) }

// resetIn reads the furthest reset of all buckets that are used up, or of all
// buckets when none says so.
func resetIn(h http.Header, now time.Time) (time.Duration, bool) {
	rem := ints(h, "X-Ratelimit-Remaining")
	var latest int64
	for i, r := range ints(h, "X-Ratelimit-Reset") {
		if len(rem) > i && rem[i] > 0 {
			continue
		}
		latest = max(latest, r)
	}
	if latest == 0 {
		for _, r := range ints(h, "X-Ratelimit-Reset") {
			latest = max(latest, r)
		}
	}
	if latest == 0 {
		return 0, false
	}
	return time.Unix(latest, 0).Sub(now), true
}

// ints reads a header that may be repeated or hold several values.
func ints(h http.Header, name string) []int64 {
	var out []int64
	for key, values := range h {
		if !strings.EqualFold(key, name) {
			continue
		}
		for _, v := range values {
			for part := range strings.SplitSeq(v, ",") {
				if n, err := strconv.ParseInt(strings.TrimSpace(part), 10, 64); err == nil {
					out = append(out, n)
				}
			}
		}
	}
	return out
}

// rates remembers, per token, until when its budget is used up. Tokens are kept
// as hashes and forgotten once the window has passed.
type rates struct {
	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time
}

func rateKey(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }

func (r *rates) note(key [sha256.Size]byte, h http.Header, now time.Time) {
	spent := false
	for _, n := range ints(h, "X-Ratelimit-Remaining") {
		spent = spent || n <= 0
	}
	if !spent {
		return
	}
	d, ok := resetIn(h, now)
	if !ok || d <= 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil {
		r.until = map[[sha256.Size]byte]time.Time{}
	}
	for k, t := range r.until {
		if t.Before(now) {
			delete(r.until, k)
		}
	}
	r.until[key] = now.Add(d)
}

// pace waits until the token has budget again, but never longer than most.
func (r *rates) pace(ctx context.Context, key [sha256.Size]byte, now func() time.Time, most time.Duration) error {
	r.mu.Lock()
	until, ok := r.until[key]
	r.mu.Unlock()
	if !ok {
		return nil
	}
	return wait(ctx, min(until.Sub(now()), most))
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// bare strips the URL, whose query is nobody's business, from an error of
// net/http.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
