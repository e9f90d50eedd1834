package views

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"

	"hallpass/assets"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"
)

func draw(t testing.TB, c templ.Component) (*goquery.Document, string) {
	t.Helper()
	var buf bytes.Buffer
	if err := c.Render(context.Background(), &buf); err != nil {
		t.Fatal(err)
	}
	markup := buf.String()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(markup))
	if err != nil {
		t.Fatal(err)
	}
	return doc, markup
}

// text is what a reader sees, with runs of white space as one, and one between blocks.
func text(s *goquery.Selection) string {
	var b strings.Builder
	var walk func(int, *goquery.Selection)
	walk = func(_ int, n *goquery.Selection) {
		name := goquery.NodeName(n)
		if name == "#text" {
			b.WriteString(n.Text())
			return
		}
		n.Contents().Each(walk)
		if class := n.AttrOr("class", ""); name != "a" && (name != "span" || class != "" && class != "vh") {
			b.WriteByte(' ')
		}
	}
	s.Each(walk)
	return strings.Join(strings.Fields(b.String()), " ")
}

func wantText(t *testing.T, doc *goquery.Document, selector, want string) {
	t.Helper()
	if got := text(doc.Find(selector).First()); got != want {
		t.Errorf("%s: got %q, want %q", selector, got, want)
	}
}

func wantContains(t *testing.T, doc *goquery.Document, selector, want string) {
	t.Helper()
	if got := text(doc.Find(selector)); !strings.Contains(got, want) {
		t.Errorf("%s: got %q, want it to contain %q", selector, got, want)
	}
}

// What the content security policy refuses, no page may carry.
var (
	inlineHandler = regexp.MustCompile(`(?i)\son[a-z]+\s*=`)
	inlineStyle   = regexp.MustCompile(`(?i)<style|\sstyle\s*=|<script(?:\s*|\s[^>]*[^/])>[^<]|javascript:|hx-on|hx-vals`)
	foreign       = regexp.MustCompile(`(?:src|href|action|hx-get)="(?:https?:)?//([^"/]*)`)
)

func isFragment(name string) bool { return name == "users-results" || name == "sync-progress" }

func TestEveryPageIsWhole(t *testing.T) {
	for _, lang := range Languages {
		for name, page := range samples(lang) {
			t.Run(lang+"/"+name, func(t *testing.T) {
				doc, markup := draw(t, page)
				if m := inlineStyle.FindString(markup); m != "" {
					t.Errorf("inline style or script: %q", m)
				}
				for _, m := range foreign.FindAllStringSubmatch(markup, -1) {
					if m[1] != "clever.com" {
						t.Errorf("address of another site: %s", m[0])
					}
				}
				doc.Find("*").Each(func(_ int, s *goquery.Selection) {
					for _, a := range s.Nodes[0].Attr {
						if inlineHandler.MatchString(" " + a.Key + "=") {
							t.Errorf("inline handler %s on %s", a.Key, goquery.NodeName(s))
						}
					}
				})
				checkReferences(t, doc)
				if isFragment(name) {
					return
				}
				if got := doc.Find("html").AttrOr("lang", ""); got != lang {
					t.Errorf("lang is %q", got)
				}
				if got := strings.TrimSuffix(doc.Find("head title").Text(), " · Hallpass"); strings.TrimSpace(got) == "" {
					t.Error("no title")
				}
				for _, once := range []string{"h1", "main#main", "head title"} {
					if n := doc.Find(once).Length(); n != 1 {
						t.Errorf("%d × %s", n, once)
					}
				}
				if text(doc.Find("h1")) == "" {
					t.Error("empty h1")
				}
				checkHeadings(t, doc)
				checkTables(t, doc)
			})
		}
	}
}

