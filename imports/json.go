package imports

import (
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hallpass/models"
)

// jsonFile reads accounts as API v2 lists people: one list or several, one after another or under the names of their
// roles, each record bare or in an envelope of its own.
type jsonFile struct {
	d       *jsontext.Decoder
	watched *watched
	lists   []string // the roles of the lists around, as their names say; "" where those say none
	columns columns
	over    bool
}

func openJSON(r io.Reader) *jsonFile {
	w := watch(r)
	return &jsonFile{d: jsontext.NewDecoder(w, jsontext.AllowDuplicateNames(true)), watched: w, columns: columns{kind: models.ImportAccounts}}
}

// next finds the next record. A file that is no JSON ends at the place where it is none.
func (f *jsonFile) next() (models.ImportRow, []models.RowError, error) {
	for !f.over {
		f.watched.begin(f.d.InputOffset())
		kind := f.d.PeekKind()
		_, role := f.inside()
		switch {
		case kind == '{' && len(f.lists) > 0 && f.inList():
			return f.record(role)
		case kind == '{' || kind == '[':
			if _, err := f.d.ReadToken(); err != nil {
				return f.broken(err)
			}
			f.lists = append(f.lists, role)
		case kind == '}' || kind == ']':
			if _, err := f.d.ReadToken(); err != nil {
				return f.broken(err)
			}
			f.lists = f.lists[:len(f.lists)-1]
		case kind == '"' && f.named():
			token, err := f.d.ReadToken()
			if err != nil {
				return f.broken(err)
			}
			if err := f.enter(token.String(), role); err != nil {
				return f.broken(err)
			}
		default: // a number among lists, or the end
			if err := f.d.SkipValue(); err != nil {
				return f.broken(err)
			}
		}
	}
	return models.ImportRow{}, nil, io.EOF
}

// inside is how deep the file is open, and the role of the innermost list.
func (f *jsonFile) inside() (depth int, role string) {
	if len(f.lists) == 0 {
		return 0, ""
	}
	return len(f.lists), f.lists[len(f.lists)-1]
}

// inList reports that the value to come is an element of a list.
func (f *jsonFile) inList() bool {
	kind, _ := f.d.StackIndex(f.d.StackDepth())
	return kind == '['
}

// named reports that the text to come is the name of a member.
func (f *jsonFile) named() bool {
	kind, n := f.d.StackIndex(f.d.StackDepth())
	return kind == '{' && n%2 == 0
}

// enter goes into the lists of people, and passes over every other member.
func (f *jsonFile) enter(name, role string) error {
	of, known := roles[bare(name)]
	switch {
	case known:
		role = string(of)
	case bare(name) != "data" && bare(name) != "accounts" && bare(name) != "users":
		return f.d.SkipValue()
	}
	if k := f.d.PeekKind(); k != '[' && k != '{' {
		return f.d.SkipValue()
	}
	if _, err := f.d.ReadToken(); err != nil {
		return err
	}
	f.lists = append(f.lists, role)
	return nil
}

// record reads one record whole.
func (f *jsonFile) record(role string) (row models.ImportRow, wrong []models.RowError, err error) {
	raw, err := f.d.ReadValue()
	if err != nil {
		return f.broken(err)
	}
	line, col := f.watched.place(f.d.InputOffset() - int64(len(raw)))
	row.Line, row.Col = line, col
	r, problem := flat(raw)
	if problem != "" {
		return row, []models.RowError{{Line: line, Col: col, Field: problem, Code: "shape"}}, nil
	}
	if r[fieldRole] == "" || roles[bare(r[fieldRole])] == "" && role != "" {
		r[fieldRole] = role
	}
	made, troubles := f.columns.row(r)
	made.Line, made.Col = line, col
	for _, t := range troubles {
		wrong = append(wrong, models.RowError{Line: line, Col: col, Field: string(t.field), Code: t.code})
	}
	return made, wrong, nil
}

// flat is a record as cells. problem names a member of a shape that it never has.
func flat(raw []byte) (r record, problem string) {
	var members map[string]jsontext.Value
	if json.Unmarshal(raw, &members, jsontext.AllowDuplicateNames(true)) != nil {
		return nil, "data"
	}
	r = record{}
	if inner, ok := members["data"]; ok && inner.Kind() == '{' { // an envelope, whose address says the role
		var uri string
		_ = json.Unmarshal(members["uri"], &uri) // without one, the list around says it
		if r, problem = flat(inner); problem == "" && r[fieldRole] == "" {
			for part := range strings.SplitSeq(uri, "/") {
				if _, known := roles[bare(part)]; known {
					r[fieldRole] = part
				}
			}
		}
		return r, problem
	}
	id := ""
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value := members[name]
		f, known := names[bare(name)]
		if bare(name) == "id" {
			id, _ = cell(value)
			continue
		}
		if !known {
			continue
		}
		if f == fieldName && value.Kind() == '{' {
			var parts struct{ First, Middle, Last *string }
			if json.Unmarshal(value, &parts, json.MatchCaseInsensitiveNames(true)) != nil {
				return nil, string(f)
			}
			for to, part := range map[field]*string{fieldFirst: parts.First, fieldMiddle: parts.Middle, fieldLast: parts.Last} {
				if part != nil {
					r[to] = *part
				}
			}
			continue
		}
		text, ok := cell(value)
		if !ok {
			return nil, string(f)
		}
		if r[f] == "" || bare(name) == "schools" {
			r[f] = text
		}
	}
	// API v2 has no id of the app's: apps of that time went by Clever's.
	if r[fieldAccount] == "" {
		r[fieldAccount] = id
	}
	if r[fieldLegacy] == "" {
		r[fieldLegacy] = id
	}
	return r, ""
}

// cell is a text, a number, nothing, or a list of those, as one text.
func cell(v jsontext.Value) (text string, ok bool) {
	switch v.Kind() {
	case 'n':
		return "", true
	case '"':
		ok = json.Unmarshal(v, &text) == nil
		return text, ok
	case '0':
		return string(v), true
	case '[':
		var list []jsontext.Value
		if json.Unmarshal(v, &list) != nil {
			return "", false
		}
		var parts []string
		for _, e := range list {
			part, ok := cell(e)
			if !ok || e.Kind() == '[' {
				return "", false
			}
			parts = append(parts, part)
		}
		return strings.Join(parts, ";"), true
	default: // an object or a truth value is no text
		return "", false
	}
}

// broken ends the file where it is no JSON, or gives what is no fault of the file.
func (f *jsonFile) broken(err error) (models.ImportRow, []models.RowError, error) {
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && f.d.StackDepth() == 0 {
		f.over = true
		return models.ImportRow{}, nil, io.EOF
	}
	var code string
	var offset int64
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.Is(err, errRecord):
		code, offset = "record_long", f.watched.mark
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		code, offset = "cut_off", f.watched.read
	case errors.As(err, &syntactic):
		code, offset = "json", syntactic.ByteOffset
	default:
		return models.ImportRow{}, nil, err
	}
	f.over = true
	line, col := f.watched.place(offset)
	return models.ImportRow{}, []models.RowError{{Line: line, Col: col, Code: code}}, io.EOF
}
