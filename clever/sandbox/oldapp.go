package sandbox

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// OldApp writes, as CSV, the accounts that an app would have from the days of
// API v2, when each role was a user of its own: one for each role of every
// employee of the first district, for one student in four and a few contacts,
// and some that Clever knows no more. It is the same for the same district.
func (s *Sandbox) OldApp(w io.Writer) error {
	d := s.districts[0]
	file := csv.NewWriter(w)
	_ = file.Write([]string{"account_id", "role", "clever_id", "first_name", "middle_name", "last_name", "email", "sis_id", "schools", "last_used"})
	number := 0
	account := func(h uint64, role, legacy, first, middle, last, email, sis, schools string) {
		number++
		used := ""
		if h%5 != 0 {
			used = oldest.Add(time.Duration(h%400) * 26 * time.Hour).Format(time.RFC3339)
		}
		_ = file.Write([]string{fmt.Sprintf("v2-%05d", number), role, legacy, first, middle, last, email, sis, schools, used}) // what fails here fails at Flush
	}
	n := 0
	for _, e := range d.users.after("", d.users.count(), nil) {
		n++
		h := mix(d.seed^7, uint64(n))
		var u struct {
			ID, Email string
			Name      struct{ First, Middle, Last string }
			Roles     map[string]*struct {
				LegacyID string   `json:"legacy_id"`
				SISID    string   `json:"sis_id"`
				StaffID  string   `json:"staff_id"`
				Schools  []string `json:"schools"`
			}
		}
		if err := json.Unmarshal(d.users.append(nil, e), &u); err != nil {
			return fmt.Errorf("sandbox: old app: %w", err)
		}
		for _, role := range []string{"teacher", "staff", "district_admin", "student", "contact"} {
			r := u.Roles[role]
			if r == nil {
				continue
			}
			legacy, first, email, old := r.LegacyID, u.Name.First, u.Email, role
			switch role {
			case "student":
				if h%4 != 0 {
					continue
				}
				legacy = u.ID
			case "contact":
				if h%8 != 0 {
					continue
				}
			case "staff":
				old = "school_admin"            // API v2's word
				if first != "" && h>>9%2 == 0 { // typed anew by somebody, years ago
					first = string([]rune(first)[:1]) + "."
				}
			}
			if h>>16%40 == 3 && role != "student" && e.extra == nil { // an id that nobody has any more
				legacy = fmt.Sprintf("5%023x", h)
			}
			school := strings.Join(r.Schools[:min(len(r.Schools), 5)], ";")
			account(h>>3, old, legacy, first, u.Name.Middle, u.Name.Last, email, r.SISID+r.StaffID, school)
		}
	}
	file.Flush()
	if err := file.Error(); err != nil {
		return fmt.Errorf("sandbox: old app: %w", err)
	}
	return nil
}

// oldest is when the old app's longest unused account was used last.
var oldest = time.Date(2025, 3, 3, 14, 0, 0, 0, time.UTC)
