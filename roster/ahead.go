package roster

import (
	"context"
	"iter"

	"hallpass/clever"
)

// page is one page of records, ready to be written.
type page[R any] struct {
	number  int
	records []R
}

// ahead walks a list in a goroutine of its own, so that the next page is read, decoded and prepared while the
// database writes this one. It holds three pages at most: one being made, one waiting, one in use. The walk is over
// when the sequence ends; stop, which tells list's context, is called in every case.
func ahead[T, R any](ctx context.Context, list func(context.Context) iter.Seq2[clever.Page[T], error], prepare func(T) R) iter.Seq2[page[R], error] {
	type answer struct {
		page page[R]
		err  error
	}
	return func(yield func(page[R], error) bool) {
		ctx, stop := context.WithCancel(ctx)
		answers := make(chan answer, 1)
		go func() {
			defer close(answers)
			for p, err := range list(ctx) {
				a := answer{page[R]{number: p.Number, records: make([]R, len(p.Items))}, err}
				for i := range p.Items {
					a.page.records[i] = prepare(p.Items[i])
				}
				select {
				case answers <- a:
				case <-ctx.Done():
					return
				}
			}
		}()
		defer func() {
			stop()
			for range answers { // until the goroutine is gone
			}
		}()
		for a := range answers {
			if !yield(a.page, a.err) {
				return
			}
		}
	}
}
