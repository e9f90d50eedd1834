package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
)

// person is a user who signs in.
type person struct {
	district *district
	id       string
	entry    entry
	roles    int
	name     string
	email    string
}

// roleOrder is the order in which a role is taken to be the one of the login,
// where a person has several. The real Clever decides by how they came in.
var roleOrder = []string{"staff", "teacher", "district_admin", "student", "contact"}

func (p person) role() string {
	for _, r := range roleOrder {
		if p.roles&roleBits[r] != 0 {
			return r
		}
	}
	return ""
}

// userByID finds a user of any district.
func (s *Sandbox) userByID(id string) (person, bool) {
	for _, d := range s.districts {
		if e, ok := d.users.find(id); ok {
			return d.person(e), true
		}
	}
	return person{}, false
}

func (d *district) person(e entry) person {
	p := person{district: d, id: d.users.id(e), entry: e, roles: d.rolesOf(e)}
	if e.extra != nil {
		p.name, p.email = e.extra.name, e.extra.email
		return p
	}
	first, last, _ := d.userName(e.gen)
	p.name = joinName(first.name, last.name)
	if d.hasEmail(e.gen) {
		p.email = string(d.appendEmail(nil, e.gen))
	}
	return p
}

// lookUp finds who is meant by an email address or an id. Where an employee and
// a contact share an address the employee is meant. It reads through the whole
// district, which at a million people takes part of a second.
func (s *Sandbox) lookUp(as, districtID string) (person, bool) {
	as = strings.ToLower(strings.TrimSpace(as))
	if as == "" {
		return person{}, false
	}
	for _, d := range s.districts {
		if districtID != "" && districtID != d.id {
			continue
		}
		if e, ok := d.users.find(as); ok {
			return d.person(e), true
		}
		var family *extra
		for _, x := range d.users.extras() {
			if x.json != nil && strings.EqualFold(x.email, as) {
				if x.roles&isContact == 0 {
					return d.person(entry{extra: x}), true
				}
				family = x
			}
		}
		if i, ok := d.byEmail(as); ok {
			return d.person(entry{gen: i}), true
		}
		if family != nil {
			return d.person(entry{extra: family}), true
		}
	}
	return person{}, false
}

func (d *district) byEmail(email string) (int, bool) {
	if !strings.HasSuffix(email, d.domain) {
		return 0, false
	}
	buf := make([]byte, 0, 128)
	for i := range d.nUsers() {
		if buf = d.appendEmail(buf[:0], i); string(buf) == email && d.hasEmail(i) {
			if e, ok := d.users.find(d.users.ids.id(i)); ok && e.extra == nil {
				return i, true
			}
		}
	}
	return 0, false
}

// signedIn reads the sandbox's own session.
func (s *Sandbox) signedIn(r *http.Request) (person, bool) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return person{}, false
	}
	return s.userByID(c.Value)
}

// userInfo answers /userinfo: one flat object about the role of this sign-in.
func (s *Sandbox) userInfo(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !s.withinRate(w, token) {
		return
	}
	who, ok := s.callerOf(token)
	if !ok || who.user == "" {
		s.fail(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	claims, ok := s.claims(who)
	if !ok {
		s.fail(w, http.StatusNotFound, "Resource not found")
		return
	}
	writeJSON(w, http.StatusOK, claims)
}

// claims are what userinfo and the ID token say of a person.
func (s *Sandbox) claims(who caller) (map[string]any, bool) {
	d := who.district
	e, ok := d.users.find(who.user)
	if !ok {
		return nil, false
	}
	var u struct {
		Name struct {
			First  string `json:"first"`
			Middle string `json:"middle"`
			Last   string `json:"last"`
		} `json:"name"`
		Email string `json:"email"`
		Roles map[string]struct {
			LegacyID string `json:"legacy_id"`
		} `json:"roles"`
	}
	// Planted oddities may hold roles of another shape; what was read stands.
	_ = json.Unmarshal(d.users.append(nil, e), &u)
	legacy := u.Roles[who.role].LegacyID
	if legacy == "" {
		legacy = who.user
	}
	return map[string]any{
		"sub": who.user, "multi_role_user_id": who.user, "user_id": legacy, "user_type": who.role,
		"district": d.id, "district_id": d.id, "email": u.Email, "email_verified": false, "name": u.Name,
		"given_name": u.Name.First, "family_name": u.Name.Last, "schools": []string{}, "authorized_by": "district",
	}, true
}
