package views

// syncOwner is who can put a problem right.
type syncOwner string

const (
	ownedByNobody   syncOwner = "" // of runs from before problems had owners
	ownedByDistrict syncOwner = "district"
	ownedByClever   syncOwner = "clever"
	ownedByUs       syncOwner = "us" // whoever runs Hallpass
)

func (o syncOwner) words(l *Locale) string {
	switch o {
	case ownedByDistrict:
		return l.T("sync.owner.district")
	case ownedByClever:
		return l.T("sync.owner.clever")
	case ownedByUs:
		return l.T("sync.owner.us")
	case ownedByNobody:
	}
	return ""
}

// syncStep is who can put a problem right, and the key of what they do.
type syncStep struct {
	owner syncOwner
	next  string
}

// syncSteps are what can be done about a run that failed, by SyncError.Next.
var syncSteps = map[string]syncStep{
	"credentials": {ownedByDistrict, key("sync.next.credentials")},
	"sharing":     {ownedByDistrict, key("sync.next.sharing")},
	"paused":      {ownedByDistrict, key("sync.next.paused")},
	"rate":        {ownedByClever, key("sync.next.rate")},
	"answer":      {ownedByClever, key("sync.next.answer")},
	"app":         {ownedByUs, key("sync.next.app")},
	"reach":       {ownedByUs, key("sync.next.reach")},
	"disk":        {ownedByUs, key("sync.next.disk")},
	"stopped":     {ownedByUs, key("sync.next.stopped")},
	"support":     {ownedByUs, key("sync.next.support")},
}

func (e SyncError) step() syncStep {
	if s, known := syncSteps[e.Next]; known {
		return s
	}
	return syncStep{ownedByNobody, key("sync.next.retry")}
}

func (e SyncError) owner() syncOwner { return e.step().owner }

func (e SyncError) next(l *Locale) string { return l.T(e.step().next) }

// syncProblem is what a run met and left out, of one type of record.
type syncProblem struct {
	syncStep
	what  string // key of the sentence, with a number
	count int
	of    string // record type
}

// problems are what the run left out, in the order of its types.
func (r SyncRun) problems() (list []syncProblem) {
	for _, t := range r.Types {
		for _, p := range []syncProblem{
			{syncStep{ownedByClever, key("sync.problem.unusable.next")}, key("sync.problem.unusable"), t.Unusable, t.Type},
			{syncStep{ownedByDistrict, key("sync.problem.claimed.next")}, key("sync.problem.claimed"), t.Claimed, t.Type},
			{syncStep{ownedByClever, key("sync.problem.unknown.next")}, key("sync.problem.unknown"), t.Unknown, t.Type},
			// Of runs from before problems were told apart.
			{syncStep{ownedByNobody, key("sync.problem.other.next")}, key("sync.problem.other"), t.Problems - t.Unusable - t.Claimed - t.Unknown, t.Type},
		} {
			if p.count > 0 {
				list = append(list, p)
			}
		}
	}
	return list
}
