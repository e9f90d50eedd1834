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

// Bounds of what is written in forms of changes.
const (
	maxNote  = 1000
	maxYears = 10 // how far ahead an end may lie
)

// newOverride shows the form, filled in with what the query says.
func newOverride(v *visit) (reply, error) {
	who, err := v.holderInPath()
	if err != nil {
		return nil, err
	}
	if elsewhere := v.toOwnID(who.user.ID); elsewhere != nil {
		return elsewhere, nil
	}
	return v.overrideForm(http.StatusOK, who, overrideAnswers(v.c.QueryParams()), nil)
}

// overrideAnswers reads the form, from a query or a body.
func overrideAnswers(q url.Values) views.OverrideAnswers {
	return views.OverrideAnswers{
		Effect: q.Get("effect"), Permission: q.Get("permission"), Place: q.Get("place"), Reason: q.Get("reason"),
		Note: text(q.Get("note"), 2*maxNote), EndAnswers: endAnswers(q), Locked: q.Get("locked") == "1",
	}
}

func endAnswers(q url.Values) views.EndAnswers {
	return views.EndAnswers{End: q.Get("end"), Date: q.Get("date"), Term: q.Get("term"), Role: q.Get("role"), Confirm: q.Get("confirm") == "1"}
}

// overrideForm shows the form with what is wrong with it.
func (v *visit) overrideForm(status int, who holder, answers views.OverrideAnswers, problems []views.Problem) (reply, error) {
	l := v.locale()
	p := views.OverrideFormPage{
		UserID: who.user.ID, Name: fullName(who.user), Answers: answers, Problems: problems, MayLock: v.mayUnlock(), Blocked: v.cannotHold(who),
	}
	if p.Blocked != "" {
		status = http.StatusUnprocessableEntity
	}
	for _, d := range v.me.Policy.Catalogue.Definitions() {
		p.Permissions = append(p.Permissions, views.PermissionChoice{Act: l.Act(d), Scope: string(d.Scope)})
	}
	var err error
	if p.Places, err = v.placeChoices(who, answers.Place); err != nil {
		return nil, err
	}
	if p.Ends, err = v.endChoices(who); err != nil {
		return nil, err
	}
	p.Frame = v.frameAt(answers.Path(v.me.District.CleverID, string(v.actor.View), who.user.ID))
	return pageAs(status, views.OverrideForm(p)), nil
}

// cannotHold says why somebody can hold no override; "" if they can.
func (v *visit) cannotHold(who holder) string {
	switch l := v.locale(); {
	case who.user.EndedAt != nil:
		return l.OverrideNobody("ended")
	case who.isFamily():
		return l.OverrideNobody("family")
	}
	return ""
}

// frameAt is the frame of a page that was posted for: the way back from choosing a language is to the form.
func (v *visit) frameAt(path string) views.Frame {
	f := v.frame()
	f.Path, f.Query, _ = strings.Cut(path, "?")
	return f
}

// placeChoices are the person's sections and schools, every other school, and the district. chosen is offered too if
// there is such a place.
func (v *visit) placeChoices(who holder, chosen string) ([]views.ChoiceGroup, error) {
	l := v.locale()
	var places []access.Place
	for _, g := range who.facts.Grants {
		for _, s := range g.Schools {
			places = append(places, access.AtSchool(s))
		}
	}
	for _, s := range who.facts.Teaches {
		places = append(places, access.AtSchool(s.School), s)
	}
	spots, err := v.spotsOf(places)
	if err != nil {
		return nil, err
	}
	var sections, schools, others []views.Choice
	offered := map[string]bool{"district": true}
	for _, p := range places {
		s := spots[p]
		if offered[s.text] || s.ended {
			continue
		}
		offered[s.text] = true
		if p.Kind == access.Section {
			sections = append(sections, views.Choice{Value: s.text, Word: l.SpotName(s.spot, true)})
		} else {
			schools = append(schools, views.Choice{Value: s.text, Word: l.SpotName(s.spot, true)})
		}
	}
	every, err := v.tx.SchoolChoices(v.ctx, v.me.District, access.Reach{District: true})
	if err != nil {
		return nil, err
	}
	for _, s := range every {
		if value := "school:" + s.CleverID; !offered[value] {
			offered[value] = true
			others = append(others, views.Choice{Value: value, Word: s.Name})
		}
	}
	if chosen != "" && !offered[chosen] {
		s, found, err := v.knownSpot(chosen)
		if err != nil {
			return nil, err
		}
		if found && s.place.Kind == access.Section {
			sections = append(sections, views.Choice{Value: chosen, Word: l.SpotName(s.spot, true)})
		}
	}
	byWord := func(a, b views.Choice) int { return strings.Compare(a.Word, b.Word) }
	slices.SortFunc(sections, byWord)
	slices.SortFunc(schools, byWord)
	var groups []views.ChoiceGroup
	for _, g := range []views.ChoiceGroup{
		{Word: l.PlaceGroup("sections"), Choices: sections},
		{Word: l.PlaceGroup("schools"), Choices: schools},
		{Word: l.PlaceGroup("district"), Choices: []views.Choice{{Value: "district", Word: l.SpotName(wholeDistrict.spot, true)}}},
		{Word: l.PlaceGroup("others"), Choices: others},
	} {
		if len(g.Choices) > 0 {
			groups = append(groups, g)
		}
	}
	return groups, nil
}

