-- +goose Up
-- What changed of all that decisions are made of, in the transaction that changed it. A program that keeps copies in
-- memory proves them current with one read: which rows are there of transactions that had not ended when it last
-- looked (made_in, no lower than the xmin of that snapshot)? A change and its row are committed together, so whoever
-- would see the one sees the other. Rows are only added, so no writer waits for another, and there is no foreign key,
-- which would lock the person's row.
CREATE TABLE fact_changes (
  district_id bigint NOT NULL,
  made_in     xid8   NOT NULL DEFAULT pg_current_xact_id(),
  id          bigint GENERATED ALWAYS AS IDENTITY, -- tells rows apart where made_in does not: in a database restored elsewhere
  about       text   NOT NULL CHECK (about IN ('user', 'section', 'everything')),
  subject_id  bigint NOT NULL,                     -- of the user or section; 0 with everything
  PRIMARY KEY (district_id, made_in, id)
);
SELECT wall(ARRAY['fact_changes']);

-- A trigger for each table and kind of statement, whoever sends it. An update counts where a column changed that
-- decisions read, and for both people where a row changes hands; the rows before and after are compared as sets, so that
-- it does not matter which became which. A new row counts where it can change the answer about somebody who was there
-- before; a new id or a new school cannot, because what was not found is not kept. A statement about many counts for
-- everything in the district: a first sync leaves one row for each of its statements.
-- +goose StatementBegin
DO $$
DECLARE
  t record;
  note text;
BEGIN
  FOR t IN SELECT * FROM (VALUES
    ('role_grants',        'user',       'user_id', true,  'user_id, id, role, source, labels, ends_at, ended_at'),
    ('role_grant_schools', 'user',       'user_id', true,  'user_id, grant_id, school_id, ended_at'),
    ('section_teachers',   'user',       'user_id', true,  'user_id, section_id'),
    ('overrides',          'user',       'user_id', true,  'user_id, id, permission, allow, place_kind, school_id, section_id, ends_at, end_role, ended_at'),
    ('users',              'user',       'id',      false, 'id, clever_id, first_name, middle_name, last_name, ended_at, merged_into'),
    ('identities',         'user',       'user_id', false, 'user_id, kind, value'),
    ('accounts',           'user',       'user_id', false, 'user_id, id, role, retired_at'),
    ('sections',           'section',    'id',      false, 'id, clever_id, school_id, name, period, ended_at'),
    ('schools',            'everything', '0',       false, 'id, clever_id, name, ended_at'),
    ('districts',          'everything', '0',       false, 'clever_id, name, time_zone, combining, strategy, policy_version, school_year_end'),
    ('role_rules',         'everything', '0',       true,  'role, label, permission, given'),
    ('api_keys',           'everything', '0',       false, 'id, key_hash, explains, revoked_at')) v(name, about, subject, inserts, facts)
  LOOP
    note := format('IF (SELECT count(*) FROM %%1$s c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, ''everything'', 0 FROM %%1$s c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, %L, %s::bigint FROM %%1$s c;
    END IF', t.about, t.subject);
    EXECUTE format('CREATE FUNCTION note_%1$s() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF TG_OP = ''INSERT'' THEN
    %2$s;
  ELSIF TG_OP = ''DELETE'' THEN
    %3$s;
  ELSE
    %4$s;
  END IF;
  RETURN NULL;
END $f$', t.name, format(note, 'added'), format(note, 'removed'),
      format(note, format('((SELECT district_id, %1$s FROM removed EXCEPT SELECT district_id, %1$s FROM added) UNION ALL (SELECT district_id, %1$s FROM added EXCEPT SELECT district_id, %1$s FROM removed))', t.facts)));
    IF t.inserts THEN
      EXECUTE format('CREATE TRIGGER facts_added AFTER INSERT ON %1$s REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_%1$s()', t.name);
    END IF;
    EXECUTE format('CREATE TRIGGER facts_removed AFTER DELETE ON %1$s REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION note_%1$s()', t.name);
    EXECUTE format('CREATE TRIGGER facts_changed AFTER UPDATE ON %1$s REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_%1$s()', t.name);
  END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
SELECT 1/0;
