-- +goose Up
-- Keys made for sorting and searching (..._key) are folded by Hallpass: lower case, no accents, cut to a length a
-- B-tree can hold. Collation C, so that the order is the same on every server and keyset comparisons are leakproof.

CREATE TABLE schools (
  district_id   bigint      NOT NULL REFERENCES districts,
  id            bigint      GENERATED ALWAYS AS IDENTITY,
  clever_id     text        NOT NULL,
  listed        boolean     NOT NULL,             -- false: people or sections name it, but Clever does not share it
  name          text        NOT NULL,
  name_key      text        COLLATE "C" NOT NULL,
  sis_id        text        NOT NULL DEFAULT '',
  school_number text        NOT NULL DEFAULT '',
  low_grade     text        NOT NULL DEFAULT '',
  high_grade    text        NOT NULL DEFAULT '',
  digest        bytea       NOT NULL DEFAULT '',  -- of the record as Clever sent it; '' makes the next sync rewrite it
  created_at    timestamptz NOT NULL,
  changed_at    timestamptz NOT NULL,
  ended_at      timestamptz,
  PRIMARY KEY (district_id, id),
  UNIQUE (district_id, clever_id)
);
CREATE INDEX schools_by_name ON schools (district_id, name_key, id);

-- Clever may delete a term and send it again under another id, so nothing but sections refers to one.
CREATE TABLE terms (
  district_id bigint      NOT NULL REFERENCES districts,
  id          bigint      GENERATED ALWAYS AS IDENTITY,
  clever_id   text        NOT NULL,
  name        text        NOT NULL DEFAULT '',
  start_date  date,
  end_date    date,
  digest      bytea       NOT NULL DEFAULT '',
  created_at  timestamptz NOT NULL,
  changed_at  timestamptz NOT NULL,
  ended_at    timestamptz,
  PRIMARY KEY (district_id, id),
  UNIQUE (district_id, clever_id)
);

CREATE TABLE users (
  district_id   bigint      NOT NULL REFERENCES districts,
  id            bigint      GENERATED ALWAYS AS IDENTITY,
  clever_id     text COLLATE "C",                 -- contact_students joins on it; NULL: imported, not yet matched to Clever
  first_name    text        NOT NULL DEFAULT '',
  middle_name   text        NOT NULL DEFAULT '',
  last_name     text        NOT NULL DEFAULT '',  -- a contact's whole name
  email         text        NOT NULL DEFAULT '',  -- not unique, not verified, often missing
  name_key      text        COLLATE "C" NOT NULL,
  email_key     text        COLLATE "C" NOT NULL,
  role_count    smallint    NOT NULL DEFAULT 0,   -- roles held now
  digest        bytea       NOT NULL DEFAULT '',
  created_at    timestamptz NOT NULL,
  changed_at    timestamptz NOT NULL,             -- Clever's last_modified at the last change of anything we keep
  ended_at      timestamptz,
  confirmed_at  timestamptz,                      -- the last sign-in: a sync that began before it cannot end them
  PRIMARY KEY (district_id, id),
  UNIQUE (district_id, clever_id)
);
-- One index for each sort of the people list, and two for its rare filters. Most people are current, so that the
-- default list walks users_by_name and passes over the few who are not.
CREATE INDEX users_by_name       ON users (district_id, name_key, id);
CREATE INDEX users_by_email      ON users (district_id, email_key, id);
CREATE INDEX users_by_changed    ON users (district_id, changed_at, id);
CREATE INDEX users_several_roles ON users (district_id, name_key, id) WHERE ended_at IS NULL AND role_count > 1;
CREATE INDEX users_ended         ON users (district_id, name_key, id) WHERE ended_at IS NOT NULL;

-- Every outside id that leads to a user. Never deleted: an ended one still answers sync, sign-in and old links.
CREATE TABLE identities (
  district_id bigint      NOT NULL,
  kind        text        NOT NULL CHECK (kind IN ('clever', 'legacy', 'account')),
  value       text        COLLATE "C" NOT NULL,
  user_id     bigint      NOT NULL,
  role        text        NOT NULL DEFAULT '',    -- the role a legacy id belonged to
  created_at  timestamptz NOT NULL,
  ended_at    timestamptz,
  PRIMARY KEY (district_id, kind, value),
  FOREIGN KEY (district_id, user_id) REFERENCES users
);
CREATE INDEX identities_by_user ON identities (district_id, user_id);

