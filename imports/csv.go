package imports

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"hallpass/models"
)

// separators by what a file's form calls them.
var separators = []struct {
	name string
	rune rune
}{{"comma", ','}, {"semicolon", ';'}, {"tab", '\t'}}

// csvFile reads rows of a CSV file.
type csvFile struct {
	file    *csv.Reader
	watched *watched
	columns columns
	comma   string
	width   int
}

// openCSV reads the header. wrong names what keeps the file from being read at all.
func openCSV(r io.Reader) (f *csvFile, wrong []models.RowError, err error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, err := b.Peek(32 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	f = &csvFile{watched: watch(b)}
	name, comma := separated(head)
	f.comma = name
	f.file = csv.NewReader(f.watched)
	f.file.Comma, f.file.FieldsPerRecord, f.file.ReuseRecord = comma, -1, true
	f.file.TrimLeadingSpace = comma != '\t' // a tab is a space
	header, err := f.file.Read()
	switch {
	case errors.Is(err, io.EOF):
		return f, nil, nil // an empty file has no rows
	case err != nil:
		e, err := f.broken(err)
		if errors.Is(err, io.EOF) { // said in e
			err = nil
		}
		return f, []models.RowError{e}, err
	}
	f.width = len(header)
	f.columns, wrong = headed(header)
	return f, wrong, nil
}

// separated finds out what stands between the cells of the first line: what makes most columns that are known.
func separated(head []byte) (name string, comma rune) {
	line, _, _ := bytes.Cut(bytes.TrimLeft(head, "\r\n \t"), []byte{'\n'})
	name, comma = separators[0].name, separators[0].rune
	most := -1
	for _, s := range separators {
		r := csv.NewReader(bytes.NewReader(line))
		r.Comma, r.LazyQuotes, r.TrimLeadingSpace = s.rune, true, s.rune != '\t'
		cells, err := r.Read()
		if err != nil {
			continue
		}
		known := 0
		for _, cell := range cells {
			if _, ok := names[bare(cell)]; ok {
				known++
			}
		}
		if score := 100*known + len(cells); score > most {
			most, name, comma = score, s.name, s.rune
		}
	}
	return name, comma
}

// next reads one row. io.EOF: there is none. A row that is wrong comes with what is wrong, and the next one follows.
func (f *csvFile) next() (row models.ImportRow, wrong []models.RowError, err error) {
	f.watched.begin(f.file.InputOffset())
	cells, err := f.file.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return row, nil, io.EOF
		}
		e, err := f.broken(err)
		return row, []models.RowError{e}, err
	}
	line, _ := f.file.FieldPos(0)
	row.Line = int64(line)
	if len(cells) != f.width {
		code, at := "cells_few", len(cells)-1
		if len(cells) > f.width {
			code, at = "cells_many", f.width
		}
		_, col := f.place(cells, at)
		return row, []models.RowError{{Line: row.Line, Col: col, Code: code}}, nil
	}
	r := make(record, len(f.columns.at))
	for name, at := range f.columns.at {
		r[name] = strings.Clone(cells[at]) // the cells are parts of one text, which would be kept with all that nobody asked for
	}
	made, troubles := f.columns.row(r)
	made.Line = row.Line
	first := fieldAccount
	if f.columns.kind == models.ImportMigration {
		first = fieldLegacy
	}
	_, made.Col = f.place(cells, f.columns.at[first])
	for _, t := range troubles {
		l, col := f.place(cells, f.columns.at[t.field])
		wrong = append(wrong, models.RowError{Line: l, Col: col, Field: string(t.field), Code: t.code})
	}
	return made, wrong, nil
}

// place tells where a cell begins, in characters: encoding/csv counts bytes.
func (f *csvFile) place(cells []string, at int) (line int64, col int) {
	l, c := f.file.FieldPos(at)
	for i := at - 1; i >= 0; i-- {
		own := cells[i]
		began, _ := f.file.FieldPos(i)
		if end := bytes.LastIndexByte([]byte(own), '\n'); began != l && end >= 0 { // the cell began lines before
			own = own[end+1:]
			return int64(l), c - (len(own) - utf8.RuneCountInString(own))
		}
		if began != l {
			break
		}
		c -= len(own) - utf8.RuneCountInString(own)
	}
	return int64(l), c
}

// broken says where a row could not be read. err is left for what is no fault of one row: the file ends there.
func (f *csvFile) broken(err error) (models.RowError, error) {
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		code := "quote"
		if errors.Is(e.Err, csv.ErrBareQuote) {
			code = "quote_inside"
		} else if f.watched.ended && f.file.InputOffset() >= f.watched.read && (e.StartLine != e.Line || f.watched.last != '\n') {
			code = "quote_open"
		}
		if code == "quote_open" { // where the row began says more than where the file ends
			return models.RowError{Line: int64(e.StartLine), Code: code}, nil
		}
		return models.RowError{Line: int64(e.Line), Col: f.watched.column(f.file.InputOffset(), e.Column), Code: code}, nil
	}
	if errors.Is(err, errRecord) {
		line, _ := f.watched.place(f.watched.mark)
		return models.RowError{Line: line, Code: "record_long"}, io.EOF
	}
	return models.RowError{}, err
}
