package models

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// AccountMerged is, beside the states that are kept, that of an account whose own person was merged into one of
// Clever's: it is where it belongs by somebody's word.
const AccountMerged AccountState = "merged"

// ImportedAccount is one account of the app's old days.
type ImportedAccount struct {
	ID         int64
	AppID      string
	Role       access.Role
	LegacyID   string
	FirstName  string
	MiddleName string
	LastName   string
	Email      string
	State      AccountState
	Why        string
	LastUsedAt *time.Time
	NameKey    string
	UserID     *int64 // the person it is with, past a merge
	UserName   string
	CleverID   string // of that person; "" for one made for the account
}

// AccountFilter chooses imported accounts of one state.
type AccountFilter struct {
	State   AccountState
	Role    access.Role // "": any
	Limit   int
	AfterID int64 // the list goes on after this account
}

const importedColumns = `SELECT a.id, a.app_id, a.role, a.legacy_id, a.first_name, a.middle_name, a.last_name, a.email,
	CASE WHEN u.merged_into IS NOT NULL AND a.state IN ('ambiguous', 'unmatched') THEN 'merged' ELSE a.state END AS state, a.why, a.last_used_at, a.name_key,
	h.id AS user_id, coalesce(concat_ws(' ', nullif(h.first_name, ''), nullif(h.middle_name, ''), h.last_name), '') AS user_name, coalesce(h.clever_id, '') AS clever_id `

const importedJoins = `
	LEFT JOIN users u ON u.district_id = a.district_id AND u.id = a.user_id
	LEFT JOIN users h ON h.district_id = a.district_id AND h.id = coalesce(u.merged_into, u.id)`

// ImportedAccounts lists accounts by role and name, up to a limit, which is cut to 1000.
func (tx *Tx) ImportedAccounts(ctx context.Context, f AccountFilter) ([]ImportedAccount, error) {
	from, where := `imported_accounts a`+importedJoins, `a.district_id = @district AND a.state = @state`
	switch f.State {
	case AccountMerged:
		from = `users m JOIN imported_accounts a ON a.district_id = m.district_id AND a.user_id = m.id` + importedJoins
		where = `m.district_id = @district AND m.merged_into IS NOT NULL AND a.state IN ('ambiguous', 'unmatched')`
	case AccountAmbiguous, AccountUnmatched:
		where += ` AND u.merged_into IS NULL`
	default:
	}
	if f.Role != "" {
		where += ` AND a.role = @role`
	}
	if f.AfterID != 0 {
		where += ` AND (a.role, a.name_key, a.id) > (SELECT x.role, x.name_key, x.id FROM imported_accounts x WHERE x.district_id = @district AND x.id = @after)`
	}
	rows, err := scan[ImportedAccount](ctx, tx, importedColumns+`FROM `+from+` WHERE `+where+` ORDER BY a.role, a.name_key, a.id LIMIT `+fmt.Sprint(min(max(f.Limit, 1), 1000)),
		map[string]any{"district": tx.actor.District, "state": string(f.State), "role": string(f.Role), "after": f.AfterID})
	if err != nil {
		return nil, fmt.Errorf("list imported accounts: %w", err)
	}
	return rows, nil
}

// MigrationCounts counts all imported accounts by state, role and why.
func (tx *Tx) MigrationCounts(ctx context.Context) ([]ImportFate, error) {
	rows, err := scan[ImportFate](ctx, tx, `
		SELECT CASE WHEN m.id IS NOT NULL AND a.state IN ('ambiguous', 'unmatched') THEN 'merged' ELSE a.state END AS state, a.role, a.why, count(*) AS n
		  FROM imported_accounts a LEFT JOIN (SELECT id FROM users WHERE district_id = @district AND merged_into IS NOT NULL) m ON m.id = a.user_id
		 WHERE a.district_id = @district GROUP BY 1, 2, 3 ORDER BY 1, 2, 4 DESC, 3`, pgx.NamedArgs{"district": tx.actor.District})
	if err != nil {
		return nil, fmt.Errorf("count imported accounts: %w", err)
	}
	return rows, nil
}
