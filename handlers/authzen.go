package handlers

import (
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/labstack/echo/v4"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// The decision API is AuthZEN's Authorization API 1.0: a program that bears a key of a district asks what the console
// would let somebody of that district do. A denial is an answer; only a request that cannot be read is an error.
const (
	evaluationPath     = "/access/v1/evaluation"
	evaluationsPath    = "/access/v1/evaluations"
	searchSubjectPath  = "/access/v1/search/subject"
	searchResourcePath = "/access/v1/search/resource"
	searchActionPath   = "/access/v1/search/action"
	discoveryPath      = "/.well-known/authzen-configuration"
	openAPIPath        = "/openapi.json"
)

// The kinds of subject, beside the kinds of place.
const (
	subjectUser    = "user"
	subjectAccount = "account"
)

// maxEvaluations bounds one call.
const maxEvaluations = 1000

// requestError is a request of a program that gets no answer; message says what is wrong with it.
type requestError struct {
	status        int
	code, message string
}

func (p requestError) Error() string { return p.message }

func malformed(message string) error {
	return requestError{http.StatusBadRequest, "bad_request", message}
}

var errBadKey = requestError{http.StatusUnauthorized, "unauthorized", "a key of this district is needed: Authorization: Bearer hp_…"}

// bearer is a key as a program sends it: the district it belongs to, because no key can be looked up outside of one,
// and 32 random bytes.
type bearer struct {
	district int64
	text     string
}

const keyPrefix = "hp_"

func parseBearer(header string) (bearer, bool) {
	scheme, text, _ := strings.Cut(header, " ")
	rest, ours := strings.CutPrefix(strings.TrimSpace(text), keyPrefix)
	district, random, _ := strings.Cut(rest, "_")
	id, err := strconv.ParseInt(district, 10, 64)
	if !strings.EqualFold(scheme, "Bearer") || !ours || err != nil || id <= 0 || len(random) != base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return bearer{}, false
	}
	return bearer{id, strings.TrimSpace(text)}, true
}

// keyed is one request with a key, inside the transaction that answers it.
type keyed struct {
	tx     *models.Tx
	told   models.Told
	key    models.APIKey
	server *server
	c      echo.Context
}

// withKey runs fn in a transaction that began with the key and the facts about what is asked. The last use of the key
// is noted afterwards, at most once a minute.
func (s *server) withKey(c echo.Context, b bearer, asked models.Asked, fn func(keyed) (any, error)) error {
	ctx := c.Request().Context()
	noteOf(c).district = b.district
	var key models.APIKey
	var answer any
	err := s.Store.As(access.System(b.district, "decision API")).ReadKeyed(ctx, hash(b.text), asked, func(tx *models.Tx, k models.APIKey, told models.Told) (err error) {
		key = k
		answer, err = fn(keyed{tx, told, k, s, c})
		return err
	})
	if errors.Is(err, models.ErrNoKey) {
		return errBadKey
	}
	s.keyUsed(c, b, key)
	if err != nil {
		return err
	}
	return answerJSON(c, answer)
}

func answerJSON(c echo.Context, answer any) error {
	raw, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	return answerText(c, raw)
}

// answerText says how long the answer is, which net/http finds out by itself of short ones alone: the others would go
// over the wire in pieces.
func answerText(c echo.Context, text []byte) error {
	c.Response().Header().Set(echo.HeaderContentLength, strconv.Itoa(len(text)))
	return c.JSONBlob(http.StatusOK, text)
}

// keyUsed remembers that the key is in use. An answer is not lost over it.
func (s *server) keyUsed(c echo.Context, b bearer, key models.APIKey) {
	if key.ID == 0 || !key.Stale(s.Store.Now()) {
		return
	}
	ctx := c.Request().Context()
	err := s.Store.As(access.System(b.district, "decision API")).TouchAPIKey(ctx, hash(b.text), key.ID)
	if err != nil && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "key not touched", "request_id", noteOf(c).requestID, "key", key.ID, "error", err)
	}
}

// decision is the answer to one evaluation.
type decision struct {
	Decision bool             `json:"decision"`
	Context  *decisionContext `json:"context,omitempty"`
}

// decisionContext says why. What is for admins goes only to keys that may explain.
type decisionContext struct {
	Code        string      `json:"code,omitempty"` // one of the codes of views.Reason
	Error       *itemError  `json:"error,omitempty"`
	ReasonUser  *reason     `json:"reason_user,omitempty"`
	ReasonAdmin *reason     `json:"reason_admin,omitempty"`
	View        access.View `json:"view,omitempty"` // the view whose roles counted
	Trace       []traceStep `json:"trace,omitempty"`
}

type itemError struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
}

// evaluate answers one question.
func (s *server) evaluate(c echo.Context) error {
	b, body, err := s.readAsked(c)
	if err != nil {
		return err
	}
	q, err := body.evaluation()
	if err != nil {
		return err
	}
	return s.answerEvaluation(c, b, q)
}