-- What the app hangs its data on. Strategy "consolidated": one per user, role ''.
CREATE TABLE accounts (
  district_id     bigint      NOT NULL,
  id              bigint      GENERATED ALWAYS AS IDENTITY,
  user_id         bigint      NOT NULL,
  role            text        NOT NULL DEFAULT '',
  created_at      timestamptz NOT NULL,
  last_sign_in_at timestamptz,
  retired_at      timestamptz,
  PRIMARY KEY (district_id, id),
  UNIQUE (district_id, user_id, role),
  FOREIGN KEY (district_id, user_id) REFERENCES users
);

-- User holds role, from a source. role is Clever's key, also one that Hallpass does not know: it is kept and shown.
CREATE TABLE role_grants (
  district_id bigint      NOT NULL,
  id          bigint      GENERATED ALWAYS AS IDENTITY,
  user_id     bigint      NOT NULL,
  role        text        NOT NULL,
  source      text        NOT NULL CHECK (source IN ('clever', 'manual')),
  legacy_id   text        NOT NULL DEFAULT '',
  sis_id      text        NOT NULL DEFAULT '',    -- sis_id, or staff_id of a staff role
  number      text        NOT NULL DEFAULT '',    -- teacher_number, student_number
  sis_key     text        COLLATE "C" NOT NULL DEFAULT '',
  number_key  text        COLLATE "C" NOT NULL DEFAULT '',
  title       text        NOT NULL DEFAULT '',
  grade       text        NOT NULL DEFAULT '',
  labels      text[]      NOT NULL DEFAULT '{}',  -- staff labels (PortalOnly, SchoolTechLead, unknown ones kept)
  name_key    text        COLLATE "C" NOT NULL,   -- the user's, copied: role lists sort without a join
  since       timestamptz NOT NULL,
  ended_at    timestamptz,
  PRIMARY KEY (district_id, id),
  UNIQUE (district_id, user_id, role, source),
  FOREIGN KEY (district_id, user_id) REFERENCES users
);
CREATE INDEX role_grants_current_by_role ON role_grants (district_id, role, name_key, user_id) WHERE ended_at IS NULL;
CREATE INDEX role_grants_by_sis    ON role_grants (district_id, sis_key)    WHERE sis_key <> '';
CREATE INDEX role_grants_by_number ON role_grants (district_id, number_key) WHERE number_key <> '';

CREATE TABLE role_grant_schools (
  district_id bigint      NOT NULL,
  grant_id    bigint      NOT NULL,
  school_id   bigint      NOT NULL,
  user_id     bigint      NOT NULL,
  role        text        NOT NULL,
  is_primary  boolean     NOT NULL,
  name_key    text        COLLATE "C" NOT NULL,
  since       timestamptz NOT NULL,
  ended_at    timestamptz,
  PRIMARY KEY (district_id, grant_id, school_id),
  FOREIGN KEY (district_id, grant_id)  REFERENCES role_grants,
  FOREIGN KEY (district_id, school_id) REFERENCES schools,
  FOREIGN KEY (district_id, user_id)   REFERENCES users
);
CREATE INDEX role_grant_schools_by_user   ON role_grant_schools (district_id, user_id);
CREATE INDEX role_grant_schools_by_role   ON role_grant_schools (district_id, school_id, role, name_key, user_id) WHERE ended_at IS NULL;
CREATE INDEX role_grant_schools_by_school ON role_grant_schools (district_id, school_id, name_key, user_id) WHERE ended_at IS NULL;

-- A contact names students by Clever id; the student may come later in the same sync, or never be shared.
CREATE TABLE contact_students (
  district_id       bigint NOT NULL,
  contact_id        bigint NOT NULL,
  student_clever_id text   COLLATE "C" NOT NULL,
  relationship      text   NOT NULL DEFAULT '',
  kind              text   NOT NULL DEFAULT '',   -- Clever's relationship "type"
  PRIMARY KEY (district_id, contact_id, student_clever_id),
  FOREIGN KEY (district_id, contact_id) REFERENCES users
);
CREATE INDEX contact_students_by_student ON contact_students (district_id, student_clever_id);

