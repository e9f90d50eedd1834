package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5"

	"hallpass/audit"
)

// ErrMoved says that a file would do something else by now than what was agreed to.
var ErrMoved = errors.New("what the import would do has changed")

// choose fills the temporary table candidates with those of a file's accounts that are new or say something new.
func (tx *Tx) choose(ctx context.Context, id int64) error {
	_, err := tx.conn.Exec(ctx, `CREATE TEMP TABLE candidates ON COMMIT DROP AS
		SELECT r.app_id, r.role, r.legacy_id, r.n, a.id AS old, a.user_id FROM import_rows r
		  LEFT JOIN imported_accounts a ON a.district_id = r.district_id AND a.app_id = r.app_id
		 WHERE r.district_id = current_district() AND r.import_id = `+fmt.Sprint(id)+` AND (a.id IS NULL OR a.digest <> r.digest)`)
	if err != nil {
		return fmt.Errorf("compare rows: %w", err)
	}
	return nil
}

// foresee works out what a file would do, and changes nothing.
func (tx *Tx) foresee(ctx context.Context, id int64, kind string) (c ImportCounts, err error) {
	if kind == ImportMigration {
		return tx.foreseeMigration(ctx, id)
	}
	if err := tx.choose(ctx, id); err != nil {
		return c, err
	}
	if err := tx.judge(ctx); err != nil {
		return c, err
	}
	err = tx.conn.QueryRow(ctx, `SELECT count(*) FILTER (WHERE c.old IS NULL), count(*) FILTER (WHERE c.old IS NOT NULL),
		(SELECT count(*) FROM import_rows WHERE district_id = $1 AND import_id = $2) - count(*),
		(SELECT count(*) FROM fate f JOIN candidates d USING (app_id) LEFT JOIN users u ON u.district_id = $1 AND u.id = d.user_id AND u.clever_id IS NULL
		  WHERE f.state IN ('ambiguous', 'unmatched') AND f.role IN `+employeeRoles+` AND u.id IS NULL)
		FROM candidates c`, tx.actor.District, id).Scan(&c.New, &c.Changed, &c.Same, &c.Users)
	if err == nil {
		c.Fates, err = tx.fates(ctx)
	}
	if err == nil {
		err = tx.dropMatching(ctx)
	}
	if err != nil {
		return c, fmt.Errorf("foresee import %d: %w", id, err)
	}
	return c, nil
}

func (tx *Tx) foreseeMigration(ctx context.Context, id int64) (c ImportCounts, err error) {
	err = tx.conn.QueryRow(ctx, `SELECT count(*) FILTER (WHERE m.clever_id IS NULL), count(*) FILTER (WHERE m.clever_id <> r.clever_id), count(*) FILTER (WHERE m.clever_id = r.clever_id)
		FROM (SELECT DISTINCT legacy_id, clever_id FROM import_rows WHERE district_id = $1 AND import_id = $2) r
		LEFT JOIN migrated_ids m ON m.district_id = $1 AND m.legacy_id = r.legacy_id`, tx.actor.District, id).Scan(&c.New, &c.Changed, &c.Same)
	if err != nil {
		return c, fmt.Errorf("foresee import %d: %w", id, err)
	}
	rows, err := scan[ImportFate](ctx, tx, `SELECT 'linked' AS state, a.role, '' AS why, count(DISTINCT a.id) AS n
		  FROM import_rows r
		  JOIN imported_accounts a ON a.district_id = @district AND a.legacy_id = r.legacy_id AND (a.state = 'unmatched' OR a.state = 'archived' AND a.why <> 'contact')
		  JOIN identities i ON i.district_id = @district AND i.kind = 'clever' AND i.value = r.clever_id
		 WHERE r.district_id = @district AND r.import_id = @id GROUP BY a.role ORDER BY a.role`, map[string]any{"district": tx.actor.District, "id": id})
	if err != nil {
		return c, fmt.Errorf("foresee import %d: %w", id, err)
	}
	c.Fates = rows
	return c, nil
}

// ApplyImport does what somebody agreed to, all of it or nothing, in one transaction that keeps others from writing the
// roster meanwhile. ErrMoved: it would do something else by now; the import has to be looked at again, see LookAgain.
// ErrConflict: nobody agreed, or it is done.
func (tx *Tx) ApplyImport(ctx context.Context, id int64) (Import, error) {
	fail := func(err error) (Import, error) { return Import{}, fmt.Errorf("apply import %d: %w", id, err) }
	i, err := tx.takeUp(ctx, id, ImportApplying)
	if err != nil {
		return fail(err)
	}
	counts, err := tx.foresee(ctx, id, i.Kind)
	if err != nil {
		return fail(err)
	}
	if !reflect.DeepEqual(counts, i.Counts) {
		return fail(ErrMoved)
	}
	if counts.New+counts.Changed > 0 {
		if i.Kind == ImportMigration {
			err = tx.bringMigration(ctx, id)
		} else {
			err = tx.bringAccounts(ctx, id)
		}
		if err != nil {
			return fail(err)
		}
	}
	change, err := tx.closeImport(ctx, i, NewChange{
		Token: i.Token, Action: audit.AccountsImported, Subject: i.subject(), Plan: i.Plan,
		Before: nil, After: counts,
	})
	if err != nil {
		return fail(err)
	}
	if err := tx.moveImport(ctx, id, ImportApplying, `state = 'applied', change_id = @change, finished_at = @now`, map[string]any{"change": change}); err != nil {
		return fail(err)
	}
	if err := tx.dropRows(ctx, id); err != nil {
		return fail(err)
	}
	return tx.Import(ctx, id)
}

