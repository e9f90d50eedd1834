package views

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The kinds of rows of a matrix, in the order they are shown.
const (
	wholeDistrict = iota
	atSchool
	noSchool
)

// matrix is roles by place: what one person holds where.
type matrix struct {
	roles []string
	rows  []matrixRow
}

type matrixRow struct {
	kind        int
	schoolID    string
	school, sis string
	primary     bool
	outOfReach  bool
	cells       [][]UserGrant // one for each role of the matrix; empty: not held
}

func (m matrix) columns() string { return strconv.Itoa(len(m.roles) + 1) }

// matrix lays the current grants out by place and role. Columns are the roles held,
// known ones first; rows come as the grants came, the whole district first and grants
// without a school last.
func (p UserPage) matrix() matrix {
	current := slices.DeleteFunc(slices.Clone(p.Grants), func(g UserGrant) bool { return g.EndedAt != nil })
	m := matrix{roles: rolesHeld(current)}
	for _, g := range current {
		kind := g.kind()
		i := slices.IndexFunc(m.rows, func(r matrixRow) bool { return r.kind == kind && r.schoolID == g.SchoolID })
		if i < 0 {
			i = len(m.rows)
			m.rows = append(m.rows, matrixRow{
				kind: kind, schoolID: g.SchoolID, school: g.School, sis: g.SchoolSIS, outOfReach: g.OutOfReach, cells: make([][]UserGrant, len(m.roles)),
			})
		}
		row := &m.rows[i]
		row.primary = row.primary || g.Primary
		c := slices.Index(m.roles, g.Role)
		row.cells[c] = append(row.cells[c], g)
	}
	slices.SortStableFunc(m.rows, func(a, b matrixRow) int { return a.kind - b.kind })
	return m
}

// rolesHeld are the roles of some grants, known ones in their usual order.
func rolesHeld(grants []UserGrant) []string {
	var held, strange []string
	for _, g := range grants {
		if !isKnownRole(g.Role) && !slices.Contains(strange, g.Role) {
			strange = append(strange, g.Role)
		}
	}
	for _, r := range []string{"teacher", "staff", "district_admin", "student", "contact"} {
		if slices.ContainsFunc(grants, func(g UserGrant) bool { return g.Role == r }) {
			held = append(held, r)
		}
	}
	return append(held, strange...)
}

func (g UserGrant) kind() int {
	switch {
	case g.SchoolID != "":
		return atSchool
	case g.Role == "district_admin":
		return wholeDistrict
	}
	return noSchool
}

// heading is a filled cell's first line: the labels that refine a staff role, else
// the role.
func (g UserGrant) heading(l *Locale) string {
	if len(g.Labels) > 0 {
		return labelList(l, g.Labels)
	}
	return l.Role(g.Role)
}

// origin says where a grant comes from and since when.
func (g UserGrant) origin(l *Locale) string {
	source := "Clever"
	switch {
	case g.Source == "manual" && g.By != "":
		source = l.F("grant.by", "Name", g.By)
	case g.Source == "manual":
		source = l.T("grant.by_hand")
	}
	if g.Since != nil {
		source = l.F("grant.since", "Source", source, "Date", l.Date(*g.Since))
	}
	if g.Until != nil {
		source = l.F("grant.until", "Source", source, "Date", l.Date(lastDay(*g.Until)))
	}
	return source
}

func (r matrixRow) from(l *Locale) string {
	var parts []string
	if r.primary {
		parts = append(parts, l.T("place.primary_school"))
	}
	if r.sis != "" {
		parts = append(parts, "SIS "+r.sis)
	}
	return strings.Join(parts, " · ")
}

func (p UserPage) otherSchools(m matrix) int {
	held := 0
	for _, r := range m.rows {
		if r.kind == atSchool && r.school != "" { // one that Clever does not share is not among the total
			held++
		}
		if r.kind == wholeDistrict {
			return 0 // the district-wide role reaches them all
		}
	}
	if len(m.rows) == 0 {
		return 0 // "the other schools" needs one to be other than
	}
	return p.TotalSchools - held
}

func (p UserPage) matrixCaption(l *Locale) string {
	for _, g := range p.Grants {
		if g.Source == "manual" {
			return l.T("user.roles.caption")
		}
	}
	if p.SyncedAt == nil {
		return l.T("user.roles.caption_clever")
	}
	return l.F("user.roles.caption_synced", "When", l.Relative(*p.SyncedAt))
}

func (p UserPage) pastGrants() []UserGrant {
	return slices.DeleteFunc(slices.Clone(p.Grants), func(g UserGrant) bool { return g.EndedAt == nil })
}

