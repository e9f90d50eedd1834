package models

import (
	"context"
	"fmt"
	"time"
)

// SectionRecord is one class as the table holds it.
type SectionRecord struct {
	DistrictID        int64 `gorm:"primaryKey"`
	ID                int64 `gorm:"primaryKey"`
	CleverID          string
	SchoolID          int64
	TermID            *int64
	Name              string
	NameKey           string
	SISID             string `gorm:"column:sis_id"`
	SectionNumber     string
	Period            string
	Grade             string
	Subject           string
	Students          int
	TeachersNotShared int
	StudentsNotShared int
	Digest            []byte
	CreatedAt         time.Time
	ChangedAt         time.Time
	EndedAt           *time.Time
}

// TableName: the record of sections.
func (SectionRecord) TableName() string { return "sections" }

// Section is one class with its school and term.
type Section struct {
	SectionRecord  `gorm:"embedded"`
	SchoolName     string // "" when Clever does not share the school
	SchoolCleverID string
	TermName       string // "" where Clever gives none
	TermStart      *time.Time
	TermEnd        *time.Time
}

const sectionSelect = `SELECT s.*, h.name AS school_name, h.clever_id AS school_clever_id,
	       coalesce(t.name, '') AS term_name, t.start_date AS term_start, t.end_date AS term_end
	  FROM sections s
	  JOIN schools h ON h.district_id = s.district_id AND h.id = s.school_id
	  LEFT JOIN terms t ON t.district_id = s.district_id AND t.id = s.term_id`

// Section reads one section by its Clever id.
func (tx *Tx) Section(ctx context.Context, cleverID string) (Section, error) {
	s, err := one[Section](ctx, tx, sectionSelect+` WHERE s.district_id = ? AND s.clever_id = ?`, tx.actor.District, cleverID)
	if err != nil {
		return s, fmt.Errorf("section: %w", err)
	}
	return s, nil
}

// SectionTeacher is somebody who teaches a section.
type SectionTeacher struct {
	ID         int64
	FirstName  string
	MiddleName string
	LastName   string
	Primary    bool
}

// SectionStudent is somebody who attends a section.
type SectionStudent struct {
	ID         int64
	FirstName  string
	MiddleName string
	LastName   string
	Grade      string
	Number     string // the student number
}

// maxSectionPeople bounds what a section page lists; a class has dozens, a "homeroom" of a whole school thousands.
const maxSectionPeople = 1000

// SectionPeople lists who teaches a section, the primary teacher first, and who attends it, by name.
func (tx *Tx) SectionPeople(ctx context.Context, id int64) ([]SectionTeacher, []SectionStudent, error) {
	teachers, err := query[SectionTeacher](ctx, tx, `
		SELECT u.id, u.first_name, u.middle_name, u.last_name, x.is_primary AS "primary"
		  FROM section_teachers x JOIN users u ON u.district_id = x.district_id AND u.id = x.user_id
		 WHERE x.district_id = ? AND x.section_id = ? AND u.ended_at IS NULL
		 ORDER BY x.is_primary DESC, u.name_key, u.id LIMIT ?`, tx.actor.District, id, maxSectionPeople)
	if err != nil {
		return nil, nil, fmt.Errorf("teachers of section %d: %w", id, err)
	}
	students, err := query[SectionStudent](ctx, tx, `
		SELECT u.id, u.first_name, u.middle_name, u.last_name, coalesce(g.grade, '') AS grade, coalesce(g.number, '') AS number
		  FROM section_students x
		  JOIN users u ON u.district_id = x.district_id AND u.id = x.user_id
		  LEFT JOIN role_grants g ON g.district_id = x.district_id AND g.user_id = x.user_id AND g.role = 'student' AND g.source = 'clever'
		 WHERE x.district_id = ? AND x.section_id = ? AND u.ended_at IS NULL
		 ORDER BY u.name_key, u.id LIMIT ?`, tx.actor.District, id, maxSectionPeople)
	if err != nil {
		return nil, nil, fmt.Errorf("students of section %d: %w", id, err)
	}
	return teachers, students, nil
}

// SectionRow is a section as its school's page lists it.
type SectionRow struct {
	ID       int64
	CleverID string
	Name     string
	NameKey  string
	Term     string
	Period   string
	Subject  string
	Grade    string
	Students int
	Teachers int // who teach it, the primary teacher too

	TeacherID int64  // the primary teacher; 0 without one
	Teacher   string // "Last, First"
}

// SectionList is one page of a school's sections.
type SectionList struct {
	Rows  []SectionRow
	Count int // of the school
	Next  string
	Prev  string
}

// SchoolSections lists a school's current sections by name. ErrBadCursor: after or before are not of this list.
func (tx *Tx) SchoolSections(ctx context.Context, schoolID int64, after, before string, limit int) (SectionList, error) {
	if limit <= 0 || limit > maxListLimit {
		limit = listLimit
	}
	args := map[string]any{"district": tx.actor.District, "school": schoolID, "limit": limit + 1}
	beyond, order := "", "ASC"
	if after+before != "" {
		op, text := ">", after
		if before != "" {
			op, order, text = "<", "DESC", before
		}
		c, err := userSort{name: "name", kind: "text"}.parse(text)
		if err != nil {
			return SectionList{}, err
		}
		args["key"], args["id"] = c.Key, c.ID
		beyond = "AND (s.name_key, s.id) " + op + " (@key, @id)"
	}
	rows, err := query[SectionRow](ctx, tx, fmt.Sprintf(`
		SELECT s.id, s.clever_id, s.name, s.name_key, coalesce(t.name, '') AS term, s.period, s.subject, s.grade, s.students,
		       coalesce(p.teachers, 0) AS teachers, coalesce(p.id, 0) AS teacher_id, coalesce(p.name, '') AS teacher
		  FROM sections s
		  LEFT JOIN terms t ON t.district_id = s.district_id AND t.id = s.term_id
		  LEFT JOIN LATERAL (
		       SELECT CASE WHEN x.is_primary THEN u.id ELSE 0 END AS id, CASE WHEN x.is_primary THEN concat_ws(', ', u.last_name, nullif(u.first_name, '')) ELSE '' END AS name,
		              count(*) OVER () AS teachers
		         FROM section_teachers x JOIN users u ON u.district_id = @district AND u.id = x.user_id
		        WHERE x.district_id = @district AND x.section_id = s.id AND u.ended_at IS NULL
		        ORDER BY x.is_primary DESC, u.id LIMIT 1) p ON true
		 WHERE s.district_id = @district AND s.school_id = @school AND s.ended_at IS NULL %s
		 ORDER BY s.name_key %s, s.id %s LIMIT @limit`, beyond, order, order), args)
	if err != nil {
		return SectionList{}, fmt.Errorf("sections of school %d: %w", schoolID, err)
	}
	var list SectionList
	n, err := one[struct{ N int }](ctx, tx, `SELECT count(*) AS n FROM sections WHERE district_id = @district AND school_id = @school AND ended_at IS NULL`, args)
	if err != nil {
		return list, fmt.Errorf("sections of school %d: %w", schoolID, err)
	}
	list.Count = n.N
	page, earlier, later, _ := cutRows(rows, limit, after+before != "", before != "")
	at := func(r SectionRow) string { return cursor{Sort: "name", Key: r.NameKey, ID: r.ID}.String() }
	if earlier {
		list.Prev = at(page[0])
	}
	if later {
		list.Next = at(page[len(page)-1])
	}
	list.Rows = page
	return list, nil
}
