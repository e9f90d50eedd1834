package views

import "testing"

func TestPaths(t *testing.T) {
	for got, want := range map[string]string{
		HomePath("d1", "all"):                                "/d/d1/all/",
		UserPath("d1", "staff", 12):                          "/d/d1/staff/users/12",
		SchoolPath("d1", "staff", "a/b"):                     "/d/d1/staff/schools/a%2Fb",
		SectionPath("d1", "teacher", "x"):                    "/d/d1/teacher/sections/x",
		SyncPath("d1", "all", 3):                             "/d/d1/all/syncs/3",
		LanguagePath("es", "/d/d1/all/users?q=a&role=staff"): "/language?back=%2Fd%2Fd1%2Fall%2Fusers%3Fq%3Da%26role%3Dstaff&to=es",
		UsersFilter{}.Path("d1", "all"):                      "/d/d1/all/users",
		UsersFilter{Q: "ó & <b>", Role: "staff", Multi: true, After: "c=="}.Path("d1", "all"): "/d/d1/all/users?after=c%3D%3D&multi=1&q=%C3%B3+%26+%3Cb%3E&role=staff",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
