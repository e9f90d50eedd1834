package handlers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"
)

// question is the parts of a question as they came. Names are read as they are written, a name that comes twice is
// refused, and names that Hallpass does not know are passed over.
type question struct {
	Subject  part[entityParts] `json:"subject"`
	Action   part[actionParts] `json:"action"`
	Resource part[entityParts] `json:"resource"`
	Context  part[struct {
		View wireText `json:"view"`
	}] `json:"context"`
}

type entityParts struct {
	Type       wireText       `json:"type"`
	ID         wireText       `json:"id"`
	Properties part[struct{}] `json:"properties"`
}

type actionParts struct {
	Name       wireText       `json:"name"`
	Properties part[struct{}] `json:"properties"`
}

// askedBody is the body of any request.
type askedBody struct {
	question
	Evaluations evaluations `json:"evaluations"`
	Options     part[struct {
		Semantic wireText `json:"evaluations_semantic"`
	}] `json:"options"`
	Page part[struct {
		Limit jsontext.Value `json:"limit"`
		Token wireText       `json:"token"`
	}] `json:"page"`
}

// part is a field that must be an object. What came in its place is no error of reading: whether the field counts shows
// when everything is read, and of a list one question may be wrong and the others answered.
type part[T any] struct {
	is   T
	kind jsontext.Kind // 0: absent
}

func (p *part[T]) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	if p.kind = in.PeekKind(); p.kind != '{' {
		return in.SkipValue()
	}
	return json.UnmarshalDecode(in, &p.is)
}

// check tells what is wrong with a field of that name, if it came or had to.
func (p *part[T]) check(field string, required bool) error {
	switch {
	case p.kind == 0 && required:
		return malformed(field + ": is required")
	case p.kind != 0 && p.kind != '{':
		return malformed(field + ": must be an object")
	}
	return nil
}

// wireText is a field that must be a string with something in it, as part is one that must be an object.
type wireText struct {
	is   string
	kind jsontext.Kind
}

func (t *wireText) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	if t.kind = in.PeekKind(); t.kind != '"' {
		return in.SkipValue()
	}
	token, err := in.ReadToken()
	if err == nil {
		t.is = token.String()
	}
	return err
}

func (t *wireText) read(field string) (string, error) {
	switch {
	case t.kind == 0:
		return "", malformed(field + ": is required")
	case t.kind != '"':
		return "", malformed(field + ": must be a string")
	case t.is == "":
		return "", malformed(field + ": must not be empty")
	}
	return t.is, nil
}

// evaluations is the list of several questions. One more than may be asked is read, and the rest only looked at.
type evaluations struct {
	list []part[question]
	kind jsontext.Kind
}

func (e *evaluations) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	if e.kind = in.PeekKind(); e.kind != '[' {
		return in.SkipValue()
	}
	if _, err := in.ReadToken(); err != nil {
		return err
	}
	for in.PeekKind() != ']' {
		if len(e.list) > maxEvaluations {
			if err := in.SkipValue(); err != nil {
				return err
			}
			continue
		}
		var q part[question]
		if err := q.UnmarshalJSONFrom(in); err != nil {
			return err
		}
		e.list = append(e.list, q)
	}
	_, err := in.ReadToken()
	return err
}

// entity is a subject or a resource.
type entity struct{ Type, ID string }

// evaluation is one question that can be answered, or says what is wrong with it.
type evaluation struct {
	subject, resource  entity
	action, view       string
	subjectAt, placeAt int    // in what was looked up; -1: nowhere
	fault              string // of one item of a list
}

