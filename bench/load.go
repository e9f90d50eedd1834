package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// wire is a connection of the load generator: as little of HTTP as the two servers speak, so that the client's own
// share of the two cores stays small and the same for both.
type wire struct {
	conn   net.Conn
	reader *bufio.Reader
}

// patience bounds one answer.
const patience = 30 * time.Second

func dial(ctx context.Context, address string) (*wire, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &wire{conn, bufio.NewReaderSize(conn, 64<<10)}, nil
}

// get sends a request and reads the whole answer; body, if not nil, gets it.
func (w *wire) get(request []byte, body io.Writer) (status int, size int64, err error) {
	if err := w.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, 0, err
	}
	if _, err := w.conn.Write(request); err != nil {
		return 0, 0, err
	}
	if body == nil {
		body = io.Discard
	}
	line, err := w.reader.ReadSlice('\n')
	if err != nil {
		return 0, 0, err
	}
	if len(line) < 12 {
		return 0, 0, errors.New("not HTTP")
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, 0, err
	}
	length, chunked := int64(-1), false
	for {
		if line, err = w.reader.ReadSlice('\n'); err != nil {
			return status, 0, err
		}
		name, value, ok := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(": "))
		if !ok {
			break
		}
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.ParseInt(string(value), 10, 64); err != nil {
				return status, 0, err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		}
	}
	switch {
	case !chunked && length < 0:
		return status, 0, errors.New("neither length nor chunks")
	case !chunked:
		size, err = io.CopyN(body, w.reader, length)
		return status, size, err
	}
	for {
		if line, err = w.reader.ReadSlice('\n'); err != nil {
			return status, size, err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 64)
		if err != nil {
			return status, size, err
		}
		if _, err := io.CopyN(body, w.reader, n); err != nil {
			return status, size, err
		}
		size += n
		if _, err := w.reader.Discard(2); err != nil || n == 0 {
			return status, size, err
		}
	}
}

// sample is what one turn of load measured.
type sample struct {
	p50, p99 time.Duration
	perSec   float64
	requests int
	size     int64 // of the last page, in bytes
}

// maxRequests bounds a turn beside its time.
const maxRequests = 20_000

// drive asks in a closed loop: each of the clients asks the next question when it has the answer to its last one.
func drive(ctx context.Context, address string, requests [][]byte, clients int, length time.Duration) (sample, error) {
	var next atomic.Int64
	var size atomic.Int64
	took := make([][]time.Duration, clients)
	failed := make([]error, clients)
	wires := make([]*wire, clients)
	for i := range wires {
		w, err := dial(ctx, address)
		if err != nil {
			return sample{}, err
		}
		defer w.conn.Close()
		wires[i] = w
	}
	began := time.Now()
	until := began.Add(length)
	var all sync.WaitGroup
	for i, w := range wires {
		all.Go(func() {
			for now := time.Now(); now.Before(until) && ctx.Err() == nil; {
				n := next.Add(1) - 1
				if n >= maxRequests {
					return
				}
				request := requests[int(n)%len(requests)]
				status, n64, err := w.get(request, nil)
				if err == nil && status != 200 {
					err = fmt.Errorf("status %d", status)
				}
				if err != nil {
					line, _, _ := bytes.Cut(request, []byte("\r\n"))
					failed[i] = fmt.Errorf("%s: %w", line, err)
					return
				}
				end := time.Now()
				took[i] = append(took[i], end.Sub(now))
				size.Store(n64)
				now = end
			}
		})
	}
	all.Wait()
	elapsed := time.Since(began)
	if err := errors.Join(append(failed, ctx.Err())...); err != nil {
		return sample{}, err
	}
	every := slices.Concat(took...)
	slices.Sort(every)
	return sample{
		p50: every[len(every)/2], p99: every[len(every)*99/100], requests: len(every),
		perSec: float64(len(every)) / elapsed.Seconds(), size: size.Load(),
	}, nil
}

// pageFigures are the medians of the turns at one page.
type pageFigures struct {
	Name    string      `json:"page"`
	Judged  bool        `json:"judged"`
	Product siteFigures `json:"product"`
	Bare    siteFigures `json:"bare"`
}

type siteFigures struct {
	Bytes    int64   `json:"bytes"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	P50Many  float64 `json:"p50_ms_at_16"`
	P99Many  float64 `json:"p99_ms_at_16"`
	PerSec   float64 `json:"per_second_at_16"`
	Requests int     `json:"requests"`
}

// many is the second concurrency.
const many = 16

// timed lets product and yardstick take turns, so that what else the machine does falls on both.
func timed(ctx context.Context, o options, v view, product, plain site) (pageFigures, error) {
	length := time.Duration(o.seconds * float64(time.Second))
	type turn struct{ alone, crowd []sample }
	sites := []struct {
		site
		paths []string
		turn
	}{{site: product, paths: v.product}, {site: plain, paths: v.bare}}
	for round := -1; round < o.rounds; round++ {
		for s := range sites {
			at := &sites[s]
			var requests [][]byte
			for _, path := range at.paths {
				requests = append(requests, at.request(path, v.gzip))
			}
			if round < 0 { // connections, prepared statements and caches warm
				if _, err := drive(ctx, at.address, requests, many, length/4); err != nil {
					return pageFigures{}, err
				}
				continue
			}
			alone, err := drive(ctx, at.address, requests, 1, length)
			if err != nil {
				return pageFigures{}, err
			}
			crowd, err := drive(ctx, at.address, requests, many, length)
			if err != nil {
				return pageFigures{}, err
			}
			at.alone, at.crowd = append(at.alone, alone), append(at.crowd, crowd)
		}
		slices.Reverse(sites) // who goes first changes with the round
	}
	f := pageFigures{Name: v.name, Judged: v.judged}
	for _, s := range sites {
		figures := medians(s.alone, s.crowd)
		if s.address == product.address {
			f.Product = figures
		} else {
			f.Bare = figures
		}
	}
	return f, nil
}

func medians(alone, crowd []sample) siteFigures {
	middle := func(of []sample, value func(sample) float64) float64 {
		var all []float64
		for _, s := range of {
			all = append(all, value(s))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	p50 := func(s sample) float64 { return s.p50.Seconds() * 1000 }
	p99 := func(s sample) float64 { return s.p99.Seconds() * 1000 }
	f := siteFigures{
		P50: middle(alone, p50), P99: middle(alone, p99), P50Many: middle(crowd, p50), P99Many: middle(crowd, p99),
		PerSec: middle(crowd, func(s sample) float64 { return s.perSec }), Bytes: alone[0].size,
	}
	for _, s := range alone {
		f.Requests += s.requests
	}
	return f
}
