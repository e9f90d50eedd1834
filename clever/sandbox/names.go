package sandbox

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Invented people need names as mixed as a real district's. The front of a
// list is drawn more often than its end. The last names of planted employees
// are left out: an equal email would make Clever join two people.

var firstNames = withSlugs(`Maya Liam Sofía Noah Amara Ethan Linh José Grace Mateo Zoë Daniel Adaeze Lucas Hannah Diego
Aaliyah Owen Thảo Samuel Isabella Kofi Emma Andrés Priya Jack Oluwaseun Chloe Minh Gabriel Naomi Rafael Agnieszka Caleb
Ximena Isaac Yetunde Benjamin Camila Tomasz Abigail Hiroshi Layla Julián Nora Đức Ruth Marcus Valentina Piotr Leah Omar
Renée Elijah Folasade Anthony Lucía Jakub Sarah Tuấn Elena Xavier Małgorzata Nathan Fatima Joaquín Ivy Babatunde Clara Wei
Alejandra Simon Chiamaka Henry Björn Esther Ngọc Miguel Siobhán Adrian Talia Kwame Paulina Joel Inés Ravi Tessa Zbigniew
Noor Victor Marisol Emeka Rosalind Duy Anneke Salvador Imani Casimir Beatriz Theo Hương Patrick D'Andre Łucja Malik
Anna-Lena Felix Mei Jean-Luc Ayodele Wanda Cruz Ingrid Tobias Soledad Quang Delphine Arjun Mary-Kate Emilio Zainab Stanisław
Pilar Gus Nkechi Elio Greta Bao Consuelo Reuben Katarzyna Dashiell Ọláyínká Hugo Svetlana Nam Perla Ezra Halina Trevor
Amélie Chukwudi Rocío Silas Khanh Bronwyn Ignacio Tunde Philippa Vũ Leopold Saoirse Cleo Rodrigo Ewa Jasper Yusra`)

var lastNames = append(withSlugs(`Johnson García Nguyễn Williams Rodríguez Smith Okafor Kowalski Martínez Trần Brown Hernández
Davis López Adeyemi Miller Phạm González Wilson Nowak Pérez Lê Anderson Sánchez Thomas Wiśniewski Ramírez Moore Eze Torres
Jackson Flores Martin Võ Rivera Adebayo O'Brien Gómez White Díaz Wójcik Harris Đặng Reyes Clark Morales Ogunleye Lewis Cruz
Robinson Bùi Ortiz Walker Kamiński Gutiérrez Young Chávez Allen Ramos Đỗ King Ruiz Balogun Wright Álvarez Scott Zieliński
Mendoza Hill Vásquez Green Hồ Castillo Adams Nwosu Jiménez Baker Szymański Moreno Nelson Romero Carter Ngô Herrera Mitchell
Okonkwo Medina Roberts Dąbrowski Aguilar Turner Dương Vargas Phillips Guzmán Campbell Afolabi Castro Parker Kozłowski
Fernández Evans Lý Muñoz Edwards Olatunji Salazar Collins Jankowski Rojas Stewart Mai Peña Morris Babatunde Delgado Nkosi
Whitfield Mazur Ibarra Larsen  Fitzgerald Smith-Okoro Krawczyk Contreras Tanaka D'Angelo Achterberg Villaseñor
Papadakis Nakamura O'Shaughnessy Piotrowski Zamora Haddad Ferreira Lindqvist Grabowski Espinoza Kaplan Müller Pawłowski
Abdi Sørensen Michalski Bhattacharya Quispe Łukaszewicz Oyelaran Zuñiga McAllister Petrov Sokołowska Ybarra Whitehorse
Begaye Yellowhair Tsosie Kealoha Iwashita Gunderson Thibodeaux Boudreaux Chukwuemeka Ilunga Mbeki Rahman Siddiqui Choudhury
 Iyer         Tremblay `),
	withSlugLines("de la Cruz", "Van Dyke", "St. Clair", "Ortega Ruiz", "del Valle", "van den Berg", "Núñez de Prado", "Le Blanc",
		"Mac Giolla", "dos Santos", "Al Haddad", "Santa María")...)

// word is a name and what remains of it in an email address.
type word struct{ name, slug string }

func withSlugs(list string) []word { return withSlugLines(strings.Fields(list)...) }

