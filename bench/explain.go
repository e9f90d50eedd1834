package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"
)

// planLog is a log handler that takes the database server's own lines, and keeps them while somebody listens. With
// auto_explain loaded into the console's connections, those are the plans of its statements: the very statements it
// ran, as its role, under row-level security, with their real arguments.
type planLog struct {
	mu     sync.Mutex
	listen bool
	lines  []string
	heard  time.Time
}

// Enabled implements slog.Handler.
func (p *planLog) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (p *planLog) Handle(_ context.Context, record slog.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listen {
		p.heard = time.Now()
		text := record.Message
		record.Attrs(func(a slog.Attr) bool { text = a.Value.String(); return true })
		p.lines = append(p.lines, text)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (p *planLog) WithAttrs([]slog.Attr) slog.Handler { return p }

// WithGroup implements slog.Handler.
func (p *planLog) WithGroup(string) slog.Handler { return p }

// take gives what was said since the last time, once the server has been silent for a while.
func (p *planLog) take(ctx context.Context) []string {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		p.mu.Lock()
		if !p.listen || time.Since(p.heard) > 200*time.Millisecond {
			lines := p.lines
			p.listen, p.lines, p.heard = true, nil, time.Now()
			p.mu.Unlock()
			return lines
		}
		p.mu.Unlock()
	}
}

// explain asks for one page of each kind and prints the plan of every statement behind it.
func (w *world) explain(ctx context.Context, o options) (err error) {
	with := w.url + "&options=" + strings.ReplaceAll(url.QueryEscape("-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0"+
		" -c auto_explain.log_analyze=on -c auto_explain.log_buffers=on -c auto_explain.log_format=json"), "+", "%20")
	stop, err := w.serveConsole(ctx, with)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	product, err := w.signIn(ctx)
	if err != nil {
		return err
	}
	views, err := w.views(ctx, o)
	if err != nil {
		return err
	}
	for _, v := range views {
		if v.gzip {
			continue
		}
		for range 3 { // what is shown is the plan of a warm cache
			w.plans.take(ctx)
			if _, err := read(ctx, product, v.product[0]); err != nil {
				return err
			}
		}
		fmt.Fprintf(w.report.out, "\n==== %s: %s\n", v.name, v.product[0])
		said, err := plans(w.plans.take(ctx))
		if err != nil {
			return err
		}
		for _, p := range said {
			fmt.Fprintf(w.report.out, "\n%s", p)
		}
	}
	return nil
}
