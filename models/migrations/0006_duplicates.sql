-- +goose Up
-- One human, several records. A merged record stays: Clever's news of it still arrives in its row, its ids still lead
-- to it, and from there to the person it was merged into. What the record gives (role grants, sections taught,
-- overrides, accounts) belongs to that person until the merge is taken back.
ALTER TABLE users
  ADD COLUMN merged_into bigint CHECK (merged_into <> id),   -- never one that is itself merged: chains are kept flat
  ADD FOREIGN KEY (district_id, merged_into) REFERENCES users; -- the same district, by the key
CREATE INDEX users_merged ON users (district_id, merged_into) WHERE merged_into IS NOT NULL;

-- Whose record of Clever's lists the role: the holder's own, or one that was merged into the holder. A sync looks for
-- a record's grants by it, so that a merge outlives every sync and an un-merge finds what to give back.
ALTER TABLE role_grants ADD COLUMN record_id bigint;
ALTER TABLE role_grants NO FORCE ROW LEVEL SECURITY; -- the owner fills it in for every district
UPDATE role_grants SET record_id = user_id;
ALTER TABLE role_grants FORCE ROW LEVEL SECURITY;
ALTER TABLE role_grants
  ALTER COLUMN record_id SET NOT NULL,
  DROP CONSTRAINT role_grants_district_id_user_id_role_source_key,
  ADD UNIQUE (district_id, user_id, role, source, record_id),
  ADD FOREIGN KEY (district_id, record_id) REFERENCES users;

-- An account whose data the app now keeps under another one of the same person.
ALTER TABLE accounts
  ADD COLUMN folded_into bigint CHECK (folded_into <> id),
  ADD FOREIGN KEY (district_id, folded_into) REFERENCES accounts;
CREATE INDEX accounts_folded ON accounts (district_id, folded_into) WHERE folded_into IS NOT NULL;

ALTER TABLE districts
  ADD COLUMN cut_over_at   timestamptz,                -- until then old and new ids both open an account
  ADD COLUMN cut_over_rest text NOT NULL DEFAULT 'keep' CHECK (cut_over_rest IN ('keep', 'archive')), -- unmatched accounts, from then on
  ADD COLUMN bulk_wrong    integer NOT NULL DEFAULT 20000 CHECK (bulk_wrong BETWEEN 1000 AND 200000); -- most wrong of a bulk, in millionths

-- A file of the app's own accounts, or Clever's list of old ids and new ones. It is read into import_rows and looked
-- at there; what it would do is shown, and done in one transaction once somebody says so.
CREATE TABLE imports (
  district_id bigint      NOT NULL REFERENCES districts,
  id          bigint      GENERATED ALWAYS AS IDENTITY,
  kind        text        NOT NULL DEFAULT '' CHECK (kind IN ('', 'accounts', 'migration')), -- '' until the file's head is read
  file_name   text        NOT NULL,
  form        text        NOT NULL DEFAULT '',         -- how the file was read: encoding and separator, or json
  digest      bytea       NOT NULL DEFAULT '',         -- SHA-256 of the file: the same file again changes nothing
  state       text        NOT NULL CHECK (state IN ('reading', 'ready', 'applying', 'applied', 'undoing', 'undone', 'dropped', 'failed')),
  error       text        NOT NULL DEFAULT '',         -- a code, with what it speaks of after a space
  notices     text[]      NOT NULL DEFAULT '{}',       -- codes: what is odd about the file, and stops nothing
  bytes_all   bigint      NOT NULL DEFAULT 0,          -- 0: not known
  bytes_read  bigint      NOT NULL DEFAULT 0,
  rows_read   bigint      NOT NULL DEFAULT 0,
  rows_wrong  bigint      NOT NULL DEFAULT 0,
  counts      jsonb       NOT NULL DEFAULT '{}',       -- what it would do or did
  token       text        NOT NULL DEFAULT '',         -- of the preview that was agreed to, and its plan's SHA-256
  plan        bytea       NOT NULL DEFAULT '',
  view        text        NOT NULL DEFAULT '',         -- that the person wore
  change_id   bigint,                                  -- the receipt
  undo_id     bigint,                                  -- that of taking it back
  started_by  bigint,
  started_at  timestamptz NOT NULL,
  beat_at     timestamptz NOT NULL,
  finished_at timestamptz,
  PRIMARY KEY (district_id, id),
  FOREIGN KEY (district_id, started_by) REFERENCES users,
  FOREIGN KEY (district_id, change_id)  REFERENCES changes,
  FOREIGN KEY (district_id, undo_id)    REFERENCES changes
);

