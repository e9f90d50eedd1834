package models

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// WriteSections brings a page of sections with their people into the district. Whom and what a section names that is
// not here, or has ended, is kept as a stranger and counted; SettleSections lets it in when it comes.
func (tx *Tx) WriteSections(ctx context.Context, page []RosterSection, seen *Seen) (RosterCount, error) {
	p := &sectionPage{tx: tx}
	if err := p.write(ctx, page, seen); err != nil {
		return p.count, fmt.Errorf("write sections: %w", err)
	}
	return p.count, nil
}

type sectionPage struct {
	tx      *Tx
	count   RosterCount
	users   map[string]int64 // by Clever id, those who are here
	terms   map[string]int64
	schools map[string]int64
	classes []*rosterClass // to be written
	rows    sectionRows
}

// rosterClass is a section with its people resolved.
type rosterClass struct {
	*RosterSection
	id                 int64
	held               held
	known              bool
	teachers, students []int64 // sorted
	primary            int64
	strangers          map[stranger]bool
	pastTeachers       map[int64]bool // true: the primary one
	pastStudents       map[int64]bool
	pastStrangers      map[stranger]bool
	kept               bool // teachers whom the record no longer names stay for now
}

// stranger is somebody or something a section names that is not here.
type stranger struct{ kind, cleverID string }

func (p *sectionPage) write(ctx context.Context, page []RosterSection, seen *Seen) error {
	tx := p.tx
	ids := make([]string, len(page))
	for i := range page {
		page[i].Prepare()
		ids[i] = page[i].CleverID
	}
	if err := tx.beginPage(ctx); err != nil {
		return err
	}
	found, err := tx.heldRecords(ctx, "sections", "true", ids)
	if err != nil {
		return err
	}
	record := func(s *RosterSection) (string, []byte) {
		if !usableID(s.School) {
			return "", nil // a section without a school has no place here
		}
		return s.CleverID, s.digest
	}
	sift(&p.count, seen, page, found, record, func(s *RosterSection, h held, known bool) {
		p.classes = append(p.classes, &rosterClass{RosterSection: s, id: h.id, held: h, known: known})
	})
	if len(p.classes) == 0 {
		return nil
	}
	if err := p.resolve(ctx); err != nil {
		return err
	}
	if err := p.readPast(ctx); err != nil {
		return err
	}
	p.rows.district, p.rows.now = tx.actor.District, tx.now
	for _, c := range p.classes {
		p.count.wrote(c.held, c.known)
		seen.add(c.id)
		if err := p.keep(c, seen); err != nil {
			return err
		}
		p.rows.section(c, p.schools[c.School], p.terms[c.Term])
	}
	b := &pgx.Batch{}
	p.rows.queue(b)
	p.rows.held.queue(b, tx.actor.District, seen.run)
	return tx.send(ctx, "write rows", b)
}

// resolve finds everyone and every term that the sections to be written name.
func (p *sectionPage) resolve(ctx context.Context) error {
	var members, terms []string
	for _, c := range p.classes {
		members = append(members, c.Teachers...)
		members = append(members, c.Students...)
		if usableID(c.Term) {
			terms = append(terms, c.Term)
		}
	}
	slices.Sort(members)
	members = slices.Compact(members)
	slices.Sort(terms)
	terms = slices.Compact(terms)
	p.users, p.terms = make(map[string]int64, len(members)), map[string]int64{}
	b := &pgx.Batch{}
	var cleverID string
	var id int64
	collect(b, byKey("text", `SELECT u.clever_id, coalesce(u.merged_into, u.id) FROM users u WHERE u.district_id = $1 AND u.clever_id = w.id AND u.ended_at IS NULL`),
		[]any{p.tx.actor.District, members}, []any{&cleverID, &id}, func() { p.users[cleverID] = id })
	collect(b, byKey("text", `SELECT t.clever_id, t.id FROM terms t WHERE t.district_id = $1 AND t.clever_id = w.id AND t.ended_at IS NULL`),
		[]any{p.tx.actor.District, terms}, []any{&cleverID, &id}, func() { p.terms[cleverID] = id })
	if err := p.tx.send(ctx, "look up people", b); err != nil {
		return err
	}
	for _, c := range p.classes {
		p.fill(c)
	}
	return nil
}

// fill tells a section's people who are here from those who are not.
func (p *sectionPage) fill(c *rosterClass) {
	c.primary = p.users[c.Teacher]
	c.strangers = map[stranger]bool{}
	c.teachers, c.students = p.present(c, c.Teachers, "teacher"), p.present(c, c.Students, "student")
	if usableID(c.Term) && p.terms[c.Term] == 0 {
		c.strangers[stranger{"term", c.Term}] = true
	}
}

