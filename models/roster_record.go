package models

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds on what is kept of a text that came from outside, in bytes. Ids and roles stand in indexes, which refuse
// entries over about 2,700.
const (
	maxText = 4000
	maxID   = 200
	maxRole = 100
)

// RosterSchool, RosterTerm, RosterUser and RosterSection are records as Clever has them, cut down to what is kept.
// Texts may be anything; they are made fit for PostgreSQL when they are written.
type RosterSchool struct {
	CleverID, Name, SISID, Number, LowGrade, HighGrade string
	Created, Modified                                  time.Time

	digest []byte
}

// RosterTerm is a stretch of the school year. A nil date is not known.
type RosterTerm struct {
	CleverID, Name string
	Start, End     *time.Time

	digest []byte
}

// RosterUser is one person with every role that Clever shares.
type RosterUser struct {
	CleverID, First, Middle, Last, Email string
	Created, Modified                    time.Time
	Grants                               []RosterGrant          // one for each role; a second of the same role is dropped
	RolesWithheld                        bool                   // the record says nothing at all of roles: those held stay
	Students                             []RosterContactStudent // whom a contact belongs to

	digest  []byte
	nameKey string
}

// RosterGrant is one role of a user.
type RosterGrant struct {
	Role                                  string // Clever's key, known or not; cut to 100 bytes
	LegacyID, SISID, Number, Title, Grade string
	Labels                                []string
	Schools                               []string // Clever ids
	Primary                               string   // Clever id of the primary school, "" for none
}

// RosterContactStudent ties a contact to a student, by the student's Clever id.
type RosterContactStudent struct{ Student, Relationship, Kind string }

// RosterSection is a class with the Clever ids of its people.
type RosterSection struct {
	CleverID, School, Term, Name, SISID, Number, Period, Grade, Subject string
	Teacher                                                             string // the primary one; "" falls back on the first of Teachers
	Teachers, Students                                                  []string
	Created, Modified                                                   time.Time

	digest []byte
}

// RosterCount says what came of a page of records. Problems counts records, or ids in them, that could not be taken
// over as they are. The others count, of people, why: roles gained and lost by those who were here, and people who
// came with the roles of two others (Clever joined them) or of one (Clever split them off, or gave them a new id).
type RosterCount struct {
	Read, Created, Updated, Unchanged, Revived, Problems int
	RolesGained, RolesLost, Joined, Split                int
	// Of the problems: records, events and ids that are of no use, ids that are somebody else's here, and removals of
	// what was never here.
	Unusable, Claimed, Unknown int
}

// Prepare tidies the record and works out its digest. Writing does it where it was not done; doing it before, outside
// the transaction, lets the database work meanwhile.
func (s *RosterSchool) Prepare() {
	if s.digest != nil {
		return
	}
	tidy(&s.CleverID, &s.Name, &s.SISID, &s.Number, &s.LowGrade, &s.HighGrade)
	d := newDigest()
	d.texts(s.CleverID, s.Name, s.SISID, s.Number, s.LowGrade, s.HighGrade)
	s.digest = d.sum()
}

// Prepare is like that of RosterSchool.
func (t *RosterTerm) Prepare() {
	if t.digest != nil {
		return
	}
	tidy(&t.CleverID, &t.Name)
	d := newDigest()
	d.texts(t.CleverID, t.Name)
	for _, day := range []**time.Time{&t.Start, &t.End} {
		// PostgreSQL holds dates of years 1 to 9999 in a form that everyone can read back.
		if *day == nil || (*day).Year() < 1 || (*day).Year() > 9999 {
			*day = nil
			d.texts("")
			continue
		}
		d.texts((*day).Format(time.DateOnly))
	}
	t.digest = d.sum()
}

// Prepare is like that of RosterSchool. Clever's last_modified is no part of the digest: a record that differs in
// nothing else is unchanged.
func (u *RosterUser) Prepare() {
	if u.digest != nil {
		return
	}
	tidy(&u.CleverID, &u.First, &u.Middle, &u.Last, &u.Email)
	u.nameKey = nameKey(u.Last, u.First, u.Middle)
	u.tidyGrants()
	for i := range u.Students {
		s := &u.Students[i]
		tidy(&s.Student, &s.Relationship, &s.Kind)
	}
	slices.SortStableFunc(u.Students, func(a, b RosterContactStudent) int { return cmp.Compare(a.Student, b.Student) })
	u.Students = slices.CompactFunc(u.Students, func(a, b RosterContactStudent) bool { return a.Student == b.Student })
	u.Students = slices.DeleteFunc(u.Students, func(s RosterContactStudent) bool { return !usableID(s.Student) })

	d := newDigest()
	d.texts(u.CleverID, u.First, u.Middle, u.Last, u.Email)
	if u.RolesWithheld {
		u.Grants = nil
		d.number(-1)
	}
	d.number(len(u.Grants))
	for _, g := range u.Grants {
		d.texts(g.Role, g.LegacyID, g.SISID, g.Number, g.Title, g.Grade, g.Primary)
		d.list(g.Labels)
		d.list(g.Schools)
	}
	d.number(len(u.Students))
	for _, s := range u.Students {
		d.texts(s.Student, s.Relationship, s.Kind)
	}
	u.digest = d.sum()
}