-- The rows of a file that waits to be applied, gone when it is applied or dropped.
CREATE TABLE import_rows (
  district_id  bigint      NOT NULL,
  import_id    bigint      NOT NULL,
  n            bigint      NOT NULL,                    -- of the row, from 1
  line         bigint      NOT NULL,
  col          integer     NOT NULL,                    -- of the id
  app_id       text        COLLATE "C" NOT NULL,        -- of a migration file: ''
  role         text        NOT NULL DEFAULT '',
  legacy_id    text        COLLATE "C" NOT NULL DEFAULT '',
  clever_id    text        COLLATE "C" NOT NULL DEFAULT '', -- of a migration file
  first_name   text        NOT NULL DEFAULT '',
  middle_name  text        NOT NULL DEFAULT '',
  last_name    text        NOT NULL DEFAULT '',
  email        text        NOT NULL DEFAULT '',
  sis_id       text        NOT NULL DEFAULT '',
  number       text        NOT NULL DEFAULT '',
  name_key     text        COLLATE "C" NOT NULL DEFAULT '',
  email_key    text        COLLATE "C" NOT NULL DEFAULT '',
  doc          text        COLLATE "C" NOT NULL DEFAULT '',
  schools      text[]      NOT NULL DEFAULT '{}',
  last_used_at timestamptz,
  digest       bytea       NOT NULL DEFAULT '',
  PRIMARY KEY (district_id, import_id, n),
  FOREIGN KEY (district_id, import_id) REFERENCES imports
);

CREATE TABLE import_errors (
  district_id bigint  NOT NULL,
  import_id   bigint  NOT NULL,
  line        bigint  NOT NULL,                        -- of the file, from 1
  col         integer NOT NULL,                        -- of the line in characters, from 1; 0: the whole line
  field       text    NOT NULL DEFAULT '',
  code        text    NOT NULL,
  PRIMARY KEY (district_id, import_id, line, col, field, code),
  FOREIGN KEY (district_id, import_id) REFERENCES imports
);

-- What an applied import found in its way, so that it can be put back.
CREATE TABLE import_undo (
  district_id bigint NOT NULL,
  import_id   bigint NOT NULL,
  key         text   COLLATE "C" NOT NULL,             -- app_id, or legacy_id of a migration file
  was         jsonb  NOT NULL,
  PRIMARY KEY (district_id, import_id, key),
  FOREIGN KEY (district_id, import_id) REFERENCES imports
);

-- The app's accounts from the days of API v2, as imported, each once. user_id is where the account is: with a person
-- whom Clever lists (linked), or with a user made for it (clever_id NULL). Students and contacts that lead nowhere have
-- none.
CREATE TABLE imported_accounts (
  district_id  bigint      NOT NULL,
  id           bigint      GENERATED ALWAYS AS IDENTITY,
  app_id       text        COLLATE "C" NOT NULL CHECK (app_id <> '' AND length(app_id) <= 200),
  role         text        NOT NULL,                   -- as API v2 had it: teacher, school_admin … in Hallpass's words
  legacy_id    text        COLLATE "C" NOT NULL DEFAULT '',
  first_name   text        NOT NULL DEFAULT '',
  middle_name  text        NOT NULL DEFAULT '',
  last_name    text        NOT NULL DEFAULT '',
  email        text        NOT NULL DEFAULT '',
  sis_id       text        NOT NULL DEFAULT '',
  number       text        NOT NULL DEFAULT '',
  name_key     text        COLLATE "C" NOT NULL,
  schools      text[]      NOT NULL DEFAULT '{}',      -- as the file names them
  school_ids   bigint[]    NOT NULL DEFAULT '{}',      -- those that are known here
  last_used_at timestamptz,
  state        text        NOT NULL CHECK (state IN ('linked', 'ambiguous', 'unmatched', 'archived')),
  why          text        NOT NULL DEFAULT '',        -- a code: why it is in that state
  user_id      bigint,
  account_id   bigint,
  import_id    bigint      NOT NULL,                   -- the last file that changed it
  digest       bytea       NOT NULL,
  changed_at   timestamptz NOT NULL,
  PRIMARY KEY (district_id, id),
  UNIQUE (district_id, app_id),
  FOREIGN KEY (district_id, user_id)    REFERENCES users,
  FOREIGN KEY (district_id, account_id) REFERENCES accounts,
  FOREIGN KEY (district_id, import_id)  REFERENCES imports
);
CREATE INDEX imported_accounts_by_legacy ON imported_accounts (district_id, legacy_id) WHERE legacy_id <> '';
CREATE INDEX imported_accounts_by_user   ON imported_accounts (district_id, user_id)   WHERE user_id IS NOT NULL;
CREATE INDEX imported_accounts_by_state  ON imported_accounts (district_id, state, role, name_key, id);
CREATE INDEX imported_accounts_by_import ON imported_accounts (district_id, import_id);

