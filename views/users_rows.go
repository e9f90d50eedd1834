package views

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// The rows of the list of people, and the schools to choose from, are the only markup
// written outside templ. They are nine tenths of the page that is asked for most, and
// templ formats every value through fmt: written here, the page takes less than half the
// time (BenchmarkUsersPage). Every value still goes through text, which escapes.

// rowBuffer gathers one row.
type rowBuffer []byte

// raw adds markup of ours.
func (b *rowBuffer) raw(markup string) { *b = append(*b, markup...) }

// text adds somebody's words, safe between tags and inside double quotes.
func (b *rowBuffer) text(s string) {
	out := *b
	start := 0
	for i := range len(s) {
		var as string
		switch s[i] {
		case '&':
			as = "&amp;"
		case '<':
			as = "&lt;"
		case '>':
			as = "&gt;"
		case '"':
			as = "&#34;"
		case '\'':
			as = "&#39;"
		default:
			continue
		}
		out = append(out, s[start:i]...)
		out = append(out, as...)
		start = i + 1
	}
	out = append(out, s[start:]...)
	*b = out
}

func schoolOptions(schools []SchoolOption, selected string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		b := make(rowBuffer, 0, 80*len(schools))
		for _, s := range schools {
			b.raw(`<option value="`)
			b.text(s.ID)
			if s.ID == selected {
				b.raw(`" selected>`)
			} else {
				b.raw(`">`)
			}
			b.text(s.Name)
			b.raw(`</option>`)
		}
		_, err := w.Write(b)
		return err
	})
}

func userRows(p *UsersPage, l *Locale) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		words := newRowWords(l, p.usersHref()+"/")
		b := make(rowBuffer, 0, 4096)
		for i := range p.Rows {
			b = b[:0]
			words.row(&b, &p.Rows[i])
			if _, err := w.Write(b); err != nil {
				return err
			}
		}
		return nil
	})
}

// choiceRows are people to choose from: their names lead to choose, and more of their roles to their own page.
func choiceRows(rows []UserRow, l *Locale, users string, choose func(id int64) string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		words := newRowWords(l, users)
		words.to = choose
		words.change = ""
		var b rowBuffer
		for i := range rows {
			words.row(&b, &rows[i])
		}
		_, err := w.Write(b)
		return err
	})
}

// rowWords is what every row repeats, looked up and escaped once.
type rowWords struct {
	l              *Locale
	users          string                // where people's pages are, with a slash
	to             func(id int64) string // where a name leads instead
	roles          map[string]string
	status, change string
	current, ended string
}

func newRowWords(l *Locale, users string) *rowWords {
	w := &rowWords{l: l, users: users, roles: make(map[string]string, len(knownRoles))}
	for _, r := range knownRoles {
		w.roles[r] = roleMarkup(r, l.Role(r))
	}
	w.status = `</td><td role="cell" data-label="` + templ.EscapeString(l.T("users.col.status")) + `">`
	w.change = `</td><td role="cell" data-label="` + templ.EscapeString(l.T("users.col.changed")) + `">`
	w.current = `<span class="soft">` + templ.EscapeString(l.T("status.current")) + `</span>`
	w.ended = `<span class="tag tag--off">` + templ.EscapeString(l.T("status.ended")) + `</span>`
	return w
}

func roleMarkup(slug, word string) string {
	symbol, _ := icon(roleIcon(slug)).(markup)
	return `<span class="role">` + string(symbol) + " " + templ.EscapeString(word) + `</span>`
}

func (w *rowWords) row(b *rowBuffer, r *UserRow) {
	name := personName(w.l, r.Name)
	b.raw(`<tr role="row"><th scope="row" role="rowheader"><a class="person" href="`)
	if w.to == nil {
		w.href(b, r.ID)
	} else {
		b.text(w.to(r.ID))
	}
	b.raw(`" dir="auto">`)
	b.text(name)
	b.raw(`</a>`)
	if r.Email != "" {
		b.raw(` <span class="from" dir="auto">`)
		b.address(r.Email)
		b.raw(`</span>`)
	}
	if r.Pinned {
		symbol, _ := icon("yes").(markup)
		b.raw(` <span class="tag tag--yes">` + string(symbol) + " ")
		b.text(w.l.T("users.pinned"))
		b.raw(`</span>`)
	}
	b.raw(`</th><td role="cell">`)
	w.grants(b, r, name)
	b.raw(w.status)
	if r.Ended {
		b.raw(w.ended)
	} else {
		b.raw(w.current)
	}
	if w.change != "" {
		b.raw(w.change)
		b.text(w.l.Short(r.Changed))
	}
	b.raw(`</td></tr>`)
}

// address writes an email address that breaks before its domain where the column is narrow, not inside a word.
func (b *rowBuffer) address(email string) {
	if at := strings.LastIndexByte(email, '@'); at > 0 {
		b.text(email[:at])
		b.raw(`<wbr>`)
		email = email[at:]
	}
	b.text(email)
}

func (w *rowWords) href(b *rowBuffer, id int64) {
	b.text(w.users)
	*b = strconv.AppendInt(*b, id, 10)
}

func (w *rowWords) grants(b *rowBuffer, r *UserRow, name string) {
	if len(r.Grants) == 0 {
		b.raw(`<span class="soft">`)
		if r.Imported {
			b.text(w.l.T("users.imported"))
		} else {
			b.text(w.l.T("users.no_role"))
		}
		b.raw(`</span>`)
		return
	}
	b.raw(`<ul class="grants" role="list">`)
	for i := range r.Grants {
		g := &r.Grants[i]
		b.raw(`<li>`)
		if known, ok := w.roles[g.Role]; ok {
			b.raw(known)
		} else {
			b.raw(roleMarkup(g.Role, g.Role))
		}
		b.raw(` <span dir="auto">`)
		b.text(w.place(g))
		if more := w.detail(g, len(r.Grants) > 1); more != "" {
			b.raw(` <span class="soft small">`)
			b.text(more)
			b.raw(`</span>`)
		}
		b.raw(`</span></li>`)
	}
	if r.MoreSchools > 0 {
		b.raw(`<li><span></span><a href="`)
		w.href(b, r.ID)
		b.raw(`">`)
		b.text(w.l.N("grants.more", r.MoreSchools))
		b.raw(`<span class="vh">: `)
		b.text(name)
		b.raw(`</span></a></li>`)
	}
	b.raw(`</ul>`)
}

// place is where a grant holds. Contacts and students may have no school at all.
func (w *rowWords) place(g *RowGrant) string {
	if g.School == "" && g.Role == "district_admin" {
		return w.l.T("place.whole_district")
	}
	return g.School
}

// detail is what refines a grant: staff labels, and the primary school of someone
// who has several.
func (w *rowWords) detail(g *RowGrant, several bool) string {
	said := labelList(w.l, g.Labels)
	if g.Primary && several {
		if said != "" {
			said += ", "
		}
		said += w.l.T("place.primary")
	}
	return said
}
