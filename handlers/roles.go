package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/models"
	"hallpass/views"
)

// givenRoles are the roles that can be given by hand, as the form offers them.
var givenRoles = []access.Role{access.Teacher, access.Staff, access.DistrictAdmin}

// maxRoleLabel bounds a staff label.
const maxRoleLabel = 100

// roleState is a role by hand as changes record it: no words of people.
type roleState struct {
	Grant   int64       `json:"grant"`
	User    int64       `json:"user"`
	Role    access.Role `json:"role"`
	Held    bool        `json:"held"`
	Labels  []string    `json:"labels"`
	Schools []int64     `json:"schools"`
	Ends    *time.Time  `json:"ends,omitempty"`
}

type roleOutcome struct {
	roleState
	Effects []effectRecord `json:"effects"`
}

func roleStateOf(r models.ManualRole, now time.Time) roleState {
	return roleState{r.ID, r.UserID, r.Role, r.Standing(now), r.Labels, r.Schools, r.EndsAt}
}

// withRole are the facts with a role by hand as it would be.
func (s holder) withRole(r models.ManualRole) access.Facts {
	f := s.facts
	f.Grants = slices.DeleteFunc(slices.Clone(f.Grants), func(g access.Grant) bool { return g.Source == access.ByHand && g.Role == r.Role })
	if r.Standing(f.Now) {
		f.Grants = append(f.Grants, r.Grant())
	}
	return f
}

// newRole shows the form.
func newRole(v *visit) (reply, error) {
	who, err := v.holderInPath()
	if err != nil {
		return nil, err
	}
	if elsewhere := v.toOwnID(who.user.ID); elsewhere != nil {
		return elsewhere, nil
	}
	return v.roleForm(http.StatusOK, who, roleAnswers(v.c.QueryParams()), nil)
}

// toOwnID leads an address with another of a person's ids to the same with ours; nil: it has ours.
func (v *visit) toOwnID(id int64) reply {
	own, to := strconv.FormatInt(id, 10), v.c.Request().URL
	if v.c.Param("id") == own {
		return nil
	}
	parts := strings.Split(to.EscapedPath(), "/") // "", d, district, view, users, id, …
	parts[5] = own
	return seeOther((&url.URL{Path: strings.Join(parts, "/"), RawQuery: to.RawQuery}).String())
}

// holderInPath is the person of the address, by any of their ids.
func (v *visit) holderInPath() (holder, error) {
	value, ok := pathID(v.c)
	if !ok {
		return holder{}, models.ErrNotFound
	}
	u, err := v.tx.UserByAnyID(v.ctx, value)
	if err != nil {
		return holder{}, err
	}
	return v.holderOf(u.ID)
}

func roleAnswers(q url.Values) views.RoleAnswers {
	return views.RoleAnswers{
		Given: q.Get("given"), Schools: q["school"], Label: text(q.Get("label"), 2*maxRoleLabel), Reason: q.Get("reason"),
		Note: text(q.Get("note"), 2*maxNote), EndAnswers: endAnswers(q),
	}
}

func (v *visit) roleForm(status int, who holder, answers views.RoleAnswers, problems []views.Problem) (reply, error) {
	p := views.RoleFormPage{UserID: who.user.ID, Name: fullName(who.user), Answers: answers, Problems: problems, Blocked: v.cannotWork(who)}
	if p.Blocked != "" {
		status = http.StatusUnprocessableEntity
	}
	for _, r := range givenRoles {
		p.Roles = append(p.Roles, string(r))
	}
	for _, r := range v.me.Policy.Rules() {
		if r.Label != "" && !slices.Contains(p.Labels, r.Label) {
			p.Labels = append(p.Labels, r.Label)
		}
	}
	var err error
	var schools []models.SchoolChoice
	if schools, err = v.tx.SchoolChoices(v.ctx, v.me.District, access.Reach{District: true}); err != nil {
		return nil, err
	}
	for _, s := range schools {
		p.Schools = append(p.Schools, views.SchoolOption{ID: s.CleverID, Name: s.Name})
	}
	if p.Ends, err = v.endChoices(holder{}); err != nil {
		return nil, err
	}
	p.Frame = v.frameAt(answers.Path(v.me.District.CleverID, string(v.actor.View), who.user.ID))
	return pageAs(status, views.RoleForm(p)), nil
}

// cannotWork says why somebody can be given no role; "" if they can.
func (v *visit) cannotWork(who holder) string {
	switch l := v.locale(); {
	case who.user.EndedAt != nil:
		return l.RoleNobody("ended")
	case who.isFamily():
		return l.RoleNobody("family")
	}
	return ""
}