// today is the district's.
func (v *visit) today() time.Time {
	return v.tx.Now().In(zone(v.me.District.TimeZone))
}

// yearEnd is the last day of the school year, on or after today.
func (v *visit) yearEnd() time.Time {
	today := v.today()
	day, err := time.Parse("01-02", v.me.District.SchoolYearEnd)
	if err != nil {
		day = time.Date(0, time.June, 30, 0, 0, 0, 0, time.UTC)
	}
	end := time.Date(today.Year(), day.Month(), day.Day(), 0, 0, 0, 0, today.Location())
	if models.EndOfDay(end, today.Location()).After(today) {
		return end
	}
	return end.AddDate(1, 0, 0)
}

// endChoices is what there is to end with. who may be nobody, for what does not end with a role.
func (v *visit) endChoices(who holder) (c views.EndChoices, err error) {
	c.YearEnd, c.First = v.yearEnd(), v.today().Format(time.DateOnly)
	terms, err := v.tx.TermsEnding(v.ctx, v.today())
	if err != nil {
		return c, err
	}
	for _, t := range terms {
		day := time.Date(t.EndDate.Year(), t.EndDate.Month(), t.EndDate.Day(), 0, 0, 0, 0, v.today().Location())
		c.Terms = append(c.Terms, views.TermChoice{Value: strconv.FormatInt(t.ID, 10), Name: t.Name, LastDay: day})
	}
	for _, g := range who.facts.Grants {
		if g.Source == access.FromClever && g.Role.WorksHere() {
			c.Roles = append(c.Roles, string(g.Role))
		}
	}
	return c, nil
}

// readEnd makes an end of the answers. withRole allows to end when Clever drops a role.
func (v *visit) readEnd(a views.EndAnswers, who holder, withRole bool) (end models.OverrideEnd, problems []views.Problem, err error) {
	l := v.locale()
	wrong := func(field, why string) (models.OverrideEnd, []views.Problem, error) {
		return end, []views.Problem{{Field: field, Text: l.EndProblem(why)}}, nil
	}
	end.EndKind = models.EndKind(a.End)
	loc := v.today().Location()
	switch end.EndKind {
	case models.EndsAtDate:
		day, err := time.Parse(time.DateOnly, a.Date)
		if err != nil || day.Year() < 1 {
			return wrong("date", "date")
		}
		at := models.EndOfDay(day, loc)
		if !at.After(v.tx.Now()) {
			return wrong("date", "past")
		}
		if at.After(v.tx.Now().AddDate(maxYears, 0, 0)) {
			return wrong("date", "far")
		}
		end.EndsAt = &at
	case models.EndsWithTerm:
		id, err := strconv.ParseInt(a.Term, 10, 64)
		terms, listErr := v.tx.TermsEnding(v.ctx, v.today())
		if listErr != nil {
			return end, nil, listErr
		}
		at := slices.IndexFunc(terms, func(t models.Term) bool { return t.ID == id })
		if err != nil || at < 0 {
			return wrong("term", "term")
		}
		end.EndTermID, end.EndsAt = &id, new(models.EndOfDay(terms[at].EndDate, loc))
	case models.EndsWithYear:
		end.EndsAt = new(models.EndOfDay(v.yearEnd(), loc))
	case models.EndsWithRole:
		role := access.Role(a.Role)
		lists := func(g access.Grant) bool { return g.Role == role && g.Source == access.FromClever }
		if !withRole {
			return wrong("end", "none")
		}
		if !role.WorksHere() || !slices.ContainsFunc(who.facts.Grants, lists) {
			return wrong("role", "role")
		}
		end.EndRole = &role
	case models.NeverEnds:
		if !a.Confirm {
			return wrong("confirm", "confirm")
		}
	default:
		return wrong("end", "none")
	}
	return end, nil, nil
}

