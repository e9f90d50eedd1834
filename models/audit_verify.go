package models

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"hallpass/access"
)

// AuditFault is one place at which a district's chain of audit entries does not hold.
type AuditFault struct {
	Entry int64  // the entry it was seen at
	Kind  string // one of the faults below
	Other int64  // missing: the last one missing; moved: the number it was written under
}

// What can be wrong with an entry. The hash covers the entry's own number and the hash of the one before it, so
// whatever is done to a row shows at that row or at the next.
const (
	EntryChanged   = "changed"   // its content is not what its hash was made of
	EntryMissing   = "missing"   // it and those up to Other are not there
	EntryMoved     = "moved"     // it is whole, but was written under the number Other
	EntryUnlinked  = "unlinked"  // it does not follow the entry before it: one was put in between, or replaced
	EntryNotListed = "unmatched" // a receipt of a change refers to it, and it is not there or tells of something else
)

// AuditReport is what verifying one district's chain found.
type AuditReport struct {
	District int64
	CleverID string
	Entries  int64
	Last     int64 // number of the last entry, 0 for an empty chain
	LastAt   time.Time
	LastHash []byte
	Faults   []AuditFault // the first of them; Broken counts all
	Broken   int
	Noted    []byte // hash of the entry whose number was asked for, nil if it is not there
}

// maxFaults bounds what a report lists.
const maxFaults = 100

// verifyPage is how many entries are held in memory at a time.
const verifyPage = 5000

// VerifyAudit reads a district's whole chain, in one moment of the database, and recomputes every hash. What it cannot
// see by itself is a chain cut off at its end, or one that was made anew by somebody who knows how: for that, the
// report gives the last entry's hash to be noted elsewhere, and the hash of an entry noted before.
func (s *Store) VerifyAudit(ctx context.Context, district, noted int64, progress func(entries int64)) (AuditReport, error) {
	r := AuditReport{District: district}
	err := s.As(access.System(district, "audit verify")).Read(ctx, func(tx *Tx) error {
		d, err := tx.District(ctx)
		if err != nil {
			return err
		}
		r.CleverID = d.CleverID
		c := chain{report: &r, noted: noted}
		for {
			rows, err := scan[AuditEntry](ctx, tx, `SELECT * FROM audit_entries WHERE district_id = @district AND id > @last ORDER BY id LIMIT @limit`,
				map[string]any{"district": district, "last": r.Last, "limit": verifyPage})
			if err != nil {
				return err
			}
			for _, e := range rows {
				c.add(e)
			}
			if progress != nil {
				progress(r.Entries)
			}
			if len(rows) < verifyPage {
				break
			}
		}
		return tx.matchReceipts(ctx, &r)
	})
	if err != nil {
		return r, fmt.Errorf("verify audit of district %d: %w", district, err)
	}
	return r, nil
}

// chain is a chain as far as it was read.
type chain struct {
	report *AuditReport
	noted  int64
	shift  int64 // by which rows were renumbered here, as far as is known
}

func (r *AuditReport) fault(f AuditFault) {
	r.Broken++
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, f)
	}
}

func (c *chain) add(e AuditEntry) {
	r := c.report
	if e.ID == c.noted {
		r.Noted = e.Hash
	}
	gap := e.ID > r.Last+1
	if gap {
		r.fault(AuditFault{Entry: r.Last + 1, Kind: EntryMissing, Other: e.ID - 1})
	}
	if data, err := canonical(rawJSON(e.Data)); err == nil {
		e.Data = data
	}
	switch was, whole := c.writtenAs(e); {
	case !whole:
		r.fault(AuditFault{Entry: e.ID, Kind: EntryChanged})
	case was != e.ID:
		r.fault(AuditFault{Entry: e.ID, Kind: EntryMoved, Other: was})
	case !gap && !bytes.Equal(e.PrevHash, r.LastHash): // both are empty at the first entry
		r.fault(AuditFault{Entry: e.ID, Kind: EntryUnlinked})
	}
	r.Entries++
	r.Last, r.LastAt, r.LastHash = e.ID, e.At, e.Hash
}

// nearby is how far a renumbered entry is looked for.
const nearby = 8

// writtenAs is the number under which the entry was written. whole is false where its content is not what its hash was
// made of under any number nearby.
func (c *chain) writtenAs(e AuditEntry) (was int64, whole bool) {
	shifts := []int64{0, c.shift}
	for n := int64(1); n <= nearby; n++ {
		shifts = append(shifts, n, -n)
	}
	for _, shift := range shifts {
		try := e
		if try.ID += shift; try.ID > 0 && bytes.Equal(try.sum(), e.Hash) {
			c.shift = shift
			return try.ID, true
		}
	}
	return e.ID, false
}

// rawJSON is JSON that is there already, for canonical.
type rawJSON []byte

// MarshalJSON gives the text as it is.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// matchReceipts finds the changes whose audit entry is not there or tells of something else: some of what a chain cut
// off at its end has lost.
func (tx *Tx) matchReceipts(ctx context.Context, r *AuditReport) error {
	lost, err := query[struct{ AuditID int64 }](ctx, tx, `SELECT c.audit_id FROM changes c
		 WHERE c.district_id = ? AND NOT EXISTS (SELECT FROM audit_entries e
		       WHERE e.district_id = c.district_id AND e.id = c.audit_id AND e.action = c.kind AND e.subject = c.subject)
		 ORDER BY c.audit_id LIMIT ?`, tx.actor.District, maxFaults)
	if err != nil {
		return err
	}
	for _, l := range lost {
		known := slices.ContainsFunc(r.Faults, func(f AuditFault) bool {
			return f.Entry == l.AuditID || f.Kind == EntryMissing && f.Entry <= l.AuditID && l.AuditID <= f.Other
		})
		if !known {
			r.fault(AuditFault{Entry: l.AuditID, Kind: EntryNotListed})
		}
	}
	return nil
}