// checkReferences makes sure that ids are unique and that what refers to them finds
// them: labels, headings of sections, popovers, icons.
func checkReferences(t *testing.T, doc *goquery.Document) {
	t.Helper()
	ids := map[string]int{}
	doc.Find("[id]").Each(func(_ int, s *goquery.Selection) { ids[s.AttrOr("id", "")]++ })
	for id, n := range ids {
		if n > 1 {
			t.Errorf("id %q stands %d times", id, n)
		}
	}
	for _, attr := range []string{"for", "aria-labelledby", "aria-describedby", "popovertarget"} {
		doc.Find("[" + attr + "]").Each(func(_ int, s *goquery.Selection) {
			for id := range strings.FieldsSeq(s.AttrOr(attr, "")) {
				if ids[id] == 0 {
					t.Errorf("%s=%q refers to nothing", attr, id)
				}
			}
		})
	}
	sprite, _, _ := assets.Open(assets.URL("icons.svg"))
	doc.Find("use").Each(func(_ int, s *goquery.Selection) {
		_, symbol, _ := strings.Cut(s.AttrOr("href", ""), "#")
		if !bytes.Contains(sprite, []byte(`id="`+symbol+`"`)) {
			t.Errorf("no icon %q", symbol)
		}
	})
	doc.Find("a, button").Each(func(_ int, s *goquery.Selection) {
		if text(s) == "" && s.AttrOr("aria-label", "") == "" {
			outer, _ := goquery.OuterHtml(s)
			t.Errorf("link or button without words: %s", outer)
		}
		if goquery.NodeName(s) == "a" && s.AttrOr("href", "") == "" {
			t.Errorf("link that leads nowhere: %q", text(s))
		}
	})
}

func checkHeadings(t *testing.T, doc *goquery.Document) {
	t.Helper()
	level := 0
	doc.Find("h1, h2, h3, h4").Each(func(_ int, s *goquery.Selection) {
		this := int(goquery.NodeName(s)[1] - '0')
		if this > level+1 {
			t.Errorf("heading %q skips from level %d to %d", text(s), level, this)
		}
		level = this
	})
}

// checkTables: rows that become blocks on a phone need their roles said, and cells
// their labels.
func checkTables(t *testing.T, doc *goquery.Document) {
	t.Helper()
	doc.Find("table").Each(func(_ int, table *goquery.Selection) {
		if table.AttrOr("role", "") != "table" || table.Find("caption").Length() != 1 {
			t.Error("table without role or caption")
		}
		table.Find("thead, tbody").Each(func(_ int, s *goquery.Selection) { wantRole(t, s, "rowgroup") })
		table.Find("tr").Each(func(_ int, s *goquery.Selection) { wantRole(t, s, "row") })
		table.Find("td").Each(func(_ int, s *goquery.Selection) { wantRole(t, s, "cell") })
		table.Find("tbody th").Each(func(_ int, s *goquery.Selection) { wantRole(t, s, "rowheader") })
	})
}

func wantRole(t *testing.T, s *goquery.Selection, role string) {
	t.Helper()
	if got := s.AttrOr("role", ""); got != role {
		t.Errorf("%s %q has role %q, want %q", goquery.NodeName(s), text(s), got, role)
	}
}

