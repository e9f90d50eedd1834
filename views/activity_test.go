package views

import (
	"strings"
	"testing"

	"hallpass/access"
	"hallpass/audit"
)

func sampleActivity(lang string) ActivityPage {
	p := ActivityPage{
		Frame: sampleFrame(lang, "activity"), Filter: ActivityFilter{For: "calloway", Kind: "override", Worn: "district_admin", From: "2026-11-01", To: "2026-11-20"},
		For: "Everett Calloway", By: "Theo Lindqvist", Kinds: audit.Kinds(), Newer: &PageLink{Cursor: "9"}, Older: &PageLink{Cursor: "3"},
	}
	l := p.Locale()
	act := l.Act(access.Definition{Permission: "grades.edit", English: "Change grades.", Spanish: "Cambiar las notas."})
	for i, a := range append(audit.Actions(), "unheard.of") {
		r := ActivityRow{
			ID: int64(100 - i), At: sampleNow.AddDate(0, 0, -i*i), ActorID: 7, Actor: "Theo Lindqvist", Worn: "district_admin", Action: string(a), RequestID: "01JD4V7Q2M4410",
			Thing: ActivityThing{Kind: a.Kind(), ID: "12", Name: "Everett Calloway", Href: "/x"},
		}
		switch a.Kind() {
		case "override":
			r.Change, r.CanUndo, r.Says = int64(i+1), true, "Everett Calloway may change grades."
			r.Lines = []ActivityLine{l.EffectLine(Spot{Kind: "school", Name: "Alder Creek High"}, act, false, true), l.FieldLine("end", "Dec 18, 2026", "")}
		case "rules":
			r.Change, r.UndoneBy = 4, 5
			r.Lines = []ActivityLine{l.RuleLine("staff", "SchoolTechLead", act, true, false), l.FieldLine("unknown_field", "true", "false")}
		case "sync":
			r.ActorID, r.Actor, r.Worn = 0, "full sync", ""
		case "setting":
			r.Undoes = 3
		case "session":
			r.Thing.Kind, r.Why = "user", "idle"
		}
		p.Rows = append(p.Rows, r)
	}
	return p
}

// TestEveryActionHasItsSentence in both languages, of its own, with who did it.
func TestEveryActionHasItsSentence(t *testing.T) {
	for _, lang := range Languages {
		p := sampleActivity(lang)
		l, seen := p.Locale(), map[string]bool{}
		for _, r := range p.Rows {
			r.Says, r.Why = "", ""
			said := r.Text(l)
			if r.Action == "unheard.of" {
				if !strings.Contains(said, "unheard.of") || !strings.Contains(said, "Theo Lindqvist") {
					t.Errorf("%s: an action nobody has words for reads %q", lang, said)
				}
				continue
			}
			if _, ok := activitySentences[audit.Action(r.Action)]; !ok || strings.Contains(said, r.Action) || seen[said] || !strings.ContainsAny(said, "TH") {
				t.Errorf("%s: %s reads %q", lang, r.Action, said)
			}
			seen[said] = true
		}
		for kind := range activityKinds {
			if len(audit.OfKind(kind)) == 0 {
				t.Errorf("%q is no kind", kind)
			}
		}
		for _, kind := range audit.Kinds() {
			if activityKind(l, kind) == kind {
				t.Errorf("%s: %q has no word", lang, kind)
			}
		}
	}
}

// TestNamesCannotForgeASentence: what stands for who and what is filled once, and a name with marks in it stays one.
func TestNamesCannotForgeASentence(t *testing.T) {
	p := sampleActivity("en")
	r := ActivityRow{ID: 1, At: sampleNow, ActorID: 7, Actor: "Eve " + whatMark + whoMark, Action: string(audit.KeyMade), Thing: ActivityThing{Kind: "key", ID: "3"}}
	pieces := r.pieces(p, p.Locale())
	if len(pieces) != 4 || pieces[0].text != r.Actor || pieces[2].text != "API key 3" {
		t.Errorf("the sentence falls into %+v", pieces)
	}
	p.Rows = []ActivityRow{{ID: 2, At: sampleNow, ActorID: 7, Actor: `<b>"Eve"</b>`, Action: `<script>`, Thing: ActivityThing{Kind: `<i>`, ID: `"`}}}
	doc, _ := draw(t, Activity(p))
	if doc.Find("ol.log b, ol.log i, ol.log script").Length() > 0 {
		t.Error("text of an entry became markup")
	}
}

// TestWhatHallpassDidByItselfIsSaidInSpanishToo: its tasks and what they were about are stored in English.
func TestWhatHallpassDidByItselfIsSaidInSpanishToo(t *testing.T) {
	l := NewLocale("es", sampleNow, nil)
	for _, tt := range []struct{ action, task, kind, want string }{
		{string(audit.SyncFinished), "full sync", "sync", "Hallpass (sincronización completa) terminó la sincronización 12."},
		{string(audit.AccountsImported), "import", "import", "Hallpass (importación) trajo cuentas antiguas (la importación 12)."},
		{string(audit.BulkAccepted), "bulk", "bulk", "Hallpass (lote) aceptó un lote de uniones (el lote 12)."},
	} {
		r := ActivityRow{Action: tt.action, Actor: tt.task, Thing: ActivityThing{Kind: tt.kind, ID: "12"}}
		if said := r.Text(l); said != tt.want {
			t.Errorf("%s by %s reads %q, want %q", tt.action, tt.task, said, tt.want)
		}
	}
}

// TestWhatAChangeRecordedHasWords: names, values and moments.
func TestWhatAChangeRecordedHasWords(t *testing.T) {
	l := NewLocale("en", sampleNow, nil)
	for _, tt := range []struct {
		name, before, after string
		want                ActivityLine
	}{
		{"verdict", "", "different", ActivityLine{What: "Answer", Before: "Nothing", After: "Different people"}},
		{"rest", "keep", "archive", ActivityLine{What: "Accounts that lead to nobody by then", Before: "Keep them", After: "Archive them"}},
		{"at", "", "2026-12-20T15:00:00Z", ActivityLine{What: "Date and time", Before: "Nothing", After: "Dec 20, 2026, 3:00 pm"}},
		{"explains", "", "true", ActivityLine{What: "Answers explain themselves to admins", Before: "Nothing", After: "Yes"}},
		{"brake", "10", "5", ActivityLine{What: "Brake", Before: "10", After: "5"}},
		{"unheard_of", "keep", "", ActivityLine{What: "unheard_of", Before: "keep", After: "Nothing"}},
	} {
		if got := l.FieldLine(tt.name, tt.before, tt.after); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