func (i Import) subject() string { return fmt.Sprintf("import:%d", i.ID) }

// takeUp readies the transaction for work on an import that somebody agreed to.
func (tx *Tx) takeUp(ctx context.Context, id int64, state ImportState) (Import, error) {
	if err := tx.LockAccess(ctx); err != nil {
		return Import{}, err
	}
	if err := tx.beginRoster(ctx); err != nil {
		return Import{}, err
	}
	if _, err := tx.conn.Exec(ctx, `SELECT FROM imports WHERE district_id = $1 AND id = $2 FOR UPDATE`, tx.actor.District, id); err != nil {
		return Import{}, err
	}
	i, err := tx.Import(ctx, id)
	if err == nil && i.State != state {
		err = ErrConflict
	}
	return i, err
}

// closeImport leaves everything that follows from people in step, and the receipt. A command has no person who could
// hold one: there it is the entry alone.
func (tx *Tx) closeImport(ctx context.Context, i Import, n NewChange) (change *int64, err error) {
	if err := tx.CountHeads(ctx); err != nil {
		return nil, err
	}
	if err := tx.WantSuggestions(ctx); err != nil {
		return nil, err
	}
	if i.Token == "" || tx.actor.User == 0 {
		data, err := plainData(n.After)
		if err != nil {
			return nil, err
		}
		return nil, tx.Audit(ctx, audit.Entry{Action: n.Action, Subject: n.Subject, Data: data})
	}
	c, err := tx.RecordChange(ctx, n)
	if err != nil {
		return nil, err
	}
	return &c.ID, nil
}

func plainData(v any) (data map[string]any, err error) {
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &data)
	}
	return data, err
}

// LookAgain gives back for another look what could not be applied as it was agreed to.
func (tx *Tx) LookAgain(ctx context.Context, id int64) error {
	if err := tx.beginRoster(ctx); err != nil {
		return fmt.Errorf("look at import %d again: %w", id, err)
	}
	i, err := tx.Import(ctx, id)
	if err != nil {
		return err
	}
	counts, err := tx.foresee(ctx, id, i.Kind)
	if err != nil {
		return err
	}
	return tx.moveImport(ctx, id, ImportApplying, `state = 'ready', error = 'moved', counts = @counts::jsonb`, map[string]any{"counts": counts})
}

// bringAccounts takes over the accounts of a file that are new or say something new.
func (tx *Tx) bringAccounts(ctx context.Context, id int64) error {
	if err := tx.choose(ctx, id); err != nil {
		return err
	}
	if err := tx.judge(ctx); err != nil {
		return err
	}
	if err := tx.knowSchools(ctx, id); err != nil {
		return err
	}
	args := pgx.NamedArgs{"import": id, "now": tx.now}
	for _, step := range []string{
		rememberAccounts + `FROM candidates c JOIN imported_accounts a ON a.district_id = current_district() AND a.app_id = c.app_id` + rememberUsers,
		`INSERT INTO imported_accounts (district_id, app_id, role, legacy_id, first_name, middle_name, last_name, email, sis_id, number, name_key, schools, school_ids,
			last_used_at, state, import_id, digest, changed_at)
		 SELECT r.district_id, r.app_id, r.role, r.legacy_id, r.first_name, r.middle_name, r.last_name, r.email, r.sis_id, r.number, r.name_key, r.schools,
			coalesce(k.ids, '{}'), r.last_used_at, 'unmatched', @import, r.digest, @now
		   FROM candidates c JOIN import_rows r ON r.district_id = current_district() AND r.import_id = @import AND r.n = c.n
		   LEFT JOIN (SELECT d.n, array_agg(DISTINCT s.id ORDER BY s.id) AS ids FROM candidates d
		                JOIN import_rows x ON x.district_id = current_district() AND x.import_id = @import AND x.n = d.n, unnest(x.schools) named(school)
		                JOIN known_schools s ON s.name = named.school GROUP BY d.n) k ON k.n = c.n
		 ON CONFLICT (district_id, app_id) DO UPDATE SET role = excluded.role, legacy_id = excluded.legacy_id, first_name = excluded.first_name,
			middle_name = excluded.middle_name, last_name = excluded.last_name, email = excluded.email, sis_id = excluded.sis_id, number = excluded.number,
			name_key = excluded.name_key, schools = excluded.schools, school_ids = excluded.school_ids, last_used_at = excluded.last_used_at,
			import_id = excluded.import_id, digest = excluded.digest, changed_at = excluded.changed_at`,
		`CREATE TEMP TABLE named ON COMMIT DROP AS
		 SELECT r.app_id, r.first_name, r.middle_name, r.last_name, r.email, r.name_key, r.email_key, r.doc
		   FROM candidates c JOIN import_rows r ON r.district_id = current_district() AND r.import_id = ` + fmt.Sprint(id) + ` AND r.n = c.n`,
		`ANALYZE named`,
	} {
		if _, err := tx.conn.Exec(ctx, step, args); err != nil {
			return fmt.Errorf("bring accounts: %w", err)
		}
	}
	return tx.settleFates(ctx)
}

