package views

func (p SyncPage) title(l *Locale) string {
	return l.F("sync.title", "When", l.Short(p.Run.Started))
}

// heading is the state in words.
func (p SyncPage) heading(l *Locale) string {
	switch p.Run.State {
	case "queued":
		return l.T("sync.heading.queued")
	case "running":
		return l.T("sync.heading.running")
	case "failed":
		return l.T("sync.heading.failed")
	case "held":
		return l.T("sync.heading.held")
	case "stopped":
		return l.T("sync.heading.stopped")
	case "released":
		return l.T("sync.heading.released")
	case "discarded":
		return l.T("sync.heading.discarded")
	case "superseded":
		return l.T("sync.heading.superseded")
	}
	if p.Run.Kind == "release" {
		return l.T("sync.heading.release")
	}
	return l.T("sync.heading.done")
}

func (p SyncPage) sub(l *Locale) string {
	said := l.F("sync.sub", "Kind", p.Run.byText(l), "When", l.Relative(p.Run.Started))
	if p.Run.Finished != nil {
		said += " " + l.F("sync.sub.took", "Took", p.Run.took(l))
	}
	return said
}

// says is what the run has done, in one sentence.
func (p SyncPage) says(l *Locale) string {
	sum := p.Run.sum()
	count := []string{"Created", l.Num(sum.Created + sum.Revived), "Updated", l.Num(sum.Updated), "Ended", l.Num(sum.Ended)}
	changed := sum.Created + sum.Revived + sum.Updated + sum.Ended
	events := p.Run.Kind == "events"
	switch p.Run.State {
	case "queued":
		return l.T("sync.says.queued")
	case "running":
		if events {
			return l.N("sync.says.events_running", sum.Read)
		}
		return l.N("sync.says.running", sum.Read)
	case "failed", "stopped":
		if events {
			return l.N("sync.says.events_failed", sum.Read)
		}
		return l.N("sync.says.failed", sum.Read)
	case "held":
		return l.T("sync.says.held")
	case "released":
		return l.T("sync.says.released")
	case "discarded":
		return l.T("sync.says.discarded")
	case "superseded":
		return l.T("sync.says.superseded")
	}
	switch {
	case p.Run.Kind == "release": // what was approved, in three parts
		says := l.N("sync.says.release", sum.Ended)
		if sum.Updated > 0 {
			says += " " + l.N("sync.says.release_less", sum.Updated)
		}
		if sum.Unchanged > 0 {
			says += " " + l.N("sync.says.release_left", sum.Unchanged)
		}
		return says
	case events && changed == 0:
		return l.N("sync.says.events_nothing", sum.Read)
	case events:
		return l.N("sync.says.events", sum.Read, count...)
	case changed == 0:
		return l.N("sync.says.nothing", sum.Read)
	}
	return l.N("sync.says.done", sum.Read, count...)
}

// why is what happened to people, by cause: one line for each that did.
func (r SyncRun) why(l *Locale) []string {
	var lines []string
	for _, t := range r.Types {
		if t.Spared > 0 {
			lines = append(lines, l.T("sync.why.spared"))
		}
		if t.Type != "users" {
			continue
		}
		came := max(t.Created-t.Joined-t.Split, 0)
		for _, c := range []labelled{
			{key("sync.why.roles_gained"), t.RolesGained},
			{key("sync.why.roles_lost"), t.RolesLost},
			{key("sync.why.came"), came},
			{key("sync.why.returned"), t.Revived},
			{key("sync.why.left"), t.Ended},
			{key("sync.why.joined"), t.Joined},
			{key("sync.why.split"), t.Split},
		} {
			if c.n > 0 {
				lines = append(lines, l.N(c.key, c.n))
			}
		}
	}
	return lines
}

// safe is what a run that stopped left behind.
func (r SyncRun) safe(l *Locale) string {
	if r.Kind == "events" {
		return l.T("sync.error.events_safe")
	}
	return l.T("sync.error.safe")
}

// where is the place a run stopped at: "While reading users, page 12."
func (e SyncError) where(l *Locale) string {
	switch {
	case e.Type == "":
		return ""
	case e.Page > 0:
		return l.F("sync.error.where_page", "Type", recordType(l, e.Type), "Page", l.Num(e.Page))
	}
	return l.F("sync.error.where", "Type", recordType(l, e.Type))
}

func recordType(l *Locale, t string) string {
	switch t {
	case "schools":
		return l.T("record.schools")
	case "terms":
		return l.T("record.terms")
	case "users":
		return l.T("record.users")
	case "sections":
		return l.T("record.sections")
	case "events":
		return l.T("record.events")
	case "districts":
		return l.T("record.districts")
	}
	return t
}

type labelled struct {
	key string
	n   int
}

func (t SyncType) numbers() []labelled {
	return []labelled{
		{key("sync.pages"), t.Pages},
		{key("sync.read"), t.Read},
		{key("sync.created"), t.Created},
		{key("sync.updated"), t.Updated},
		{key("sync.unchanged"), t.Unchanged},
		{key("sync.ended"), t.Ended},
		{key("sync.revived"), t.Revived},
		{key("sync.problems"), t.Problems},
	}
}