CREATE TABLE sections (
  district_id         bigint      NOT NULL,
  id                  bigint      GENERATED ALWAYS AS IDENTITY,
  clever_id           text        NOT NULL,
  school_id           bigint      NOT NULL,
  term_id             bigint,                     -- Clever's term may be null, or not shared
  name                text        NOT NULL DEFAULT '',
  name_key            text        COLLATE "C" NOT NULL,
  sis_id              text        NOT NULL DEFAULT '',
  section_number      text        NOT NULL DEFAULT '',
  period              text        NOT NULL DEFAULT '',
  grade               text        NOT NULL DEFAULT '',
  subject             text        NOT NULL DEFAULT '',
  students            integer     NOT NULL DEFAULT 0,
  teachers_not_shared integer     NOT NULL DEFAULT 0,
  students_not_shared integer     NOT NULL DEFAULT 0,
  digest              bytea       NOT NULL DEFAULT '',
  created_at          timestamptz NOT NULL,
  changed_at          timestamptz NOT NULL,
  ended_at            timestamptz,
  PRIMARY KEY (district_id, id),
  UNIQUE (district_id, clever_id),
  FOREIGN KEY (district_id, school_id) REFERENCES schools,
  FOREIGN KEY (district_id, term_id)   REFERENCES terms
);
CREATE INDEX sections_current_by_school ON sections (district_id, school_id, name_key, id) WHERE ended_at IS NULL;

CREATE TABLE section_teachers (
  district_id bigint  NOT NULL,
  section_id  bigint  NOT NULL,
  user_id     bigint  NOT NULL,
  is_primary  boolean NOT NULL,
  PRIMARY KEY (district_id, section_id, user_id),
  FOREIGN KEY (district_id, section_id) REFERENCES sections,
  FOREIGN KEY (district_id, user_id)    REFERENCES users
);
CREATE INDEX section_teachers_by_user ON section_teachers (district_id, user_id, section_id);

CREATE TABLE section_students (
  district_id bigint NOT NULL,
  section_id  bigint NOT NULL,
  user_id     bigint NOT NULL,
  PRIMARY KEY (district_id, section_id, user_id),
  FOREIGN KEY (district_id, section_id) REFERENCES sections,
  FOREIGN KEY (district_id, user_id)    REFERENCES users
);
CREATE INDEX section_students_by_user ON section_students (district_id, user_id, section_id);

-- People by role, at a school (or 0: the whole district), counted at the end of each sync. role '' is anyone.
CREATE TABLE head_counts (
  district_id bigint  NOT NULL REFERENCES districts,
  school_id   bigint  NOT NULL,
  role        text    NOT NULL,
  people      integer NOT NULL,
  several     integer NOT NULL,                   -- of those, people who hold another role too
  PRIMARY KEY (district_id, school_id, role)
);

SELECT wall(ARRAY['schools', 'terms', 'users', 'identities', 'accounts', 'role_grants', 'role_grant_schools',
  'contact_students', 'sections', 'section_teachers', 'section_students', 'head_counts']);

-- What the people search matches against. Outside the wall: under row-level security PostgreSQL keeps LIKE and &&
-- from using an index (they are not leakproof). One method reads it, with its own district filter, and takes ids
-- only; what is shown is always read from the walled tables.
CREATE TABLE user_search (
  district_id bigint   NOT NULL,
  user_id     bigint   NOT NULL,
  name_key    text     COLLATE "C" NOT NULL,
  current     boolean  NOT NULL,
  doc         text     COLLATE "C" NOT NULL,      -- folded names and email, each word after a space
  school_ids  bigint[] NOT NULL,                  -- schools of the roles held; a contact's: those of its students
  PRIMARY KEY (district_id, user_id),
  FOREIGN KEY (district_id, user_id) REFERENCES users
);
CREATE INDEX user_search_match ON user_search USING gin (district_id, doc gin_trgm_ops, school_ids);
CREATE INDEX user_search_by_name ON user_search (district_id, name_key, user_id);

-- After much was written: fresh statistics, and the search index's pending entries sorted in. Both need the owner's
-- right, which the app's role lacks, so they come as one fixed deed.
-- +goose StatementBegin
CREATE FUNCTION settle_roster() RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  AS $$
BEGIN
  PERFORM gin_clean_pending_list('public.user_search_match'::regclass);
  ANALYZE public.schools, public.terms, public.users, public.identities, public.accounts, public.role_grants,
    public.role_grant_schools, public.contact_students, public.sections, public.section_teachers,
    public.section_students, public.user_search;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION settle_roster() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION settle_roster() TO hallpass_app;

-- +goose Down
SELECT 1/0;
