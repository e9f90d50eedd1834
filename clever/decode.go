package clever

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

var (
	errTooLarge  = errors.New("answer too large")
	errTruncated = errors.New("the answer stops in the middle of its JSON")
	errAfter     = errors.New("more text follows the JSON")
	errNoData    = errors.New(`the answer has no "data"`)
	errDataKind  = errors.New(`"data" is not of the kind that was due`)
	errNoLinks   = errors.New(`the list has no "links", so its end cannot be told`)
)

// wireOptions read what Clever sends: bytes that are not UTF-8 become U+FFFD,
// and a repeated key is not worth a lost sync.
var wireOptions = json.JoinOptions(
	jsontext.AllowInvalidUTF8(true),
	jsontext.AllowDuplicateNames(true),
	json.WithUnmarshalers(json.UnmarshalFromFunc(readTime)),
)

// recordError is a record that could not be read. Its message never quotes the
// record's values.
type recordError struct{ id, message string }

func (e *recordError) Error() string { return e.message }

// boundedBody stops an answer that is too large and remembers how reading it
// failed, which the decoder's own error hides.
type boundedBody struct {
	r    io.Reader
	left int64
	err  error
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.left <= 0 {
		// One byte more tells "exactly full" from "too large".
		var one [1]byte
		if n, err := b.r.Read(one[:]); n == 0 && err == io.EOF {
			return 0, io.EOF
		}
		b.err = errTooLarge
		return 0, b.err
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

// readTime takes a timestamp in RFC 3339, a bare date, or "" and null as no
// time at all. Clever's docs and its spec disagree on the form of term dates.
func readTime(dec *jsontext.Decoder, t *time.Time) error {
	tok, err := dec.ReadToken()
	if err != nil {
		return err
	}
	*t = time.Time{}
	switch tok.Kind() {
	case 'n':
		return nil
	case '"':
	default:
		return errors.New("not a time")
	}
	s := tok.String()
	if s == "" {
		return nil
	}
	for _, layout := range [...]string{time.RFC3339Nano, time.DateOnly, "2006-01-02T15:04:05"} {
		if v, err := time.Parse(layout, s); err == nil {
			*t = v.UTC()
			return nil
		}
	}
	return errors.New("not a time")
}

// readRecord decodes one record, whose bytes are one JSON value.
func readRecord(raw []byte, into any) error {
	raw = scrub(raw)
	err := json.Unmarshal(raw, into, wireOptions)
	if err == nil {
		return nil
	}
	var id struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	// The id is read apart and leniently: what is wrong may stand before it.
	_ = json.Unmarshal(raw, &id, wireOptions)
	return &recordError{id: id.Data.ID, message: wireMessage(err)}
}

// scrub gives JSON text without NUL characters, which PostgreSQL cannot store;
// they become U+FFFD, as bytes that are not UTF-8 do. Nearly every record comes
// back as it is.
func scrub(raw []byte) []byte {
	if !bytes.Contains(raw, []byte(`\u0000`)) {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' || i+1 == len(raw) {
			out = append(out, raw[i])
			continue
		}
		if bytes.HasPrefix(raw[i:], []byte(`\u0000`)) {
			out = append(out, `\ufffd`...)
			i += 5
			continue
		}
		// An escaped backslash followed by "u0000" is text, not a NUL.
		out = append(out, raw[i], raw[i+1])
		i++
	}
	return out
}

// tidyUnknown makes the values of unknown roles fit to be stored as JSON, and
// drops the null ones: null means absent.
func tidyUnknown(u *User) {
	for key, raw := range u.Roles.Unknown {
		if jsontext.Value(raw).Kind() == 'n' {
			delete(u.Roles.Unknown, key)
			continue
		}
		if utf8.Valid(raw) && !bytes.Contains(raw, []byte(`\u`)) {
			continue
		}
		var v any
		if json.Unmarshal(raw, &v, wireOptions) == nil {
			if clean, err := json.Marshal(v, json.Deterministic(true)); err == nil {
				u.Roles.Unknown[key] = clean
			}
		}
	}
	if len(u.Roles.Unknown) == 0 {
		u.Roles.Unknown = nil
	}
}

// readOne decodes a single-record envelope, {"data":{...},"links":[...]}.
func readOne(body io.Reader, into any) error {
	dec := jsontext.NewDecoder(body, wireOptions)
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	var envelope struct {
		Data jsontext.Value `json:"data"`
	}
	if err := readRecord(raw, &envelope); err != nil {
		return err
	}
	switch envelope.Data.Kind() {
	case 0:
		return errNoData
	case '{':
	default:
		return errDataKind
	}
	if err := readRecord(raw, &struct {
		Data any `json:"data"`
	}{into}); err != nil {
		return err
	}
	return atEnd(dec)
}

func atEnd(dec *jsontext.Decoder) error {
	_, err := dec.ReadToken()
	if err == nil {
		return errAfter
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// wireMessage says what is wrong with an answer without quoting from it: the
// decoder's own words may hold a name.
func wireMessage(err error) string {
	if sem, ok := errors.AsType[*json.SemanticError](err); ok {
		return fmt.Sprintf("%s holds %s that does not fit", fieldPath(sem.JSONPointer), kindName(sem.JSONKind))
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errTruncated.Error()
	}
	if syn, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fmt.Sprintf("not JSON at byte %d", syn.ByteOffset)
	}
	for _, own := range []error{errAfter, errNoData, errDataKind, errNoLinks} {
		if errors.Is(err, own) {
			return own.Error()
		}
	}
	if e, ok := errors.AsType[*listError](err); ok {
		return e.Error()
	}
	return "the answer cannot be read"
}

func kindName(k jsontext.Kind) string {
	switch k {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "text"
	case '0':
		return "a number"
	case 't', 'f':
		return "true or false"
	default:
		return "a value"
	}
}

func fieldPath(p jsontext.Pointer) string {
	s := tame(strings.TrimPrefix(string(p), "/data"))
	if s == "" {
		return "the record"
	}
	return s
}

func mediaType(h http.Header) string {
	t, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return "no content type"
	}
	return t
}

func jsonType(h http.Header) bool {
	t := mediaType(h)
	return t == "application/json" || strings.HasSuffix(t, "+json")
}

// errorText finds the words in Clever's error bodies: {"message"} from the Data
// API, {"error","error_description"} from the OAuth host.
func errorText(body io.Reader) string {
	raw, err := io.ReadAll(io.LimitReader(body, 16<<10))
	if err != nil {
		return ""
	}
	var said struct {
		Message     string `json:"message"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(raw, &said, wireOptions) != nil {
		return ""
	}
	parts := make([]string, 0, 3)
	for _, s := range []string{said.Message, said.Error, said.Description} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}