func (p UserPage) placeName(l *Locale, g UserGrant) string {
	switch {
	case g.School != "":
		return g.School
	case g.SchoolID != "":
		return l.T("school.not_shared")
	case g.Role == "district_admin":
		return l.T("place.whole_district")
	}
	return l.T("place.no_school")
}

// summary is the sentence under the name: "Teacher and staff at 2 schools in …".
func (p UserPage) summary(l *Locale) string {
	m := p.matrix()
	if len(m.roles) == 0 {
		if p.CleverID == "" {
			return l.T("users.imported")
		}
		return l.F("user.summary.none", "District", p.District.Name)
	}
	words := make([]string, len(m.roles))
	for i, r := range m.roles {
		words[i] = l.roleLower(r)
	}
	said := upperFirst(l.List(words))
	schools, name := 0, ""
	for _, r := range m.rows {
		if r.kind == atSchool {
			schools++
			name = r.school
		}
	}
	switch {
	case schools == 0:
		return l.F("user.summary.district", "Roles", said, "District", p.District.Name)
	case schools == 1 && name != "":
		return l.F("user.summary.school", "Roles", said, "School", name, "District", p.District.Name)
	}
	return l.N("user.summary.schools", schools, "Roles", said, "District", p.District.Name)
}

func upperFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

func (p UserPage) idText() string { return strconv.FormatInt(p.ID, 10) }

func (p UserPage) holds(role string) bool {
	return slices.ContainsFunc(p.Grants, func(g UserGrant) bool { return g.Role == role && g.EndedAt == nil })
}

func (p UserPage) teaches() bool { return p.holds("teacher") || p.holds("student") }

func (p UserPage) hasStateIDs() bool {
	return slices.ContainsFunc(p.IDs, func(id UserIDs) bool { return id.StateID != "" })
}

func (p UserPage) sectionsSub(l *Locale) string {
	switch {
	case p.MoreSections > 0:
		return l.F("user.sections.first", "Count", l.Num(len(p.Sections)), "Total", l.Num(len(p.Sections)+p.MoreSections))
	case len(p.Sections) == 0:
		return ""
	}
	return l.N("user.sections.count", len(p.Sections))
}

func (a UserAccount) shownID() string {
	if a.ID != "" {
		return a.ID
	}
	return a.LegacyID
}

// says is how a related record belongs here.
func (r RelatedUser) says(l *Locale, p UserPage) string {
	switch r.Kind {
	case "student":
		if r.Relationship != "" {
			return l.F("related.student_as", "Relationship", relationship(l, r.Relationship))
		}
		return l.T("related.student")
	case "contact":
		if r.Relationship != "" {
			return l.F("related.contact_as", "Relationship", relationship(l, r.Relationship))
		}
		return l.T("related.contact")
	}
	contact := func(g UserGrant) bool { return g.Role == "contact" }
	if slices.Contains(r.Roles, "contact") || slices.ContainsFunc(p.Grants, contact) {
		return l.T("related.same_email_contact")
	}
	return l.T("related.same_email")
}

// relationship says Clever's word for a contact; unknown ones stay as they came.
func relationship(l *Locale, r string) string {
	switch r {
	case "Parent":
		return l.T("relationship.parent")
	case "Grandparent":
		return l.T("relationship.grandparent")
	case "Self":
		return l.T("relationship.self")
	case "Aunt/Uncle":
		return l.T("relationship.aunt_uncle")
	case "Sibling":
		return l.T("relationship.sibling")
	case "Other":
		return l.T("relationship.other")
	}
	return r
}

func sectionAs(l *Locale, as string) string {
	switch as {
	case "primary":
		return l.T("section.as.primary")
	case "co":
		return l.T("section.as.co")
	case "student":
		return l.T("section.as.student")
	}
	return as
}

// sectionName is "Earth Science, Period 3", unless the name says so itself.
func sectionName(l *Locale, name, p string) string {
	if strings.TrimSpace(name) == "" {
		name = l.T("section.no_name")
	}
	said := period(l, p)
	lower := strings.ToLower(name)
	if said == "" || strings.Contains(lower, strings.ToLower(said)) || strings.Contains(lower, "period "+strings.ToLower(p)) {
		return name
	}
	return name + ", " + said
}

func schoolName(l *Locale, name string) string {
	if name == "" {
		return l.T("school.not_shared")
	}
	return name
}

func termName(l *Locale, name string) string {
	if name == "" {
		return l.T("section.no_term")
	}
	return name
}
