-- +goose Up
-- The change that set the date of the cut-over, and the one that carried it out; NULL: nobody, or not yet. No foreign
-- keys: changes have one of their own to the district.
ALTER TABLE districts
  ADD COLUMN cut_over_change bigint,
  ADD COLUMN cut_over_done   bigint;

-- Every row that a cut-over archived, as it was.
CREATE TABLE cut_over_rows (
  district_id bigint NOT NULL,
  change_id   bigint NOT NULL,                        -- the receipt of the cut-over
  table_name  text   NOT NULL CHECK (table_name IN ('imported_accounts', 'users', 'user_search', 'accounts', 'identities')),
  key         text   COLLATE "C" NOT NULL,            -- the row's id; of a search row its user's, of an identity its value
  was         jsonb  NOT NULL,
  PRIMARY KEY (district_id, change_id, table_name, key),
  FOREIGN KEY (district_id, change_id) REFERENCES changes
);
SELECT wall(ARRAY['cut_over_rows']);

-- A batch is planned, sampled, agreed to and merged one by one, each with the plan that was made for it; a program that
-- takes it up after another died goes on where that stopped.
ALTER TABLE bulks
  DROP COLUMN suggestions,
  DROP CONSTRAINT bulks_state_check,
  ADD CONSTRAINT bulks_state_check CHECK (state IN ('planning', 'sampling', 'ready', 'refused', 'dropped', 'applying', 'accepted', 'undoing', 'undone')),
  ADD COLUMN why       text        NOT NULL DEFAULT '',  -- a code: why it was refused
  ADD COLUMN view      text        NOT NULL DEFAULT '',  -- that the person wore
  ADD COLUMN undone_by bigint,
  ADD COLUMN change_id bigint,                           -- the receipts of agreeing to it and of taking it back
  ADD COLUMN undo_id   bigint,
  ADD COLUMN beat_at   timestamptz NOT NULL,
  ADD FOREIGN KEY (district_id, undone_by) REFERENCES users,
  ADD FOREIGN KEY (district_id, change_id) REFERENCES changes,
  ADD FOREIGN KEY (district_id, undo_id)   REFERENCES changes;

CREATE TABLE bulk_items (
  district_id bigint   NOT NULL,
  bulk_id     bigint   NOT NULL,
  n           integer  NOT NULL,                         -- from 1, in the order of the list
  case_id     bigint   NOT NULL,                         -- of the suggestion, which may be gone by now
  fingerprint text     NOT NULL,                         -- of members and evidence, as they were listed
  members     bigint[] NOT NULL,                         -- ascending
  keep_id     bigint   NOT NULL,
  plan        bytea,                                     -- SHA-256 of its merge's plan; NULL: not planned yet
  counts      jsonb    NOT NULL DEFAULT '{}',            -- what its merge would do
  state       text     NOT NULL CHECK (state IN ('waiting', 'left', 'merged', 'unmerged', 'kept')),
  why         text     NOT NULL DEFAULT '',              -- a code: why it was left out, or kept when the batch was taken back
  merge_id    bigint,
  PRIMARY KEY (district_id, bulk_id, n),
  FOREIGN KEY (district_id, bulk_id)  REFERENCES bulks,
  FOREIGN KEY (district_id, merge_id) REFERENCES merges
);
SELECT wall(ARRAY['bulk_items']);

-- +goose Down
SELECT 1/0;
