package dedupetest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"hallpass/access"
	"hallpass/dedupe"
)

// District invents a district with so many employees and knows who is who. About one in eight has a second record: an
// old account that Clever confirms, one from before an absence, or one that the app's own file spells its own way,
// some with too little in them for anybody to tell. It also holds what must stay apart: fathers and sons, people of one
// name at one school, offices' mailboxes, contacts with an employee's address. Names are drawn unevenly, as names are;
// it is synthetic all the same, and says how a method does on this mixture rather than in a district.
func District(seed uint64, employees int) Labelled {
	g := &generator{rand: rand.New(rand.NewPCG(seed, 4)), employees: employees, schools: max(2, employees/60), mailboxes: map[string]int{}}
	g.out = Labelled{Name: fmt.Sprintf("district of %d, seed %d", employees, seed), Truth: map[int64]int64{}}
	for range employees {
		g.employee()
	}
	g.rand.Shuffle(len(g.out.Records), func(i, j int) {
		g.out.Records[i], g.out.Records[j] = g.out.Records[j], g.out.Records[i]
	})
	return g.out
}

type generator struct {
	rand      *rand.Rand
	out       Labelled
	employees int
	schools   int
	people    int64
	numbers   int
	mailboxes map[string]int
}

const (
	domain    = "lakeside.example"
	oldDomain = "lakeside-schools.example"
)

// person is the truth.
type person struct {
	id      int64
	name    dedupe.Name
	former  string // surname before a marriage
	schools []int64
	roles   []access.Role
	numbers []dedupe.Number
	email   string
	user    string
	legacy  []string
}

func (g *generator) chance(percent float64) bool { return g.rand.Float64()*100 < percent }

func pick[T any](g *generator, from []T) T { return from[g.rand.IntN(len(from))] }

// uneven picks a low place much more often than a high one.
func (g *generator) uneven(n int) int {
	x := g.rand.Float64()
	return int(float64(n) * x * x * x)
}

func (g *generator) surname() string {
	switch {
	case g.chance(40):
		return surnames[g.uneven(len(surnames))]
	case g.chance(6):
		return surnames[g.uneven(len(surnames))] + "-" + surnames[g.uneven(len(surnames))]
	}
	return pick(g, heads) + pick(g, middles) + pick(g, tails)
}

func (g *generator) given() string {
	if g.chance(85) {
		return givens[g.uneven(len(givens))]
	}
	return pick(g, givenHeads) + pick(g, givenTails)
}

func (g *generator) employee() {
	p := g.person(dedupe.Name{Given: g.given(), Surname: g.surname()})
	if g.chance(40) {
		p.name.Middle = string(rune('A' + g.rand.IntN(26)))
	}
	if g.chance(6) {
		p.former = g.surname()
	}
	g.add(p, g.current(p))
	switch x := g.rand.Float64() * 100; {
	case x < 4:
		g.add(p, g.confirmed(p, 0))
		if len(p.legacy) > 1 {
			g.add(p, g.confirmed(p, 1))
		}
	case x < 5:
		g.add(p, g.returned(p))
	case x < 12:
		g.add(p, g.stray(p))
		if g.chance(8) {
			g.add(p, g.stray(p))
		}
	case x < 12.5: // a child of the same name, at work in the district too
		child := g.person(p.name)
		child.name.Suffix = "Jr"
		if g.chance(50) {
			child.schools = p.schools
		}
		g.add(child, g.current(child))
	case x < 13: // a parent at the school: the same human, another record by design
		r := g.current(p)
		r.Names = []dedupe.Name{{Surname: p.name.Given + " " + p.name.Surname}}
		r.Roles = []dedupe.Role{{Role: access.Contact, Current: true}}
		r.Numbers, r.Schools = nil, nil
		r.Clever = []dedupe.CleverID{{Value: fmt.Sprintf("c%d", p.id), User: true, Current: true}}
		g.people++
		r.District, r.ID = 1, int64(len(g.out.Records)+1)
		g.out.Truth[r.ID] = -g.people // nobody that may be joined
		g.out.Records = append(g.out.Records, r)
	}
}

func (g *generator) person(name dedupe.Name) *person {
	g.people++
	p := &person{id: g.people, name: name, user: fmt.Sprintf("u%d", g.people)}
	for range 1 + g.rand.IntN(100)/88 {
		p.schools = append(p.schools, int64(1+g.uneven(g.schools)))
	}
	p.roles = []access.Role{access.Teacher}
	if g.chance(30) {
		p.roles[0] = access.Staff
	} else if g.chance(14) {
		p.roles = append(p.roles, access.Staff)
	}
	if g.chance(0.3) {
		p.roles = append(p.roles, access.DistrictAdmin)
	}
	for i, role := range p.roles {
		p.legacy = append(p.legacy, fmt.Sprintf("l%d.%d", p.id, i))
		g.numbers++
		switch role {
		case access.Teacher:
			p.numbers = append(p.numbers, dedupe.Number{Space: dedupe.TeacherSIS, Value: fmt.Sprint(20_000 + g.numbers*3)})
		case access.Staff: // another series over the same range
			p.numbers = append(p.numbers, dedupe.Number{Space: dedupe.StaffID, Value: fmt.Sprint(21_000 + g.numbers*2)})
		default: // district admins are numbered nowhere
		}
	}
	p.email = g.address(name, domain)
	if g.chance(1) {
		p.email = fmt.Sprintf("office%d@%s", p.schools[0], domain)
	}
	return p
}