// readAsked reads the key, then the body: who has no key is not told what is wrong with a question.
func (s *server) readAsked(c echo.Context) (b bearer, body *askedBody, err error) {
	body = &askedBody{}
	r := c.Request()
	b, ok := parseBearer(r.Header.Get(echo.HeaderAuthorization))
	if !ok {
		return b, body, errBadKey
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType)); err != nil || media != echo.MIMEApplicationJSON {
		return b, body, malformed("Content-Type: must be application/json")
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return b, body, err
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return b, body, malformed("body: must not be empty")
	}
	if kind := jsontext.Value(raw).Kind(); kind != '{' {
		return b, body, malformed("body: must be a JSON object")
	}
	if err := json.Unmarshal(raw, body); err != nil {
		wrong, ok := errors.AsType[*jsontext.SyntacticError](err)
		switch {
		case ok && errors.Is(err, jsontext.ErrDuplicateName):
			return b, body, malformed(fmt.Sprintf("body: an object has a name twice, at byte %d", wrong.ByteOffset))
		case ok:
			return b, body, malformed(fmt.Sprintf("body: not JSON at byte %d", wrong.ByteOffset))
		}
		return b, body, malformed("body: cannot be read")
	}
	return b, body, nil
}

// readEntity reads a subject or resource. Where a search asks for a type, its id is ignored.
func readEntity(from *part[entityParts], field string, searched bool) (e entity, err error) {
	if err = from.check(field, true); err != nil {
		return e, err
	}
	if e.Type, err = from.is.Type.read(field + ".type"); err != nil {
		return e, err
	}
	if !searched {
		if e.ID, err = from.is.ID.read(field + ".id"); err != nil {
			return e, err
		}
	}
	return e, from.is.Properties.check(field+".properties", false)
}

func (q *question) readAction() (name string, err error) {
	if err = q.Action.check("action", true); err != nil {
		return "", err
	}
	if name, err = q.Action.is.Name.read("action.name"); err != nil {
		return "", err
	}
	return name, q.Action.is.Properties.check("action.properties", false)
}

// readView reads the view in use, "" where none is named.
func (q *question) readView() (string, error) {
	if err := q.Context.check("context", false); err != nil || q.Context.is.View.kind == 0 {
		return "", err
	}
	return q.Context.is.View.read("context.view")
}

// evaluation reads a whole question.
func (q *question) evaluation() (e evaluation, err error) {
	if e.subject, err = readEntity(&q.Subject, "subject", false); err != nil {
		return e, err
	}
	if e.action, err = q.readAction(); err != nil {
		return e, err
	}
	if e.resource, err = readEntity(&q.Resource, "resource", false); err != nil {
		return e, err
	}
	e.view, err = q.readView()
	return e, err
}

// items are the questions of a list. What stands beside the list must be of the right type even where every item
// has its own.
func (b *askedBody) items() ([]part[question], error) {
	switch {
	case b.Evaluations.kind == 0:
		return nil, nil
	case b.Evaluations.kind != '[':
		return nil, malformed("evaluations: must be an array")
	case len(b.Evaluations.list) > maxEvaluations:
		return nil, malformed(fmt.Sprintf("evaluations: at most %d in one call", maxEvaluations))
	}
	for _, err := range []error{b.Subject.check("subject", false), b.Action.check("action", false), b.Resource.check("resource", false), b.Context.check("context", false)} {
		if err != nil {
			return nil, err
		}
	}
	return b.Evaluations.list, nil
}

// item reads one question of a list. What it does not say is said beside the list; what it says replaces that whole.
func (b *askedBody) item(q *part[question]) evaluation {
	own := &q.is
	if own.Subject.kind == 0 {
		own.Subject = b.Subject
	}
	if own.Action.kind == 0 {
		own.Action = b.Action
	}
	if own.Resource.kind == 0 {
		own.Resource = b.Resource
	}
	if own.Context.kind == 0 {
		own.Context = b.Context
	}
	var e evaluation
	err := q.check("evaluation", true)
	if err == nil {
		e, err = own.evaluation()
	}
	if err != nil {
		e.fault = err.Error()
	}
	return e
}

// semantic is when to stop in a list of questions.
func (b *askedBody) semantic() (stop func(allowed bool) bool, err error) {
	asked := &b.Options.is.Semantic
	if err := b.Options.check("options", false); err != nil || asked.kind == 0 {
		return nil, err
	}
	name, err := asked.read("options.evaluations_semantic")
	if err != nil {
		return nil, err
	}
	stop, known := semantics[name]
	if !known {
		return nil, malformed("options.evaluations_semantic: must be execute_all, deny_on_first_deny or permit_on_first_permit")
	}
	return stop, nil
}
