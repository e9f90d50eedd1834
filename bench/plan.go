package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// plan is a statement and how it was answered, as auto_explain says it in JSON.
type plan struct {
	Query string   `json:"Query Text"`
	Plan  planNode `json:"Plan"`
	took  string
}

type planNode struct {
	Type      string     `json:"Node Type"`
	Subplan   string     `json:"Subplan Name"`
	Relation  string     `json:"Relation Name"`
	Alias     string     `json:"Alias"`
	Index     string     `json:"Index Name"`
	CTE       string     `json:"CTE Name"`
	IndexCond string     `json:"Index Cond"`
	Filter    string     `json:"Filter"`
	Once      string     `json:"One-Time Filter"`
	SortKey   []string   `json:"Sort Key"`
	Removed   float64    `json:"Rows Removed by Filter"`
	Expected  float64    `json:"Plan Rows"`
	Rows      float64    `json:"Actual Rows"`
	Loops     float64    `json:"Actual Loops"`
	Time      float64    `json:"Actual Total Time"` // ms, of one loop
	Hit       int64      `json:"Shared Hit Blocks"`
	Read      int64      `json:"Shared Read Blocks"`
	Plans     []planNode `json:"Plans"`
}

// plans parts what the server said into statements. The job queue asks whether there is work in between; that is no
// part of a page.
func plans(lines []string) ([]plan, error) {
	var texts []string
	for _, line := range lines {
		switch {
		case strings.Contains(line, " plan:"):
			texts = append(texts, line)
		case len(texts) > 0:
			texts[len(texts)-1] += "\n" + line
		}
	}
	texts = slices.DeleteFunc(texts, func(text string) bool { return strings.Contains(text, "river_") })
	all := make([]plan, len(texts))
	for i, text := range texts {
		head, body, _ := strings.Cut(text, "plan:")
		if err := json.Unmarshal([]byte(body), &all[i]); err != nil {
			return nil, fmt.Errorf("read plan: %w", err)
		}
		_, all[i].took, _ = strings.Cut(strings.TrimSpace(head), "duration: ")
	}
	return all, nil
}

// String is the statement and a line for each step, the outermost first.
func (p plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "-- %s\n%s\n", strings.TrimSpace(p.took), strings.TrimSpace(strings.ReplaceAll(p.Query, "\t", "  ")))
	p.Plan.write(&b, "  ")
	return b.String()
}

func (n planNode) write(b *strings.Builder, indent string) {
	b.WriteString(indent + n.Type)
	for _, part := range []struct{ before, text string }{
		{" using ", n.Index}, {" on ", n.Relation + n.CTE}, {" ", n.Alias}, {" = ", n.Subplan},
	} {
		if part.text != "" {
			b.WriteString(part.before + part.text)
		}
	}
	fmt.Fprintf(b, ": %.3f ms × %g, %g rows (%g expected), %d blocks found, %d read", n.Time, n.Loops, n.Rows, n.Expected, n.Hit, n.Read)
	for _, part := range []struct{ name, text string }{
		{"index", n.IndexCond}, {"filter", n.Filter}, {"once", n.Once}, {"sort", strings.Join(n.SortKey, ", ")},
	} {
		if part.text != "" {
			fmt.Fprintf(b, "\n%s    %s: %s", indent, part.name, part.text)
		}
	}
	if n.Removed > 0 {
		fmt.Fprintf(b, " (dropped %g)", n.Removed)
	}
	b.WriteByte('\n')
	for _, child := range n.Plans {
		child.write(b, indent+"  ")
	}
}