// readRole makes a role of the answers, or says what is wrong with them.
func (v *visit) readRole(a views.RoleAnswers, who holder) (r models.ManualRole, problems []views.Problem, err error) {
	l := v.locale()
	wrong := func(field, why string) {
		problems = append(problems, views.Problem{Field: field, Text: l.RoleProblem(why)})
	}
	r = models.ManualRole{UserID: who.user.ID, Role: access.Role(a.Given), Labels: []string{}, Schools: []int64{}, Reason: a.Reason, Note: a.Note, GivenBy: &v.me.User.ID}
	if !slices.Contains(givenRoles, r.Role) {
		wrong("given-teacher", "role")
	}
	if r.Role != access.DistrictAdmin {
		schools, err := v.tx.SchoolChoices(v.ctx, v.me.District, access.Reach{District: true})
		if err != nil {
			return r, nil, err
		}
		for _, id := range a.Schools {
			at := slices.IndexFunc(schools, func(s models.SchoolChoice) bool { return s.CleverID == id })
			if at < 0 {
				wrong("schools", "school_gone")
				break
			}
			r.Schools = append(r.Schools, schools[at].ID)
		}
		if len(a.Schools) == 0 {
			wrong("schools", "schools")
		}
		slices.Sort(r.Schools)
		r.Schools = slices.Compact(r.Schools)
	}
	if r.Role == access.Staff && a.Label != "" {
		r.Labels = []string{a.Label}
		if len([]rune(a.Label)) > maxRoleLabel {
			wrong("label", "label")
		}
	}
	if !slices.Contains(views.OverrideReasons, a.Reason) {
		wrong("reason", "reason")
	}
	switch n := len([]rune(a.Note)); {
	case n == 0:
		wrong("note", "note")
	case n > maxNote:
		wrong("note", "note_long")
	}
	end, endProblems, err := v.readEnd(a.EndAnswers, who, false)
	if err != nil {
		return r, nil, err
	}
	r.EndsAt = end.EndsAt
	problems = append(problems, endProblems...)
	if len(problems) > 0 {
		return r, problems, nil
	}
	if act, beyond := v.beyond(r); beyond {
		problems = append(problems, views.Problem{Field: "given-" + string(r.Role), Text: l.RoleBeyond(act)})
	}
	for _, g := range who.facts.Grants {
		if g.Source == access.ByHand && g.Role == r.Role {
			wrong("given-"+string(r.Role), "held")
		}
	}
	return r, problems, nil
}

// beyond finds something that a role gives and that the actor does not hold everywhere that the role reaches: nobody
// gives more than they hold.
func (v *visit) beyond(r models.ManualRole) (views.Act, bool) {
	catalogue := v.me.Policy.Catalogue
	for _, p := range catalogue.Permissions(v.me.Policy.Gives(r.Role, r.Labels)) {
		d, _, _ := catalogue.Find(p)
		held := true
		switch reach := v.actor.Reach(p); {
		case r.Role.DistrictWide():
			held = reach.Whole()
		case d.Scope != access.District:
			for _, s := range r.Schools {
				inside := func(section int64) bool { return slices.Contains(reach.NotSections, section) }
				held = held && reach.Contains(access.AtSchool(s)) && !v.anySection(s, inside)
			}
		}
		if !held {
			return v.locale().Act(d), true
		}
	}
	return views.Act{}, false
}

// anySection reports whether one of the sections that the actor's facts name at a school is such.
func (v *visit) anySection(school int64, such func(int64) bool) bool {
	for _, o := range v.actor.Overrides {
		if o.Place.Kind == access.Section && o.Place.School == school && such(o.Place.Section) {
			return true
		}
	}
	return false
}

// roleChange is a change of one role by hand, ready to be planned.
type roleChange struct {
	action audit.Action
	who    holder
	was    models.ManualRole // zero for a new one
	will   models.ManualRole
}

