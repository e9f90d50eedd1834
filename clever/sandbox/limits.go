package sandbox

import (
	"net/http"
	"strconv"
	"time"
)

// window is how much of a token's budget is used, and until when that counts.
type window struct {
	used  int
	until time.Time
}

// withinRate counts the request against its token's fixed window and writes the
// headers that every answer has. When the budget is used up it answers 429 with
// no body.
func (s *Sandbox) withinRate(w http.ResponseWriter, token string) bool {
	limit := s.opt.RateLimit
	if limit < 0 {
		return true
	}
	now := s.opt.Now()
	s.mu.Lock()
	win := s.spent[token]
	if !now.Before(win.until) {
		if len(s.spent) > 1000 {
			for k, v := range s.spent {
				if !now.Before(v.until) {
					delete(s.spent, k)
				}
			}
		}
		win = window{until: now.Truncate(s.opt.RateWindow).Add(s.opt.RateWindow)}
	}
	win.used++
	s.spent[token] = win
	s.mu.Unlock()
	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(limit-win.used, 0)))
	// Whole seconds, rounded up: a client that waits until then finds it passed.
	h.Set("X-RateLimit-Reset", strconv.FormatInt(win.until.Add(time.Second-1).Unix(), 10))
	h.Set("X-RateLimit-Bucket", "bearer")
	if win.used > limit {
		w.WriteHeader(http.StatusTooManyRequests)
		return false
	}
	return true
}
