package handlers

import (
	"fmt"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// foreseen is what a change of policy does to everybody, as a plan states and a preview shows it.
type foreseen struct {
	simulation *models.Simulation
	accounts   *models.AccountPlan
	strategy   access.Strategy // of the accounts
	losing     bool            // the person who asks loses settings.manage
}

// statedGroup is a group of a simulation without names: whom it is shown on is no part of what is promised.
type statedGroup struct {
	Roles   []access.Giver
	People  int
	More    int
	Changes []models.SimulatedChange
}

// statedForesight is what of the foresight a plan promises.
type statedForesight struct {
	People, Touched int                 `json:",omitempty"`
	Groups          []statedGroup       `json:",omitempty"`
	Accounts        *models.AccountPlan `json:",omitempty"`
}

// foresee simulates another policy for the district, and the accounts of another strategy.
func (v *visit) foresee(before models.Decided, after *access.Policy) (f foreseen, err error) {
	s, err := v.tx.Foresee(v.ctx, before.Policy, after, v.told)
	if err != nil {
		return f, err
	}
	f.simulation = &s
	_, bit, _ := after.Catalogue.Find(access.SettingsManage)
	f.losing = v.actor.Compare(before.Policy, after).Lost.Has(bit)
	if after.Strategy != before.Policy.Strategy {
		f.strategy = after.Strategy
		a, err := v.tx.PlanAccounts(v.ctx, after.Strategy)
		if err != nil {
			return f, err
		}
		f.accounts = &a
	}
	return f, nil
}

// stated is what the plan promises of it.
func (f foreseen) stated() (s statedForesight) {
	if f.simulation != nil {
		s.People, s.Touched = f.simulation.People, f.simulation.Touched
		for _, g := range f.simulation.Groups {
			s.Groups = append(s.Groups, statedGroup{g.Roles, g.People, g.More, g.Changes})
		}
	}
	if f.accounts != nil {
		a := *f.accounts
		a.Examples = nil
		s.Accounts = &a
	}
	return s
}

// lines say each group, and the accounts, for marking what moved between two previews.
func (f foreseen) lines() (lines []string) {
	for _, g := range f.stated().Groups {
		lines = append(lines, fmt.Sprintf("%+v", g))
	}
	if f.accounts != nil {
		lines = append(lines, fmt.Sprintf("%+v", *f.stated().Accounts))
	}
	return lines
}

// touched is what a receipt keeps of it.
type touched struct {
	People  int `json:"people"`
	More    int `json:"more"`
	Made    int `json:"accounts_made,omitempty"`
	Back    int `json:"accounts_back,omitempty"`
	Retired int `json:"accounts_retired,omitempty"`
}

func (f foreseen) touched() *touched {
	if f.simulation == nil {
		return nil
	}
	t := &touched{People: f.simulation.Touched, More: f.simulation.More()}
	if a := f.accounts; a != nil {
		t.Made, t.Back, t.Retired = a.Made, a.Back, a.Retired
	}
	return t
}

// show puts it into a preview. Its lines begin at first.
func (f foreseen) show(p *views.PolicyPreview, l *views.Locale, c *access.Catalogue, first int, moved map[int]bool) {
	p.Losing = f.losing
	if s := f.simulation; s != nil {
		shown := &views.Simulated{People: s.People, Touched: s.Touched, More: s.More()}
		for i, g := range s.Groups {
			shown.Groups = append(shown.Groups, simulatedGroup(l, c, g, moved[first+i]))
		}
		p.Simulation, first = shown, first+len(s.Groups)
	}
	if a := f.accounts; a != nil {
		p.Accounts = &views.Accounts{
			Separate: f.strategy == access.PerRole, People: a.People, Several: a.Several, Made: a.Made, Back: a.Back, Retired: a.Retired, Moved: moved[first],
		}
		for _, e := range a.Examples {
			shown := views.Example{ID: e.ID, Name: e.Name}
			for _, r := range e.Roles {
				shown.Roles = append(shown.Roles, string(r))
			}
			p.Accounts.Examples = append(p.Accounts.Examples, shown)
		}
	}
}

func simulatedGroup(l *views.Locale, c *access.Catalogue, g models.SimulatedGroup, moved bool) views.SimulatedGroup {
	shown := views.SimulatedGroup{People: g.People, More: g.More, Moved: moved}
	for _, r := range g.Roles {
		shown.Roles = append(shown.Roles, views.RuleHead{Role: string(r.Role), Label: r.Label})
	}
	for _, ch := range g.Changes {
		d, _, _ := c.Find(ch.Permission)
		shown.Changes = append(shown.Changes, views.SimulatedChange{Act: l.Act(d), Gained: ch.Gained, Lost: ch.Lost, Bound: ch.Bound, Freed: ch.Freed})
	}
	for _, e := range g.Examples {
		shown.Examples = append(shown.Examples, views.Example{ID: e.ID, Name: e.Name})
	}
	return shown
}
