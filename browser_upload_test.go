package main

import "testing"

// TestBrowserSaysAFileIsTooLarge chooses a file that the page will not take, and then one that it will.
func TestBrowserSaysAFileIsTooLarge(t *testing.T) {
	w := openWindow(t)
	w.signIn("District admin")
	w.open(seedHome + "district_admin/imports")
	choose := func(text string) string {
		return ask[string](w, `(() => {
			const field = document.querySelector("#file"), chosen = new DataTransfer();
			field.dataset.most = "8";
			chosen.items.add(new File([`+text+`], "accounts.csv"));
			field.files = chosen.files;
			field.dispatchEvent(new Event("change", { bubbles: true }));
			return field.validationMessage;
		})()`)
	}
	if said := choose(`"nine byte"`); said != "The file is larger than 1 GB. Use the command hallpass import on the server." {
		t.Errorf("of a file too large the page says %q", said)
	}
	if said := choose(`"eight by"`); said != "" {
		t.Errorf("of a file that fits the page says %q", said)
	}
}
