package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// loads are people who look at pages all the while, and what they were answered.
type loads struct {
	stop     context.CancelFunc
	all      sync.WaitGroup
	mu       sync.Mutex
	statuses map[int]int // 0: no answer
	wrong    []string
}

// load opens pages again and again, two at a time, until it is told to stop.
func (w *world) load(ctx context.Context, b *browser) *loads {
	ctx, stop := context.WithCancel(ctx)
	l := &loads{stop: stop, statuses: map[int]int{}}
	pages := []string{"", "users", "users?q=changed", "schools", "overrides", "syncs", "activity"}
	for i := range 2 {
		l.all.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				page := pages[n%len(pages)]
				status, body, err := b.get(ctx, b.console+b.home+page)
				if ctx.Err() != nil {
					return
				}
				l.note(page, status, body, err)
				if status != http.StatusOK && pause(ctx, 100*time.Millisecond) != nil { // as a person would
					return
				}
			}
		})
	}
	return l
}

// note keeps an answer. A page may fail while the database is away, and must say so: that somebody is signed out, that what
// they ask for is not there, or that it is a mistake of ours would be a lie.
func (l *loads) note(page string, status int, body []byte, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		status = 0
	}
	l.statuses[status]++
	switch status {
	case 0, http.StatusOK, http.StatusServiceUnavailable:
	default:
		l.wrong = append(l.wrong, fmt.Sprintf("%q was answered with status %d: %.300s", page, status, body))
	}
}

// end stops them and says what they were answered.
func (l *loads) end(w *world, part *figure) string {
	l.stop()
	l.all.Wait()
	for _, text := range l.wrong {
		part.Differences++
		w.find("%s: page %s", part.Name, text)
	}
	var said []string
	for _, status := range slices.Sorted(maps.Keys(l.statuses)) {
		name := fmt.Sprintf("%d with %d", l.statuses[status], status)
		if status == 0 {
			name = fmt.Sprintf("%d without an answer", l.statuses[status])
		}
		said = append(said, name)
	}
	return "pages: " + strings.Join(said, ", ")
}
