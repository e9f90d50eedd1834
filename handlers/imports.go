package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"hallpass/audit"
	"hallpass/imports"
	"hallpass/models"
	"hallpass/views"
)

const (
	shownImports  = 50
	shownRowWrong = 50
	// maxUpload bounds a file that comes through the page; the command takes any.
	maxUpload = 1 << 30
	// uploadPatience is how long a file that is on its way may stand still.
	uploadPatience = time.Minute
	// lingering is how long the rest of a file that is not taken may still come.
	lingering = 10 * time.Second
)

// listImports is the form for a file, and the files that came.
func listImports(v *visit) (reply, error) {
	before, err := strconv.ParseInt(v.c.QueryParam("after"), 10, 64)
	if err != nil {
		before = 0 // a bad one is the first page
	}
	list, err := v.tx.Imports(v.ctx, max(before, 0), shownImports+1)
	if err != nil {
		return nil, err
	}
	p := views.ImportsPage{Most: v.server.MaxUpload}
	if len(list) > shownImports {
		list = list[:shownImports]
		p.Next = strconv.FormatInt(list[shownImports-1].ID, 10)
	}
	if p.Imports, err = v.shownImports(list...); err != nil {
		return nil, err
	}
	p.Frame = v.frame()
	return page(views.Imports(p)), nil
}

// shownImports puts files into words, with the names of those who brought them.
func (v *visit) shownImports(list ...models.Import) (shown []views.ImportShown, err error) {
	var by []int64
	for _, i := range list {
		if i.StartedBy != nil {
			by = append(by, *i.StartedBy)
		}
	}
	names, err := v.tx.UserNames(v.ctx, by)
	if err != nil {
		return nil, err
	}
	for _, i := range list {
		s := views.ImportShown{
			ID: i.ID, FileName: i.FileName, Kind: i.Kind, Form: i.Form, State: string(i.State), Notices: i.Notices,
			Bytes: i.BytesRead, BytesAll: i.BytesAll, Rows: int(i.RowsRead), Wrong: int(i.RowsWrong), Started: i.StartedAt, Finished: i.FinishedAt,
			New: i.Counts.New, Changed: i.Counts.Changed, Same: i.Counts.Same, Users: i.Counts.Users,
			By: names[value(i.StartedBy)], Change: value(i.ChangeID), Undo: value(i.UndoID),
		}
		s.Error, _, _ = strings.Cut(i.Error, " ")
		for _, f := range i.Counts.Fates {
			s.Fates = append(s.Fates, views.ImportFate{State: string(f.State), Role: string(f.Role), Why: f.Why, N: f.N})
		}
		shown = append(shown, s)
	}
	return shown, nil
}