func (v *visit) planRole(c roleChange, draw func(check views.Check, lines []views.DiffLine, nothing string) templ.Component) (plan, error) {
	effects := effectRecords(access.Effects(c.who.facts, c.who.withRole(c.will)))
	lines, err := v.diffLines(effects)
	if err != nil {
		return plan{}, err
	}
	now := v.tx.Now()
	l := v.locale()
	nothing := l.RoleNothing(string(c.will.Role), len(c.who.facts.Teaches) == 0)
	reason, note := c.will.Reason, c.will.Note
	p := plan{
		stated: struct {
			Action       audit.Action
			Was, Will    roleState
			Reason, Note string
			Effects      []effectRecord
		}{c.action, roleStateOf(c.was, now), roleStateOf(c.will, now), reason, note, effects},
		lines: lineTexts(effects),
		draw: func(check views.Check, moved map[int]bool) templ.Component {
			return draw(check, mark(lines, moved), nothing)
		},
	}
	p.make = func() (models.NewChange, error) {
		r, err := v.tx.SetManualRole(v.ctx, c.will)
		if errors.Is(err, models.ErrFamily) {
			return models.NewChange{}, deniedError{l.RoleNobody("family")}
		}
		if err != nil {
			return models.NewChange{}, err
		}
		before := roleStateOf(c.was, now)
		before.Held = c.was.ID != 0 && before.Held // a new one was not held
		before.Grant, before.User, before.Role = r.ID, r.UserID, r.Role
		return models.NewChange{Action: c.action, Subject: r.Subject(), Before: before, After: roleOutcome{roleStateOf(r, now), effects}}, nil
	}
	return p, nil
}

// planNewRole plans the role of the posted form, or answers with the form.
func (v *visit) planNewRole() (plan, reply, error) {
	who, err := v.holderInPath()
	if err != nil {
		return plan{}, nil, err
	}
	form, err := v.c.FormParams()
	if err != nil {
		return plan{}, nil, err
	}
	answers := roleAnswers(form)
	r, problems, err := v.readRole(answers, who)
	if err != nil {
		return plan{}, nil, err
	}
	if len(problems) > 0 || v.cannotWork(who) != "" {
		answer, err := v.roleForm(http.StatusUnprocessableEntity, who, answers, problems)
		return plan{}, answer, err
	}
	was, err := v.formerRole(r)
	if err != nil {
		return plan{}, nil, err
	}
	words, err := v.roleWords(r, who.user)
	if err != nil {
		return plan{}, nil, err
	}
	district, view := v.me.District.CleverID, string(v.actor.View)
	formPath := answers.Path(district, view, who.user.ID)
	l := v.locale()
	p, err := v.planRole(roleChange{audit.RoleGiven, who, was, r}, func(check views.Check, lines []views.DiffLine, nothing string) templ.Component {
		page := views.RolePreviewPage{
			Check: check, UserID: who.user.ID, Title: l.CheckTitle(), Words: words, Lines: lines, Nothing: nothing, Step: 2, Answers: l.RoleGivenAnswers(words, r.Reason, r.Note, formPath),
			Fields: answers.Hidden(), To: views.RolesPath(district, view, who.user.ID), Back: formPath,
		}
		page.Frame = v.frameAt(formPath)
		return views.RolePreview(page)
	})
	return p, nil, err
}

// formerRole is the ended grant that a new role takes up again, if there is one.
func (v *visit) formerRole(r models.ManualRole) (was models.ManualRole, err error) {
	past, err := v.tx.ManualRoles(v.ctx, r.UserID)
	for _, p := range past {
		if p.Role == r.Role {
			was = p
		}
	}
	return was, err
}

func previewRole(v *visit) (reply, error) {
	p, answer, err := v.planNewRole()
	if err != nil || answer != nil {
		return answer, err
	}
	return p.preview()
}

func giveRole(v *visit) (reply, error) { return v.apply(v.planNewRole) }

// planRoleEnding plans to end the role of the address.
func (v *visit) planRoleEnding() (plan, reply, error) {
	who, err := v.holderInPath()
	if err != nil {
		return plan{}, nil, err
	}
	id, err := strconv.ParseInt(v.c.Param("grant"), 10, 64)
	if err != nil {
		return plan{}, nil, models.ErrNotFound
	}
	was, err := v.tx.ManualRole(v.ctx, id)
	if err != nil {
		return plan{}, nil, err
	}
	if was.UserID != who.user.ID {
		return plan{}, nil, models.ErrNotFound
	}
	will := was
	will.EndedAt = new(v.tx.Now())
	words, err := v.roleWords(was, who.user)
	if err != nil {
		return plan{}, nil, err
	}
	l := v.locale()
	district, view := v.me.District.CleverID, string(v.actor.View)
	back, own := views.UserPath(district, view, who.user.ID), views.EndRolePath(district, view, who.user.ID, id)
	p, err := v.planRole(roleChange{audit.RoleEnded, who, was, will}, func(check views.Check, lines []views.DiffLine, nothing string) templ.Component {
		page := views.RolePreviewPage{
			Check: check, UserID: who.user.ID, Title: l.EndRoleTitle(), Words: words, Ends: true, Lines: lines, Nothing: nothing,
			Answers: l.RoleGivenAnswers(words, was.Reason, was.Note, ""), To: own, Back: back,
		}
		page.Frame = v.frameAt(own)
		return views.RolePreview(page)
	})
	if err == nil && !was.Standing(v.tx.Now()) {
		p.blocked = l.RoleOver()
	}
	return p, nil, err
}

