package views

import (
	"net/url"
	"strconv"
)

// DuplicatesPath is the queue of people who look like one. tab is split, a, b, c or parked; "" is the first that has any.
func DuplicatesPath(district, view, tab string) string {
	q := url.Values{}
	if tab != "" {
		q.Set("class", tab)
	}
	return withQuery(viewPath(district, view)+"duplicates", q)
}

// DuplicatePath is one suggestion of the queue.
func DuplicatePath(district, view string, id int64) string {
	return viewPath(district, view) + "duplicates/" + strconv.FormatInt(id, 10)
}

// DuplicateOnePath is one suggestion among those of a list that are gone through one by one. keep is whom to keep, 0
// for whom the program proposes; done is the receipt of the answer given just before, 0 for none.
func DuplicateOnePath(district, view string, id, keep int64, one bool, done int64) string {
	q := url.Values{}
	if keep != 0 {
		q.Set("keep", strconv.FormatInt(keep, 10))
	}
	if one {
		q.Set("mode", "one")
	}
	if done != 0 {
		q.Set("done", strconv.FormatInt(done, 10))
	}
	return withQuery(DuplicatePath(district, view, id), q)
}

// DuplicateDecidePath is where an answer to a suggestion is posted.
func DuplicateDecidePath(district, view string, id int64) string {
	return DuplicatePath(district, view, id) + "/decide"
}

// BulkNewPath lists what can be accepted together. class is A or B, least the lowest chance in millionths, 0 for any.
func BulkNewPath(district, view, class string, least int) string {
	q := url.Values{"class": {class}}
	if least > 0 {
		q.Set("least", strconv.Itoa(least))
	}
	return withQuery(BulksPath(district, view), q)
}

// BulksPath is where a batch is begun, by POST.
func BulksPath(district, view string) string { return viewPath(district, view) + "duplicates/bulk" }

// BulkPath is one batch, and where it is agreed to by POST.
func BulkPath(district, view string, id int64) string {
	return BulksPath(district, view) + "/" + strconv.FormatInt(id, 10)
}

// BulkSamplePath is where answers about those drawn are posted, and BulkDropPath where a batch is forgotten.
func BulkSamplePath(district, view string, id int64) string {
	return BulkPath(district, view, id) + "/sample"
}

// BulkDropPath forgets a batch by POST.
func BulkDropPath(district, view string, id int64) string {
	return BulkPath(district, view, id) + "/drop"
}

// DuplicatesFixPath is what the district has to put right in its files.
func DuplicatesFixPath(district, view string) string {
	return viewPath(district, view) + "duplicates/fix"
}

// DuplicatesFixCSVPath is the same as a file.
func DuplicatesFixCSVPath(district, view string) string {
	return DuplicatesFixPath(district, view) + ".csv"
}

// mergeMembersPath is the plan of a merge of these people, the first of whom stays.
func mergeMembersPath(district, view string, members []int64, keep, suggestion int64) string {
	q := url.Values{}
	for _, id := range members {
		q.Add("member", strconv.FormatInt(id, 10))
	}
	q.Set("keep", strconv.FormatInt(keep, 10))
	q.Set("suggestion", strconv.FormatInt(suggestion, 10))
	return withQuery(viewPath(district, view)+"merges/new", q)
}

// unmergePath is the preview of taking a merge back.
func unmergePath(district, view string, merge int64) string {
	return viewPath(district, view) + "merges/" + strconv.FormatInt(merge, 10) + "/unmerge"
}

// KeysChoicePath turns shortcuts of single letters on or off in this browser, and goes back.
func KeysChoicePath(to, back string) string {
	return withQuery("/keys", url.Values{"to": {to}, "back": {back}})
}
