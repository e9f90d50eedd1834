#!/bin/sh
# One merge and back, as support staff see it:
#
#   sign in as the district admin, find the suggestion about the seed example's old accounts in the queue, look at the
#   plan, merge, read the receipt and what the person may do before and after, take the merge back, and read that every
#   row is identical to before the merge. Last, the audit chain is verified.
#
# It uses the demo that runs at $HALLPASS_URL, or else starts one of its own and stops it at the end. For a demo that
# runs already, set what it printed:
#
#   HALLPASS_URL=http://127.0.0.1:8080 SANDBOX_URL=http://127.0.0.1:8081 DATABASE_URL='postgres://…' sh examples/merge.sh
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
demo=
finish() {
	if [ -n "$demo" ]; then
		kill "$demo" 2>/dev/null && wait "$demo" 2>/dev/null || true
	fi
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

die() { echo "FAILED: $*" >&2; exit 1; }
step() { printf '\n== %s\n' "$*"; }

go build -o "$work/hallpass" .
if [ -z "${HALLPASS_URL:-}" ]; then
	step "Starting a demo"
	"$work/hallpass" demo --users 600 --addr 127.0.0.1:0 --sandbox-addr 127.0.0.1:0 >"$work/demo.log" 2>&1 &
	demo=$!
	while ! grep -q '^Stop with' "$work/demo.log"; do
		kill -0 "$demo" 2>/dev/null || die "the demo did not start: $(cat "$work/demo.log")"
		sleep 1
	done
	HALLPASS_URL=$(sed -n 's/^Hallpass is at //p' "$work/demo.log")
	SANDBOX_URL=$(sed -n 's/^The pretend Clever is at \([^;]*\);.*/\1/p' "$work/demo.log")
	DATABASE_URL=$(sed -n "s/^Its database: DATABASE_URL='\(.*\)'$/\1/p" "$work/demo.log")
fi
: "${SANDBOX_URL:?is where the pretend Clever is}" "${DATABASE_URL:?is what the demo printed}"
echo "Hallpass at $HALLPASS_URL, the pretend Clever at $SANDBOX_URL"

# The seed example: Danny D Brakus, teacher at one school and staff at another, in this district.
district=6385008f69df036e83e984a3
person=67290af290b55408fa4b09e7
console="$HALLPASS_URL/d/$district/district_admin"

browser() { curl -sS --fail-with-body -b "$work/jar" -c "$work/jar" "$@"; }
# field NAME FILE is the value of an input on a page, unescape makes text of it.
unescape() { sed 's/&#34;/"/g; s/&quot;/"/g; s/&#39;/'"'"'/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g'; }
field() { tr '\n' ' ' <"$2" | grep -o "<input[^>]* name=\"$1\"[^>]*>" | head -n 1 | sed 's/.* value="\([^"]*\)".*/\1/' | unescape; }

step "Signing in as the district admin"
browser -L -o /dev/null "$SANDBOX_URL/signin?as=marisol.quinterohale@kestrelvalley.example"
browser -L -o "$work/home.html" -w '%{url_effective}\n' "$HALLPASS_URL/signin/clever" | grep "/d/$district/" || die "not signed in"

# words FILE prints the text of a page's main part, a line for each piece.
words() { tr '\n' ' ' <"$1" | sed 's/.*<main/<main/; s/<\/main>.*//; s/<[^>]*>/\n/g' | unescape | sed 's/^ *//; s/ *$//' | grep -v '^$'; }

step "The queue: the person's old accounts, which Clever's ids say are one"
suggestion=
for try in 1 2 3 4 5 6 7 8 9 10 11 12; do
	browser -o "$work/queue.html" "$console/duplicates?class=a"
	for path in $(grep -o "/d/$district/district_admin/duplicates/[0-9][0-9]*" "$work/queue.html" | sort -u); do
		browser -o "$work/case.html" "$HALLPASS_URL$path"
		if grep -q 'Brakus' "$work/case.html"; then
			suggestion=$path
			break 2
		fi
	done
	echo "not there yet ($try): suggestions are computed after the first sync"
	sleep 5
done
[ -n "$suggestion" ] || die "no suggestion about Danny Brakus in the queue"
echo "suggestion: $HALLPASS_URL$suggestion"

step "The plan"
new=$(grep -o 'href="[^"]*/merges/new[^"]*"' "$work/case.html" | head -n 1 | sed 's/href="\(.*\)"/\1/' | unescape)
[ -n "$new" ] || die "the suggestion leads to no plan"
browser -o "$work/plan.html" "$HALLPASS_URL$new"
words "$work/plan.html" | sed -n '1,60p'
set --
for id in $(grep -o 'name="member" value="[0-9]*"' "$work/plan.html" | grep -o '[0-9]*' | sort -u); do
	set -- "$@" -d "member=$id"
done
for name in keep class plan token seen; do
	if grep -q "name=\"$name\"" "$work/plan.html"; then
		set -- "$@" --data-urlencode "$name=$(field "$name" "$work/plan.html")"
	fi
done

step "The merge"
receipt=$(browser -o "$work/applied.html" -w '%{redirect_url}' "$console/merges" "$@" --data-urlencode "reason=Old accounts of one person")
[ -n "$receipt" ] || die "no receipt: $(words "$work/applied.html" | head -n 20)"
browser -o "$work/receipt.html" "$receipt"
words "$work/receipt.html"

step "A second click finds the same merge"
again=$(browser -o /dev/null -w '%{redirect_url}' "$console/merges" "$@" --data-urlencode "reason=Old accounts of one person")
[ "$again" = "$receipt" ] || die "the second click led to $again"
echo "$again"

step "Taking it back: what each may do, before and after"
browser -o "$work/undo.html" "$receipt/unmerge"
words "$work/undo.html" | sed -n '1,60p'
browser -o /dev/null "$receipt/unmerge" --data-urlencode "plan=$(field plan "$work/undo.html")" \
	--data-urlencode "token=$(field token "$work/undo.html")" --data-urlencode "seen=$(field seen "$work/undo.html")" \
	--data-urlencode "reason=Tried out, and taken back"
browser -o "$work/undone.html" "$receipt"

step "The audit chain"
DATABASE_URL=$DATABASE_URL "$work/hallpass" audit verify --district "$district" || die "the chain does not hold"

step "The checksum"
grep -q 'identical to before the merge' "$work/undone.html" || die "rows differ: $(words "$work/undone.html")"
echo 'Every row is identical to before the merge.'
