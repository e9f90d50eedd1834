package clever

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Config is what a Client needs. Only ClientID and ClientSecret have no
// default.
type Config struct {
	APIURL  string // default https://api.clever.com
	AuthURL string // default https://clever.com

	ClientID, ClientSecret, RedirectURL string

	DataVersion     string // default "v3.1"
	IdentityVersion string // default "v3.0", the version of /me that Clever's guides call

	// HTTP carries the requests. Redirects are never followed, whatever it says.
	// Its Timeout, if set, takes the place of PageTimeout.
	HTTP *http.Client
	Now  func() time.Time
	Log  *slog.Logger

	PageSize    int           // records asked for in a list request, default 1000, at most 10000
	PageTimeout time.Duration // from request to last byte of one answer, default 60 s
	MaxBody     int64         // bytes in one answer, default 64 MiB
	MaxPages    int           // pages in one list, default 100000
	MaxAttempts int           // tries of one request, default 6
	MinWait     time.Duration // first wait after a 5xx or a broken connection, default 500 ms; doubles
	MaxWait     time.Duration // longest such wait, default 30 s
	MaxRateWait time.Duration // longest wait for a rate limit to reset, default 2 min
}

// MaxPageSize is the most records Clever gives in one answer; more is a 413.
const MaxPageSize = 10000

// Client talks to one Clever app's API. It is safe for concurrent use.
type Client struct {
	cfg   Config
	api   *url.URL
	auth  *url.URL
	retry *retryablehttp.Client // GETs: may be repeated
	once  *http.Client          // the code exchange: must not be repeated
	rates rates
}

