-- +goose Up
-- Which schools there are is on every list of people, as a filter, and on every person's page, as a number; it moves once
-- a year. A copy in memory holds while the version that is read with the district is the copy's. Versions come from a
-- sequence, so that none comes twice, even if a district is erased and made anew.
CREATE SEQUENCE schools_versions;
ALTER TABLE districts ADD COLUMN schools_version bigint NOT NULL DEFAULT nextval('schools_versions');
ALTER SEQUENCE schools_versions OWNED BY districts.schools_version;
DROP INDEX schools_listed; -- they were counted by it

-- +goose StatementBegin
CREATE FUNCTION note_schools_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE districts SET schools_version = nextval('schools_versions') WHERE district_id IN (SELECT district_id FROM touched);
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER version_added   AFTER INSERT ON schools REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION note_schools_version();
CREATE TRIGGER version_changed AFTER UPDATE ON schools REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION note_schools_version();
CREATE TRIGGER version_removed AFTER DELETE ON schools REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION note_schools_version();

-- +goose Down
SELECT 1/0;
