package dedupe

import "slices"

// Field is what two records are compared by.
type Field string

// Fields, in the order in which evidence is listed. Trait is one field for each kind.
const (
	Prior   Field = "prior" // how rare it is that two records of the district are one person
	Numbers Field = "number"
	Across  Field = "number_across" // the same number in two spaces: some districts have one series for both
	Emails  Field = "email"
	Surname Field = "surname"
	Given   Field = "given"
	Middle  Field = "middle"
	Suffix  Field = "suffix"
	Schools Field = "schools"
	Posts   Field = "posts" // the same role, current on both sides, under two numbers
	Users   Field = "users" // both listed by Clever now, as two users
	Traits  Field = "trait"
)

// Level says how far two records agree in a field.
type Level string

// Levels. Missing stands for "not on record" on either side and always weighs nothing.
const (
	Missing    Level = "missing"
	Base       Level = "base" // of the prior
	Equal      Level = "equal"
	OneEdit    Level = "one_edit"   // a letter or digit mistyped, left out, added, or swapped with its neighbour
	Alias      Level = "alias"      // the same mailbox name at another domain of the district
	SameLocal  Level = "same_local" // the same mailbox name at an unrelated domain
	Resembles  Level = "resembles"  // mailbox names that nearly agree and are not made of the names, or agree because the names do
	FitsName   Level = "fits_name"  // one side's address is made of the other side's name and not of its own
	Generic    Level = "generic"    // one and the same office's mailbox
	Part       Level = "part"       // one part of a double surname, or the other's surname as middle name
	Close      Level = "close"
	Swapped    Level = "swapped"      // given name and surname in each other's place
	WithSwap   Level = "with_swap"    // counted there
	Nickname   Level = "nickname"     // forms of one given name
	Initial    Level = "initial_only" // an initial that fits
	OneSide    Level = "one_side"     // a suffix here and none there
	Shared     Level = "shared"       // a school in common
	NoneShared Level = "none_shared"
	TwoPosts   Level = "two_posts"
	TwoUsers   Level = "two_users"
	NoClash    Level = "no_clash"
	Differ     Level = "differ"
)

// step is one level of a field. Weights are tenths of a bit. start is the weight before anything is learned, and the
// learned one stays between lo and hi: what a few hundred pairs say must not turn a disagreement into support. matches
// is the share of true pairs, in thousandths of those with the field on both sides, that learning begins with.
type step struct {
	level         Level
	start, lo, hi int
	matches       int
	rare          bool // the weight comes of how rare the value is; start stands where that is unknown
}

// field is a field's levels, the best first. A level's number in a vector is its place here plus one; 0 is Missing.
type field struct {
	name  Field
	steps []step
}

// The fixed fields by their place in a vector; traits follow.
const (
	atNumber = iota
	atAcross
	atEmail
	atSurname
	atGiven
	atMiddle
	atSuffix
	atSchools
	atPosts
	atUsers
	fixedFields
)

const (
	maxTraits = 10
	maxFields = fixedFields + maxTraits
	levelBits = 3 // of a vector packed into a word: 20 fields, 7 levels and Missing
)

// Starting weights are guesses that give the orders of magnitude; Learn replaces them by what the district shows.
var fixed = [fixedFields]field{
	{Numbers, []step{
		{Equal, 180, 60, 180, 850, true},
		{OneEdit, 60, 0, 110, 50, false},
		{Differ, -40, -80, -10, 100, false},
	}},
	{Across, []step{
		{Equal, 80, 0, 140, 300, false},
		{Differ, 0, 0, 0, 700, false},
	}},
	{Emails, []step{
		{Equal, 180, 0, 180, 600, true},
		{Alias, 140, 60, 160, 80, false},
		{SameLocal, 60, 20, 140, 50, false},
		{Resembles, 30, 0, 80, 60, false},
		{FitsName, 50, 10, 80, 20, false},
		{Generic, 0, 0, 0, 10, false},
		{Differ, -20, -40, -10, 180, false},
	}},
	{Surname, []step{
		{Equal, 90, 20, 140, 850, true},
		{Swapped, 80, 40, 160, 10, false},
		{Part, 60, 10, 100, 40, true},
		{Close, 40, 10, 100, 50, false},
		{Differ, -30, -50, -10, 50, false},
	}},
	{Given, []step{
		{Equal, 70, 10, 140, 820, true},
		{Nickname, 40, 10, 80, 80, false},
		{Close, 30, 5, 90, 60, false},
		{Initial, 20, 0, 35, 20, false},
		{Differ, -50, -80, -20, 20, false},
		{WithSwap, 0, 0, 0, 0, false},
	}},
	{Middle, []step{
		{Equal, 30, 5, 80, 500, false},
		{Initial, 10, 0, 40, 350, false},
		{Differ, -20, -60, -10, 150, false},
	}},
	{Suffix, []step{
		{Equal, 10, 0, 40, 700, false},
		{OneSide, -20, -40, -10, 280, false},
		{Differ, -60, -100, -40, 20, false},
	}},
	{Schools, []step{
		{Shared, 49, 20, 70, 700, true},
		{NoneShared, -5, -30, 0, 300, false},
	}},
	{Posts, []step{
		{NoClash, 0, 0, 0, 950, false},
		{TwoPosts, -40, -80, -20, 50, false},
	}},
	{Users, []step{
		{NoClash, 0, 0, 0, 900, false},
		{TwoUsers, -30, -60, -10, 100, false},
	}},
}

var traitSteps = []step{
	{Equal, 50, 0, 140, 750, true},
	{Close, 30, 0, 110, 130, false},
	{Differ, -30, -80, -5, 120, false},
}

// vector is how two records compare: a level's number for each field, and for levels that weigh by rarity, how rare
// the value is, in tenths of a bit.
type vector struct {
	level [maxFields]uint8
	rare  [maxFields]int16
}

// pack is the levels in one word.
func (v *vector) pack() uint64 {
	var word uint64
	for i, level := range v.level {
		word |= uint64(level) << (levelBits * i)
	}
	return word
}

func (v *vector) set(field int, level Level, rare int16) {
	v.level[field], v.rare[field] = number(stepsOf(field), level), rare
}

func stepsOf(field int) []step {
	if field < fixedFields {
		return fixed[field].steps
	}
	return traitSteps
}

// number is a level's number in a vector.
func number(steps []step, level Level) uint8 {
	for i := range steps {
		if steps[i].level == level {
			return uint8(i + 1)
		}
	}
	panic("dedupe: no level " + string(level)) // a mistake in this package
}

// is reports whether a field came out at a level.
func (v *vector) is(field int, levels ...Level) bool {
	at := v.level[field]
	return at > 0 && slices.Contains(levels, stepsOf(field)[at-1].level)
}
