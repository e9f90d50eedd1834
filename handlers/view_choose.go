package handlers

import (
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"hallpass/access"
	"hallpass/views"
)

// begin is where somebody lands who has just signed in: where they asked to go, in the view they chose once, in the
// only one there is, or at the choice. gone is the view chosen once that they no longer have.
func begin(district string, wearable []access.View, chosen access.View, next string) (to string, worn, gone access.View) {
	if !strings.HasPrefix(next, "/d/"+district+"/") { // another district's page would only be not found
		next = ""
	}
	if chosen != "" && !slices.Contains(wearable, chosen) {
		gone, chosen = chosen, wearable[0]
	}
	switch {
	case gone != "":
		said := url.Values{"notice": {"view_gone"}, "was": {string(gone)}}
		return views.HomePath(district, string(chosen)) + "?" + said.Encode(), chosen, gone
	case chosen == "" && len(wearable) > 1:
		return views.ChooseViewPath(next), "", ""
	case chosen == "":
		chosen = wearable[0]
	}
	if next != "" {
		worn, _, _ := strings.Cut(strings.TrimPrefix(next, "/d/"+district+"/"), "/")
		return next, access.View(worn), ""
	}
	return views.HomePath(district, string(chosen)), chosen, ""
}

// showChooseView asks somebody with several views in which one they want to begin. One who has a single view is let
// through.
func (s *server) showChooseView(v *visit) (reply, error) {
	next := v.wantedPage(v.c.QueryParam("next"))
	if answer := v.nothingToChoose(next); answer != nil {
		return answer, nil
	}
	chosen, err := v.tx.DefaultView(v.ctx, v.me.User.ID)
	if err != nil {
		return nil, err
	}
	p := views.ChooseViewPage{Next: next, Remembered: slices.Contains(v.views, chosen)}
	if p.Remembered {
		p.Selected = string(chosen)
	}
	var open []access.View
	if next != "" {
		at, ok, err := v.targetAt(next)
		if err != nil {
			return nil, err
		}
		for _, view := range v.views {
			if ok && v.opens(view, at) {
				open = append(open, view)
			}
		}
		asked := access.View(strings.Split(next, "/")[3])
		// All roles together open what one of them opens: the reason to choose is that one.
		single := slices.DeleteFunc(slices.Clone(open), func(o access.View) bool { return o == access.ViewAll })
		switch {
		case len(single) == 1 && len(open) < len(v.views):
			p.Selected, p.OnlyOne = string(single[0]), true
		case slices.Contains(open, asked):
			p.Selected = string(asked)
		case len(open) > 0:
			p.Selected = string(open[0])
		}
	}
	if p.Selected == "" {
		p.Selected = string(v.views[0])
	}
	if err := v.addChoices(&p); err != nil {
		return nil, err
	}
	p.Frame = v.frame()
	return page(views.ChooseView(p)), nil
}

// addChoices describes each of the views.
func (v *visit) addChoices(p *views.ChooseViewPage) error {
	l := views.NewLocale(lang(v.c), v.server.Now(), zone(v.me.District.TimeZone))
	for _, view := range v.views {
		o := views.ViewOption{Slug: string(view), Places: v.viewPlaces(view, l), Sections: len(v.me.Teaches)}
		if m := v.minds(view); m != (minding{}) && view != access.ViewAll {
			n, err := v.waitingFor(m)
			if err != nil {
				return err
			}
			o.Waiting = n
		}
		p.Options = append(p.Options, o)
	}
	return nil
}

// chooseView wears the view that was chosen, and remembers it if that was asked for. Unticking the box forgets it.
func (s *server) chooseView(v *visit) (reply, error) {
	next := v.wantedPage(v.c.FormValue("next"))
	if answer := v.nothingToChoose(next); answer != nil {
		return answer, nil
	}
	view := access.View(v.c.FormValue("view"))
	if !slices.Contains(v.views, view) { // none, or one that is gone since the page was drawn
		return seeOther(views.ChooseViewPath(next)), nil
	}
	remembered := view
	if v.c.FormValue("remember") == "" {
		remembered = ""
	}
	if err := v.tx.Become(v.actor); err != nil {
		return nil, err
	}
	if err := v.tx.SetDefaultView(v.ctx, v.me.User.ID, remembered); err != nil {
		return nil, err
	}
	if err := v.noteAccount(v.ctx, v.tx, view); err != nil {
		return nil, err
	}
	if next == "" {
		return seeOther(v.home(view)), nil
	}
	at, ok, err := v.targetAt(next)
	if err != nil {
		return nil, err
	}
	if !ok { // the page itself says that there is nothing
		return seeOther(next), nil
	}
	return seeOther(v.lead(view, at)), nil
}

// wantedPage is the page to go on to, if it is one of the person's district.
func (v *visit) wantedPage(next string) string {
	if next = landing(next); strings.HasPrefix(next, "/d/"+v.me.District.CleverID+"/") {
		return next
	}
	return ""
}

// nothingToChoose is the answer to those who have no choice: on they go.
func (v *visit) nothingToChoose(next string) reply {
	switch {
	case len(v.views) == 0:
		return func(c echo.Context) error { return v.server.turnAway(c, nothingHere(v.me, "")) }
	case len(v.views) > 1:
		return nil
	case next != "":
		return seeOther(next)
	}
	return seeOther(v.home(v.views[0]))
}