func withSlugLines(names ...string) []word {
	out := make([]word, len(names))
	for i, n := range names {
		out[i] = word{n, slug(n)}
	}
	return out
}

// slug folds a name to the letters a to z.
func slug(name string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		switch r {
		case 'ł':
			r = 'l'
		case 'đ':
			r = 'd'
		case 'ø':
			r = 'o'
		}
		if unicode.IsLetter(r) && r < 128 {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// pick draws from a list so that its front is common and its end is rare.
func pick(list []word, h uint64) word {
	u := h & 0xffffffff
	return list[u*u>>32*uint64(len(list))>>32]
}

var (
	schoolFirst = strings.Fields(`Cedar Willow Heron Granite Prairie Juniper Copper Falcon Maple Harbor Sierra Aspen Coyote
Laurel Mission Pioneer Quail Rosewood Summit Timber Valley Walnut Amber Birch`)
	schoolSecond = strings.Fields(`Creek Ridge Hollow Grove Bend Springs Mesa Point Fork Lake Heights Meadow`)
)

// level is the kind of a school: what it is called, which grades it has, how
// large it is beside the others.
type level struct {
	suffix string
	grades []string
	weight int
}

var (
	elementary = level{"Elementary School", []string{"Kindergarten", "1", "2", "3", "4", "5"}, 4}
	middle     = level{"Middle School", []string{"6", "7", "8"}, 6}
	high       = level{"High School", []string{"9", "10", "11", "12"}, 9}
	k8         = level{"K-8 School", []string{"Kindergarten", "1", "2", "3", "4", "5", "6", "7", "8"}, 6}
)

// levels repeat over the schools.
var levels = [...]*level{&high, &middle, &elementary, &elementary, &k8, &elementary, &middle, &elementary, &high, &elementary}

func schoolLevel(k int) *level { return levels[k%len(levels)] }

// schoolName is unique up to the number behind it. The first two are the seed
// example's schools.
func (d *district) schoolName(k int) string {
	switch {
	case d.main && k == 0:
		return "Sagebrush High School"
	case d.main && k == 1:
		return "Larkspur Middle School"
	}
	n := len(schoolFirst) * len(schoolSecond)
	c := (k*35 + int(d.seed%uint64(n))) % n
	name := schoolFirst[c%len(schoolFirst)] + " " + schoolSecond[c/len(schoolFirst)]
	if k >= n {
		name += " " + strings.Repeat("I", 1+k/n)
	}
	return name + " " + schoolLevel(k).suffix
}

type course struct {
	name, subject string
	levels        []*level
}

var courses = []course{
	{"Homeroom", "homeroom/advisory", []*level{&elementary, &k8}},
	{"Reading and Writing", "english/language arts", []*level{&elementary, &k8}},
	{"Mathematics", "math", []*level{&elementary, &k8}},
	{"Elementary Science", "science", []*level{&elementary, &k8}},
	{"Our Community", "social studies", []*level{&elementary, &k8}},
	{"Art and Music", "arts and music", []*level{&elementary, &k8, &middle}},
	{"Language Arts", "english/language arts", []*level{&middle}},
	{"Pre-Algebra", "math", []*level{&middle}},
	{"Life Science", "science", []*level{&middle}},
	{"World History", "social studies", []*level{&middle, &high}},
	{"Physical Education", "PE and health", []*level{&middle, &high}},
	{"Spanish I", "language", []*level{&middle, &high}},
	{"Algebra I", "math", []*level{&high}},
	{"Geometry", "math", []*level{&high}},
	{"Biology", "science", []*level{&high}},
	{"Chemistry", "science", []*level{&high}},
	{"American Literature", "english/language arts", []*level{&high}},
	{"Composition", "english/language arts", []*level{&high}},
	{"US Government", "social studies", []*level{&high}},
	{"Computer Science", "technology and engineering", []*level{&middle, &high}},
	{"Study Skills", "interventions/online learning", []*level{&middle, &high}},
	{"Advisory", "homeroom/advisory", []*level{&middle, &high}},
}

// coursesAt are the indexes of the courses that a level has.
func coursesAt(l *level) []int { return courseIndex[l] }

var courseIndex = func() map[*level][]int {
	m := map[*level][]int{}
	for i, c := range courses {
		for _, l := range c.levels {
			m[l] = append(m[l], i)
		}
	}
	return m
}()
