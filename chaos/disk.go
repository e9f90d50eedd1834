package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	diskMB  = 320 // of the small disk
	chunkMB = 1
)

// fullDisks gives a database a disk that is too small, and lets a sync run into its end.
func (w *world) fullDisks(ctx context.Context, part *figure) error {
	if os.Geteuid() != 0 {
		part.Skipped = "only root can make a disk that is small"
		return nil
	}
	folder := filepath.Join(w.folder, "disk")
	if err := os.Mkdir(folder, 0o755); err != nil {
		return fmt.Errorf("make disk: %w", err)
	}
	if err := mount(folder, diskMB); err != nil {
		part.Skipped = err.Error()
		return nil //nolint:nilerr // the figures say so
	}
	w.keeper.tell(word{Mounted: folder})
	w.ends = append(w.ends, func(context.Context) error { return unmount(folder) })
	s, err := w.newServer(ctx, filepath.Join(folder, "server"), "shared_buffers = '16MB'", "max_wal_size = '64MB'", "min_wal_size = '32MB'", "checkpoint_timeout = '30s'")
	if err != nil {
		return err
	}
	b, err := w.newBase(ctx, s, "small")
	if err != nil {
		return err
	}
	if err := w.begin(ctx, b); err != nil {
		return err
	}
	clear, gone := 0, 0
	for part.Done < w.full {
		// Everybody has another name: that is a lot to write.
		for i := range w.users / 2 {
			err := w.clever.EditUser(w.clever.UserIDAt(i), func(u map[string]any) {
				u["name"] = map[string]any{"first": strings.Repeat("Long", 200), "last": fmt.Sprintf("Name%d", part.Done)}
			})
			if err != nil {
				continue // removed meanwhile
			}
		}
		ballast := filepath.Join(folder, "ballast")
		if err := fill(ballast, w.random.IntN(3)); err != nil {
			return err
		}
		c, err := w.syncing(ctx, b.url, w.cleverURL, "--full")
		if err != nil {
			return err
		}
		err = c.wait(ctx)
		if errors.Is(err, errBroken) || ctx.Err() != nil {
			return err
		}
		if err := os.Remove(ballast); err != nil {
			return fmt.Errorf("make space: %w", err)
		}
		part.Done++
		if err != nil {
			part.Amid++
			if strings.Contains(c.said(), "No space left on device") {
				clear++
			}
		}
		started, err := w.revived(ctx, s, b)
		if err != nil {
			return err
		}
		gone += started
		if err := w.compare(ctx, part, b, byFull); err != nil {
			return err
		}
		w.progress(part, w.full)
	}
	part.What = fmt.Sprintf("%d said that no space is left; PostgreSQL itself had to be started again %d times", clear, gone)
	return nil
}

// revived starts a server again that is down, or goes down yet: its recovery may have met the full disk too. It waits
// until the server answers, and says how often it was started.
func (w *world) revived(ctx context.Context, s *server, b *base) (started int, err error) {
	b.look.Reset()
	for until := w.now().Add(patience); ; {
		if !s.up(ctx) {
			started++
			err = s.start(ctx)
		}
		if err == nil {
			if err = b.look.Ping(ctx); err == nil {
				return started, nil
			}
		}
		if ctx.Err() != nil || w.now().After(until) {
			return started, fmt.Errorf("%w: with room again, the database does not come back: %w", errBroken, err)
		}
		err = nil
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return started, err
		}
	}
}

// fill writes a file until the disk is full, and leaves so many MB.
func fill(path string, leave int) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("fill disk: %w", err)
	}
	defer file.Close()
	chunk, size := make([]byte, chunkMB<<20), int64(0)
	for {
		n, err := file.Write(chunk)
		size += int64(n)
		if err != nil {
			break // full
		}
	}
	if err := file.Truncate(max(size-int64(leave)<<20, 0)); err != nil {
		return fmt.Errorf("fill disk: %w", err)
	}
	return nil
}
