package imports

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hallpass/access"
	"hallpass/models"
)

// field is a column of ours.
type field string

// The columns. Their words are those of import_errors.field, and of the help on the page.
const (
	fieldAccount  field = "account_id"
	fieldRole     field = "role"
	fieldLegacy   field = "legacy_id"
	fieldUser     field = "user_id" // Clever's, in its own list
	fieldFirst    field = "first_name"
	fieldMiddle   field = "middle_name"
	fieldLast     field = "last_name"
	fieldName     field = "name" // whole
	fieldEmail    field = "email"
	fieldSIS      field = "sis_id"
	fieldNumber   field = "number"
	fieldSchools  field = "schools"
	fieldLastUsed field = "last_used"
)

// names are what apps call the columns, in lower case and without anything but letters and digits.
var names = map[string]field{}

func init() {
	for f, list := range map[field]string{
		fieldAccount:  "accountid account appid appaccountid appuserid internalid localid id uid userid cuenta idcuenta",
		fieldRole:     "role roles usertype type accounttype userrole rol tipo",
		fieldLegacy:   "legacyid cleverid legacycleverid cleverlegacyid v2id cleverv2id oldcleverid cleveruserid cleverroleid roleid idclever",
		fieldFirst:    "firstname first givenname namefirst nombre",
		fieldMiddle:   "middlename middle middleinitial namemiddle segundonombre",
		fieldLast:     "lastname last surname familyname namelast apellido apellidos",
		fieldName:     "name fullname displayname nombrecompleto",
		fieldEmail:    "email emailaddress mail correo correoelectronico",
		fieldSIS:      "sisid staffid teachersisid studentsisid sourcedid",
		fieldNumber:   "number teachernumber studentnumber employeenumber employeeid staffnumber numero",
		fieldSchools:  "schools school schoolids schoolid schoolnames schoolname schoolcleverids campus escuela escuelas",
		fieldLastUsed: "lastused lastusedat lastlogin lastloginat lastseen lastseenat lastsignin lastsigninat lastactive lastaccess ultimouso ultimoacceso",
	} {
		for name := range strings.FieldsSeq(list) {
			names[name] = f
		}
	}
}

// bare is a column's name as names has it.
func bare(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, models.Fold(name))
}

// columns are where a file has our columns.
type columns struct {
	kind string
	at   map[field]int
}

// headed reads a file's header. wrong names what keeps the file from being read.
func headed(header []string) (c columns, wrong []models.RowError) {
	c = columns{kind: models.ImportAccounts, at: map[field]int{}}
	role, user := -1, -1
	for i, name := range header {
		switch bare(name) {
		case "roleid":
			role = i
		case "userid":
			user = i
		}
	}
	if role >= 0 && user >= 0 { // Clever's own list
		c.kind = models.ImportMigration
		c.at[fieldLegacy], c.at[fieldUser] = role, user
		return c, nil
	}
	for i, name := range header {
		f, known := names[bare(name)]
		if !known {
			continue
		}
		if was, twice := c.at[f]; twice {
			switch {
			case f == fieldAccount && bare(header[was]) == "id": // a better name for it
			case f == fieldAccount && bare(name) == "id", f == fieldNumber, f == fieldSIS, f == fieldSchools:
				continue // the first one counts
			default:
				wrong = append(wrong, models.RowError{Line: 1, Field: string(f), Code: "column_twice"})
				continue
			}
		}
		c.at[f] = i
	}
	missing := func(f field) {
		if _, there := c.at[f]; !there {
			wrong = append(wrong, models.RowError{Line: 1, Field: string(f), Code: "column_missing"})
		}
	}
	missing(fieldAccount)
	missing(fieldRole)
	if _, named := c.at[fieldName]; !named {
		missing(fieldLast)
	}
	return c, wrong
}

// roles are what apps and API v2 call the roles.
var roles = map[string]access.Role{
	"teacher": access.Teacher, "teachers": access.Teacher, "maestro": access.Teacher, "docente": access.Teacher,
	"staff": access.Staff, "schooladmin": access.Staff, "schooladmins": access.Staff, "schoolstaff": access.Staff, "personal": access.Staff,
	"districtadmin": access.DistrictAdmin, "districtadmins": access.DistrictAdmin,
	"student": access.Student, "students": access.Student, "estudiante": access.Student, "alumno": access.Student,
	"contact": access.Contact, "contacts": access.Contact, "studentcontact": access.Contact, "parent": access.Contact, "guardian": access.Contact, "contacto": access.Contact,
}

