#!/bin/sh
# One override, from a no to a yes and back, as an app and an admin see it:
#
#   ask the decision API (no), sign in as the district admin, make a key, allow something with a reason and an end,
#   ask again (yes, with who and until when), undo it, ask again (no), verify the audit chain.
#
# It uses the demo that runs at $HALLPASS_URL, or else starts one of its own and stops it at the end. For a demo that
# runs already, set what it printed:
#
#   HALLPASS_URL=http://127.0.0.1:8080 SANDBOX_URL=http://127.0.0.1:8081 DATABASE_URL='postgres://…' sh examples/override.sh
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
school=63850203bfb8460546071e5e
permission=devices.manage
console="$HALLPASS_URL/d/$district/district_admin"

browser() { curl -sS --fail-with-body -b "$work/jar" -c "$work/jar" "$@"; }
# field NAME FILE is the value of an input on a page, unescape makes text of it.
unescape() { sed 's/&#34;/"/g; s/&quot;/"/g; s/&#39;/'"'"'/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g'; }
field() { tr '\n' ' ' <"$2" | grep -o "<input[^>]* name=\"$1\"[^>]*>" | head -n 1 | sed 's/.* value="\([^"]*\)".*/\1/' | unescape; }

step "Signing in as the district admin"
browser -L -o /dev/null "$SANDBOX_URL/signin?as=marisol.quinterohale@kestrelvalley.example"
browser -L -o "$work/home.html" -w '%{url_effective}\n' "$HALLPASS_URL/signin/clever" | grep "/d/$district/" || die "not signed in"

step "Making a key for this script"
browser -o "$work/keys.html" "$console/settings/keys"
browser -o "$work/key.html" "$console/settings/keys" --data-urlencode "token=$(field token "$work/keys.html")" \
	--data-urlencode "name=examples/override.sh" -d explains=1
key=$(grep -o 'hp_[0-9]*_[A-Za-z0-9_-]\{43\}' "$work/key.html" | head -n 1)
[ -n "$key" ] || die "no key on the page"
echo "a key that ends in $(printf %s "$key" | tail -c 4)"

# ask WANTED asks whether Danny may manage devices at the school, and fails on another answer.
ask() {
	curl -sS --fail-with-body -o "$work/answer.json" "$HALLPASS_URL/access/v1/evaluation" \
		-H "Authorization: Bearer $key" -H 'Content-Type: application/json' \
		-d "{\"subject\":{\"type\":\"user\",\"id\":\"$person\"},\"action\":{\"name\":\"$permission\"},\"resource\":{\"type\":\"school\",\"id\":\"$school\"}}"
	sed 's/.*"decision":\([a-z]*\).*/decision: \1/' "$work/answer.json"
	echo
	sed 's/.*"reason_admin":{"en":"\([^"]*\)".*/because:  \1/' "$work/answer.json"
	echo
	grep -q "\"decision\":$1" "$work/answer.json" || die "wanted $1: $(cat "$work/answer.json")"
}

step "The app asks: may Danny manage devices at his second school?"
ask false

step "The admin allows it until the end of the school year"
user=$(browser -o /dev/null -w '%{redirect_url}' "$console/users/$person" | sed 's/.*\///')
browser -o "$work/preview.html" "$console/overrides/preview" -d "user=$user" -d effect=allow -d "permission=$permission" \
	-d "place=school:$school" -d reason=covering --data-urlencode "note=Covers for the tech lead" -d end=school_year
set --
for name in user effect permission place reason note end date term role confirm locked plan token seen; do
	if grep -q "name=\"$name\"" "$work/preview.html"; then
		set -- "$@" --data-urlencode "$name=$(field "$name" "$work/preview.html")"
	fi
done
receipt=$(browser -o "$work/applied.html" -w '%{redirect_url}' "$console/overrides" "$@")
[ -n "$receipt" ] || die "no receipt: $(cat "$work/applied.html")"
echo "receipt: $receipt"

step "The app asks again"
ask true
grep -q 'Quintero-Hale' "$work/answer.json" || die "the reason does not say who"
grep -q '"reason_admin":{"en":"[^"]*until' "$work/answer.json" || die "the reason does not say until when"

step "The admin undoes it"
browser -o "$work/receipt.html" "$receipt"
undo=$(grep -o 'href="[^"]*/changes/[0-9]*/undo"' "$work/receipt.html" | head -n 1 | sed 's/href="\(.*\)"/\1/')
[ -n "$undo" ] || die "no undo on the receipt"
browser -o "$work/undo.html" "$HALLPASS_URL$undo"
browser -o /dev/null -w 'receipt: %{redirect_url}\n' "$HALLPASS_URL$undo" --data-urlencode "plan=$(field plan "$work/undo.html")" \
	--data-urlencode "token=$(field token "$work/undo.html")" --data-urlencode "seen=$(field seen "$work/undo.html")"

step "The app asks a third time"
ask false

step "The audit chain"
DATABASE_URL=$DATABASE_URL "$work/hallpass" audit verify --district "$district" || die "the chain does not hold"

printf '\nAll as it should be.\n'