// address is as a district makes them: one for each, with a digit where the name is taken.
func (g *generator) address(name dedupe.Name, at string) string {
	local := ascii(name.Given) + "." + ascii(name.Surname)
	g.mailboxes[local+at]++
	if n := g.mailboxes[local+at]; n > 1 {
		local += fmt.Sprint(n)
	}
	return local + "@" + at
}

var plain = strings.NewReplacer("á", "a", "é", "e", "í", "i", "ó", "o", "ú", "u", "ñ", "n", " ", "", "-", "")

func ascii(s string) string { return plain.Replace(strings.ToLower(s)) }

func (g *generator) add(p *person, r dedupe.Record) {
	r.ID, r.District = int64(len(g.out.Records)+1), 1
	g.out.Truth[r.ID] = p.id
	g.out.Records = append(g.out.Records, r)
}

// current is the person as Clever lists them now.
func (g *generator) current(p *person) dedupe.Record {
	r := dedupe.Record{Names: []dedupe.Name{p.name}, Emails: []string{p.email}, Schools: p.schools, Numbers: p.numbers}
	for _, role := range p.roles {
		r.Roles = append(r.Roles, dedupe.Role{Role: role, Current: true})
	}
	r.Clever = append(r.Clever, dedupe.CleverID{Value: p.user, User: true, Current: true})
	for _, id := range p.legacy {
		r.Clever = append(r.Clever, dedupe.CleverID{Value: id, Current: true})
	}
	return r
}

// confirmed is an account of one role from the times of Clever's API v2.
func (g *generator) confirmed(p *person, role int) dedupe.Record {
	r := g.stray(p)
	r.Roles = []dedupe.Role{{Role: p.roles[role]}}
	r.Clever = []dedupe.CleverID{{Value: p.legacy[role]}}
	return r
}

// returned is a person's record from before a long absence: Clever gave them a new id.
func (g *generator) returned(p *person) dedupe.Record {
	r := g.current(p)
	for i := range r.Roles {
		r.Roles[i].Current = false
	}
	r.Clever = []dedupe.CleverID{{Value: p.user + "-before", User: true}}
	if p.former != "" {
		r.Names[0].Surname = p.former
	}
	if g.chance(40) {
		r.Schools = []int64{int64(1 + g.rand.IntN(g.schools))}
	}
	if g.chance(40) {
		r.Numbers = nil
	}
	if g.chance(30) {
		r.Emails = []string{g.address(r.Names[0], oldDomain)}
	}
	return r
}

// stray is an account as the app's own file has it.
func (g *generator) stray(p *person) dedupe.Record {
	r := dedupe.Record{Names: []dedupe.Name{g.misspelt(p)}, Roles: []dedupe.Role{{Role: p.roles[0]}}}
	switch x := g.rand.IntN(100); {
	case x < 45:
		r.Emails = []string{p.email}
	case x < 60:
		r.Emails = []string{strings.Replace(p.email, domain, oldDomain, 1)}
	case x < 70:
		r.Emails = []string{ascii(p.name.Given[:1]+p.name.Surname) + fmt.Sprint(g.rand.IntN(90)+10) + "@gmail.com"}
	}
	switch x := g.rand.IntN(100); {
	case len(p.numbers) == 0:
	case x < 40:
		r.Numbers = []dedupe.Number{pick(g, p.numbers)}
	case x < 44:
		n := pick(g, p.numbers)
		r.Numbers = []dedupe.Number{{Space: n.Space, Value: slip(g, n.Value)}}
	}
	switch x := g.rand.IntN(100); {
	case x < 75:
		r.Schools = p.schools[:1]
	case x < 88:
		r.Schools = []int64{int64(1 + g.rand.IntN(g.schools))}
	}
	return r
}

func (g *generator) misspelt(p *person) dedupe.Name {
	n := p.name
	if g.chance(60) {
		n.Middle = ""
	}
	switch x := g.rand.IntN(100); {
	case x < 18:
		if short, ok := shortForms[n.Given]; ok {
			n.Given = short
		}
	case x < 24:
		n.Given = slip(g, n.Given)
	case x < 32:
		n.Surname = slip(g, n.Surname)
	case x < 35:
		n.Given, n.Surname = n.Surname, n.Given
	case x < 40 && p.former != "":
		n.Surname = p.former
	case x < 44 && p.former != "":
		n.Surname = p.former + "-" + n.Surname
	case x < 47:
		n.Given = n.Given[:1]
	}
	switch x := g.rand.IntN(100); {
	case x < 10:
		n.Given, n.Surname = strings.ToUpper(n.Given), strings.ToUpper(n.Surname)
	case x < 30:
		n.Surname = ascii(n.Surname)
	}
	return n
}