// bounds of what one cell may hold, in bytes.
const (
	maxID      = 200
	maxCell    = 2000
	maxSchools = 500
)

// record is one account's cells.
type record map[field]string

// trouble is a cell that cannot be taken.
type trouble struct {
	field field
	code  string
}

// row makes a row of a record, or says all that is wrong with it.
func (c columns) row(r record) (row models.ImportRow, wrong []trouble) {
	no := func(f field, code string) { wrong = append(wrong, trouble{f, code}) }
	for f, text := range r {
		text = strings.TrimSpace(text)
		switch most := maxCell; {
		case strings.ContainsRune(text, 0):
			no(f, "zero")
		case strings.ContainsRune(text, utf8.RuneError):
			no(f, "letter")
		default:
			switch f {
			case fieldAccount, fieldLegacy, fieldUser:
				most = maxID
			case fieldSchools:
				most = maxCell * 10
			default:
			}
			if len(text) > most {
				no(f, "long")
			}
		}
		r[f] = text
	}
	if len(wrong) > 0 {
		return row, wrong
	}
	row.LegacyID = r[fieldLegacy]
	if c.kind == models.ImportMigration {
		row.CleverID = r[fieldUser]
		for _, f := range []field{fieldLegacy, fieldUser} {
			if r[f] == "" {
				no(f, "empty")
			}
		}
		return row, wrong
	}
	row.AppID = r[fieldAccount]
	if row.AppID == "" {
		no(fieldAccount, "empty")
	}
	role, known := roles[bare(r[fieldRole])]
	switch {
	case r[fieldRole] == "":
		no(fieldRole, "empty")
	case !known:
		no(fieldRole, "role")
	}
	row.Role = role
	row.First, row.Middle, row.Last = r[fieldFirst], r[fieldMiddle], r[fieldLast]
	if row.First == "" && row.Last == "" {
		row.First, row.Last = parted(r[fieldName])
	}
	if row.First == "" && row.Last == "" { // nobody could be found by it, nor told from others
		named := fieldName
		if _, there := c.at[fieldLast]; there {
			named = fieldLast
		}
		no(named, "empty")
	}
	row.Email, row.SISID, row.Number = r[fieldEmail], r[fieldSIS], r[fieldNumber]
	row.Schools = strings.FieldsFunc(r[fieldSchools], func(r rune) bool { return r == ';' || r == '|' || r == '\n' })
	for i := range row.Schools {
		row.Schools[i] = strings.TrimSpace(row.Schools[i])
	}
	row.Schools = filled(row.Schools)
	if len(row.Schools) > maxSchools {
		no(fieldSchools, "long")
	}
	if text := r[fieldLastUsed]; text != "" {
		at, ok := moment(text)
		if !ok {
			no(fieldLastUsed, "date")
		}
		row.LastUsedAt = &at
	}
	return row, wrong
}

func filled(list []string) []string {
	kept := list[:0]
	for _, s := range list {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return kept
}

// parted splits a whole name: before its comma is the last name, or else its last word is.
func parted(name string) (first, last string) {
	if last, first, ok := strings.Cut(name, ","); ok {
		return strings.TrimSpace(first), strings.TrimSpace(last)
	}
	if at := strings.LastIndexByte(name, ' '); at >= 0 {
		return strings.TrimSpace(name[:at]), name[at+1:]
	}
	return "", name
}

// moments are the ways of writing a date that are understood; without a zone it is UTC. Months come before days.
var moments = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05-07",
	"1/2/2006", "1/2/2006 15:04", "1/2/2006 15:04:05", "1/2/2006 3:04 PM", "Jan 2, 2006",
}

func moment(text string) (time.Time, bool) {
	for _, layout := range moments {
		if t, err := time.Parse(layout, text); err == nil && t.Year() >= 1970 && t.Year() < 2200 {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