func (u *RosterUser) tidyGrants() {
	for i := range u.Grants {
		g := &u.Grants[i]
		tidy(&g.Role, &g.LegacyID, &g.SISID, &g.Number, &g.Title, &g.Grade, &g.Primary)
		g.Role = cut(g.Role, maxRole)
		if !usableID(g.Primary) {
			g.Primary = ""
		}
		if g.Primary != "" {
			g.Schools = append(slices.Clip(g.Schools), g.Primary)
		}
		g.Labels = tidySet(g.Labels, func(s string) bool { return s != "" })
		g.Schools = tidySet(g.Schools, usableID)
	}
	slices.SortStableFunc(u.Grants, func(a, b RosterGrant) int { return cmp.Compare(a.Role, b.Role) })
	u.Grants = slices.CompactFunc(u.Grants, func(a, b RosterGrant) bool { return a.Role == b.Role })
	u.Grants = slices.DeleteFunc(u.Grants, func(g RosterGrant) bool { return g.Role == "" })
}

// Prepare is like that of RosterSchool.
func (s *RosterSection) Prepare() {
	if s.digest != nil {
		return
	}
	tidy(&s.CleverID, &s.School, &s.Term, &s.Name, &s.SISID, &s.Number, &s.Period, &s.Grade, &s.Subject, &s.Teacher)
	if s.Teacher == "" && len(s.Teachers) > 0 {
		s.Teacher = clean(s.Teachers[0])
	}
	if s.Teacher != "" {
		s.Teachers = append(slices.Clip(s.Teachers), s.Teacher)
	}
	s.Teachers = tidySet(s.Teachers, usableID)
	s.Students = tidySet(s.Students, usableID)
	d := newDigest()
	d.texts(s.CleverID, s.School, s.Term, s.Name, s.SISID, s.Number, s.Period, s.Grade, s.Subject, s.Teacher)
	d.list(s.Teachers)
	d.list(s.Students)
	s.digest = d.sum()
}

// usableID reports whether an outside id can stand in an index.
func usableID(s string) bool { return s != "" && len(s) <= maxID }

func tidy(texts ...*string) {
	for _, s := range texts {
		*s = clean(*s)
	}
}

// clean makes a text storable: valid UTF-8, no NUL, of bounded length.
func clean(s string) string {
	if len(s) > maxText {
		s = cut(s, maxText)
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return s
}

// tidySet cleans, sorts and thins out a list whose order means nothing. It leaves the caller's list alone.
func tidySet(list []string, keep func(string) bool) []string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		if s = clean(s); keep(s) {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// digest is SHA-256 over lengths and texts, cut to 128 bits: it recognises a record again, it proves nothing.
type digest struct {
	h   hash.Hash
	buf []byte
}

func newDigest() *digest { return &digest{h: sha256.New(), buf: make([]byte, 0, 512)} }

func (d *digest) texts(list ...string) {
	for _, s := range list {
		d.buf = binary.AppendUvarint(d.buf, uint64(len(s)))
		d.buf = append(d.buf, s...)
	}
	d.flush(512)
}

func (d *digest) list(list []string) {
	d.number(len(list))
	d.texts(list...)
}

func (d *digest) number(n int) { d.buf = binary.AppendUvarint(d.buf, uint64(n)) }

func (d *digest) flush(over int) {
	if len(d.buf) > over {
		d.h.Write(d.buf)
		d.buf = d.buf[:0]
	}
}

func (d *digest) sum() []byte {
	d.flush(0)
	return d.h.Sum(nil)[:16]
}

// when picks the first of the times that is known and not in the future.
func when(now time.Time, times ...time.Time) time.Time {
	for _, t := range times {
		// Before year 1 PostgreSQL writes times in another calendar's style.
		if !t.IsZero() && t.Year() > 0 && !t.After(now) {
			return t
		}
	}
	return now
}
