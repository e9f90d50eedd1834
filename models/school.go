package models

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"hallpass/access"
)

// School is one of the district's schools. One that Clever does not share, though people name it, has Listed false
// and no name.
type School struct {
	DistrictID   int64 `gorm:"primaryKey"`
	ID           int64 `gorm:"primaryKey"`
	CleverID     string
	Listed       bool
	Name         string
	NameKey      string
	SISID        string `gorm:"column:sis_id"`
	SchoolNumber string
	LowGrade     string
	HighGrade    string
	Digest       []byte
	CreatedAt    time.Time
	ChangedAt    time.Time
	EndedAt      *time.Time
}

// School reads one school by its Clever id.
func (tx *Tx) School(ctx context.Context, cleverID string) (School, error) {
	s, err := one[School](ctx, tx, `SELECT * FROM schools WHERE district_id = ? AND clever_id = ?`, tx.actor.District, cleverID)
	if err != nil {
		return s, fmt.Errorf("school: %w", err)
	}
	return s, nil
}

// SchoolChoice is a school as a filter offers it.
type SchoolChoice struct {
	ID       int64
	CleverID string
	Name     string
}

// knownSchools are a district's schools as they were at a version.
type knownSchools struct {
	version int64
	choices []SchoolChoice
}

// SchoolChoices lists the current schools within reach that Clever lists, by name; they are not the caller's to change. d
// is the district as the transaction has read it: a copy in memory is used only while it is of that version.
func (tx *Tx) SchoolChoices(ctx context.Context, d District, reach access.Reach) ([]SchoolChoice, error) {
	var choices []SchoolChoice
	if known, ok := tx.store.schools.Load(tx.actor.District); ok && known.(knownSchools).version == d.SchoolsVersion {
		choices = known.(knownSchools).choices
	} else {
		var err error
		choices, err = scan[SchoolChoice](ctx, tx, `SELECT id, clever_id, name FROM schools
			WHERE district_id = @district AND ended_at IS NULL AND listed ORDER BY name_key, id`, map[string]any{"district": tx.actor.District})
		if err != nil {
			return nil, fmt.Errorf("school choices: %w", err)
		}
		if d.SchoolsVersion != 0 { // 0: the district was not read whole
			tx.store.schools.Store(tx.actor.District, knownSchools{d.SchoolsVersion, choices})
		}
	}
	if reach.District {
		return choices, nil
	}
	var within []SchoolChoice
	for _, c := range choices {
		if slices.Contains(reach.Schools, c.ID) {
			within = append(within, c)
		}
	}
	return within, nil
}

// SchoolFilter says which schools, from where.
type SchoolFilter struct {
	Q      string // every word must be in the name, an id or the number
	After  string
	Before string
	Limit  int // 0 is 50; at most 200
}

// SchoolRow is a school as a list shows one, with people counted at the end of the last sync.
type SchoolRow struct {
	ID           int64
	CleverID     string
	Name         string
	Listed       bool
	SISID        string `gorm:"column:sis_id"`
	SchoolNumber string
	LowGrade     string
	HighGrade    string
	EndedAt      *time.Time
	Sections     int
	People       map[access.Role]int `gorm:"-"`
	NameKey      string
}

// SchoolList is one page of schools.
type SchoolList struct {
	Rows  []SchoolRow
	Count int
	Next  string
	Prev  string
}

// Schools lists the current schools within reach by name. A district has hundreds, so all that match are found and
// the page is cut from them: the count is exact. ErrBadCursor: After or Before are not of this list.
func (tx *Tx) Schools(ctx context.Context, reach access.Reach, f SchoolFilter) (SchoolList, error) {
	schools, err := query[SchoolRow](ctx, tx, `
		SELECT s.id, s.clever_id, s.name, s.name_key, s.listed, s.sis_id, s.school_number, s.low_grade, s.high_grade, s.ended_at
		  FROM schools s
		 WHERE s.district_id = @district AND s.ended_at IS NULL AND (@everywhere OR s.id = ANY(CAST(@schools AS bigint[])))
		 ORDER BY s.name_key = '', s.name_key, s.id`,
		map[string]any{"district": tx.actor.District, "everywhere": reach.District, "schools": idArray(reach.Schools)})
	if err != nil {
		return SchoolList{}, fmt.Errorf("list schools: %w", err)
	}
	words := strings.Fields(Fold(f.Q))
	schools = slices.DeleteFunc(schools, func(s SchoolRow) bool {
		text := s.NameKey + "\n" + Fold(s.CleverID+"\n"+s.SISID+"\n"+s.SchoolNumber)
		return slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
	})
	list := SchoolList{Count: len(schools)}
	limit := f.Limit
	if limit <= 0 {
		limit = listLimit
	}
	from, to, err := cutPage(schools, f.After, f.Before, min(limit, maxListLimit), func(s SchoolRow) int64 { return s.ID })
	if err != nil {
		return list, err
	}
	list.Rows = schools[from:to]
	if to < len(schools) && to > from {
		list.Next = positionCursor(schools[to-1].ID)
	}
	if from > 0 && to > from {
		list.Prev = positionCursor(schools[from].ID)
	}
	return list, tx.addSchoolCounts(ctx, list.Rows)
}

// cutPage finds the page of a list already in memory that follows or precedes the row a cursor names.
func cutPage[T any](rows []T, after, before string, limit int, id func(T) int64) (from, to int, err error) {
	text := after
	if before != "" {
		text = before
	}
	if text == "" {
		return 0, min(limit, len(rows)), nil
	}
	at, err := parsePosition(text)
	if err != nil {
		return 0, 0, err
	}
	i := slices.IndexFunc(rows, func(r T) bool { return id(r) == at })
	if i < 0 {
		return 0, 0, ErrBadCursor
	}
	if before != "" {
		return max(0, i-limit), i, nil
	}
	return i + 1, min(i+1+limit, len(rows)), nil
}

// positionCursor is a cursor of a list whose order an id alone can find again.
func positionCursor(id int64) string {
	raw, _ := json.Marshal(id)
	return base64.RawURLEncoding.EncodeToString(raw)
}

func parsePosition(text string) (int64, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	var id int64
	if err != nil || json.Unmarshal(raw, &id) != nil || id <= 0 {
		return 0, ErrBadCursor
	}
	return id, nil
}

func (tx *Tx) addSchoolCounts(ctx context.Context, rows []SchoolRow) error {
	ids := make([]int64, len(rows))
	at := make(map[int64]*SchoolRow, len(rows))
	for i := range rows {
		rows[i].People = map[access.Role]int{}
		ids[i], at[rows[i].ID] = rows[i].ID, &rows[i]
	}
	counts, err := tx.headCounts(ctx, ids)
	if err != nil {
		return err
	}
	for _, c := range counts {
		at[c.SchoolID].People[c.Role] = c.People
	}
	type sectionCount struct {
		SchoolID int64
		N        int
	}
	sections, err := query[sectionCount](ctx, tx, `SELECT school_id, count(*) AS n FROM sections
		WHERE district_id = ? AND school_id = ANY(?::bigint[]) AND ended_at IS NULL GROUP BY school_id`, tx.actor.District, idArray(ids))
	if err != nil {
		return fmt.Errorf("count sections: %w", err)
	}
	for _, c := range sections {
		at[c.SchoolID].Sections = c.N
	}
	return nil
}