func (p *sectionPage) present(c *rosterClass, cleverIDs []string, kind string) []int64 {
	ids := make([]int64, 0, len(cleverIDs))
	for _, s := range cleverIDs {
		switch id := p.users[s]; {
		case id != 0:
			ids = append(ids, id)
		case kind == "teacher" && s == c.Teacher:
			c.strangers[stranger{"primary", s}] = true
		default:
			c.strangers[stranger{kind, s}] = true
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// readPast reads who was in the page's known sections, and takes ids for the new ones.
func (p *sectionPage) readPast(ctx context.Context) error {
	named, known := map[string]bool{}, map[int64]*rosterClass{}
	var ids, fresh []int64
	strangers := 0
	for _, c := range p.classes {
		named[c.School] = true
		if !c.known {
			strangers++
			continue
		}
		c.pastTeachers, c.pastStudents, c.pastStrangers = map[int64]bool{}, map[int64]bool{}, map[stranger]bool{}
		known[c.id] = c
		ids = append(ids, c.id)
	}
	var err error
	if p.schools, err = p.tx.schoolIDs(ctx, named); err != nil {
		return err
	}
	b := &pgx.Batch{}
	newIDs(b, "sections", strangers, &fresh)
	if len(ids) > 0 {
		var section, user int64
		var primary bool
		collect(b, byKey("bigint", `SELECT m.section_id, m.user_id, m.is_primary FROM section_teachers m WHERE m.district_id = $1 AND m.section_id = w.id`),
			[]any{p.tx.actor.District, ids}, []any{&section, &user, &primary}, func() { known[section].pastTeachers[user] = primary })
		collect(b, byKey("bigint", `SELECT m.section_id, m.user_id FROM section_students m WHERE m.district_id = $1 AND m.section_id = w.id`),
			[]any{p.tx.actor.District, ids}, []any{&section, &user}, func() { known[section].pastStudents[user] = true })
		var s stranger
		collect(b, byKey("bigint", `SELECT m.section_id, m.kind, m.clever_id FROM section_strangers m WHERE m.district_id = $1 AND m.section_id = w.id`),
			[]any{p.tx.actor.District, ids}, []any{&section, &s.kind, &s.cleverID}, func() { known[section].pastStrangers[s] = true })
	}
	if err := p.tx.send(ctx, "read sections", b); err != nil {
		return err
	}
	for _, c := range p.classes {
		if !c.known {
			c.id, fresh = fresh[0], fresh[1:]
		}
	}
	return nil
}

// sectionRows is to sections what userRows is to users.
type sectionRows struct {
	district int64
	now      time.Time

	newSections, changedSections sectionColumns
	newTeachers, changedTeachers memberColumns
	lostTeachers                 memberColumns
	newStudents, lostStudents    memberColumns
	newStrangers, lostStrangers  strangerColumns
	held                         heldColumns
}

type strangerColumns struct {
	section        []int64
	kind, cleverID []string
}

func (c *strangerColumns) add(section int64, s stranger) {
	c.section = append(c.section, section)
	c.kind = append(c.kind, s.kind)
	c.cleverID = append(c.cleverID, s.cleverID)
}

type sectionColumns struct {
	id, school                                                     []int64
	term                                                           []*int64
	cleverID, name, nameKey, sisID, number, period, grade, subject []string
	students, teachersNotShared, studentsNotShared                 []int32
	digest                                                         [][]byte
	created, changed                                               []time.Time
}

type memberColumns struct {
	section, user []int64
	primary       []bool
}

func (m *memberColumns) add(section, user int64, primary bool) {
	m.section = append(m.section, section)
	m.user = append(m.user, user)
	m.primary = append(m.primary, primary)
}

func (r *sectionRows) section(s *rosterClass, school, term int64) {
	c := &r.newSections
	if s.known {
		c = &r.changedSections
	}
	c.id = append(c.id, s.id)
	c.school = append(c.school, school)
	if term != 0 {
		c.term = append(c.term, &term)
	} else {
		c.term = append(c.term, nil)
	}
	c.cleverID = append(c.cleverID, s.CleverID)
	c.name = append(c.name, s.Name)
	c.nameKey = append(c.nameKey, key(s.Name))
	c.sisID = append(c.sisID, s.SISID)
	c.number = append(c.number, s.Number)
	c.period = append(c.period, s.Period)
	c.grade = append(c.grade, s.Grade)
	c.subject = append(c.subject, s.Subject)
	c.students = append(c.students, int32(len(s.students)))
	away := 0 // two records of one person are one teacher, and nobody is missing
	for who := range s.strangers {
		if who.kind == "primary" || who.kind == "teacher" {
			away++
		}
	}
	c.teachersNotShared = append(c.teachersNotShared, int32(away))
	c.studentsNotShared = append(c.studentsNotShared, int32(len(s.Students)-len(s.students)))
	c.digest = append(c.digest, s.digest)
	c.created = append(c.created, when(r.now, s.Created))
	c.changed = append(c.changed, when(r.now, s.Modified, s.Created))

	for _, user := range s.teachers {
		primary := user == s.primary
		was, held := s.pastTeachers[user]
		delete(s.pastTeachers, user)
		switch {
		case !held:
			r.newTeachers.add(s.id, user, primary)
		case was != primary:
			r.changedTeachers.add(s.id, user, primary)
		}
	}
	for user := range s.pastTeachers {
		if !s.kept {
			r.lostTeachers.add(s.id, user, false)
		}
	}
	for _, user := range s.students {
		if !s.pastStudents[user] {
			r.newStudents.add(s.id, user, false)
		}
		delete(s.pastStudents, user)
	}
	for user := range s.pastStudents {
		r.lostStudents.add(s.id, user, false)
	}
	for who := range s.strangers {
		if !s.pastStrangers[who] {
			r.newStrangers.add(s.id, who)
		}
		delete(s.pastStrangers, who)
	}
	for who := range s.pastStrangers {
		r.lostStrangers.add(s.id, who)
	}
}

func (c *sectionColumns) args(district int64) []any {
	return []any{
		district, c.id, c.cleverID, c.school, c.term, c.name, c.nameKey, c.sisID, c.number, c.period, c.grade, c.subject,
		c.students, c.teachersNotShared, c.studentsNotShared, c.digest, c.created, c.changed,
	}
}

const (
	sectionList   = `id, clever_id, school_id, term_id, name, name_key, sis_id, section_number, period, grade, subject, students, teachers_not_shared, students_not_shared, digest, created_at, changed_at`
	sectionUnnest = `unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
		$13::integer[], $14::integer[], $15::integer[], $16::bytea[], $17::timestamptz[], $18::timestamptz[]) AS r(` + sectionList + `)`
)

func (r *sectionRows) queue(b *pgx.Batch) {
	if len(r.newSections.id) > 0 {
		b.Queue(`INSERT INTO sections (district_id, `+sectionList+`) OVERRIDING SYSTEM VALUE SELECT $1, `+sectionList+` FROM `+sectionUnnest,
			r.newSections.args(r.district)...)
	}
	if len(r.changedSections.id) > 0 {
		b.Queue(`UPDATE sections s SET school_id = r.school_id, term_id = r.term_id, name = CASE r.name WHEN '' THEN s.name ELSE r.name END, name_key = CASE r.name WHEN '' THEN s.name_key ELSE r.name_key END, sis_id = r.sis_id,
				section_number = r.section_number, period = r.period, grade = r.grade, subject = r.subject, students = r.students,
				teachers_not_shared = r.teachers_not_shared, students_not_shared = r.students_not_shared, digest = r.digest,
				changed_at = r.changed_at, ended_at = NULL
			FROM `+sectionUnnest+` WHERE s.district_id = $1 AND s.id = r.id`, r.changedSections.args(r.district)...)
	}
	members := func(sql string, m memberColumns, withPrimary bool) {
		args := []any{r.district, m.section, m.user}
		if withPrimary {
			args = append(args, m.primary)
		}
		if len(m.section) > 0 {
			b.Queue(sql, args...)
		}
	}
	members(`DELETE FROM section_teachers t USING unnest($2::bigint[], $3::bigint[]) AS r(section, person)
		WHERE t.district_id = $1 AND t.section_id = r.section AND t.user_id = r.person`, r.lostTeachers, false)
	members(`DELETE FROM section_students t USING unnest($2::bigint[], $3::bigint[]) AS r(section, person)
		WHERE t.district_id = $1 AND t.section_id = r.section AND t.user_id = r.person`, r.lostStudents, false)
	members(`UPDATE section_teachers t SET is_primary = r.is_primary FROM unnest($2::bigint[], $3::bigint[], $4::boolean[]) AS r(section, person, is_primary)
		WHERE t.district_id = $1 AND t.section_id = r.section AND t.user_id = r.person`, r.changedTeachers, true)
	members(`INSERT INTO section_teachers (district_id, section_id, user_id, is_primary)
		SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::boolean[])`, r.newTeachers, true)
	members(`INSERT INTO section_students (district_id, section_id, user_id) SELECT $1, * FROM unnest($2::bigint[], $3::bigint[])`, r.newStudents, false)
	if m := r.lostStrangers; len(m.section) > 0 {
		b.Queue(`DELETE FROM section_strangers t USING unnest($2::bigint[], $3::text[], $4::text[]) AS r(section, kind, clever_id)
			WHERE t.district_id = $1 AND t.section_id = r.section AND t.kind = r.kind AND t.clever_id = r.clever_id`, r.district, m.section, m.kind, m.cleverID)
	}
	if m := r.newStrangers; len(m.section) > 0 {
		b.Queue(`INSERT INTO section_strangers (district_id, section_id, kind, clever_id)
			SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[])`, r.district, m.section, m.kind, m.cleverID)
	}
}