// createImport takes a file in. It is read as it arrives, slice by slice, after the request's own transaction has ended.
func (s *server) createImport(v *visit) (reply, error) {
	size := v.c.Request().ContentLength
	i, err := v.tx.StartImport(v.ctx, "", size)
	if err != nil {
		return nil, err
	}
	to := views.ImportPath(v.me.District.CleverID, string(v.actor.View), i.ID)
	scope := s.Store.As(v.actor)
	return func(c echo.Context) error {
		ctx := context.WithoutCancel(c.Request().Context()) // a file takes longer than a page, and what arrived is looked at all the same
		fail := func(code string) error {
			return scope.Write(ctx, func(tx *models.Tx) error { return tx.FailImport(ctx, i.ID, code) })
		}
		line := http.NewResponseController(c.Response())
		if size > s.MaxUpload { // nothing of it is read: who asks before sending need not send
			return errors.Join(fail("too_large"), s.refuseFile(c, line, to))
		}
		part, code := uploaded(c.Request())
		if code != "" {
			return errors.Join(fail(code), s.refuseFile(c, line, to))
		}
		if err := scope.Write(ctx, func(tx *models.Tx) error {
			return tx.NameImport(ctx, i.ID, path.Base(strings.ReplaceAll(part.FileName(), `\`, "/")))
		}); err != nil {
			return err
		}
		done, err := imports.Read(ctx, scope, i, &patient{from: part, left: s.MaxUpload, line: line, now: s.Now}, s.Now)
		switch {
		case err != nil:
			return err
		case done.State == models.ImportFailed: // perhaps long before its end
			return s.refuseFile(c, line, to)
		}
		_ = line.SetWriteDeadline(s.Now().Add(uploadPatience)) // where the server has none, there is none to move
		return c.Redirect(http.StatusSeeOther, to)
	}, nil
}

// refuseFile answers while a file that is not taken may still be on its way. A line that is closed on a sender loses the
// answer with it, so what comes is let go by for a while: most browsers read an answer only once they have sent all.
func (s *server) refuseFile(c echo.Context, line *http.ResponseController, to string) error {
	_ = line.EnableFullDuplex() // HTTP/2 knows no other way
	_ = line.SetWriteDeadline(s.Now().Add(uploadPatience))
	c.Response().Header().Set("Connection", "close")
	c.Response().Header().Set("Content-Length", "0")
	if err := c.Redirect(http.StatusSeeOther, to); err != nil {
		return err
	}
	_ = line.Flush() // who has gone already needs no answer
	_ = line.SetReadDeadline(s.Now().Add(lingering))
	_, _ = io.Copy(io.Discard, c.Request().Body)
	return nil
}

// uploaded finds the file of a form, or says by a code why there is none.
func uploaded(r *http.Request) (*multipart.Part, string) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, "no_file"
	}
	for {
		part, err := parts.NextPart()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil, "no_file"
			}
			return nil, "broken_off"
		}
		if part.FormName() == "file" && part.FileName() != "" {
			return part, ""
		}
	}
}

// patient reads from a slow line, as long as something comes and it is not too much.
type patient struct {
	from io.Reader
	left int64 // bytes
	line *http.ResponseController
	now  func() time.Time
}

func (p *patient) Read(b []byte) (int, error) {
	_ = p.line.SetReadDeadline(p.now().Add(uploadPatience)) // where the server has none, there is none to move
	n, err := p.from.Read(b)
	if p.left -= int64(n); p.left < 0 {
		return n, imports.ErrTooLarge
	}
	return n, err
}

// theImport is the import of the address.
func (v *visit) theImport() (models.Import, error) {
	id, err := strconv.ParseInt(v.c.Param("id"), 10, 64)
	if err != nil || id <= 0 {
		return models.Import{}, models.ErrNotFound
	}
	return v.tx.Import(v.ctx, id)
}

// showImport is one file: how far it is, what is wrong with it, what it would do or did.
func showImport(v *visit) (reply, error) {
	i, err := v.theImport()
	if err != nil {
		return nil, err
	}
	return v.importPage(i, http.StatusOK)
}

func (v *visit) importPage(i models.Import, status int) (reply, error) {
	shown, err := v.shownImports(i)
	if err != nil {
		return nil, err
	}
	p := views.ImportPage{Import: shown[0]}
	if i.State == models.ImportReady {
		p.Check = views.Check{Plan: importPromise(i), Token: newChangeToken(), Moved: i.Error == "moved" || status == http.StatusConflict}
	}
	if i.RowsWrong > 0 {
		wrong, err := v.tx.ImportErrors(v.ctx, i.ID, models.RowError{}, shownRowWrong)
		if err != nil {
			return nil, err
		}
		for _, e := range wrong {
			p.Errors = append(p.Errors, views.ImportError{Line: int(e.Line), Col: e.Col, Field: e.Field, Code: e.Code})
		}
	}
	p.Frame = v.frame()
	return pageAs(status, views.Import(p)), nil
}

// importPromise is the hash of what a file would do.
func importPromise(i models.Import) string {
	text, err := json.Marshal(struct {
		ID     int64
		Digest []byte
		Counts models.ImportCounts
	}{i.ID, i.Digest, i.Counts})
	if err != nil {
		return "" // never: numbers and words
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// applyImport lets a file be applied as it was shown. The deed is a job's.
func (s *server) applyImport(v *visit) (reply, error) {
	return s.agreeToImport(v, models.ImportReady, func(i models.Import) (string, bool, error) { return importPromise(i), true, nil },
		v.tx.AgreeToImport, func(i models.Import) (reply, error) { return v.importPage(i, http.StatusConflict) })
}

func (s *server) agreeToImport(v *visit, from models.ImportState, promise func(models.Import) (string, bool, error),
	agree func(context.Context, int64, string, []byte) error, again func(models.Import) (reply, error),
) (reply, error) {
	if err := v.tx.LockAccess(v.ctx); err != nil {
		return nil, err
	}
	if err := v.recall(); err != nil {
		return nil, err
	}
	i, err := v.theImport()
	if err != nil {
		return nil, err
	}
	to := views.ImportPath(v.me.District.CleverID, string(v.actor.View), i.ID)
	token := v.c.FormValue("token")
	if i.State != from || i.Token == token && token != "" { // the second click of two, or somebody else was quicker
		return seeOther(to), nil
	}
	promised, may, err := promise(i)
	if err != nil {
		return nil, err
	}
	sum, err := hex.DecodeString(promised)
	if err != nil || !may || promised != v.c.FormValue("plan") || !isToken(token) {
		return again(i)
	}
	if err := agree(v.ctx, i.ID, token, sum); err != nil {
		return nil, err
	}
	return func(c echo.Context) error {
		if s.EnqueueImport != nil {
			ctx := context.WithoutCancel(c.Request().Context()) // it is agreed to, whether or not anybody still waits
			if err := s.EnqueueImport(ctx, v.actor.District, i.ID); err != nil {
				s.Log.WarnContext(ctx, "import left to the sweeper", "request_id", noteOf(c).requestID, "import", i.ID, "error", err)
			}
		}
		return c.Redirect(http.StatusSeeOther, to)
	}, nil
}

// dropImport forgets a file that was looked at.
func dropImport(v *visit) (reply, error) {
	i, err := v.theImport()
	if err != nil {
		return nil, err
	}
	if err := v.tx.DropImport(v.ctx, i.ID); err != nil && !errors.Is(err, models.ErrConflict) {
		return nil, err
	}
	return seeOther(views.ImportPath(v.me.District.CleverID, string(v.actor.View), i.ID)), nil
}

// previewImportUndo shows what taking a file back would do now.
func previewImportUndo(v *visit) (reply, error) {
	i, err := v.theImport()
	if err != nil {
		return nil, err
	}
	return v.importUndoPage(i, http.StatusOK)
}

func (v *visit) importUndoPage(i models.Import, status int) (reply, error) {
	shown, err := v.shownImports(i)
	if err != nil {
		return nil, err
	}
	if i.State != models.ImportApplied {
		return seeOther(views.ImportPath(v.me.District.CleverID, string(v.actor.View), i.ID)), nil
	}
	plan, err := v.tx.PlanUndo(v.ctx, i.ID)
	if err != nil {
		return nil, err
	}
	p := views.ImportUndoPage{
		Import: shown[0], Removed: plan.Removed, Restored: plan.Restored, Ended: plan.Ended, Later: plan.Later, Decided: plan.Decided,
		Check: views.Check{Plan: undoPromise(i, plan), Token: newChangeToken(), Blocked: plan.Blocked(), Moved: status == http.StatusConflict},
	}
	p.Frame = v.frame()
	return pageAs(status, views.ImportUndo(p)), nil
}

func undoPromise(i models.Import, plan models.UndoPlan) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "undo %d %+v", i.ID, plan))
	return hex.EncodeToString(sum[:])
}

// undoImport lets a file be taken back as it was shown. The deed is a job's.
func (s *server) undoImport(v *visit) (reply, error) {
	return s.agreeToImport(v, models.ImportApplied, func(i models.Import) (string, bool, error) {
		plan, err := v.tx.PlanUndo(v.ctx, i.ID)
		return undoPromise(i, plan), !plan.Blocked(), err
	}, v.tx.AgreeToUndo, func(i models.Import) (reply, error) { return v.importUndoPage(i, http.StatusConflict) })
}

// exportImportErrors is everything that is wrong with a file's rows, as a file.
func exportImportErrors(v *visit) (reply, error) {
	i, err := v.theImport()
	if err != nil {
		return nil, err
	}
	wrong, err := v.tx.ImportErrors(v.ctx, i.ID, models.RowError{}, models.MaxImportErrors)
	if err != nil {
		return nil, err
	}
	l := v.locale()
	rows := [][]string{l.ImportErrorsHead()}
	for _, e := range wrong {
		rows = append(rows, []string{strconv.FormatInt(e.Line, 10), strconv.Itoa(e.Col), e.Field, l.ImportErrorText(e.Code, e.Field)})
	}
	return csvFile("import-errors.csv", rows)
}

// importOfChange is the page of the file that a change was about.
func importOfChange(v *visit, c models.Change) (string, error) {
	id, err := strconv.ParseInt(strings.TrimPrefix(c.Subject, "import:"), 10, 64)
	if err != nil {
		return "", fmt.Errorf("read change %d: %w", c.ID, err)
	}
	return views.ImportPath(v.me.District.CleverID, string(v.actor.View), id), nil
}

// importReceipt leads to the file, whose page says what it did.
func importReceipt(v *visit, c models.Change) (views.Receipt, error) {
	to, err := importOfChange(v, c)
	if err != nil {
		return views.Receipt{}, err
	}
	l := v.locale()
	return views.Receipt{Sentence: l.ImportDone(c.Kind == audit.AccountsTakenOut), Links: []views.Link{{Href: to, Word: l.ImportsTitle()}}}, nil
}
