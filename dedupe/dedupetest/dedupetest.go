// Package dedupetest measures package dedupe: labelled files, a generated district whose truth is known, and the
// figures of quality. Only tests and bench import it.
package dedupetest

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"hallpass/dedupe"
)

// Labelled is records and who is who.
type Labelled struct {
	Name    string
	Records []dedupe.Record
	Truth   map[int64]int64 // record to person
}

// Febrl reads a FEBRL file. Its columns become names, one number, and traits; the record id is read for the truth
// alone.
func Febrl(name string, from io.Reader) (Labelled, error) {
	return read(name, from, func(row map[string]string, r *dedupe.Record) (person string) {
		r.Names = []dedupe.Name{{Given: row["given_name"], Surname: row["surname"]}}
		r.Numbers = []dedupe.Number{{Space: "soc_sec_id", Value: row["soc_sec_id"]}}
		for _, kind := range []string{"street_number", "address_1", "address_2", "suburb", "postcode", "state", "date_of_birth"} {
			r.Traits = append(r.Traits, dedupe.Trait{Kind: kind, Value: row[kind]})
		}
		return strings.Split(row["rec_id"], "-")[1]
	})
}

// Splink reads Splink's fake_1000.
func Splink(name string, from io.Reader) (Labelled, error) {
	return read(name, from, func(row map[string]string, r *dedupe.Record) (person string) {
		r.Names = []dedupe.Name{{Given: row["first_name"], Surname: row["surname"]}}
		r.Emails = []string{row["email"]}
		r.Traits = []dedupe.Trait{{Kind: "dob", Value: row["dob"]}, {Kind: "city", Value: row["city"]}}
		return row["cluster"]
	})
}

func read(name string, from io.Reader, fill func(map[string]string, *dedupe.Record) string) (Labelled, error) {
	rows, err := csv.NewReader(from).ReadAll()
	if err != nil {
		return Labelled{}, fmt.Errorf("read %s: %w", name, err)
	}
	all := Labelled{Name: name, Truth: map[int64]int64{}}
	people := map[string]int64{}
	for i, cells := range rows[1:] {
		row := map[string]string{}
		for at, column := range rows[0] {
			row[strings.TrimSpace(column)] = strings.TrimSpace(cells[at])
		}
		r := dedupe.Record{ID: int64(i + 1), District: 1}
		person := fill(row, &r)
		if _, ok := people[person]; !ok {
			people[person] = int64(len(people) + 1)
		}
		all.Records = append(all.Records, r)
		all.Truth[r.ID] = people[person]
	}
	return all, nil
}
