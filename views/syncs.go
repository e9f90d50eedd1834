package views

import "net/url"

// sum adds the record types up.
func (r SyncRun) sum() SyncType {
	var all SyncType
	for _, t := range r.Types {
		all.Pages += t.Pages
		if (t.Type == "events") == (r.Kind == "events") { // what events are about was not read apart from them
			all.Read += t.Read
		}
		all.Created += t.Created
		all.Updated += t.Updated
		all.Unchanged += t.Unchanged
		all.Ended += t.Ended
		all.Revived += t.Revived
		all.Problems += t.Problems
	}
	return all
}

// moving says whether the run may still change.
func (r SyncRun) moving() bool { return r.State == "queued" || r.State == "running" }

func (r SyncRun) took(l *Locale) string {
	if r.Finished == nil {
		if r.moving() {
			return l.T("sync.not_yet")
		}
		return l.T("date.not_known")
	}
	return l.Took(r.Finished.Sub(r.Started))
}

// byText is the kind of run and who asked for it.
func (r SyncRun) byText(l *Locale) string {
	kind := l.T("sync.kind.full")
	switch r.Kind {
	case "events":
		kind = l.T("sync.kind.events")
	case "release":
		kind = l.T("sync.kind.release")
	}
	switch cause := r.cause(l); {
	case r.By == "" && cause == "":
		return kind
	case r.By == "":
		return l.F("sync.kind_cause", "Kind", kind, "Cause", cause)
	}
	return l.F("sync.kind_by", "Kind", kind, "Name", r.By)
}

// cause is why the program itself asked for the run.
func (r SyncRun) cause(l *Locale) string {
	switch r.Cause {
	case "nightly":
		return l.T("sync.cause.nightly")
	case "gap":
		return l.T("sync.cause.gap")
	case "version":
		return l.T("sync.cause.version")
	case "cursor":
		return l.T("sync.cause.cursor")
	case "brake":
		return l.T("sync.cause.brake")
	case "held":
		return l.T("sync.cause.held")
	}
	return ""
}

func (p SyncsPage) pageHref(param string, to *PageLink) string {
	if to == nil {
		return p.syncsHref()
	}
	return withQuery(p.syncsHref(), url.Values{param: {to.Cursor}})
}

func syncsNotice(l *Locale, n string) string {
	switch n {
	case "bad_cursor":
		return l.T("users.notice.bad_cursor")
	case "already_running":
		return l.T("syncs.notice.already_running")
	case "not_on":
		return l.T("syncs.notice.not_on")
	case "sync_started":
		return l.T("syncs.notice.started")
	}
	return n
}
