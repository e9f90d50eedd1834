package clever

import (
	"encoding/json"
	"log/slog"
	"time"
)

// Name is a person's name. Contacts carry the whole name in Last and nothing in
// First (seen in all of Clever's own demo contacts).
type Name struct {
	First  string `json:"first"`
	Middle string `json:"middle"`
	Last   string `json:"last"`
}

// User is one person as Clever knows them in one district. A text field that
// was null, "" or absent is "": Clever uses the three alike.
type User struct {
	ID       string `json:"id"`
	District string `json:"district"`
	// Created is the day the v3 record was built, not the day the id was.
	Created      time.Time `json:"created"`
	LastModified time.Time `json:"last_modified"`
	Name         Name      `json:"name"`
	// Email is neither verified nor unique, and may lack an "@".
	Email string `json:"email"`
	Roles Roles  `json:"roles"`
}

// Roles holds each role that is held and shared with this app. A nil role was
// null or absent, which may mean "not held" or "not shared": Clever does not
// tell the two apart.
type Roles struct {
	Student       *StudentRole       `json:"student"`
	Teacher       *TeacherRole       `json:"teacher"`
	Staff         *StaffRole         `json:"staff"`
	DistrictAdmin *DistrictAdminRole `json:"district_admin"`
	Contact       *ContactRole       `json:"contact"`
	// Unknown keeps role keys that Clever added after this was written, as
	// valid UTF-8 JSON without NUL. A null one is left out.
	Unknown map[string]json.RawMessage `json:",embed"`
}

// StudentRole is what may be kept of a student.
type StudentRole struct {
	School         string   `json:"school"`
	Schools        []string `json:"schools"`
	SISID          string   `json:"sis_id"`
	StudentNumber  string   `json:"student_number"`
	StateID        string   `json:"state_id"`
	Grade          string   `json:"grade"`
	GraduationYear string   `json:"graduation_year"`
	LegacyID       string   `json:"legacy_id"`
}

// TeacherRole is a person's teaching: School is the primary one and is also
// found in Schools.
type TeacherRole struct {
	School        string   `json:"school"`
	Schools       []string `json:"schools"`
	SISID         string   `json:"sis_id"`
	TeacherNumber string   `json:"teacher_number"`
	StateID       string   `json:"state_id"`
	Title         string   `json:"title"`
	LegacyID      string   `json:"legacy_id"`
}

// StaffRole has no primary school. Labels are Clever's permission labels
// (PortalOnly, SchoolTechLead); unknown ones are kept.
type StaffRole struct {
	Schools    []string `json:"schools"`
	StaffID    string   `json:"staff_id"`
	Labels     []string `json:"roles"`
	Title      string   `json:"title"`
	Department string   `json:"department"`
	LegacyID   string   `json:"legacy_id"`
}

// DistrictAdminRole is district-wide and names no school.
type DistrictAdminRole struct {
	Title    string `json:"title"`
	LegacyID string `json:"legacy_id"`
}

// ContactRole is a parent's or guardian's: its reach is through students.
type ContactRole struct {
	SISID         string         `json:"sis_id"`
	LegacyID      string         `json:"legacy_id"`
	Relationships []Relationship `json:"student_relationships"`
}

// Relationship ties a contact to one student.
type Relationship struct {
	Student      string `json:"student"`
	Relationship string `json:"relationship"`
	Type         string `json:"type"`
}

// School is a school shared with this app. Records of people may name schools
// that are not shared.
type School struct {
	ID           string    `json:"id"`
	District     string    `json:"district"`
	Name         string    `json:"name"`
	SISID        string    `json:"sis_id"`
	SchoolNumber string    `json:"school_number"`
	LowGrade     string    `json:"low_grade"`
	HighGrade    string    `json:"high_grade"`
	Created      time.Time `json:"created"`
	LastModified time.Time `json:"last_modified"`
}

// Section is a class. Teacher (the primary one) and TermID may be "".
type Section struct {
	ID            string    `json:"id"`
	District      string    `json:"district"`
	School        string    `json:"school"`
	Name          string    `json:"name"`
	SISID         string    `json:"sis_id"`
	SectionNumber string    `json:"section_number"`
	Period        string    `json:"period"`
	Grade         string    `json:"grade"`
	Subject       string    `json:"subject"`
	Course        string    `json:"course"`
	TermID        string    `json:"term_id"`
	Teacher       string    `json:"teacher"`
	Teachers      []string  `json:"teachers"`
	Students      []string  `json:"students"`
	Created       time.Time `json:"created"`
	LastModified  time.Time `json:"last_modified"`
}

// Term is a stretch of the school year. Its id is not stable at Clever: the
// same term may come back under a new one. Dates are nil when not given.
type Term struct {
	ID        string     `json:"id"`
	District  string     `json:"district"`
	Name      string     `json:"name"`
	StartDate *time.Time `json:"start_date"`
	EndDate   *time.Time `json:"end_date"`
}

// District is the token's one district. In State "paused" or "error" its data
// is frozen but readable. Times are zero when not given.
type District struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	State      string    `json:"state"`
	SISType    string    `json:"sis_type"`
	PortalURL  string    `json:"portal_url"`
	LastSync   time.Time `json:"last_sync"`
	PauseStart time.Time `json:"pause_start"`
	PauseEnd   time.Time `json:"pause_end"`
}

// Me says whose user token it is. It names no role: read User for that. Type is
// "user" for every person. District may be "" for Library accounts.
type Me struct {
	ID           string `json:"id"`
	District     string `json:"district"`
	Type         string `json:"type"`
	AuthorizedBy string `json:"authorized_by"`
}

// DistrictToken opens one district's data. It hides Token when it is printed or
// logged.
type DistrictToken struct {
	DistrictID string
	Token      string
	Scopes     []string // in v2's words: staff are under read:school_admins
	Created    time.Time
}

// String names the district and not the token.
func (t DistrictToken) String() string { return "token of district " + t.DistrictID }

// GoString is String, for %#v.
func (t DistrictToken) GoString() string { return t.String() }

// LogValue is String, for slog.
func (t DistrictToken) LogValue() slog.Value { return slog.StringValue(t.String()) }
