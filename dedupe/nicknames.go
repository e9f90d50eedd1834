package dedupe

import (
	_ "embed" // the table of nicknames
	"slices"
	"strings"
	"sync"
)

//go:embed nicknames.txt
var nicknameTable string

// formal are the names that a name may be short for. It is a relation and no class: Alex may be Alexander or Alexandra,
// who are not thereby alike.
var formal = sync.OnceValue(func() map[string][]string {
	table := map[string][]string{}
	for line := range strings.Lines(nicknameTable) {
		full, short, ok := strings.Cut(line, ":")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		for name := range strings.FieldsSeq(short) {
			table[name] = append(table[name], strings.TrimSpace(full))
		}
	}
	return table
})

// canonical are a folded given name's own form and every name it may be short for, ascending. Of several given names
// the first decides, unless the two together are one short for another ("maria jose").
func canonical(given string) []string {
	if given == "" {
		return nil
	}
	table := formal()
	out := append([]string{given}, table[given]...)
	if first, _, many := strings.Cut(given, " "); many {
		out = append(out, first)
		out = append(out, table[first]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// sharesForm reports whether two given names may be forms of one name. Both lists are ascending.
func sharesForm(a, b []string) bool {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			return true
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return false
}
