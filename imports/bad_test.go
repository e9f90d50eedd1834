package imports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// wrongs are a failed import's errors as "line:column field code".
func (p place) wrongs(i models.Import) string {
	p.Helper()
	var said []string
	modelstest.Read(p, p.store, p.district, func(tx *models.Tx) error {
		list, err := tx.ImportErrors(p.Context(), i.ID, models.RowError{}, 100)
		for _, e := range list {
			said = append(said, strings.TrimSpace(fmt.Sprintf("%d:%d %s", e.Line, e.Col, strings.TrimSpace(e.Field+" "+e.Code))))
		}
		return err
	})
	return strings.Join(said, ", ")
}

// count counts the rows of a table.
func (p place) count(table string) (n int) {
	p.Helper()
	if err := p.look.QueryRow(p.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil {
		p.Fatal(err)
	}
	return n
}

func TestBadFilesImportNothingAndSayWhere(t *testing.T) {
	p := newPlace(t)
	const head = "account_id,role,clever_id,last_name\n"
	for _, c := range []struct{ name, file, code, wrong string }{
		{"missing columns", "account_id,email\n1,a\n", "rows", "1:0 last_name column_missing, 1:0 role column_missing"},
		{"a column twice", "account_id,role,last_name,surname\n1,teacher,A,B\n", "rows", "1:0 last_name column_twice"},
		{"an id twice", head + "1,teacher,a,Ñandú\n2,teacher,b,B\n1,staff,c,C\n", "rows", "4:1 app_id twice"},
		{"cells empty or unknown", head + ",teacher,a,A\n2,wizard,b,B\n3,,c,C\n", "rows", "2:1 account_id empty, 3:3 role role, 4:3 role empty"},
		{"a row without a name", head + "1,teacher,a, \n", "rows", "2:14 last_name empty"},
		{"columns count letters", "last_name,role,account_id\nÑandú,wizard,1\n\"Ñ,\nñandú\",teacher,\n", "rows", "2:7 role role, 4:16 account_id empty"},
		{"a quote inside", head + "1,teacher,a,O\"Brien\n2,teacher,b,B\n", "rows", "2:14 quote_inside"},
		{"a quote too many", head + "1,teacher,a,\"Ñ\"x\"\n2,teacher,b,B\n", "rows", "2:15 quote"},
		{"a quote never closed", head + "1,teacher,a,\"A\n2,teacher,b,B\n", "rows", "2:0 quote_open"},
		{"a long record", head + "1,teacher,a,\"A" + strings.Repeat("\nx", 2*maxRecord) + "\n", "rows", "2:0 record_long"},
		{"too few cells", head + "1,teacher,a,A\n2,teach", "rows", "3:3 cells_few"},
		{"too many cells", head + "1,teacher,a,A,B\n", "rows", "2:15 cells_many"},
		{"a date", "id,role,name,last_used\n1,teacher,A,31/31/2026\n", "rows", "2:13 last_used date"},
		{"nothing", "", "empty", ""},
		{"a head alone", head, "empty", ""},
		{"a spreadsheet", "PK\x03\x04xx[Content_Types].xml", "spreadsheet", ""},
		{"a picture", "\x89PNG\x00\x00", "binary", ""},
		{"broken UTF-8", head + "1,teacher,a,Ñ\n2,teacher,b,\xff\n", "rows", "3:13 last_name letter"},
		{"half a JSON file", `{"teachers": [{"id": "a", "name": {"last": "A"}}, {"id": "b"`, "rows", "1:61 cut_off"},
		{"no JSON", "{\"teachers\": [\n  {\"id\": a}]}", "rows", "2:10 json"},
		{"JSON of another shape", `{"teachers": [{"id": "a", "name": [[1]]}]}`, "rows", "1:15 name shape"},
		{"an address with no role", `[{"id": "a", "name": {"last": "A"}}]`, "rows", "1:2 role empty"},
	} {
		i := p.bring(c.file)
		code, _, _ := strings.Cut(i.Error, " ")
		if have := p.wrongs(i); i.State != models.ImportFailed || code != c.code || have != c.wrong {
			t.Errorf("%s: %s %q\nhave %s\nwant %s", c.name, i.State, i.Error, have, c.wrong)
		}
	}
	if n := p.count("imported_accounts") + p.count("import_rows"); n != 0 {
		t.Errorf("%d rows stayed", n)
	}
}

func TestFilesOfAnyEncodingAndSeparatorAreTheSame(t *testing.T) {
	p := newPlace(t)
	const file = "account_id;role;clever_id;first_name;last_name\r\n1;teacher;lt2;Añn;\"Ortiz; Ñu\"\r\n"
	encoded := func(text []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, c := range []struct{ form, file string }{
		{"semicolon utf-8", file},
		{"semicolon utf-8", "\ufeff" + file},
		{"semicolon latin-1", encoded(charmap.ISO8859_1.NewEncoder().Bytes([]byte(file)))},
		{"semicolon utf-16le", encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(file)))},
		{"semicolon utf-16be", encoded(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(file)))},
		{"tab utf-8", strings.ReplaceAll(strings.ReplaceAll(file, "; ", "@"), ";", "\t")},
	} {
		c.file = strings.ReplaceAll(c.file, "@", "; ")
		i := p.bring(c.file)
		if i.State != models.ImportApplied || i.Form != c.form || i.Counts.New+i.Counts.Same != 1 || i.Counts.Changed != 0 {
			t.Errorf("%s: %s %q %s %+v", c.form, i.State, i.Error, i.Form, i.Counts)
		}
	}
	var name string
	if err := p.look.QueryRow(t.Context(), `SELECT first_name || ' ' || last_name FROM imported_accounts`).Scan(&name); err != nil || name != "Añn Ortiz; Ñu" {
		t.Errorf("name %q, %v", name, err)
	}
}

