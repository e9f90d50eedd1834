// Package imports reads the files of the app's own accounts from the days of API v2, and Clever's lists of old ids and
// new ones: it owns their encodings, separators, columns and the words for what is wrong with a row. A file is read as
// a stream into rows that models keeps; what accounts mean, and whose they are, is decided there.
package imports
