package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"
)

// compared is how many addresses of a view are looked at on both servers before it is timed.
const compared = 25

var (
	bareLink = regexp.MustCompile(`<tr><td><a href="/users/(\d+)">`)
	bareCell = regexp.MustCompile(`<td>(?:<a [^>]*>)?([^<]*)`)
	ownLink  = regexp.MustCompile(`/users/(\d+)$`)
)

// compare makes sure that both servers answer the same: the same people in the same order, and whatever the bare page
// says of them, the console's page says too.
func compare(ctx context.Context, v view, product, plain site) error {
	if len(v.product) == 0 {
		return errors.New("nobody to ask about: the district is too small")
	}
	for i := range min(compared, len(v.product)) {
		ours, err := read(ctx, product, v.product[i])
		if err != nil {
			return err
		}
		theirs, err := read(ctx, plain, v.bare[i])
		if err != nil {
			return err
		}
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(ours))
		if err != nil {
			return fmt.Errorf("%s: %w", v.product[i], err)
		}
		var want []string
		for _, found := range bareLink.FindAllStringSubmatch(theirs, -1) {
			want = append(want, found[1])
		}
		if got := ids(doc); len(want) > 0 && !slices.Equal(got, want) {
			return fmt.Errorf("%s: console and yardstick disagree: %d people %v, %d people %v", v.product[i], len(got), got, len(want), want)
		}
		text := squeeze(doc.Find("main").Text())
		for _, cell := range bareCell.FindAllStringSubmatch(theirs, -1) {
			if said := squeeze(html.UnescapeString(cell[1])); !strings.Contains(text, said) {
				return fmt.Errorf("%s: the console does not show %q", v.product[i], said)
			}
		}
	}
	return nil
}

// ids are the people of a list, in its order.
func ids(doc *goquery.Document) []string {
	var all []string
	doc.Find("#results tbody tr").Each(func(_ int, row *goquery.Selection) {
		href, _ := row.Find("a[href*='/users/']").First().Attr("href")
		if found := ownLink.FindStringSubmatch(href); found != nil {
			all = append(all, found[1])
		}
	})
	return all
}

// squeeze makes one space of any white space, as a browser does.
func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }

func read(ctx context.Context, s site, path string) (string, error) {
	w, err := dial(ctx, s.address)
	if err != nil {
		return "", err
	}
	defer w.conn.Close()
	var body bytes.Buffer
	status, _, err := w.get(s.request(path, false), &body)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if status != http.StatusOK {
		return "", fmt.Errorf("%s: status %d", path, status)
	}
	return body.String(), nil
}
