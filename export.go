package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hallpass/access"
	"hallpass/handlers"
	"hallpass/models"
)

// export writes a district's data into files, or to standard output.
func export(ctx context.Context, args []string, out, errOut io.Writer) error {
	flags := flag.NewFlagSet("export", flag.ContinueOnError)
	district := flags.String("district", "", "Clever `id` of the district")
	what := flags.String("what", "all", strings.Join(models.Exports(), ", ")+" or all; several divided by commas")
	format := flags.String("format", "csv", "csv or jsonl")
	dir := flags.String("out", "-", "`folder` to put a file for each kind into; - is standard output")
	if err := parse(flags, args, errOut); err != nil {
		return err
	}
	kinds := strings.Split(*what, ",")
	if *what == "all" {
		kinds = models.Exports()
	}
	for _, kind := range kinds {
		if !slices.Contains(models.Exports(), kind) {
			return fmt.Errorf("%w: export: there is no %q: --what is %s or all", errUsage, kind, strings.Join(models.Exports(), ", "))
		}
	}
	switch {
	case *district == "":
		return fmt.Errorf("%w: export: --district is missing", errUsage)
	case *format != "csv" && *format != "jsonl":
		return fmt.Errorf("%w: export: --format is csv or jsonl", errUsage)
	case *format == "csv" && *dir == "-" && len(kinds) > 1:
		return fmt.Errorf("%w: export: several tables do not fit into one CSV: name a folder with --out, or one kind with --what", errUsage)
	}
	c, err := loadConfig(os.LookupEnv, needs{})
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, c)
	if err != nil {
		return err
	}
	defer db.stop()
	store, err := openStore(ctx, c, db.url)
	if err != nil {
		return err
	}
	defer store.Close()
	id, err := store.DistrictID(ctx, *district)
	if errors.Is(err, models.ErrNotFound) {
		return fmt.Errorf("district %s: not known here", *district)
	}
	if err != nil {
		return err
	}
	w := &exporter{format: *format, dir: *dir, out: out, several: len(kinds) > 1}
	return exportTo(ctx, store.As(access.System(id, operator)), kinds, w)
}

// exportTo notes the export, then makes it: what could not be noted is not given away.
func exportTo(ctx context.Context, scope models.Scope, kinds []string, w *exporter) error {
	err := scope.Write(ctx, func(tx *models.Tx) error { return tx.NoteExport(ctx, kinds, w.format) })
	if err != nil {
		return err
	}
	err = scope.Read(ctx, func(tx *models.Tx) error { return tx.Export(ctx, kinds, w.begin, w.row) })
	return errors.Join(err, w.end(err == nil))
}

// exporter writes rows as they come. A file has its name only when it is whole.
type exporter struct {
	format  string
	dir     string
	out     io.Writer
	several bool // kinds, each of which a line of JSON then names

	kind    string
	columns []string
	keys    []string // the columns as JSON
	file    *os.File
	buffer  *bufio.Writer
	csv     *csv.Writer
}

func (w *exporter) path() string { return filepath.Join(w.dir, w.kind+"."+w.format) }

const unfinished = ".part"

func (w *exporter) begin(kind string, columns []string) error {
	if err := w.end(true); err != nil {
		return err
	}
	w.kind, w.columns, w.keys = kind, columns, nil
	for _, c := range columns {
		key, err := json.Marshal(c)
		if err != nil {
			return err
		}
		w.keys = append(w.keys, string(key))
	}
	to := w.out
	if w.dir != "-" {
		if err := os.MkdirAll(w.dir, 0o700); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
		file, err := os.OpenFile(w.path()+unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return fmt.Errorf("write %s: %w", kind, err)
		}
		w.file, to = file, file
	}
	w.buffer = bufio.NewWriterSize(to, 64<<10)
	if w.format == "jsonl" {
		return nil
	}
	if _, err := w.buffer.WriteString("\ufeff"); err != nil { // spreadsheets take a file for UTF-8 only with this
		return err
	}
	w.csv = csv.NewWriter(w.buffer)
	w.csv.UseCRLF = true
	return w.csv.Write(columns)
}

func (w *exporter) row(values []any) error {
	if w.format == "jsonl" {
		return w.line(values)
	}
	cells := make([]string, len(values))
	for i, v := range values {
		cell, err := csvCell(v)
		if err != nil {
			return fmt.Errorf("column %s: %w", w.columns[i], err)
		}
		cells[i] = cell
	}
	return w.csv.Write(handlers.ForSpreadsheet(cells))
}

// line is a row as an object, its members in the order of the columns.
func (w *exporter) line(values []any) error {
	sep := "{"
	if w.several {
		fmt.Fprintf(w.buffer, `{"kind":%q`, w.kind)
		sep = ","
	}
	for i, v := range values {
		if t, ok := v.(time.Time); ok {
			v = t.UTC()
		}
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("column %s: %w", w.columns[i], err)
		}
		_, _ = w.buffer.WriteString(sep + w.keys[i] + ":") // what fails here fails again at the end of the line
		_, _ = w.buffer.Write(text)
		sep = ","
	}
	_, err := w.buffer.WriteString("}\n")
	return err
}

// csvCell is a value as text: lists divided by semicolons, anything deeper as JSON.
func csvCell(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), nil
	case bool, int64, int32, int16:
		return fmt.Sprint(v), nil
	case []any:
		parts := make([]string, len(v))
		for i, part := range v {
			parts[i] = fmt.Sprint(part)
		}
		return strings.Join(parts, "; "), nil
	}
	text, err := json.Marshal(v)
	return string(text), err
}

// end closes the file under way. A whole one gets its name; half a one goes.
func (w *exporter) end(whole bool) error {
	var err error
	if w.csv != nil {
		w.csv.Flush()
		err = w.csv.Error()
	}
	if w.buffer != nil {
		err = errors.Join(err, w.buffer.Flush())
	}
	if w.file != nil {
		err = errors.Join(err, w.file.Close())
		if whole && err == nil {
			err = os.Rename(w.path()+unfinished, w.path())
		} else {
			err = errors.Join(err, os.Remove(w.path()+unfinished))
		}
	}
	w.csv, w.buffer, w.file = nil, nil, nil
	if err != nil {
		return fmt.Errorf("write %s: %w", w.kind, err)
	}
	return nil
}