-- Clever's own list, one per district: which v3 user an old id became.
CREATE TABLE migrated_ids (
  district_id bigint NOT NULL REFERENCES districts,
  legacy_id   text   COLLATE "C" NOT NULL,
  clever_id   text   COLLATE "C" NOT NULL,
  import_id   bigint NOT NULL,                         -- the last file that changed it
  PRIMARY KEY (district_id, legacy_id),
  FOREIGN KEY (district_id, import_id) REFERENCES imports
);
CREATE INDEX migrated_ids_by_clever_id ON migrated_ids (district_id, clever_id);
CREATE INDEX migrated_ids_by_import    ON migrated_ids (district_id, import_id);

-- What people said of two records. Never derived, never deleted; one live answer per pair. Those about merged records
-- hold for the survivors, by users.merged_into, and are not copied.
CREATE TABLE pair_decisions (
  district_id bigint      NOT NULL,
  id          bigint      GENERATED ALWAYS AS IDENTITY,
  lo          bigint      NOT NULL,
  hi          bigint      NOT NULL CHECK (lo < hi),
  verdict     text        NOT NULL CHECK (verdict IN ('same', 'different', 'unsure')),
  reason      text        NOT NULL DEFAULT '' CHECK (length(reason) <= 1000),
  class       text        NOT NULL DEFAULT '' CHECK (class IN ('', 'A', 'B', 'C')),
  tenths      integer     NOT NULL DEFAULT 0,          -- of a bit, at that time
  evidence    jsonb       NOT NULL DEFAULT '{}',       -- as it was shown
  decided_by  bigint,                                  -- NULL: the program, from Clever's word
  decided_at  timestamptz NOT NULL,
  ended_at    timestamptz,                             -- taken back, or another answer took its place
  ended_by    bigint,
  PRIMARY KEY (district_id, id),
  FOREIGN KEY (district_id, lo)         REFERENCES users,
  FOREIGN KEY (district_id, hi)         REFERENCES users,
  FOREIGN KEY (district_id, decided_by) REFERENCES users,
  FOREIGN KEY (district_id, ended_by)   REFERENCES users
);
CREATE UNIQUE INDEX pair_decisions_live ON pair_decisions (district_id, lo, hi) WHERE ended_at IS NULL;
CREATE INDEX pair_decisions_by_hi ON pair_decisions (district_id, hi) WHERE ended_at IS NULL;

-- Everything below here down to merges is derived and can be thrown away.
CREATE TABLE dedupe_models (
  district_id bigint      PRIMARY KEY REFERENCES districts,
  model       jsonb       NOT NULL,                    -- holds names
  records     integer     NOT NULL,
  learned_at  timestamptz NOT NULL,
  wanted_at   timestamptz                              -- somebody or something changed since: to be computed anew
);

CREATE TABLE dedupe_keys (
  district_id bigint NOT NULL,
  hash        bigint NOT NULL,
  user_id     bigint NOT NULL,
  PRIMARY KEY (district_id, hash, user_id),
  FOREIGN KEY (district_id, user_id) REFERENCES users
);
CREATE INDEX dedupe_keys_by_user ON dedupe_keys (district_id, user_id);

