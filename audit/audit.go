// Package audit owns the words for what happened: the actions an entry can record and what it says of them. It is
// pure; the rows, their chain and their transaction belong to models.
package audit

// Action names what was done, as noun.verb. The names are stored, so they never change.
type Action string

// Everything Hallpass records.
const (
	SessionStarted Action = "session.started"
	SessionEnded   Action = "session.ended"
	SyncRequested  Action = "sync.requested"
	SyncFinished   Action = "sync.finished"
	SyncFailed     Action = "sync.failed"
	SyncHeld       Action = "sync.held"
	SyncApproved   Action = "sync.approved"
	SyncDiscarded  Action = "sync.discarded"
	SyncSuperseded Action = "sync.superseded"
	KeyMade        Action = "key.made"
	KeyRevoked     Action = "key.revoked"

	ConnectionFound    Action = "connection.found"    // by Clever's token list
	ConnectionSwitched Action = "connection.switched" // by an operator's command
	ConnectionRenewed  Action = "connection.renewed"  // another token
	ConnectionSealed   Action = "connection.sealed"   // the same token, under a newer key
	ConnectionRefused  Action = "connection.refused"
	ConnectionLeft     Action = "connection.left"
	ConnectionBack     Action = "connection.back"
	ExportMade         Action = "export.made"

	RulesChanged   Action = "rules.changed"
	SettingChanged Action = "setting.changed"

	OverrideCreated  Action = "override.created"
	OverrideExtended Action = "override.extended"
	OverrideEnded    Action = "override.ended"
	OverrideUndone   Action = "override.undone"
	RoleGiven        Action = "role.given"
	RoleEnded        Action = "role.ended"
	RoleUndone       Action = "role.undone"

	UsersMerged   Action = "users.merged"
	UsersUnmerged Action = "users.unmerged"
	MergeProposed Action = "merge.proposed" // a second person must agree
	MergeRefused  Action = "merge.refused"

	PairDecided Action = "pair.decided" // whether two records are one person
	PairUndone  Action = "pair.undone"

	BulkAccepted Action = "duplicates.bulk" // a batch of merges, on the word of a sample
	BulkUndone   Action = "duplicates.bulk_undone"

	AccountsImported Action = "accounts.imported"
	AccountsTakenOut Action = "accounts.taken_out"
	AccountsLinked   Action = "accounts.linked"

	CutOverChanged Action = "cutover.changed" // its date, or what becomes of accounts that lead to nobody
	CutOverDone    Action = "cutover.done"
	CutOverUndone  Action = "cutover.undone"
)

// Entry is one thing that happened. Who did it, when and in which request is added by the transaction that writes
// it. Data must hold ids and counts, never names or secrets: entries outlive the people in them.
type Entry struct {
	Action  Action
	Subject string // what was acted on, as kind:id, for example sync:12
	Data    map[string]any
}
