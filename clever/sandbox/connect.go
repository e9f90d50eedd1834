package sandbox

import (
	"fmt"
	"time"
)

// linked is how a district is connected to the app.
type linked struct {
	token   string // the one that opens the Data API; the ones before it are refused
	made    string // when, as Clever writes it
	turn    uint64 // how often the token was replaced
	listed  bool   // in the token list
	refused bool   // the token opens nothing, though it is listed
}

func (d *district) tokenAt(turn uint64) string {
	seed := d.seed + turn*0x51ed27
	return fmt.Sprintf("%016x%016x%08x", mix(seed, 'a'), mix(seed, 'b'), uint32(mix(seed, 'c')))
}

// Disconnect takes a district out of the token list, as when it leaves the app: its token is refused from then on.
func (s *Sandbox) Disconnect(id string) error {
	return s.relink(id, func(l *linked) { l.listed, l.refused = false, true })
}

// Connect puts a district back into the token list, under a new token.
func (s *Sandbox) Connect(id string) error {
	return s.relink(id, func(l *linked) { l.listed, l.refused = true, false; l.turn++ })
}

// RotateToken gives a district another token; the one before is refused from then on.
func (s *Sandbox) RotateToken(id string) error {
	return s.relink(id, func(l *linked) { l.refused = false; l.turn++ })
}

// RefuseToken makes a district's token open nothing, though the token list still names it; or open everything again.
func (s *Sandbox) RefuseToken(id string, refused bool) error {
	return s.relink(id, func(l *linked) { l.refused = refused })
}

func (s *Sandbox) relink(id string, change func(*linked)) error {
	for _, d := range s.districts {
		if d.id != id {
			continue
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		l := *d.linked.Load()
		turn := l.turn
		change(&l)
		if l.turn != turn {
			l.token, l.made = d.tokenAt(l.turn), s.opt.Now().UTC().Format(time.RFC3339)
		}
		d.linked.Store(&l)
		return nil
	}
	return fmt.Errorf("sandbox: connect district %s: not found", id)
}