// New checks the configuration and fills in its defaults. It makes no request.
func New(cfg Config) (*Client, error) {
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	def(&cfg.APIURL, "https://api.clever.com")
	def(&cfg.AuthURL, "https://clever.com")
	def(&cfg.DataVersion, "v3.1")
	def(&cfg.IdentityVersion, "v3.0")
	if cfg.ClientID == "" || cfg.ClientSecret == "" {
		return nil, errors.New("clever: client id and client secret are both needed")
	}
	api, err := baseURL(cfg.APIURL)
	if err != nil {
		return nil, fmt.Errorf("clever: API URL: %w", err)
	}
	auth, err := baseURL(cfg.AuthURL)
	if err != nil {
		return nil, fmt.Errorf("clever: auth URL: %w", err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.PageSize == 0 {
		cfg.PageSize = 1000
	}
	if cfg.PageSize < 1 || cfg.PageSize > MaxPageSize {
		return nil, fmt.Errorf("clever: page size %d is not between 1 and %d", cfg.PageSize, MaxPageSize)
	}
	defaultTo(&cfg.PageTimeout, time.Minute)
	defaultTo(&cfg.MaxBody, 64<<20)
	defaultTo(&cfg.MaxPages, 100_000)
	defaultTo(&cfg.MaxAttempts, 6)
	defaultTo(&cfg.MinWait, 500*time.Millisecond)
	defaultTo(&cfg.MaxWait, 30*time.Second)
	defaultTo(&cfg.MaxRateWait, 2*time.Minute)

	c := &Client{cfg: cfg, api: api, auth: auth}
	c.once = httpClient(cfg)
	c.retry = &retryablehttp.Client{
		HTTPClient: c.once,
		RetryMax:   cfg.MaxAttempts - 1,
		CheckRetry: c.checkRetry,
		Backoff:    c.backoff,
		// The last answer is handed to us as it is: its status says more than
		// the library's "giving up", which would also print the query.
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	return c, nil
}

func defaultTo[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

func baseURL(s string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(s, "/"))
	if err != nil {
		return nil, errors.New("not a URL")
	}
	if (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("want http(s)://host and nothing after it but a path")
	}
	return u, nil
}

func httpClient(cfg Config) *http.Client {
	h := &http.Client{}
	if cfg.HTTP != nil {
		*h = *cfg.HTTP
	} else {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.ResponseHeaderTimeout = cfg.PageTimeout
		t.MaxIdleConnsPerHost = 8
		h.Transport = t
	}
	if h.Timeout == 0 {
		h.Timeout = cfg.PageTimeout
	}
	// A redirect would carry a token to a place nobody configured.
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	h.Jar = nil
	return h
}

// call is one GET and what to say about it when it goes wrong.
type call struct {
	op         string
	base       *url.URL
	path       string // below base
	query      url.Values
	token      string // bearer; "" means HTTP Basic with the client's id and secret
	recordType string
	page       int
	after      string // the feed's cursor that the first page was asked with
}

func (k *call) fail(status int, message string, err error) *Error {
	return &Error{
		Op: k.op, Path: k.path, Status: status, RecordType: k.recordType, Page: k.page,
		Message: tame(message, k.token), Err: err, cursor: k.after != "",
	}
}

// bodyAttempts is how often an answer that broke off while being read is asked
// for again. Retries before the first byte are counted apart.
const bodyAttempts = 3

// get makes the request and hands a 200 JSON answer to read. It repeats the
// whole call when the connection broke in the middle of the answer, so read
// must start afresh each time.
func (c *Client) get(ctx context.Context, k *call, read func(io.Reader) error) error {
	for attempt := 1; ; attempt++ {
		again, err := c.getOnce(ctx, k, read)
		if err == nil || !again || attempt == bodyAttempts || ctx.Err() != nil {
			return err
		}
		c.cfg.Log.WarnContext(ctx, "clever answer broke off, asking again",
			"path", k.path, "page", k.page, "attempt", attempt)
		if err := wait(ctx, c.backoff(c.cfg.MinWait, c.cfg.MaxWait, attempt-1, nil)); err != nil {
			return k.fail(0, "", err)
		}
	}
}

func (c *Client) getOnce(ctx context.Context, k *call, read func(io.Reader) error) (again bool, err error) {
	key := rateKey(k.token)
	if err := c.rates.pace(ctx, key, c.cfg.Now, c.cfg.MaxRateWait); err != nil {
		return false, k.fail(0, "", err)
	}
	u := *k.base
	u.Path += k.path
	u.RawQuery = k.query.Encode()
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return false, k.fail(0, "the request could not be built", nil)
	}
	req.Header.Set("Accept", "application/json")
	if k.token != "" {
		req.Header.Set("Authorization", "Bearer "+k.token)
	} else {
		req.SetBasicAuth(c.cfg.ClientID, c.cfg.ClientSecret)
	}
	resp, err := c.retry.Do(req)
	if err != nil {
		return false, k.fail(0, "no answer", bare(err))
	}
	body := &boundedBody{r: resp.Body, left: c.cfg.MaxBody}
	defer resp.Body.Close()
	c.rates.note(key, resp.Header, c.cfg.Now())
	if err := c.judge(k, resp, body); err != nil {
		return false, err
	}
	if err := read(body); err != nil {
		return c.judgeRead(ctx, k, body, err)
	}
	return false, nil
}

// judge refuses everything but a 200 with JSON.
func (c *Client) judge(k *call, resp *http.Response, body io.Reader) error {
	isJSON := jsonType(resp.Header)
	switch {
	case resp.StatusCode != http.StatusOK:
		msg, said := http.StatusText(resp.StatusCode), ""
		if isJSON {
			if said = errorText(body); said != "" {
				msg = said
			}
		}
		if resp.StatusCode == http.StatusTooManyRequests {
			msg = "still over the rate limit after waiting"
		}
		e := k.fail(resp.StatusCode, msg, nil)
		e.Said = tame(said, k.token)
		return e
	case !isJSON:
		return k.fail(resp.StatusCode, fmt.Sprintf("got %q where JSON was due",
			tame(mediaType(resp.Header))), nil)
	}
	return nil
}

// judgeRead says why reading an answer failed: the connection, our bounds, the
// caller's context, or what Clever wrote.
func (c *Client) judgeRead(ctx context.Context, k *call, body *boundedBody, err error) (again bool, _ error) {
	switch {
	case ctx.Err() != nil:
		return false, k.fail(0, "stopped", ctx.Err())
	case errors.Is(body.err, errTooLarge):
		return false, k.fail(http.StatusOK, fmt.Sprintf("the answer is larger than %d bytes", c.cfg.MaxBody), nil)
	case body.err != nil && isTimeout(body.err):
		return false, k.fail(http.StatusOK, fmt.Sprintf("the answer was not complete after %s", c.once.Timeout), nil)
	case body.err != nil:
		return true, k.fail(http.StatusOK, "the connection broke in the middle of the answer", bare(body.err))
	}
	if e, ok := errors.AsType[*recordError](err); ok {
		f := k.fail(http.StatusOK, e.message, nil)
		f.Record = tame(e.id)
		return false, f
	}
	return false, k.fail(http.StatusOK, wireMessage(err), nil)
}