func previewRoleEnding(v *visit) (reply, error) {
	p, answer, err := v.planRoleEnding()
	if err != nil || answer != nil {
		return answer, err
	}
	return p.preview()
}

func endRole(v *visit) (reply, error) { return v.apply(v.planRoleEnding) }

// roleWords puts a role by hand into words.
func (v *visit) roleWords(r models.ManualRole, u models.User) (w views.RoleWords, err error) {
	w = views.RoleWords{Name: fullName(u), Role: string(r.Role), Labels: r.Labels, Ends: r.EndsAt}
	places := make([]access.Place, len(r.Schools))
	for i, s := range r.Schools {
		places[i] = access.AtSchool(s)
	}
	spots, err := v.spotsOf(places)
	for _, p := range places {
		w.Schools = append(w.Schools, spots[p].spot.Name)
	}
	slices.SortFunc(w.Schools, strings.Compare)
	return w, err
}

func recordedRole(c models.Change) (before roleState, after roleOutcome, err error) {
	err = unmarshalChange(c, &before, &after)
	return before, after, err
}

// roleReceipt is one change of a role by hand in words.
func roleReceipt(v *visit, c models.Change) (r views.Receipt, err error) {
	_, after, err := recordedRole(c)
	if err != nil {
		return r, err
	}
	role, err := v.tx.ManualRole(v.ctx, after.Grant)
	if err != nil {
		return r, err
	}
	u, err := v.tx.User(v.ctx, role.UserID)
	if err != nil {
		return r, err
	}
	was := role
	was.Labels, was.Schools, was.EndsAt = after.Labels, after.Schools, after.Ends
	w, err := v.roleWords(was, u)
	if err != nil {
		return r, err
	}
	l := v.locale()
	r.Sentence = w.Sentence(l)
	if !after.Held {
		r.Sentence = w.EndedSentence(l)
	}
	r.Answers = l.RoleGivenAnswers(w, role.Reason, role.Note, "")
	if r.Lines, err = v.diffLines(after.Effects); err != nil {
		return r, err
	}
	r.Links = []views.Link{{Href: views.UserPath(v.me.District.CleverID, string(v.actor.View), u.ID), Word: fullName(u)}}
	return r, nil
}

// undoRole plans the inverse of a change of a role by hand.
func undoRole(v *visit, c models.Change) (plan, error) {
	before, after, err := recordedRole(c)
	if err != nil {
		return plan{}, err
	}
	was, err := v.tx.ManualRole(v.ctx, after.Grant)
	if err != nil {
		return plan{}, err
	}
	who, err := v.holderOf(was.UserID)
	if err != nil {
		return plan{}, err
	}
	l := v.locale()
	will := was
	blocked := ""
	if before.Held {
		will.EndedAt, will.Labels, will.Schools, will.EndsAt = nil, before.Labels, before.Schools, before.Ends
		switch act, beyond := v.beyond(will); {
		case v.cannotWork(who) != "":
			blocked = v.cannotWork(who)
		case was.Standing(v.tx.Now()):
			blocked = l.RoleStands()
		case !will.Standing(v.tx.Now()):
			blocked = l.OverrideTimeOver(*will.EndsAt)
		case beyond:
			blocked = l.RoleBeyond(act)
		}
	} else {
		if !was.Standing(v.tx.Now()) {
			blocked = l.RoleOver()
		}
		will.EndedAt = new(v.tx.Now())
	}
	words, err := v.roleWords(will, who.user)
	if err != nil {
		return plan{}, err
	}
	lost, err := v.lost(after.Effects, who.withRole(will))
	if err != nil {
		return plan{}, err
	}
	p, err := v.planRole(roleChange{audit.RoleUndone, who, was, will}, func(check views.Check, lines []views.DiffLine, nothing string) templ.Component {
		page := views.UndoPage{
			Check: check, Number: c.ID, Heading: l.WhatChangesFor(fullName(who.user)), Lines: lines, Nothing: nothing, Lost: lost,
			Sentence: words.Sentence(l), Button: l.UndoButton(c.ID),
		}
		if will.EndedAt != nil {
			page.Sentence = words.EndedSentence(l)
		}
		page.Frame = v.frame()
		return views.Undo(page)
	})
	p.blocked = blocked
	return p, err
}