CREATE TABLE suggestions (
  district_id bigint      NOT NULL REFERENCES districts,
  id          bigint      GENERATED ALWAYS AS IDENTITY,
  kind        text        NOT NULL DEFAULT 'merge' CHECK (kind IN ('merge', 'split')), -- split: Clever took apart what is merged here
  class       text        NOT NULL CHECK (class IN ('A', 'B', 'C')),
  fingerprint text        NOT NULL,                    -- of members and evidence: a page made for another cannot be sent
  keep_id     bigint      NOT NULL,
  tenths      integer     NOT NULL,
  chance      integer     NOT NULL,                    -- millionths
  risk        smallint    NOT NULL,                    -- 0 lowest; what a wrong merge could do
  bulk        boolean     NOT NULL,                    -- nothing stops acceptance in bulk
  unsure      boolean     NOT NULL DEFAULT false,
  returned    boolean     NOT NULL DEFAULT false,      -- somebody said "different" before, and there is more to it now
  school_ids  bigint[]    NOT NULL,                    -- of all members, ascending; '{}': only for those of the whole district
  evidence    jsonb       NOT NULL,                    -- pairs, reasons, what was said before
  taken_by    bigint,
  taken_at    timestamptz,
  created_at  timestamptz NOT NULL,
  changed_at  timestamptz NOT NULL,
  PRIMARY KEY (district_id, id),
  UNIQUE (district_id, fingerprint),
  FOREIGN KEY (district_id, keep_id)  REFERENCES users,
  FOREIGN KEY (district_id, taken_by) REFERENCES users
);
CREATE INDEX suggestions_queue ON suggestions (district_id, class, risk DESC, tenths DESC, id);

CREATE TABLE suggestion_members (
  district_id   bigint NOT NULL,
  suggestion_id bigint NOT NULL,
  user_id       bigint NOT NULL,
  PRIMARY KEY (district_id, suggestion_id, user_id),
  FOREIGN KEY (district_id, suggestion_id) REFERENCES suggestions ON DELETE CASCADE,
  FOREIGN KEY (district_id, user_id)       REFERENCES users
);
CREATE INDEX suggestion_members_by_user ON suggestion_members (district_id, user_id);

-- A merge, and what takes it back. Proposed: a second person must agree first, and nothing has moved.
CREATE TABLE merges (
  district_id   bigint      NOT NULL REFERENCES districts,
  id            bigint      NOT NULL CHECK (id > 0),   -- 1, 2, 3 … in each district
  state         text        NOT NULL CHECK (state IN ('proposed', 'refused', 'merged', 'unmerged')),
  survivor_id   bigint      NOT NULL,
  class         text        NOT NULL DEFAULT '' CHECK (class IN ('', 'A', 'B', 'C')),
  reason        text        NOT NULL DEFAULT '' CHECK (length(reason) <= 1000),
  choices       jsonb       NOT NULL DEFAULT '{}',     -- answers to what clashed, and fields chosen
  plan          bytea       NOT NULL,                  -- SHA-256 of the plan that was shown
  bulk          bigint,                                -- accepted together with others under this number
  proposed_by   bigint      NOT NULL,
  proposed_at   timestamptz NOT NULL,
  merged_by     bigint,                                -- the second person where one was needed
  merged_at     timestamptz,
  before_sum    bytea,                                 -- checksum over every row of every member, before and after
  after_sum     bytea,
  change_id     bigint,                                -- the receipt
  unmerged_by   bigint,
  unmerged_at   timestamptz,
  unmerged_sum  bytea,
  differs       jsonb,                                 -- rows that are not as before; '[]': identical to before the merge
  PRIMARY KEY (district_id, id),
  FOREIGN KEY (district_id, survivor_id) REFERENCES users,
  FOREIGN KEY (district_id, proposed_by) REFERENCES users,
  FOREIGN KEY (district_id, merged_by)   REFERENCES users,
  FOREIGN KEY (district_id, unmerged_by) REFERENCES users,
  FOREIGN KEY (district_id, change_id)   REFERENCES changes
);
CREATE INDEX merges_by_survivor ON merges (district_id, survivor_id);
CREATE INDEX merges_by_bulk     ON merges (district_id, bulk) WHERE bulk IS NOT NULL;

