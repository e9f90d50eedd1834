package models

// MergeRule is what a merge does with a column that refers to a user or an account.
type MergeRule string

// Merge rules. Every column that refers to a user or an account has one; a test reads the schema and asks for it.
const (
	MergeMoves   MergeRule = "move"     // what it stands on becomes the survivor's
	MergeUnites  MergeRule = "union"    // moves too, and what both had is there once
	MergeKeeps   MergeRule = "keep-one" // the survivor's own stays; another's moves only where there is none
	MergeStays   MergeRule = "record"   // stays with its record, and readers go on to the survivor
	MergePoints  MergeRule = "pointer"  // is the merge itself
	MergeRevokes MergeRule = "revoke"   // ended, never moved and never given back
	MergeHistory MergeRule = "history"  // who did what stays as it was
	MergeDerives MergeRule = "derived"  // worked out anew
	MergeDecides MergeRule = "decision" // people's words are about records, and hold for the survivor through users.merged_into
	MergeRefuses MergeRule = "never"    // such a row keeps its record from being merged
)

// MergeColumn is a column with its rule and the reason for it.
type MergeColumn struct {
	Table, Column string
	Rule          MergeRule
	Why           string
}

// MergeColumns are the rules of all columns, those of no foreign key after those of one.
func MergeColumns() []MergeColumn { return mergeColumns }

var mergeColumns = []MergeColumn{
	{"users", "merged_into", MergePoints, "chains are kept flat: records merged before follow their survivor"},
	{"identities", "user_id", MergeStays, "outside ids lead to their record and from there on, so that a merge can be taken back"},
	{"accounts", "user_id", MergeKeeps, "one account of a role for a person"},
	{"accounts", "folded_into", MergePoints, "says where the data of a retired account is kept now"},
	{"role_grants", "user_id", MergeMoves, "the person holds what any of the records gives"},
	{"role_grants", "record_id", MergeStays, "says whose record lists the role, for syncs and for taking the merge back"},
	{"role_grants", "given_by", MergeHistory, "who gave a role by hand gave it"},
	{"role_grant_schools", "user_id", MergeMoves, "goes with its grant"},
	{"section_teachers", "user_id", MergeUnites, "a section names a teacher once"},
	{"section_students", "user_id", MergeRefuses, "students are never merged"},
	{"contact_students", "contact_id", MergeRefuses, "contacts are never merged"},
	{"overrides", "user_id", MergeUnites, "two that say the same are one; two that disagree are answered by whoever merges"},
	{"overrides", "created_by", MergeHistory, "who made it made it"},
	{"overrides", "ended_by", MergeHistory, "who ended it ended it"},
	{"sessions", "user_id", MergeRevokes, "a sign-in must not come to open more than it was made for"},
	{"user_preferences", "user_id", MergeKeeps, "the survivor's own choices stay"},
	{"user_search", "user_id", MergeDerives, "the survivor is found by the words of all its records"},
	{"imported_accounts", "user_id", MergeStays, "says with which record the app's own account came"},
	{"imported_accounts", "account_id", MergeStays, "the account itself says where it is kept"},
	{"imports", "started_by", MergeHistory, "who brought the file brought it"},
	{"sync_runs", "requested_by", MergeHistory, "who asked for it asked for it"},
	{"audit_entries", "actor_id", MergeHistory, "entries are never rewritten"},
	{"changes", "made_by", MergeHistory, "receipts are never rewritten"},
	{"api_keys", "created_by", MergeHistory, "a key is the app's, not the person's"},
	{"api_keys", "revoked_by", MergeHistory, "who revoked it revoked it"},
	{"pair_decisions", "lo", MergeDecides, "never copied, so that taking a merge back takes nothing from them"},
	{"pair_decisions", "hi", MergeDecides, "never copied, so that taking a merge back takes nothing from them"},
	{"pair_decisions", "decided_by", MergeHistory, "who said it said it"},
	{"pair_decisions", "ended_by", MergeHistory, "who took it back took it back"},
	{"suggestions", "keep_id", MergeDerives, "suggestions about merged records are thrown away"},
	{"suggestions", "taken_by", MergeDerives, "goes with the suggestion"},
	{"suggestion_members", "user_id", MergeDerives, "goes with the suggestion"},
	{"merges", "survivor_id", MergeHistory, "says what was merged then"},
	{"merges", "proposed_by", MergeHistory, "who proposed it proposed it"},
	{"merges", "merged_by", MergeHistory, "who merged merged"},
	{"merges", "unmerged_by", MergeHistory, "who took it back took it back"},
	{"merge_members", "user_id", MergeHistory, "says what was merged then"},
	{"bulks", "made_by", MergeHistory, "who accepted the batch accepted it"},
	{"bulks", "undone_by", MergeHistory, "who took it back took it back"},

	// Columns that name users or accounts without a foreign key.
	{"merge_rows", "key", MergeHistory, "images of rows as they were"},
	{"merge_rows", "before", MergeHistory, "images of rows as they were"},
	{"merge_rows", "after", MergeHistory, "images of rows as they were"},
	{"merges", "choices", MergeHistory, "what was chosen then, by record"},
	{"merges", "differs", MergeHistory, "what differed then"},
	{"audit_entries", "subject", MergeHistory, "entries are never rewritten; a page that names a merged record says so"},
	{"audit_entries", "data", MergeHistory, "entries are never rewritten"},
	{"changes", "subject", MergeHistory, "receipts are never rewritten"},
	{"changes", "before", MergeHistory, "receipts are never rewritten"},
	{"changes", "after", MergeHistory, "receipts are never rewritten"},
	{"contact_students", "student_clever_id", MergeRefuses, "names a student, and students are never merged"},
	{"section_strangers", "clever_id", MergeStays, "names a record of Clever's; whoever comes in under it comes in as the survivor"},
	{"migrated_ids", "clever_id", MergeStays, "names a record of Clever's, and identities lead on"},
	{"pair_decisions", "evidence", MergeHistory, "what was shown then"},
	{"suggestions", "evidence", MergeDerives, "goes with the suggestion"},
	{"held_records", "record_id", MergeStays, "names a record, as Clever lists them"},
	{"held_records", "record", MergeStays, "the record as Clever has it; when it is let in, it comes in as the survivor"},
	{"held_effects", "user_id", MergeHistory, "says what was so when the run was held"},
	{"sync_runs", "decided_by", MergeHistory, "who decided it decided it"},
	{"cut_over_rows", "was", MergeHistory, "images of rows as the cut-over found them"},
	{"import_undo", "was", MergeHistory, "images of rows as an import found them"},
	{"bulk_items", "members", MergeHistory, "whom it was about then"},
	{"bulk_items", "keep_id", MergeHistory, "who was to stay then"},
	{"bulk_items", "counts", MergeHistory, "what it was planned to do"},
	{"bulks", "sample", MergeHistory, "places drawn then"},
	{"dedupe_models", "model", MergeDerives, "learned anew"},
	{"dedupe_keys", "user_id", MergeDerives, "found again when suggestions are"},
}
