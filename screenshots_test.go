//go:build screenshots

package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"hallpass/clever/sandbox"
)

var (
	screenshots = flag.String("screenshots", filepath.Join("docs", "images"), "`folder` to leave the README's pictures in")
	gallery     = flag.String("gallery", "", "`folder` to leave a picture of every page in; without it none are taken")
)

// TestScreenshots takes the README's pictures anew: `make screenshots`. The district is that of the demo, as large as
// it is by default. It is built only on request, so that no other run has a test to leave out.
func TestScreenshots(t *testing.T) {
	d, err := invent()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.stop(); err != nil {
			t.Errorf("stopped: %v", err)
		}
	}()
	w := openWindow(t)
	w.do(command(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "America/Denver"}))
	w.come(d, "District admin")
	at := d.console + seedHome + "district_admin/"
	w.do(dress(1280, 1120, "light"))
	w.open(at + "users?multi=1")
	w.picture(*screenshots, "users", false)
	w.do(dress(1280, 900, "light"))
	w.open(at + "users/" + sandbox.SeedUserID)
	w.picture(*screenshots, "user", true)
	if *gallery != "" {
		w.takeGallery(d)
	}
}

// come signs somebody in by the way for scripts.
func (w *window) come(d *invented, label string) {
	w.t.Helper()
	w.open(d.clever + "/signin?as=" + strings.ReplaceAll(d.email(label), "+", "%2B"))
	w.open(d.console + "/signin/clever")
	w.until(`document.querySelector("main h1")`)
}

// takeGallery takes every kind of page, for somebody to look through.
func (w *window) takeGallery(d *invented) {
	at := d.console + seedHome
	type shot struct{ name, who, address string }
	shots := []shot{
		{"sandbox", "", d.clever + "/signin"},
		{"signin", "", d.console + "/signin?notice=signed_out"},
		{"signin-idle", "", d.console + "/signin?notice=idle"},
		{"kind-student", "Student", d.console + "/signin/clever"},
		{"kind-contact", "Contact", d.console + "/signin/clever"},
		{"kind-none", "No role shared", d.console + "/signin/clever"},
		{"home", "District admin", at + "district_admin/"},
		{"users-all", "District admin", at + "district_admin/users"},
		{"users-search", "District admin", at + "district_admin/users?q=brakus"},
		{"users-role-school", "District admin", at + "district_admin/users?role=teacher&school=" + sandbox.SeedTeacherSchool},
		{"users-nobody", "District admin", at + "district_admin/users?q=zzzz&role=teacher"},
		{"user-admin", "District admin", at + "district_admin/users/" + sandbox.AllRolesUserID},
		{"user-contact", "District admin", at + "district_admin/users/" + sandbox.SharedEmailContactID},
		{"user-student", "District admin", at + "district_admin/users/" + sandbox.StudentUserID},
		{"user-many", "District admin", at + "district_admin/users/" + sandbox.ManySchoolsUserID},
		{"user-long", "District admin", at + "district_admin/users/" + sandbox.LongNameUserID},
		{"user-rtl", "District admin", at + "district_admin/users/" + sandbox.RightToLeftUserID},
		{"user-unknown-role", "District admin", at + "district_admin/users/" + sandbox.UnknownRoleUserID},
		{"user-unshared-school", "District admin", at + "district_admin/users/" + sandbox.UnsharedSchoolUserID},
		{"schools", "District admin", at + "district_admin/schools"},
		{"school", "District admin", at + "district_admin/schools/" + sandbox.SeedTeacherSchool},
		{"section", "District admin", at + "district_admin/sections/" + sandbox.CoTaughtSectionID},
		{"syncs", "District admin", at + "district_admin/syncs"},
		{"sync", "District admin", at + "district_admin/syncs/1"},
		{"not-found", "District admin", at + "district_admin/users/0"},
		{"help", "District admin", d.console + "/help"},
		{"accessibility", "District admin", d.console + "/accessibility"},
		{"teacher", "Teacher, staff and district admin", at + "teacher/"},
		{"banner", "Teacher, staff and district admin", at + "district_admin/users/" + sandbox.SeedUserID},
		{"refused", "Teacher and staff", at + "teacher/users/" + sandbox.StaffUserID},
		{"staff-users", "Teacher and staff", at + "staff/users"},
		{"staff-home", "Teacher and staff", at + "staff/"},
	}
	who := ""
	for _, s := range shots {
		w.expect(403, 404)
		if s.who != who {
			w.come(d, s.who)
			who = s.who
		}
		for _, look := range []struct {
			suffix string
			width  int64
			scheme string
		}{{"", 1280, "light"}, {"-phone", 390, "light"}, {"-phone-dark", 390, "dark"}, {"-dark", 1280, "dark"}} {
			w.do(dress(look.width, 900, look.scheme))
			w.open(s.address)
			w.picture(*gallery, s.name+look.suffix, true)
		}
	}
	w.do(dress(1280, 900, "light"))
	w.come(d, "District admin")
	w.open(d.console + "/language?to=es&back=/")
	for _, s := range shots {
		if s.who == "District admin" {
			w.open(s.address)
			w.picture(*gallery, s.name+"-es", true)
		}
	}
	w.do(command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "forced-colors", Value: "active"}}}))
	w.open(at + "district_admin/users/" + sandbox.SeedUserID)
	w.picture(*gallery, "user-forced", true)
	w.do(command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}))
	w.picture(*gallery, "user-print", true)
}

// picture saves what the window shows, or the whole page.
func (w *window) picture(dir, name string, whole bool) {
	w.t.Helper()
	w.until(`document.fonts.status === "loaded"`)
	w.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		params := page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng}
		if whole {
			size, err := cdp.Call(ctx, t, page.GetLayoutMetrics, cdp.Empty{})
			if err != nil {
				return err
			}
			params.CaptureBeyondViewport = new(true)
			params.Clip = &page.Viewport{Width: size.CSSContentSize.Width, Height: size.CSSContentSize.Height, Scale: 1}
		}
		shot, err := cdp.Call(ctx, t, page.CaptureScreenshot, params)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name+".png"), shot.Data, 0o644)
	}))
}
