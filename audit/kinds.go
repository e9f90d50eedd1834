package audit

import (
	"slices"
	"strings"
)

// all lists every action, in the order in which lists speak of their kinds.
var all = []Action{
	OverrideCreated, OverrideExtended, OverrideEnded, OverrideUndone,
	RoleGiven, RoleEnded, RoleUndone,
	AccountsImported, AccountsTakenOut, AccountsLinked,
	CutOverChanged, CutOverDone, CutOverUndone,
	PairDecided, PairUndone,
	BulkAccepted, BulkUndone,
	UsersMerged, UsersUnmerged, MergeProposed, MergeRefused,
	RulesChanged, SettingChanged, KeyMade, KeyRevoked,
	SyncRequested, SyncFinished, SyncFailed, SyncHeld, SyncApproved, SyncDiscarded, SyncSuperseded,
	ConnectionFound, ConnectionSwitched, ConnectionRenewed, ConnectionSealed, ConnectionRefused, ConnectionLeft, ConnectionBack,
	ExportMade,
	SessionStarted, SessionEnded,
}

// Actions lists every action there is.
func Actions() []Action { return slices.Clone(all) }

// Kind is what an action is done to: its noun.
func (a Action) Kind() string {
	noun, _, _ := strings.Cut(string(a), ".")
	return noun
}

// Kinds lists the nouns.
func Kinds() (kinds []string) {
	for _, a := range all {
		if !slices.Contains(kinds, a.Kind()) {
			kinds = append(kinds, a.Kind())
		}
	}
	return kinds
}

// OfKind lists the actions of one kind; none for a kind that does not exist.
func OfKind(kind string) (actions []Action) {
	for _, a := range all {
		if a.Kind() == kind {
			actions = append(actions, a)
		}
	}
	return actions
}