func TestListsOfTheOldAPI(t *testing.T) {
	p := newPlace(t)
	i := p.bring(`{"data": [{"data": {"id": "lt2", "name": {"first": "Ann", "last": "Ortiz"}, "email": "a@x", "schools": ["s1"], "district": "d1"}, "uri": "/v2.1/teachers/lt2"}], "links": [{"rel": "self", "uri": "/v2.1/teachers"}]}
{"school_admins": [{"id": "gone", "name": {"first": "Old", "last": "Boss"}, "staff_id": 7, "ext": {"x": [1]}}]}`)
	if i.State != models.ImportApplied || i.Form != "json utf-8" {
		t.Fatalf("import %s %q %s: %s", i.State, i.Error, i.Form, p.wrongs(i))
	}
	if have, want := p.accounts(), "gone: unmatched not_found own Old\nlt2: linked  u2"; have != want {
		t.Errorf("have\n%s\nwant\n%s", have, want)
	}
}

func TestALookLeavesNothing(t *testing.T) {
	p := newPlace(t)
	before := p.count("users")
	i, err := File(t.Context(), p.store, p.district, "a.csv", 0, strings.NewReader(sample), true)
	if err != nil || i.State != models.ImportDropped || i.Counts.New != 9 {
		t.Fatalf("%+v, %v", i, err)
	}
	if n := p.count("imported_accounts") + p.count("import_rows") + p.count("identities WHERE kind = 'account'") + p.count("users") - before; n != 0 {
		t.Errorf("%d rows stayed", n)
	}
}

// brokenLine fails in the middle, as a sender who goes.
type brokenLine struct{ io.Reader }

func (b brokenLine) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func TestASenderWhoGoesLeavesNothing(t *testing.T) {
	p := newPlace(t)
	i, err := File(t.Context(), p.store, p.district, "a.csv", 0, brokenLine{bytes.NewReader([]byte(sample))}, false)
	if err != nil || i.State != models.ImportFailed || i.Error != "broken_off" || p.count("import_rows") != 0 {
		t.Errorf("%s %q, %d rows, %v", i.State, i.Error, p.count("import_rows"), err)
	}
}

func TestLateArrivalsFindTheirAccounts(t *testing.T) {
	p := newPlace(t)
	p.bring(sample)
	p.people(models.RosterUser{CleverID: "u9", First: "Old", Last: "Teacher", Grants: []models.RosterGrant{{Role: "teacher", LegacyID: "gone", Schools: []string{"s1"}}}})
	if have := p.accounts(); !strings.Contains(have, "4: linked  u9\n") {
		t.Errorf("have\n%s", have)
	}
	if n := p.count("users WHERE clever_id IS NULL AND first_name = 'Old' AND ended_at IS NULL"); n != 0 {
		t.Error("the account's own person is still there")
	}
}

func TestAnImportIsTakenBack(t *testing.T) {
	p := newPlace(t)
	first := p.bring(sample)
	was := p.accounts()
	second := p.bring(strings.NewReplacer("Old,Teacher", "Older,Teacher", "3,teacher,lt2", "3,teacher,nowhere").Replace(sample) + "10,staff,new,N,E,,,,\n")
	if second.Counts.Changed != 2 || second.Counts.New != 1 {
		t.Fatalf("second %+v", second.Counts)
	}
	undo := func(i models.Import) models.Import {
		scope := p.store.As(access.System(p.district, "test"))
		if err := scope.Write(t.Context(), func(tx *models.Tx) error { return tx.AgreeToUndo(t.Context(), i.ID, "", nil) }); err != nil {
			t.Fatal(err)
		}
		if err := Work(t.Context(), p.store, p.district, i.ID); err != nil {
			t.Fatal(err)
		}
		modelstest.Read(t, p.store, p.district, func(tx *models.Tx) (err error) { i, err = tx.Import(t.Context(), i.ID); return err })
		return i
	}
	if i := undo(first); i.State != models.ImportApplied || i.Error != "blocked" {
		t.Errorf("the first one went under the second: %s %q", i.State, i.Error)
	}
	if i := undo(second); i.State != models.ImportUndone {
		t.Errorf("second: %s %q", i.State, i.Error)
	}
	if have := p.accounts(); have != was {
		t.Errorf("have\n%s\nwant\n%s", have, was)
	}
	if i := undo(first); i.State != models.ImportUndone || p.count("imported_accounts") != 0 || p.count("users WHERE clever_id IS NULL AND ended_at IS NULL") != 0 {
		t.Errorf("first: %s, %s", i.State, p.accounts())
	}
	p.bring(sample)
	if have := p.accounts(); have != matched {
		t.Errorf("brought in once more:\n%s", have)
	}
}

func TestCleversOwnListLeadsOn(t *testing.T) {
	p := newPlace(t)
	p.bring(sample)
	i := p.bring("role_id,user_id\ngone,u2\nother,u404\nother,u404\n")
	if i.State != models.ImportApplied || i.Kind != models.ImportMigration || i.Counts.New != 2 {
		t.Fatalf("%+v", i)
	}
	if have := p.accounts(); !strings.Contains(have, "4: ambiguous several own Old\n") { // u2 has an account already
		t.Errorf("have\n%s", have)
	}
}