// hostile is what a name may be: long without a space, markup, right to left, quotes.
var hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)> محمد ` + strings.Repeat("W", 500)

func hostilePages(lang string) map[string]templ.Component {
	f := sampleFrame(lang, "users")
	f.District.Name, f.User.Name, f.User.FirstName, f.ViewPlaces = hostile, hostile, hostile, hostile
	f.SearchQuery, f.Query, f.Path, f.RequestID = hostile, hostile, "/"+hostile, hostile
	now := sampleNow
	return map[string]templ.Component{
		"users": Users(UsersPage{
			Frame: f, Filter: UsersFilter{Q: hostile, Role: hostile, School: hostile, Sort: hostile, Status: hostile},
			Roles: []string{hostile}, Schools: []SchoolOption{{hostile, hostile}}, Notices: []string{hostile},
			Rows: []UserRow{{ID: 1, Name: hostile, Email: hostile, Grants: []RowGrant{{Role: hostile, School: hostile, Labels: []string{hostile}}}}},
			Next: &PageLink{hostile, hostile}, Prev: &PageLink{hostile, hostile}, Total: 1,
		}),
		"users-none": Users(UsersPage{Frame: f, Filter: UsersFilter{Q: hostile}}),
		"user": User(UserPage{
			Frame: f, Name: hostile, Email: hostile, CleverID: hostile, EndedAt: &now,
			Grants:   []UserGrant{{Role: hostile, SchoolID: hostile, School: hostile, SchoolSIS: hostile, Labels: []string{hostile}, Source: "manual", By: hostile}},
			IDs:      []UserIDs{{hostile, hostile, hostile, hostile, hostile}},
			Sections: []UserSection{{ID: hostile, Name: hostile, School: hostile, Term: hostile, Period: hostile, As: hostile}},
			Accounts: []UserAccount{{ID: hostile, Role: hostile}},
			Related:  []RelatedUser{{Name: hostile, Roles: []string{hostile}, Kind: "student", Relationship: hostile}},
		}),
		"home":       Home(HomePage{Frame: f, Counts: []RoleCount{{hostile, 1, 1}}}),
		"mysections": MySections(MySectionsPage{Frame: f, Schools: []string{hostile, hostile}, Sections: []MySection{{ID: hostile, Name: hostile, School: hostile, Term: hostile, Period: hostile}}}),
		"schools":    Schools(SchoolsPage{Frame: f, Q: hostile, Rows: []SchoolRow{{ID: hostile, Name: hostile, SISID: hostile, Number: hostile, LowGrade: hostile, Shared: true}}}),
		"school": School(SchoolPage{
			Frame: f, ID: hostile, Name: hostile, SISID: hostile, Number: hostile, NCESID: hostile, LowGrade: hostile, Shared: true,
			Counts: []RoleCount{{hostile, 1, 1}}, Employees: []SchoolPerson{{1, hostile, hostile, []string{hostile}, true}},
			Sections: []SectionRow{{ID: hostile, Name: hostile, Period: hostile, Term: hostile, Subject: hostile, Grade: hostile, TeacherID: 1, Teacher: hostile}},
		}),
		"section": Section(SectionPage{
			Frame: f, ID: hostile, Name: hostile, SchoolID: hostile, School: hostile, Number: hostile, SISID: hostile, Course: hostile, Period: hostile,
			Subject: hostile, Grade: hostile, Term: hostile,
			Teachers: []SectionPerson{{1, hostile, hostile, hostile, hostile, true, false}}, Students: []SectionPerson{{1, hostile, hostile, hostile, hostile, true, false}},
		}),
		"syncs":     Syncs(SyncsPage{Frame: f, Runs: []SyncRun{{State: hostile, By: hostile}}, Notices: []string{hostile}}),
		"sync":      Sync(SyncPage{Frame: f, Run: SyncRun{State: "failed", By: hostile, Error: &SyncError{Message: hostile, Said: hostile, Type: hostile, Page: 1, Next: hostile}, Types: []SyncType{{Type: hostile, State: hostile}}}}),
		"error":     Error(ErrorPage{Frame: f, Status: 403, Message: hostile, Reason: &Reason{Person: hostile}}),
		"signin":    SignIn(SignInPage{Frame: Frame{RequestID: hostile}, Notice: "clever_error", Code: hostile}),
		"noconsole": NoConsole(NoConsolePage{Frame: Frame{}, FirstName: hostile, Reason: hostile, Roles: []string{hostile}, Schools: []string{hostile}, PortalURL: "javascript:alert(1)"}),
	}
}

func TestHostileTextIsShownAsText(t *testing.T) {
	for name, page := range hostilePages("en") {
		t.Run(name, func(t *testing.T) {
			doc, markup := draw(t, page)
			if strings.Contains(markup, "<script>") || strings.Contains(markup, "<img") {
				t.Error("hostile text came out as markup")
			}
			if doc.Find("[onerror]").Length() > 0 {
				t.Error("hostile text became an attribute")
			}
			if !strings.Contains(doc.Text(), "<script>alert(1)</script>") {
				t.Error("hostile text is not shown as it is")
			}
			doc.Find("[href], [action]").Each(func(_ int, s *goquery.Selection) {
				if strings.HasPrefix(strings.TrimSpace(s.AttrOr("href", s.AttrOr("action", ""))), "javascript:") {
					t.Error("a link runs script")
				}
			})
		})
	}
}

func TestBannerSaysViewAndSwitch(t *testing.T) {
	doc, _ := draw(t, MySections(MySectionsPage{Frame: sampleTeacherFrame("en")}))
	wantText(t, doc, "header section.view p", "You're logged in as a Teacher. Switch to Admin view →")
	if got := doc.Find("section.view a").AttrOr("href", ""); got != "/d/"+sampleDistrict+"/district_admin/" {
		t.Errorf("switch leads to %s", got)
	}
	if got := doc.Find("section.view").AttrOr("aria-label", ""); got != "Your view" {
		t.Errorf("label is %q", got)
	}

	f := sampleTeacherFrame("en")
	f.Views = append(f.Views, ViewLink{Slug: "staff", Href: "/s"}, ViewLink{Slug: "all", Href: "/a"})
	doc, _ = draw(t, MySections(MySectionsPage{Frame: f}))
	wantText(t, doc, "section.view p", "You're logged in as a Teacher. Switch to Admin view →")
	wantText(t, doc, "section.view details summary", "2 other views")
	wantText(t, doc, "section.view details ul", "Switch to Staff view → Use all roles together →")

	f.Views = f.Views[:1]
	doc, _ = draw(t, MySections(MySectionsPage{Frame: f}))
	if doc.Find("section.view").Length() != 0 {
		t.Error("a person with one view is offered a switch")
	}
}

func TestUsersCountIsHonest(t *testing.T) {
	p := sampleUsers("en")
	doc, _ := draw(t, Users(p))
	wantText(t, doc, ".count[role=status]", "10,000+ people match. Showing 50, from Abara to Ó Súilleabháin.")
	p.Total, p.Bounded = 312, false
	doc, _ = draw(t, Users(p))
	wantText(t, doc, ".count", "312 people match. Showing 50, from Abara to Ó Súilleabháin.")
	p.Rows, p.Total, p.Next = p.Rows[:1], 1, nil
	doc, _ = draw(t, Users(p))
	wantText(t, doc, ".count", "1 person matches.")
	p.Filter = UsersFilter{}
	doc, _ = draw(t, Users(p))
	wantText(t, doc, ".count", "1 person is listed.")
	p = sampleUsers("es")
	p.Filter.Sort = "-changed"
	doc, _ = draw(t, Users(p))
	wantText(t, doc, ".count", "10,000+ personas coinciden. Se muestran 50.")
	p.NoTotal = true
	doc, _ = draw(t, Users(p))
	wantText(t, doc, ".count", "Demasiadas para contarlas rápido. Se muestran 50.")
}

func TestUsersChipsSortAndPager(t *testing.T) {
	p := sampleUsers("en")
	p.Filter = UsersFilter{Q: "cedar", School: sampleSchoolA, Multi: true, Status: "ended", After: "zzz"}
	doc, _ := draw(t, Users(p))
	var without []string
	doc.Find("a.chip").Each(func(_ int, s *goquery.Selection) { without = append(without, text(s)+" "+s.AttrOr("href", "")) })
	base := UsersPath(sampleDistrict, "district_admin")
	want := []string{
		"Remove filter “cedar” " + base + "?multi=1&school=" + sampleSchoolA + "&status=ended",
		"Remove filter Juniper Ridge Middle " + base + "?multi=1&q=cedar&status=ended",
		"Remove filter Ended " + base + "?multi=1&q=cedar&school=" + sampleSchoolA,
		"Remove filter Several roles " + base + "?q=cedar&school=" + sampleSchoolA + "&status=ended",
	}
	if strings.Join(without, "\n") != strings.Join(want, "\n") {
		t.Errorf("chips:\n%s\nwant:\n%s", strings.Join(without, "\n"), strings.Join(want, "\n"))
	}
	wantText(t, doc, ".pager a[rel=next]", "Next, from Finch")
	if got := doc.Find(".pager a[rel=next]").AttrOr("href", ""); !strings.Contains(got, "after=abc") || strings.Contains(got, "zzz") {
		t.Errorf("next page is %s", got)
	}
	if got := doc.Find("th[aria-sort]").AttrOr("aria-sort", ""); got != "ascending" {
		t.Errorf("aria-sort is %q", got)
	}
	if got := doc.Find("th[aria-sort] a").AttrOr("href", ""); !strings.Contains(got, "sort=-name") || strings.Contains(got, "after") {
		t.Errorf("sorting leads to %s", got)
	}
}

func TestUsersRowsSayWhoAndWhere(t *testing.T) {
	p := sampleUsers("en")
	p.Rows = []UserRow{
		{ID: 9, Name: "Brakus, Danny D", Grants: []RowGrant{{Role: "teacher", School: "Kepler Middle"}, {Role: "staff", School: "Orion High", Labels: []string{"PortalOnly"}}}, MoreSchools: 3, Pinned: true, Changed: sampleNow},
		{ID: 10, Grants: []RowGrant{{Role: "district_admin"}}, Ended: true},
		{ID: 11, Name: "Nobody"},
	}
	doc, _ := draw(t, Users(p))
	rows := doc.Find("tbody tr")
	for i, want := range []string{
		"Brakus, Danny D Exact match Teacher Kepler Middle Staff Orion High PortalOnly + 3 more schools: Brakus, Danny D Current Today, 8:19 am",
		"No name on record District admin Whole district Ended Never",
		"Nobody No role Current Never",
	} {
		if got := text(rows.Eq(i)); got != want {
			t.Errorf("row %d: got %q, want %q", i, got, want)
		}
	}
	if got := rows.Eq(0).Find("a.person").AttrOr("href", ""); got != UserPath(sampleDistrict, "district_admin", 9) {
		t.Errorf("name leads to %s", got)
	}
}

func TestEmptyUsersSayWhatWasSearched(t *testing.T) {
	doc, _ := draw(t, samples("en")["users-empty"])
	wantText(t, doc, ".empty h2", "Nobody matches “brakkus” among current people")
	wantContains(t, doc, ".empty", "Search people who have left too")
	if n := doc.Find(".notice").Length(); n != 3 {
		t.Errorf("%d notices", n)
	}
	doc, _ = draw(t, samples("en")["users-nobody"])
	if got := doc.Find(".empty a").AttrOr("href", ""); got != SyncsPath(sampleDistrict, "district_admin") {
		t.Errorf("the way to the first sync leads to %q", got)
	}
}

func TestUserMatrix(t *testing.T) {
	doc, _ := draw(t, User(sampleUser("en")))
	wantText(t, doc, "h1", "Danny D Brakus")
	wantText(t, doc, ".head-sub", "Teacher and staff at 2 schools in Cedar Fork Unified")
	for i, want := range []string{
		"Juniper Ridge Middle Primary school · SIS 42 Teacher Clever, since Nov 4, 2024 No role",
		"Harbor View Elementary SIS 17 No role PortalOnly Clever, since Apr 15, 2025",
		"No role at the other 62 schools.",
	} {
		if got := text(doc.Find(".matrix tbody tr").Eq(i)); got != want {
			t.Errorf("row %d: got %q, want %q", i, got, want)
		}
	}
	wantContains(t, doc, "[aria-labelledby=ids]", "67290af290b55408fa4b09e3")
	wantContains(t, doc, "[aria-labelledby=ids]", "67feda77ecb57b200c573ce6")
	wantContains(t, doc, "[aria-labelledby=related]", "Same email. A family contact is never merged with an employee.")
	if doc.Find(`button.copy[hidden][data-copy="67290af290b55408fa4b09e7"]`).Length() != 1 {
		t.Error("no hidden copy button for the Clever ID")
	}

	doc, _ = draw(t, User(sampleAllRolesUser("en")))
	wantContains(t, doc, ".matrix tbody tr:first-child th", "Whole district")
	wantContains(t, doc, ".matrix thead", "coach Not known to Hallpass; gives nothing")
	wantContains(t, doc, ".matrix", "School not shared by Clever")
	wantContains(t, doc, ".matrix", "By hand, by Wren Castellano, since Oct 5, 2026, until Dec 18, 2026")
	if strings.Contains(text(doc.Find(".matrix")), "other") {
		t.Error("a district-wide role leaves no other schools")
	}
	wantContains(t, doc, "details.fold summary", "1 role that ended")

	doc, _ = draw(t, User(sampleContact("es")))
	wantContains(t, doc, ".notice", "Clever dejó de incluir a esta persona el 1 oct 2026.")
	wantContains(t, doc, "[aria-labelledby=related]", "Estudiante; esta persona figura como: padre o madre.")
}

func TestSyncProgressAsksForItselfOnlyWhileItMoves(t *testing.T) {
	doc, _ := draw(t, samples("en")["sync-running"])
	poll := doc.Find("#progress [hx-get]")
	if got := poll.AttrOr("hx-trigger", ""); got != "sync-moved, every 20s" || poll.AttrOr("hx-get", "") != SyncPath(sampleDistrict, "district_admin", 8841) {
		t.Errorf("polling %q every %q", poll.AttrOr("hx-get", ""), got)
	}
	wantContains(t, doc, "main", "Refresh status")
	doc, _ = draw(t, samples("en")["sync-failed"])
	if doc.Find("[data-live]").Length() != 0 {
		t.Error("a finished run is still polled")
	}
	wantContains(t, doc, ".problem", "While reading: People, page 12.")
	wantContains(t, doc, ".problem", "Who can put it right: Clever.")
}

func TestRefusalOffersTheOtherView(t *testing.T) {
	doc, _ := draw(t, samples("en")["error-other-view"])
	wantText(t, doc, ".sentence", "You're logged in as a Teacher. As district admin you can open it.")
	wantText(t, doc, ".acts .btn", "Switch to Admin view and continue")
	wantContains(t, doc, ".considered", "Not in this view")
	wantContains(t, doc, "main", "01JD4V7Q2M4410")
	doc, _ = draw(t, samples("en")["error-429"])
	wantContains(t, doc, ".sentence", "Try again in 30 seconds.")
}

func TestNoConsoleIsKind(t *testing.T) {
	doc, _ := draw(t, samples("en")["noconsole-student"])
	wantText(t, doc, "h1", "Hello, Lovisa")
	wantContains(t, doc, "main", "Clever says you are Student")
	wantContains(t, doc, "main", "Nothing is wrong, and nothing was changed.")
	if got := doc.Find("main a.btn").AttrOr("href", ""); got != cleverPortal {
		t.Errorf("portal is %s", got)
	}
	if doc.Find(`form[method=post][action="/signout"] button`).Length() != 1 {
		t.Error("no way to sign out")
	}
}

func TestFrameKeepsTheWayBack(t *testing.T) {
	doc, _ := draw(t, Users(sampleUsers("en")))
	want := LanguagePath("es", UsersPath(sampleDistrict, "district_admin")+"?q=x&role=teacher")
	if got := doc.Find(".board-links > a[hreflang=es]").AttrOr("href", ""); got != want {
		t.Errorf("language link is %s, want %s", got, want)
	}
	wantText(t, doc, ".foot p", "Cedar Fork Unified · Clever, synced today at 6:02 am")
	p := sampleUsers("en")
	p.Theme, p.CSRF = "dark", "tok"
	doc, _ = draw(t, Users(p))
	if got := doc.Find("html").AttrOr("data-theme", ""); got != "dark" {
		t.Errorf("theme is %q", got)
	}
	if got := doc.Find(`form[action="/signout"] input[name=_csrf]`).AttrOr("value", ""); got != "tok" {
		t.Errorf("token is %q", got)
	}
}

func BenchmarkUsersPage(b *testing.B) {
	p := sampleUsers("en")
	for i := range 250 {
		p.Schools = append(p.Schools, SchoolOption{ID: sampleSchoolA + string(rune('a'+i%26)), Name: "School number something"})
	}
	page := Users(p)
	var buf bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		buf.Reset()
		if err := page.Render(context.Background(), &buf); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(buf.Len()))
}

func BenchmarkUserPage(b *testing.B) {
	page := User(sampleUser("en"))
	var buf bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		buf.Reset()
		if err := page.Render(context.Background(), &buf); err != nil {
			b.Fatal(err)
		}
	}
}

// Someone confined to schools or sections is not told that their list is everyone's.
func TestConfinedReadersAreNotToldEveryone(t *testing.T) {
	for lang, want := range map[string][3]string{
		"en": {"Everyone in", "People at Orion High whom you may see in this view.", "Contacts are not counted here."},
		"es": {"Todas las personas de", "Personas de Orion High que puede ver en esta vista.", "no se cuentan aquí."},
	} {
		frame := sampleFrame(lang, "users")
		frame.ViewPlaces = ""
		doc, _ := draw(t, Users(UsersPage{Frame: frame}))
		wantContains(t, doc, ".head-sub", want[0])
		nowhere, _ := draw(t, Users(UsersPage{Frame: frame, Confined: true}))
		if said := nowhere.Find(".head-sub").Text(); said == "" || strings.Contains(said, want[0]) {
			t.Errorf("%s: confined to nowhere, the list is said to be of %q", lang, said)
		}
		frame.ViewPlaces = "Orion High"
		doc, _ = draw(t, Users(UsersPage{Frame: frame, Confined: true}))
		wantText(t, doc, ".head-sub", want[1])
		doc, _ = draw(t, Home(HomePage{Frame: frame, Confined: true, Counts: []RoleCount{{Role: "teacher", People: 2}}}))
		wantContains(t, doc, "main", want[2])
	}
}

// TestRelatedPersonHasEveryRole: who wears several hats is not told by the first of them.
func TestRelatedPersonHasEveryRole(t *testing.T) {
	p := UserPage{Frame: sampleFrame("en", "district_admin"), Name: "Brakus", Related: []RelatedUser{{ID: 7, Name: "Danny D Brakus", Roles: []string{"staff", "teacher"}, Kind: "same_email"}}}
	doc, _ := draw(t, User(p))
	said := doc.Find(`section[aria-labelledby="related"] li`).Text()
	if !strings.Contains(said, "Staff") || !strings.Contains(said, "Teacher") {
		t.Errorf("a related teacher and staff member reads %q", said)
	}
}
