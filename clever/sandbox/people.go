package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// mostFound is how many people a search of the people page shows.
const mostFound = 25

// peopleView is what the pages for editing show.
type peopleView struct {
	view
	Q       string
	Found   []shown
	More    bool
	Schools []schoolRow
	Person  *editable
	Done    string
}

type schoolRow struct {
	ID, Name string
	Shared   bool
}

type editable struct {
	shown
	First, Last string
	Gone        bool
	Roles       []roleRow
	Addable     []string
	Splits      bool // holds several employee roles
}

type roleRow struct{ Role, Schools, Legacy string }

// servePeople finds people to edit, and shares and unshares schools. The real
// Clever has nothing like it: there, a district's records change.
func (s *Sandbox) servePeople(w http.ResponseWriter, r *http.Request) {
	v := peopleView{view: view{Title: "Edit the district"}, Q: strings.TrimSpace(r.FormValue("q")), Done: r.URL.Query().Get("done")}
	d := s.districts[0]
	if v.Q == "" {
		for _, p := range d.people {
			v.Found = append(v.Found, shown{Name: p.Name, Email: p.Email, Label: p.Label, ID: p.ID})
		}
	} else {
		v.Found, v.More = d.search(strings.ToLower(v.Q))
	}
	unshared := s.Unshared()
	for k := range d.nSchools {
		id := d.schools.ids.id(k)
		v.Schools = append(v.Schools, schoolRow{id, d.schoolName(k), !slices.Contains(unshared, id)})
	}
	s.draw(w, http.StatusOK, "people", v)
}

// search reads through the whole district, which at a million people takes a
// while.
func (d *district) search(q string) (found []shown, more bool) {
	for _, e := range d.users.after("", 1<<31-1, nil) {
		p := d.person(e)
		if p.id != q && !strings.Contains(strings.ToLower(p.name), q) && !strings.Contains(strings.ToLower(p.email), q) {
			continue
		}
		if len(found) == mostFound {
			return found, true
		}
		found = append(found, *show(p))
	}
	return found, false
}

// serveSchool shares or unshares a school.
func (s *Sandbox) serveSchool(w http.ResponseWriter, r *http.Request) {
	id, deed, done := r.FormValue("school"), s.UnshareSchool, "The school is no longer shared."
	if r.FormValue("share") != "" {
		deed, done = s.ShareSchool, "The school is shared again."
	}
	if err := deed(id); err != nil {
		s.oops(w, http.StatusConflict, "That school is so already, or there is none with this id.")
		return
	}
	http.Redirect(w, r, "/people?"+url.Values{"done": {done}}.Encode(), http.StatusSeeOther)
}

// servePerson shows one person with everything that can be changed.
func (s *Sandbox) servePerson(w http.ResponseWriter, r *http.Request) {
	d, id := s.districts[0], r.PathValue("id")
	v := peopleView{Done: r.URL.Query().Get("done")}
	user := fields(d.users.json(id))
	if user == nil {
		if _, generated := d.users.ids.index(id); !generated && !slices.ContainsFunc(d.users.extras(), func(x *extra) bool { return x.id == id }) {
			s.oops(w, http.StatusNotFound, "Nobody has that id.")
			return
		}
		v.Title, v.Person = "Not shared", &editable{shown: shown{ID: id}, Gone: true}
		s.draw(w, http.StatusOK, "person", v)
		return
	}
	p, _ := s.userByID(id)
	e := &editable{shown: *show(p)}
	if name, ok := user["name"].(map[string]any); ok {
		e.First, _ = name["first"].(string)
		e.Last, _ = name["last"].(string)
	}
	roles, _ := user["roles"].(map[string]any)
	for key, value := range roles {
		role, _ := value.(map[string]any)
		legacy, _ := role["legacy_id"].(string)
		schools, _ := role["schools"].([]any)
		var names []string
		for _, s := range schools {
			id, _ := s.(string)
			k, ok := d.schools.ids.index(id)
			if ok {
				id = d.schoolName(k)
			}
			names = append(names, id)
		}
		e.Roles = append(e.Roles, roleRow{key, strings.Join(names, ", "), legacy})
	}
	slices.SortFunc(e.Roles, func(a, b roleRow) int { return cmp.Compare(a.Role, b.Role) })
	if p.roles&^employees == 0 {
		for _, key := range []string{"teacher", "staff", "district_admin"} {
			if roles[key] == nil {
				e.Addable = append(e.Addable, key)
			}
		}
		e.Splits = len(e.Roles) > 1
	}
	for k := range d.nSchools {
		v.Schools = append(v.Schools, schoolRow{ID: d.schools.ids.id(k), Name: d.schoolName(k)})
	}
	v.Title, v.Person = cmp.Or(p.name, id), e
	s.draw(w, http.StatusOK, "person", v)
}

