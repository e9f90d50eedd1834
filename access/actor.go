package access

// Actor is who acts, in one district, and what there is to know for deciding what they may do. Every query is made
// on behalf of one.
type Actor struct {
	District int64  // Hallpass district id
	User     int64  // Hallpass user id; 0 for the program itself and for a visitor
	Name     string // of the program's part that acts; empty for people, whose names are read where they are shown
	Facts
}

// System is the program itself, acting in a district under the name of its task, for example "full sync".
func System(district int64, task string) Actor { return Actor{District: district, Name: task} }

// Visitor is someone not signed in yet, on the way into a district. A visitor may do nothing.
func Visitor(district int64) Actor { return Actor{District: district, Name: "visitor"} }