// bringMigration takes over Clever's own list, and links the accounts that it leads to somebody.
func (tx *Tx) bringMigration(ctx context.Context, id int64) error {
	for _, step := range []string{
		`INSERT INTO import_undo (district_id, import_id, key, was) SELECT DISTINCT m.district_id, CAST($1 AS bigint), 'm:' || m.legacy_id, to_jsonb(m)
		   FROM import_rows r JOIN migrated_ids m ON m.district_id = r.district_id AND m.legacy_id = r.legacy_id AND m.clever_id <> r.clever_id
		  WHERE r.district_id = current_district() AND r.import_id = $1`,
		`INSERT INTO migrated_ids (district_id, legacy_id, clever_id, import_id)
		 SELECT DISTINCT r.district_id, r.legacy_id, r.clever_id, CAST($1 AS bigint) FROM import_rows r WHERE r.district_id = current_district() AND r.import_id = $1
		 ON CONFLICT (district_id, legacy_id) DO UPDATE SET clever_id = excluded.clever_id, import_id = excluded.import_id WHERE migrated_ids.clever_id <> excluded.clever_id`,
	} {
		if _, err := tx.conn.Exec(ctx, step, id); err != nil {
			return fmt.Errorf("bring migrated ids: %w", err)
		}
	}
	_, err := tx.rematch(ctx, `true`, id)
	return err
}

// rememberAccounts keeps accounts a as they are, with the person made for them, for the import that changes them.
const rememberAccounts = `INSERT INTO import_undo (district_id, import_id, key, was)
	SELECT a.district_id, @import, 'a:' || a.app_id, jsonb_build_object('account', to_jsonb(a), 'user', CASE WHEN u.id IS NOT NULL THEN
		jsonb_build_object('first_name', u.first_name, 'middle_name', u.middle_name, 'last_name', u.last_name, 'email', u.email,
			'name_key', u.name_key, 'email_key', u.email_key, 'doc', s.doc) END) `

const rememberUsers = `
	LEFT JOIN users u ON u.district_id = current_district() AND u.id = a.user_id AND u.clever_id IS NULL
	LEFT JOIN user_search s ON s.district_id = current_district() AND s.user_id = u.id`

// maxSchoolWords bounds how many different schools a file may speak of: the rest is kept as it is written.
const maxSchoolWords = 50_000

// knowSchools fills the temporary table known_schools with what the file calls schools that are known here: by Clever's
// id, the school's own id or number, or its name.
func (tx *Tx) knowSchools(ctx context.Context, id int64) error {
	fail := func(err error) error { return fmt.Errorf("find schools of import %d: %w", id, err) }
	schools, err := scan[struct {
		ID                                     int64
		CleverID, SISID, SchoolNumber, NameKey string
	}](ctx, tx, `SELECT id, clever_id, sis_id, school_number, name_key FROM schools WHERE district_id = @district ORDER BY id DESC`, map[string]any{"district": tx.actor.District})
	if err != nil {
		return fail(err)
	}
	known := map[string]int64{}
	for _, s := range schools { // ids say more than names
		known[s.NameKey] = s.ID
	}
	for _, s := range schools {
		known["#"+idKey(s.SchoolNumber)] = s.ID
	}
	for _, s := range schools {
		known["#"+idKey(s.SISID)] = s.ID
	}
	for _, s := range schools {
		known["#"+idKey(s.CleverID)] = s.ID
	}
	delete(known, "")
	delete(known, "#")
	said, err := scan[struct{ Name string }](ctx, tx, `SELECT DISTINCT x.name FROM import_rows r, unnest(r.schools) x(name)
		WHERE r.district_id = @district AND r.import_id = @import LIMIT @most`, map[string]any{"district": tx.actor.District, "import": id, "most": maxSchoolWords})
	if err != nil {
		return fail(err)
	}
	var names []string
	var ids []int64
	for _, s := range said {
		school, ok := known["#"+idKey(s.Name)]
		if !ok {
			school, ok = known[key(s.Name)]
		}
		if ok {
			names, ids = append(names, s.Name), append(ids, school)
		}
	}
	if _, err := tx.conn.Exec(ctx, `CREATE TEMP TABLE known_schools (name text, id bigint) ON COMMIT DROP`); err != nil {
		return fail(err)
	}
	if _, err := tx.conn.Exec(ctx, `INSERT INTO known_schools SELECT * FROM unnest($1::text[], $2::bigint[])`, names, ids); err != nil {
		return fail(err)
	}
	return nil
}
