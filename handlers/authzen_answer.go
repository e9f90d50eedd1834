package handlers

import (
	"bytes"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/labstack/echo/v4"

	"hallpass/access"
	"hallpass/models"
)

// saidAnswers is how many answers are kept in words, of about a kilobyte each: putting one into words takes longer than
// deciding it.
const saidAnswers = 65_536

// saidKey is all that an answer depends on.
type saidKey struct {
	district   int64
	subject    models.AskedSubject
	place      models.AskedPlace
	mark       models.CopyMark
	permission access.Permission
	view       access.View
	explains   bool
}

// said is an answer as it goes over the wire.
type said struct {
	allowed bool
	text    jsontext.Value
}

type saidCache = lru.Cache[saidKey, said]

func newSaidCache() *saidCache {
	c, err := lru.New[saidKey, said](saidAnswers)
	if err != nil { // only of a size below one
		panic(err)
	}
	return c
}

func (s *server) answerEvaluation(c echo.Context, b bearer, q evaluation) error {
	l := newLookup()
	l.add(&q)
	return s.answerAll(c, b, l.asked, []evaluation{q}, nil, func(answers []said) jsontext.Value { return answers[0].text })
}

// together is the answer to several evaluations.
func together(answers []said) jsontext.Value {
	const before, after = `{"evaluations":[`, `]}`
	n := len(before) + len(after)
	for _, a := range answers {
		n += len(a.text) + 1
	}
	text := bytes.NewBuffer(make([]byte, 0, n))
	text.WriteString(before)
	for i, a := range answers {
		if i > 0 {
			text.WriteByte(',')
		}
		text.Write(a.text)
	}
	text.WriteString(after)
	return text.Bytes()
}

// answerAll decides from copies in memory that were proved current, or else from facts read anew: where there are no
// copies, and where somebody's deed is among the reasons, about which more has to be read.
func (s *server) answerAll(c echo.Context, b bearer, asked models.Asked, questions []evaluation, stop func(allowed bool) bool, form func([]said) jsontext.Value) error {
	noteOf(c).district = b.district
	key, told, proven, err := s.Store.As(access.System(b.district, "decision API")).Prove(c.Request().Context(), hash(b.text), asked)
	if err != nil {
		return err
	}
	if proven {
		k := keyed{told: told, key: key, server: s, c: c}
		answers, whole, err := k.answer(b.district, asked, questions, stop)
		if err != nil {
			return err
		}
		if whole {
			s.keyUsed(c, b, key)
			return answerText(c, form(answers))
		}
	}
	return s.withKey(c, b, asked, func(k keyed) (any, error) {
		judged := make([]judgement, 0, len(questions))
		for _, q := range questions {
			judged = append(judged, k.judge(q))
			if stop != nil && stop(judged[len(judged)-1].verdict.Allowed) {
				break
			}
		}
		users, overrides := deeds(judged...)
		notes := models.ReasonNotes{}
		if len(users) > 0 {
			if notes, err = k.tx.ReasonNotes(c.Request().Context(), users, overrides); err != nil {
				return nil, err
			}
		}
		answers := make([]said, len(judged))
		for i, j := range judged {
			if answers[i], err = k.say(j, notes); err != nil {
				return nil, err
			}
		}
		return form(answers), nil
	})
}

// answer answers questions from copies, in their order until stop, if not nil, says that it has heard enough. It is not
// whole where there is a deed to be told of.
func (k keyed) answer(district int64, asked models.Asked, questions []evaluation, stop func(allowed bool) bool) (answers []said, whole bool, err error) {
	answers = make([]said, 0, len(questions))
	for _, q := range questions {
		key := saidKey{district: district, permission: access.Permission(q.action), view: k.view(q.view), explains: k.key.Explains}
		var marked, known bool
		var a said
		if key.mark, marked = k.told.CopyMark(q.subjectAt, q.placeAt); marked && q.fault == "" {
			key.subject, key.place = asked.Subjects[q.subjectAt], asked.Places[q.placeAt]
			a, known = k.server.said.Get(key)
		}
		if !known {
			j := k.judge(q)
			if users, _ := deeds(j); len(users) > 0 {
				return nil, false, nil
			}
			if a, err = k.say(j, models.ReasonNotes{}); err != nil {
				return nil, false, err
			}
			if marked && q.fault == "" {
				k.server.said.Add(key, a)
			}
		}
		answers = append(answers, a)
		if stop != nil && stop(a.allowed) {
			break
		}
	}
	return answers, true, nil
}

// say puts a judgement into words.
func (k keyed) say(j judgement, notes models.ReasonNotes) (said, error) {
	text, err := json.Marshal(decision{Decision: j.verdict.Allowed, Context: k.explain(j, notes)})
	return said{j.verdict.Allowed, text}, err
}