CREATE TABLE merge_members (
  district_id bigint NOT NULL,
  merge_id    bigint NOT NULL,
  user_id     bigint NOT NULL,                         -- those merged into the survivor
  PRIMARY KEY (district_id, merge_id, user_id),
  FOREIGN KEY (district_id, merge_id) REFERENCES merges,
  FOREIGN KEY (district_id, user_id)  REFERENCES users
);
CREATE INDEX merge_members_by_user ON merge_members (district_id, user_id);

-- Every row that a merge touched, as it was and as it became.
CREATE TABLE merge_rows (
  district_id bigint  NOT NULL,
  merge_id    bigint  NOT NULL,
  seq         integer NOT NULL,
  table_name  text    NOT NULL,
  key         jsonb   NOT NULL,
  op          text    NOT NULL CHECK (op IN ('insert', 'update', 'delete')),
  before      jsonb,
  after       jsonb,
  PRIMARY KEY (district_id, merge_id, seq),
  FOREIGN KEY (district_id, merge_id) REFERENCES merges
);

-- A batch offered for acceptance in bulk, the sample drawn from it, and what the sample said.
CREATE TABLE bulks (
  district_id bigint      NOT NULL REFERENCES districts,
  id          bigint      GENERATED ALWAYS AS IDENTITY,
  class       text        NOT NULL CHECK (class IN ('A', 'B')),
  suggestions jsonb       NOT NULL,                    -- fingerprints of the batch, in order
  seed        bigint      NOT NULL,
  sample      jsonb       NOT NULL,                    -- places drawn and the answers, in the order shown
  state       text        NOT NULL CHECK (state IN ('sampling', 'accepted', 'refused', 'undone')),
  most_wrong  integer,                                 -- millionths, at 95 %
  made_by     bigint      NOT NULL,
  made_at     timestamptz NOT NULL,
  closed_at   timestamptz,
  PRIMARY KEY (district_id, id),
  FOREIGN KEY (district_id, made_by) REFERENCES users
);

SELECT wall(ARRAY['imports', 'import_rows', 'import_errors', 'import_undo', 'imported_accounts', 'migrated_ids', 'pair_decisions', 'dedupe_models',
  'dedupe_keys', 'suggestions', 'suggestion_members', 'merges', 'merge_members', 'merge_rows', 'bulks']);

-- What must never be merged, whoever asks and by whatever way: a student or a contact on either side, two people whom
-- somebody said are different, and a chain. The program checks it first and says so in words; this is the last wall.
-- +goose StatementBegin
CREATE FUNCTION check_merge() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
BEGIN
  IF EXISTS (SELECT FROM users s WHERE s.district_id = NEW.district_id AND s.id = NEW.merged_into AND s.merged_into IS NOT NULL)
     OR EXISTS (SELECT FROM users l WHERE l.district_id = NEW.district_id AND l.merged_into = NEW.id) THEN
    RAISE EXCEPTION 'user % would be merged in a chain', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'never_merge_chain';
  END IF;
  IF EXISTS (SELECT FROM role_grants g WHERE g.district_id = NEW.district_id AND g.user_id IN (NEW.id, NEW.merged_into)
             AND g.role IN ('student', 'contact') AND g.ended_at IS NULL) THEN
    RAISE EXCEPTION 'user % or % is a student or a contact', NEW.id, NEW.merged_into USING ERRCODE = 'check_violation', CONSTRAINT = 'never_merge_role';
  END IF;
  IF EXISTS (
    WITH cluster AS (
      SELECT u.id FROM users u
       WHERE u.district_id = NEW.district_id AND (u.id = NEW.merged_into OR u.merged_into = NEW.merged_into)
    )
    SELECT FROM pair_decisions d JOIN cluster a ON a.id = d.lo JOIN cluster b ON b.id = d.hi
     WHERE d.district_id = NEW.district_id AND d.verdict = 'different' AND d.ended_at IS NULL) THEN
    RAISE EXCEPTION 'somebody said that two of the people to be merged are different' USING ERRCODE = 'check_violation', CONSTRAINT = 'never_merge_different';
  END IF;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER never_merge AFTER INSERT OR UPDATE OF merged_into ON users DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.merged_into IS NOT NULL) EXECUTE FUNCTION check_merge();

-- +goose Down
SELECT 1/0;