// readOverride makes an override of the answers, or says what is wrong with them.
func (v *visit) readOverride(a views.OverrideAnswers, who holder) (o models.Override, problems []views.Problem, err error) {
	l := v.locale()
	wrong := func(field, why string) {
		problems = append(problems, views.Problem{Field: field, Text: l.OverrideProblem(why)})
	}
	o = models.Override{UserID: who.user.ID, Permission: access.Permission(a.Permission), Allow: a.Effect != "deny", Reason: a.Reason, Note: a.Note, Locked: a.Locked}
	if a.Effect != "allow" && a.Effect != "deny" {
		wrong("effect-allow", "effect")
	}
	d, _, known := v.me.Policy.Catalogue.Find(o.Permission)
	if !known {
		wrong("permission", "permission")
	}
	at, found, err := v.knownSpot(a.Place)
	if err != nil {
		return o, nil, err
	}
	switch {
	case !found:
		wrong("place", "place")
	case at.ended:
		wrong("place", "place_ended")
	case known && at.place.Narrower(d.Scope):
		problems = append(problems, views.Problem{Field: "place", Text: l.PlaceTooNarrow(string(d.Scope))})
	case !v.actor.Decide(access.OverridesManage, at.place).Allowed:
		wrong("place", "place_reach")
	case known && o.Allow && !v.actor.Decide(o.Permission, at.place).Allowed:
		wrong("permission", "not_held")
	}
	o.SetPlace(at.place)
	if !slices.Contains(views.OverrideReasons, a.Reason) {
		wrong("reason", "reason")
	}
	switch n := len([]rune(a.Note)); {
	case n == 0:
		wrong("note", "note")
	case n > maxNote:
		wrong("note", "note_long")
	}
	end, endProblems, err := v.readEnd(a.EndAnswers, who, true)
	if err != nil {
		return o, nil, err
	}
	o.OverrideEnd = end
	problems = append(problems, endProblems...)
	if a.Locked && !v.mayUnlock() {
		wrong("locked", "locked")
	}
	if len(problems) > 0 {
		return o, problems, nil
	}
	like, stands, err := v.tx.LikeOverride(v.ctx, o)
	if err == nil && stands {
		problems = append(problems, views.Problem{Field: "permission", Text: l.OverrideLike(like.ID)})
	}
	return o, problems, err
}

// planNewOverride plans the override of the posted form, or answers with the form.
func (v *visit) planNewOverride() (plan, reply, error) {
	form, err := v.c.FormParams()
	if err != nil {
		return plan{}, nil, err
	}
	id, err := strconv.ParseInt(form.Get("user"), 10, 64)
	if err != nil {
		return plan{}, nil, models.ErrNotFound
	}
	who, err := v.holderOf(id)
	if err != nil {
		return plan{}, nil, err
	}
	answers := overrideAnswers(form)
	o, problems, err := v.readOverride(answers, who)
	if err != nil {
		return plan{}, nil, err
	}
	if len(problems) > 0 || v.cannotHold(who) != "" {
		answer, err := v.overrideForm(http.StatusUnprocessableEntity, who, answers, problems)
		return plan{}, answer, err
	}
	words, err := v.overrideWords(o, who.user)
	if err != nil {
		return plan{}, nil, err
	}
	district, view := v.me.District.CleverID, string(v.actor.View)
	formPath := answers.Path(district, view, id)
	l := v.locale()
	p, err := v.planOverride(overrideChange{action: audit.OverrideCreated, who: who, will: o}, func(check views.Check, lines []views.DiffLine, nothing string) templ.Component {
		page := views.OverridePreviewPage{
			Check: check, UserID: id, Title: l.CheckTitle(), Words: words, Lines: lines, Nothing: nothing, Step: 2,
			Answers: l.OverrideAnswers(words, o.Reason, o.Note, o.Locked, formPath), Fields: answers.Hidden(id),
			To: views.OverridesPath(district, view), Back: formPath,
		}
		page.Frame = v.frameAt(formPath)
		return views.OverridePreview(page)
	})
	return p, nil, err
}

// previewOverride shows what the override of the posted form would do.
func previewOverride(v *visit) (reply, error) {
	p, answer, err := v.planNewOverride()
	if err != nil || answer != nil {
		return answer, err
	}
	return p.preview()
}

// createOverride makes it.
func createOverride(v *visit) (reply, error) { return v.apply(v.planNewOverride) }

// endWords puts an end into words.
func (v *visit) endWords(e models.OverrideEnd) (w views.EndWords, err error) {
	w = views.EndWords{Kind: string(e.EndKind), At: value(e.EndsAt), Role: string(value(e.EndRole))}
	if e.EndTermID != nil {
		w.Term, err = v.tx.TermName(v.ctx, *e.EndTermID)
		if errors.Is(err, models.ErrNotFound) {
			err = nil
		}
	}
	return w, err
}

// overrideWords puts an override into words.
func (v *visit) overrideWords(o models.Override, u models.User) (w views.OverrideWords, err error) {
	w = views.OverrideWords{Name: fullName(u), Allow: o.Allow, Act: v.act(v.locale(), o.Permission)}
	spots, err := v.spotsOf([]access.Place{o.Place()})
	if err != nil {
		return w, err
	}
	w.Spot = spots[o.Place()].spot
	w.End, err = v.endWords(o.OverrideEnd)
	return w, err
}

// overrideSentence is an override in one sentence.
func (v *visit) overrideSentence(o models.Override) (string, error) {
	u, err := v.tx.User(v.ctx, o.UserID)
	if err != nil {
		return "", err
	}
	w, err := v.overrideWords(o, u)
	return w.Sentence(v.locale()), err
}