// semantics of several evaluations in one call: when to stop.
var semantics = map[string]func(allowed bool) bool{
	"":                       nil,
	"execute_all":            nil,
	"deny_on_first_deny":     func(allowed bool) bool { return !allowed },
	"permit_on_first_permit": func(allowed bool) bool { return allowed },
}

// evaluateAll answers several questions, of the facts of one moment. Without a list it is evaluate.
func (s *server) evaluateAll(c echo.Context) error {
	b, body, err := s.readAsked(c)
	if err != nil {
		return err
	}
	items, err := body.items()
	if err != nil {
		return err
	}
	stop, err := body.semantic()
	if err != nil {
		return err
	}
	if len(items) == 0 {
		q, err := body.evaluation()
		if err != nil {
			return err
		}
		return s.answerEvaluation(c, b, q)
	}
	l := newLookup()
	questions := make([]evaluation, len(items))
	for i := range items {
		questions[i] = body.item(&items[i])
		l.add(&questions[i])
	}
	return s.answerAll(c, b, l.asked, questions, stop, together)
}

// lookup gathers what questions are about, each once.
type lookup struct {
	asked    models.Asked
	subjects map[models.AskedSubject]int
	places   map[models.AskedPlace]int
}

func newLookup() *lookup {
	return &lookup{subjects: map[models.AskedSubject]int{}, places: map[models.AskedPlace]int{}}
}

// add notes in the question where its subject and its resource are to be found. Types that Hallpass does not know
// lead nowhere.
func (l *lookup) add(q *evaluation) {
	q.subjectAt, q.placeAt = -1, -1
	if q.fault != "" {
		return
	}
	if q.subject.Type == subjectUser || q.subject.Type == subjectAccount {
		q.subjectAt = place(l.subjects, &l.asked.Subjects, models.AskedSubject{Account: q.subject.Type == subjectAccount, ID: q.subject.ID})
	}
	if kind := access.Kind(q.resource.Type); slices.Contains(kinds, kind) {
		q.placeAt = place(l.places, &l.asked.Places, models.AskedPlace{Kind: kind, ID: q.resource.ID})
	}
}

var kinds = []access.Kind{access.Section, access.School, access.District}

// place is where a thing stands in a list, put there if it is new.
func place[T comparable](index map[T]int, list *[]T, thing T) int {
	at, known := index[thing]
	if !known {
		at = len(*list)
		index[thing] = at
		*list = append(*list, thing)
	}
	return at
}

// subject and place are what a question is about; the zero values are nobody and nowhere.
func (k keyed) subject(q evaluation) (s models.Subject) {
	if q.subjectAt >= 0 {
		s = k.told.Subjects[q.subjectAt]
	}
	return s
}

func (k keyed) place(q evaluation) (p models.KnownPlace) {
	if q.placeAt >= 0 {
		p = k.told.Places[q.placeAt]
	}
	return p
}

// view is the view that counts. Only a district that decides by the view in use asks which one that is: where roles
// are combined, what they give together does not depend on what somebody says of the hat they wear.
func (k keyed) view(named string) access.View {
	if k.told.Policy.Combining() != access.ViewInUse || named == "" {
		return access.ViewAll
	}
	return access.View(named)
}

// judgement is a decision with what it was made of, on the way to its reasons.
type judgement struct {
	decided
	missing string // user, account or place, of which there is none
	fault   string // what is wrong with the question itself; nothing was decided
}

func (k keyed) judge(q evaluation) judgement {
	if q.fault != "" {
		return judgement{fault: q.fault}
	}
	subject, at, permission := k.subject(q), k.place(q), access.Permission(q.action)
	j := judgement{decided: decided{user: subject.User, grants: subject.Grants}}
	switch {
	case !subject.Known() && subject.OldAccount:
		j.missing = "account"
	case !subject.Known():
		j.missing = "user"
	case !at.Known():
		j.missing = "place"
	}
	if j.missing != "" {
		_, _, j.verdict.Known = k.told.Policy.Catalogue.Find(permission)
		j.verdict.Permission = permission
		if at.Known() {
			j.spot = spotOfKnown(at, at.Kind)
		}
	} else {
		j.verdict = k.told.Facts(subject, k.view(q.view)).Decide(permission, at.Place)
		j.spot = spotOfKnown(at, j.verdict.Place.Kind)
		if subject.OldAccount && j.verdict.Known && len(j.verdict.Trace) == 0 {
			j.missing = "account"
		}
	}
	return j
}

// spotOfKnown is a place in words, as wide as it was decided about.
func spotOfKnown(at models.KnownPlace, kind access.Kind) views.Spot {
	switch {
	case kind == access.Section:
		return views.Spot{Kind: string(kind), Name: at.Name, Period: at.Period, Around: at.School}
	case kind == access.School && at.Kind == access.Section:
		return views.Spot{Kind: string(kind), Name: at.School}
	case kind == access.School:
		return views.Spot{Kind: string(kind), Name: at.Name}
	}
	return views.Spot{Kind: string(access.District)}
}
