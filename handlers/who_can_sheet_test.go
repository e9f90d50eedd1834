package handlers

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"

	"hallpass/access"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// TestWhoCanFitsOneSheet: what the list shows page by page, its sheet for print shows whole, and so does the file.
func TestWhoCanFitsOneSheet(t *testing.T) {
	c := newConsole(t)
	c.crowd(120)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	var school string
	c.write(func(ctx context.Context, tx *models.Tx) error {
		in, err := tx.SchoolChoices(ctx, models.District{}, access.Reach{District: true})
		school = slices.MinFunc(in, func(a, b models.SchoolChoice) int { return cmp.Compare(a.ID, b.ID) }).CleverID
		return err
	})
	asked := url.Values{"permission": {"users.view"}, "place": {"school:" + school}}.Encode()
	list := admin.get(adminHome + "access/who-can?" + asked).doc(t)
	sheet, ok := list.Find(`main .head a[href*="sheet=1"]`).Attr("href")
	if !ok || list.Find("main .pager a").Length() == 0 {
		t.Fatal("a list of more than a page leads to no sheet")
	}
	if button := list.Find("main .head button.print"); button.Length() != 1 || button.AttrOr("hidden", "shown") == "shown" {
		t.Error("the button that prints is there without script")
	}
	page := admin.get(sheet).doc(t)
	rows := page.Find("main table tbody tr").Length()
	if rows < 120 || page.Find("main .pager").Length() != 0 || page.Find("main .sign").Length() != 1 {
		t.Errorf("%d rows, %d pagers, %d places to sign", rows, page.Find("main .pager").Length(), page.Find("main .sign").Length())
	}
	file := admin.get(adminHome + "access/who-can.csv?" + asked).body
	if n := strings.Count(file, "\r\n") - 1; n != rows {
		t.Errorf("the file has %d people, the sheet %d", n, rows)
	}
}
