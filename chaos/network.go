package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// trouble is one way for a line to go wrong.
type trouble struct {
	name  string
	toxic string // toxiproxy's JSON; "" cuts the line
}

// troubles are those of one turn: their figures are random.
func (w *world) troubles() []trouble {
	toxic := func(name, kind, attributes string) trouble {
		stream := []string{"upstream", "downstream"}[w.random.IntN(2)]
		return trouble{name, fmt.Sprintf(`{"name":"it","type":%q,"stream":%q,"attributes":%s}`, kind, stream, attributes)}
	}
	return []trouble{
		{"cut", ""},
		toxic("latency", "latency", fmt.Sprintf(`{"latency":%d,"jitter":20}`, 1+w.random.IntN(40))),
		toxic("slow bytes", "bandwidth", fmt.Sprintf(`{"rate":%d}`, 20+w.random.IntN(200))),
		toxic("resets", "reset_peer", fmt.Sprintf(`{"timeout":%d}`, w.random.IntN(300))),
		toxic("ends after so many bytes", "limit_data", fmt.Sprintf(`{"bytes":%d}`, 100+w.random.IntN(60_000))),
		toxic("silence, then the end", "timeout", fmt.Sprintf(`{"timeout":%d}`, 50+w.random.IntN(800))),
		toxic("in small pieces", "slicer", `{"average_size":64,"size_variation":32,"delay":50}`),
	}
}

// networks disturbs the lines from Hallpass to PostgreSQL and to Clever, while runs and pages use them.
func (w *world) networks(ctx context.Context, part *figure) (err error) {
	zerolog.SetGlobalLevel(zerolog.Disabled) // toxics speak past the logger they are given
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	lines := make([]*toxiproxy.Proxy, 2)
	for i, to := range []string{w.server.address, strings.TrimPrefix(w.cleverURL, "http://")} {
		address, err := freeAddress(ctx) // the proxy comes back to the same one after a cut
		if err != nil {
			return err
		}
		lines[i] = toxiproxy.NewProxy(api, []string{"database", "clever"}[i], address, to)
		if err := lines[i].Start(); err != nil {
			return fmt.Errorf("start proxy: %w", err)
		}
		defer lines[i].Stop()
	}
	database, cleverURL := w.server.url(w.trial.name, lines[0].Listen), "http://"+lines[1].Listen
	c, err := w.serving(ctx, database, cleverURL, w.addresses[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop(ctx)) }()
	b, err := w.visit(ctx, c.address)
	if err != nil {
		return err
	}
	l := w.load(ctx, b)
	defer func() { part.What += l.end(w, part) }()
	for part.Done < w.network {
		if err := w.edits.some(1 + w.random.IntN(20)); err != nil {
			return err
		}
		asked := w.traffic.asked()
		s, err := w.syncing(ctx, database, cleverURL, w.eitherWay()...)
		if err != nil {
			return err
		}
		select {
		case <-asked:
		case <-s.done:
		}
		kinds := w.troubles()
		kind := kinds[w.random.IntN(len(kinds))]
		err = pause(ctx, w.somewhere(300*time.Millisecond))
		if err == nil {
			err = strike(ctx, lines[w.random.IntN(2)], kind, 100*time.Millisecond+w.somewhere(1500*time.Millisecond))
		}
		if err != nil {
			return errors.Join(err, s.wait(ctx))
		}
		part.Done++
		if err := s.wait(ctx); errors.Is(err, errBroken) || ctx.Err() != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		} else if err != nil {
			part.Amid++
		}
		if err := w.heals(ctx, b, c); err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		if _, err := w.age(ctx, w.trial); err != nil {
			return err
		}
		if part.Done%fewer == 0 || part.Done == w.network {
			if err := w.compare(ctx, part, w.trial, w.eitherWay()); err != nil {
				return err
			}
			w.progress(part, w.network)
		}
	}
	return nil
}

// strike lets a trouble last for a while.
func strike(ctx context.Context, line *toxiproxy.Proxy, t trouble, d time.Duration) error {
	if t.toxic == "" {
		line.Stop()
		err := pause(ctx, d)
		return errors.Join(err, line.Start())
	}
	if _, err := line.Toxics.AddToxicJson(strings.NewReader(t.toxic)); err != nil {
		return fmt.Errorf("disturb line: %w", err)
	}
	err := pause(ctx, d)
	return errors.Join(err, line.Toxics.RemoveToxic(context.WithoutCancel(ctx), "it"))
}