// slip mistypes one letter.
func slip(g *generator, s string) string {
	letters := []rune(s)
	if len(letters) < 3 {
		return s
	}
	at := 1 + g.rand.IntN(len(letters)-2)
	switch g.rand.IntN(4) {
	case 0:
		letters[at], letters[at+1] = letters[at+1], letters[at]
	case 1:
		letters = append(letters[:at], letters[at+1:]...)
	case 2:
		letters = append(letters[:at+1], letters[at:]...)
	default:
		letters[at] = pick(g, []rune("aeinrst0123456789")[:7])
		if s[0] >= '0' && s[0] <= '9' {
			letters[at] = rune('0' + g.rand.IntN(10))
		}
	}
	return string(letters)
}

var (
	surnames = strings.Fields(`Smith Johnson García Williams Brown Jones Miller Davis Rodríguez Martínez Hernández López González
		Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Pérez Thompson White Harris Sánchez Clark Ramírez Lewis Robinson
		Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell
		Carter Roberts Gómez Phillips Evans Turner Díaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook
		Rogers Gutiérrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson Watson Brooks
		Chávez Wood Bennett Gray Mendoza Ruiz Hughes Price Álvarez Castillo Sanders Patel Myers Long Ross Foster Jiménez Muñoz Núñez`)
	heads   = strings.Fields(`Ar Bal Bran Cal Car Cor Dal Den Dun El Far Fen Gar Gil Had Hal Har Hol Kel Kir Lan Len Lor Mar Mel Mor Nor Oak Pel Per Quin Ran Ros Sal Sel Stan Tal Thorn Ul Val Ver Wal Wes Yar Zel Bach Bor Chav Czar Dvor Fried Gold Hoff Ivan Jan Kal Krav Lis Mach Nov Ols Petr Rad Schul Stein Tom Vas Wein Zim`)
	middles = strings.Fields(`a an be da de di el en er i in la le len lo man mi na ne ni o or ra ri ro sa si sen ta te ter ti to ver vi`)
	tails   = strings.Fields(`berg bury by croft dale don er ez field ford gren ham hurst ko land ley man mann mont more ner ney nik ov rick ridge rov s sen ska ski son stad stein ston strom ton vich ville wall wick witz wood worth`)
	givens  = strings.Fields(`Mary Jennifer María James Michael Robert Patricia Linda David Elizabeth William John Jessica Sarah Karen
		Richard Joseph Susan Thomas Lisa Nancy Christopher Daniel Ashley Kimberly Emily Donna Michelle Matthew Anthony Carol
		Amanda Melissa Deborah Stephanie Rebecca Sharon Laura Cynthia Kathleen Amy Angela Shirley Anna Brenda Pamela Nicole
		Samantha Katherine Christine Emma Catherine Virginia Debra Rachel Janet Carolyn Maria Heather Diane Julie Joyce José Luis
		Carlos Juan Miguel Francisco Guadalupe Rosa Ana Carmen Steven Andrew Kenneth Joshua Kevin Brian Timothy Ronald Jason Edward
		Jeffrey Ryan Jacob Nicholas Gary Eric Jonathan Stephen Larry Justin Scott Brandon Benjamin Samuel Gregory Alexander Patrick
		Frank Raymond Jack Dennis Jerry Alicia Teresa Elena Lucía Sofía Verónica Alejandra Gabriela Claudia Manuel Ricardo Eduardo
		Jesús Rafael Roberto Fernando Alejandro Javier Beatriz Margaret Dorothy Sandra Betty Helen Ruth Theresa Abigail Olivia`)
	givenHeads = strings.Fields(`Ada Be Cor Da De El Fay Ga Ha Is Ja Ka La Lu Ma Na Ni Or Pa Ra Ri Sa Sha Ta Ti Va Wil Xi Ya Za`)
	givenTails = strings.Fields(`bel cia da dan den dra la lan lene lia lin lon lynn mar mika na nelle ney ra rin ris ro sha son ta tan tha ton via yn`)
	shortForms = map[string]string{
		"Robert": "Bob", "William": "Bill", "Elizabeth": "Liz", "Jennifer": "Jen", "Michael": "Mike", "James": "Jim", "Patricia": "Trish",
		"Katherine": "Katie", "Catherine": "Cathy", "Margaret": "Peggy", "Richard": "Rick", "Thomas": "Tom", "Christopher": "Chris",
		"Daniel": "Dan", "Matthew": "Matt", "Anthony": "Tony", "Deborah": "Debbie", "Stephanie": "Steph", "Rebecca": "Becky",
		"Francisco": "Paco", "José": "Pepe", "Guadalupe": "Lupita", "Jesús": "Chuy", "Alejandra": "Ale", "Eduardo": "Lalo",
		"Theresa": "Terry", "Samantha": "Sam", "Benjamin": "Ben", "Samuel": "Sam", "Alexander": "Sasha", "Virginia": "Ginny",
		"Cynthia": "Cici", "Nicholas": "Niko", "Verónica": "Vero", "Kimberly": "Kimmie", "Susan": "Suze", // some that no list need have
	}
)
