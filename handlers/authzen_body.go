package handlers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"
)

// question is the parts of a question as they came. Names are read as they are written, a name that comes twice is
// refused, and names that Hallpass does not know are passed over.
type question struct {
	Subject  jsontext.Value `json:"subject"`
	Action   jsontext.Value `json:"action"`
	Resource jsontext.Value `json:"resource"`
	Context  jsontext.Value `json:"context"`
}

// askedBody is the body of any request.
type askedBody struct {
	question
	Evaluations jsontext.Value `json:"evaluations"`
	Options     jsontext.Value `json:"options"`
	Page        jsontext.Value `json:"page"`
}

// entity is a subject or a resource.
type entity struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// evaluation is one question that can be answered, or says what is wrong with it.
type evaluation struct {
	subject, resource  entity
	action, view       string
	subjectAt, placeAt int    // in what was looked up; -1: nowhere
	fault              string // of one item of a list
}

// readAsked reads the key, then the body: who has no key is not told what is wrong with a question.
func (s *server) readAsked(c echo.Context) (b bearer, body askedBody, err error) {
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
	if len(strings.TrimSpace(string(raw))) == 0 {
		return b, body, malformed("body: must not be empty")
	}
	if kind := jsontext.Value(raw).Kind(); kind != '{' {
		return b, body, malformed("body: must be a JSON object")
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		if wrong, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
			return b, body, malformed(fmt.Sprintf("body: not JSON at byte %d", wrong.ByteOffset))
		}
		return b, body, malformed("body: cannot be read")
	}
	return b, body, nil
}

// object reads a field that must be an object into a struct, or only looks that it is one. A field that is absent is
// left alone, unless it is required.
func object(raw jsontext.Value, field string, required bool, into any) error {
	switch {
	case raw == nil && required:
		return malformed(field + ": is required")
	case raw == nil:
		return nil
	case raw.Kind() != '{':
		return malformed(field + ": must be an object")
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil { // it was read once already, as part of the body
		return malformed(field + ": cannot be read")
	}
	return nil
}

// textOf reads a field that must be a string with something in it.
func textOf(raw jsontext.Value, field string) (text string, err error) {
	switch {
	case raw == nil:
		return "", malformed(field + ": is required")
	case raw.Kind() != '"':
		return "", malformed(field + ": must be a string")
	}
	if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 {
		text = string(inner) // as it stands: it was read once already, as part of the body
	} else if err := json.Unmarshal(raw, &text); err != nil {
		return "", malformed(field + ": cannot be read")
	}
	if text == "" {
		return "", malformed(field + ": must not be empty")
	}
	return text, nil
}

// readEntity reads a subject or resource. Where a search asks for a type, its id is ignored.
func readEntity(raw jsontext.Value, field string, searched bool) (e entity, err error) {
	var parts struct {
		Type       jsontext.Value `json:"type"`
		ID         jsontext.Value `json:"id"`
		Properties jsontext.Value `json:"properties"`
	}
	if err = object(raw, field, true, &parts); err != nil {
		return e, err
	}
	if e.Type, err = textOf(parts.Type, field+".type"); err != nil {
		return e, err
	}
	if !searched {
		if e.ID, err = textOf(parts.ID, field+".id"); err != nil {
			return e, err
		}
	}
	return e, object(parts.Properties, field+".properties", false, nil)
}

func readAction(raw jsontext.Value) (name string, err error) {
	var parts struct {
		Name       jsontext.Value `json:"name"`
		Properties jsontext.Value `json:"properties"`
	}
	if err = object(raw, "action", true, &parts); err != nil {
		return "", err
	}
	if name, err = textOf(parts.Name, "action.name"); err != nil {
		return "", err
	}
	return name, object(parts.Properties, "action.properties", false, nil)
}

// readView reads the view in use, "" where none is named.
func readView(raw jsontext.Value) (string, error) {
	var parts struct {
		View jsontext.Value `json:"view"`
	}
	if err := object(raw, "context", false, &parts); err != nil || parts.View == nil {
		return "", err
	}
	return textOf(parts.View, "context.view")
}

// evaluation reads a whole question.
func (askedBody) evaluation(from question) (q evaluation, err error) {
	if q.subject, err = readEntity(from.Subject, "subject", false); err != nil {
		return q, err
	}
	if q.action, err = readAction(from.Action); err != nil {
		return q, err
	}
	if q.resource, err = readEntity(from.Resource, "resource", false); err != nil {
		return q, err
	}
	q.view, err = readView(from.Context)
	return q, err
}

// items are the questions of a list. What stands beside the list must be of the right type even where every item
// has its own.
func (b askedBody) items() ([]jsontext.Value, error) {
	if b.Evaluations == nil {
		return nil, nil
	}
	if b.Evaluations.Kind() != '[' {
		return nil, malformed("evaluations: must be an array")
	}
	var items []jsontext.Value
	if err := json.Unmarshal(b.Evaluations, &items); err != nil {
		return nil, malformed("evaluations: cannot be read")
	}
	if len(items) > maxEvaluations {
		return nil, malformed(fmt.Sprintf("evaluations: at most %d in one call", maxEvaluations))
	}
	for _, f := range []struct {
		raw   jsontext.Value
		field string
	}{{b.Subject, "subject"}, {b.Action, "action"}, {b.Resource, "resource"}, {b.Context, "context"}} {
		if err := object(f.raw, f.field, false, nil); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// item reads one question of a list. What it does not say is said beside the list; what it says replaces that whole.
func (b askedBody) item(raw jsontext.Value) evaluation {
	var own question
	err := object(raw, "evaluation", true, &own)
	for _, f := range [...]struct {
		field  *jsontext.Value
		beside jsontext.Value
	}{{&own.Subject, b.Subject}, {&own.Action, b.Action}, {&own.Resource, b.Resource}, {&own.Context, b.Context}} {
		if *f.field == nil {
			*f.field = f.beside
		}
	}
	var q evaluation
	if err == nil {
		q, err = b.evaluation(own)
	}
	if err != nil {
		q.fault = err.Error()
	}
	return q
}

// semantic is when to stop in a list of questions.
func (b askedBody) semantic() (stop func(allowed bool) bool, err error) {
	var parts struct {
		Semantic jsontext.Value `json:"evaluations_semantic"`
	}
	if err := object(b.Options, "options", false, &parts); err != nil || parts.Semantic == nil {
		return nil, err
	}
	name, err := textOf(parts.Semantic, "options.evaluations_semantic")
	if err != nil {
		return nil, err
	}
	stop, known := semantics[name]
	if !known {
		return nil, malformed("options.evaluations_semantic: must be execute_all, deny_on_first_deny or permit_on_first_permit")
	}
	return stop, nil
}
