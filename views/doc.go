// Package views owns what a person sees: one struct and one templ per page, the
// shared frame around them, the words in English and Spanish, the forms of dates
// and numbers, and the builders of every link.
//
// A page is given everything it shows. Views ask nobody anything: no database, no
// HTTP, no clock. Which pages a person may open, and which rows are in them, is
// decided before a page struct is filled; what leaves the house is what these
// structs list.
package views
