package views

// greeting goes by the clock on the district's wall.
func (p HomePage) greeting(l *Locale) string {
	switch hour := p.Locale().now.Hour(); {
	case hour < 12:
		return l.T("home.morning")
	case hour < 18:
		return l.T("home.afternoon")
	default:
		return l.T("home.evening")
	}
}

// needs sums the ledger up beside the date.
func (p HomePage) needs(l *Locale) string {
	if n := len(p.ledger(l)); n > 0 {
		return l.N("home.needs.some", n)
	}
	if p.SyncedAt != nil {
		return l.F("home.needs.none_synced", "When", l.Relative(*p.SyncedAt))
	}
	return l.T("home.needs.none")
}

// counted says what the counts are of.
func (p HomePage) counted(l *Locale) string {
	if p.Confined {
		return l.T("home.here.sub_confined")
	}
	return l.T("home.here.sub")
}

type ledgerItem struct {
	icon, title, text string
	href, act         string
	wait              bool
	count             string // in place of the icon
}

// ledger is what asks something of the reader: the last sync, overrides that end soon
// and those that nobody needs any more.
func (p HomePage) ledger(l *Locale) (items []ledgerItem) {
	if item := p.connectionItem(l); item.title != "" {
		items = append(items, item)
	}
	if item := p.syncItem(l); item.title != "" {
		items = append(items, item)
	}
	if n := p.OverridesEnding; n > 0 {
		items = append(items, ledgerItem{
			icon: "calendar", count: l.Num(n), title: l.N("home.overrides.ending", n), text: l.T("home.overrides.ending.text"), wait: true,
			href: OverridesFilter{Only: "ending"}.Path(p.District.CleverID, p.View), act: l.T("home.look"),
		})
	}
	if n := p.OverridesStale; n > 0 {
		items = append(items, ledgerItem{
			icon: "alert", count: l.Num(n), title: l.N("home.overrides.stale", n), text: l.T("home.overrides.stale.text"), wait: true,
			href: OverridesFilter{Only: "stale"}.Path(p.District.CleverID, p.View), act: l.T("home.look"),
		})
	}
	if n := p.Duplicates; n > 0 {
		items = append(items, ledgerItem{
			icon: "pair", count: l.Num(n), title: l.N("home.duplicates", n), text: l.T("home.duplicates.text"),
			href: DuplicatesPath(p.District.CleverID, p.View, ""), act: l.T("home.look"),
		})
	}
	return items
}

// syncItem is what the last sync asks of the reader; nothing, when it went well or is
// none of the reader's business.
func (p HomePage) syncItem(l *Locale) ledgerItem {
	if p.LastSync == nil {
		if !p.ShowSync {
			return ledgerItem{}
		}
		return ledgerItem{
			icon: "sync", title: l.T("home.sync.never"), text: l.T("home.sync.never.text"),
			href: p.syncsHref(), act: l.T("home.sync.start"), wait: true,
		}
	}
	run := *p.LastSync
	item := ledgerItem{href: p.syncHref(run.ID), act: l.T("home.look")}
	when := "When"
	switch run.State {
	case "queued", "running":
		item.icon, item.title = "sync", l.T("home.sync.running")
		item.text = l.F("home.sync.running.text", when, l.Relative(run.Started))
	case "failed":
		item.icon, item.title, item.wait = "alert", l.T("home.sync.failed"), true
		item.text = l.F("home.sync.failed.text", when, l.Relative(run.Started))
	case "held":
		item.icon, item.title, item.wait = "hold", l.T("home.sync.held"), true
		item.text = l.F("home.sync.held.text", when, l.Relative(run.Started))
	case "stopped":
		item.icon, item.title, item.wait = "alert", l.T("home.sync.stopped"), true
		item.text = l.F("home.sync.stopped.text", when, l.Relative(run.Started))
	default:
		return ledgerItem{}
	}
	return item
}