// editPerson does one deed and shows who the person is afterwards.
func (s *Sandbox) editPerson(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	to, done, err := s.personDeed(id, r.FormValue)
	if err != nil {
		s.oops(w, http.StatusConflict, "That could not be done: "+strings.TrimPrefix(err.Error(), "sandbox: ")+".")
		return
	}
	http.Redirect(w, r, "/people/"+url.PathEscape(to)+"?"+url.Values{"done": {done}}.Encode(), http.StatusSeeOther)
}

func (s *Sandbox) personDeed(id string, value func(string) string) (to, done string, err error) {
	role := value("role")
	switch value("deed") {
	case "name":
		err = s.EditUser(id, func(u map[string]any) {
			u["name"] = map[string]any{"first": value("first"), "middle": "", "last": value("last")}
		})
		return id, "The name is another one.", err
	case "email":
		to, err = s.SetEmail(id, strings.TrimSpace(value("email")))
		if to != id {
			return to, "The email is a colleague's: Clever made one user of the two. This is the new one.", err
		}
		return to, "The email is another one.", err
	case "split":
		to, err = s.SetRoleEmail(id, role, strings.TrimSpace(value("email")))
		return to, "The role is held by a user of its own now: this one.", err
	case "lose":
		err = s.EditUser(id, func(u map[string]any) {
			if roles, ok := u["roles"].(map[string]any); ok {
				delete(roles, role)
			}
		})
		return id, "The role is gone.", err
	case "gain":
		return id, "The role is given.", s.giveRole(id, role, value("school"))
	case "remove":
		return id, "", s.RemoveUser(id)
	case "restore":
		return id, "The person is as at the start.", s.RestoreUser(id)
	}
	return id, "", fmt.Errorf("sandbox: there is no deed %q", value("deed"))
}

func (s *Sandbox) giveRole(id, role, school string) error {
	p, ok := s.userByID(id)
	if !ok || p.roles&^employees != 0 || roleBits[role]&employees == 0 {
		return fmt.Errorf("sandbox: give role to %s: %w", id, errNotEmployee)
	}
	if _, listed := p.district.schools.find(school); !listed && role != "district_admin" {
		return fmt.Errorf("sandbox: give role to %s: there is no such school", id)
	}
	d := p.district
	d.feed.mu.Lock()
	legacy := d.feed.nextID(d, 'f')
	d.feed.mu.Unlock()
	return s.EditUser(id, func(u map[string]any) {
		roles, _ := u["roles"].(map[string]any)
		if roles == nil {
			roles = map[string]any{}
			u["roles"] = roles
		}
		switch role {
		case "teacher":
			roles[role] = map[string]any{"school": school, "schools": []string{school}, "sis_id": legacy[16:], "legacy_id": legacy}
		case "staff":
			roles[role] = map[string]any{"schools": []string{school}, "staff_id": legacy[16:], "roles": []string{"PortalOnly"}, "legacy_id": legacy}
		case "district_admin":
			roles[role] = map[string]any{"title": "", "legacy_id": legacy}
		}
	})
}
