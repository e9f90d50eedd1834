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

-- +goose Down
SELECT 1/0;
