package handlers

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"hallpass/clever/sandbox"
)

// TestQuestionsThatCannotBeReadAreNamed: 400, and which field it is.
func TestQuestionsThatCannotBeReadAreNamed(t *testing.T) {
	c := newConsole(t)
	p := program{c, c.key(true)}
	subject, action, resource := `"subject":{"type":"user","id":"1"}`, `"action":{"name":"users.view"}`, `"resource":{"type":"school","id":"1"}`
	whole := subject + "," + action + "," + resource
	for _, row := range []struct{ path, body, field string }{
		{evaluationPath, ``, "body"},
		{evaluationPath, `  `, "body"},
		{evaluationPath, `[]`, "body"},
		{evaluationPath, `null`, "body"},
		{evaluationPath, `{`, "body"},
		{evaluationPath, `{} {}`, "body"},
		{evaluationPath, `{` + whole + `,"subject":{}}`, "body"},
		{evaluationPath, "{\"subject\":\"\xff\"}", "body"},
		{evaluationPath, strings.Repeat(`{"a":`, 200_000), "body"},
		{evaluationPath, strings.Repeat(`[`, 900_000), "body"},
		{evaluationPath, `{"subject":` + strings.Repeat(`[`, 400_000) + strings.Repeat(`]`, 400_000) + `}`, "body"},
		{evaluationPath, `{}`, "subject"},
		{evaluationPath, `{"Subject":{"type":"user","id":"1"},` + action + "," + resource + `}`, "subject"},
		{evaluationPath, `{"subject":"1",` + action + "," + resource + `}`, "subject"},
		{evaluationPath, `{"subject":{"id":"1"},` + action + "," + resource + `}`, "subject.type"},
		{evaluationPath, `{"subject":{"type":"user"},` + action + "," + resource + `}`, "subject.id"},
		{evaluationPath, `{"subject":{"type":"user","id":1},` + action + "," + resource + `}`, "subject.id"},
		{evaluationPath, `{"subject":{"type":"user","id":""},` + action + "," + resource + `}`, "subject.id"},
		{evaluationPath, `{"subject":{"type":"user","id":"1","properties":[]},` + action + "," + resource + `}`, "subject.properties"},
		{evaluationPath, `{` + subject + "," + resource + `}`, "action"},
		{evaluationPath, `{` + subject + `,"action":{},` + resource + `}`, "action.name"},
		{evaluationPath, `{` + subject + `,"action":"users.view",` + resource + `}`, "action"},
		{evaluationPath, `{` + subject + "," + action + `}`, "resource"},
		{evaluationPath, `{` + subject + "," + action + `,"resource":{"type":"school","id":null}}`, "resource.id"},
		{evaluationPath, `{` + whole + `,"context":[]}`, "context"},
		{evaluationPath, `{` + whole + `,"context":{"view":true}}`, "context.view"},
		{evaluationsPath, `{` + whole + `,"evaluations":{}}`, "evaluations"},
		{evaluationsPath, `{` + whole + `,"evaluations":null}`, "evaluations"},
		{evaluationsPath, `{"subject":1,"evaluations":[{` + whole + `}]}`, "subject"},
		{evaluationsPath, `{` + whole + `,"evaluations":[{}],"options":{"evaluations_semantic":"guess"}}`, "options.evaluations_semantic"},
		{evaluationsPath, `{` + whole + `,"evaluations":[{}],"options":7}`, "options"},
		{evaluationsPath, `{` + whole + `,"evaluations":[{}` + strings.Repeat(`,{}`, 9_999) + `]}`, "evaluations"},
		{searchSubjectPath, `{"subject":{},` + action + "," + resource + `}`, "subject.type"},
		{searchSubjectPath, `{"subject":{"type":"user"},` + action + `,"resource":{"type":"school"}}`, "resource.id"},
		{searchResourcePath, `{"subject":{"type":"user"},` + action + `,"resource":{"type":"school"}}`, "subject.id"},
		{searchActionPath, `{` + subject + `}`, "resource"},
		{searchActionPath, `{` + subject + "," + resource + `,"page":{"limit":0}}`, "page.limit"},
		{searchActionPath, `{` + subject + "," + resource + `,"page":{"limit":"7"}}`, "page.limit"},
		{searchActionPath, `{` + subject + "," + resource + `,"page":{"limit":1.5}}`, "page.limit"},
		{searchActionPath, `{` + subject + "," + resource + `,"page":{"token":7}}`, "page.token"},
		{searchActionPath, `{` + subject + "," + resource + `,"page":{"token":"forged"}}`, "page.token"},
		{searchActionPath, `{` + subject + "," + resource + `,"page":[]}`, "page"},
	} {
		a := p.send(row.path, strings.NewReader(row.body), "X-Request-ID", "question 7/b")
		if a.StatusCode != http.StatusBadRequest {
			t.Errorf("%.100s: status %d, %.200s", row.body, a.StatusCode, a.body)
			continue
		}
		got := parsed(t, a.body).Error
		if field, _, _ := strings.Cut(got.Message, ":"); field != row.field || got.Code != "bad_request" || got.RequestID != "question 7/b" || a.Header.Get("X-Request-ID") != got.RequestID {
			t.Errorf("%.100s: %+v, want a word about %s", row.body, got, row.field)
		}
	}
	// It is JSON, and a program's author would look for a comma.
	for _, body := range []string{`{` + whole + `,"subject":{}}`, `{"unknown":{"a":1,"a":2},` + whole + `}`} {
		if a := p.send(evaluationPath, strings.NewReader(body)); !strings.HasPrefix(parsed(t, a.body).Error.Message, "body: an object has a name twice, at byte ") {
			t.Errorf("%s: %s", body, a.body)
		}
	}
	for _, typ := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"} {
		if a := p.send(evaluationPath, strings.NewReader(`{`+whole+`}`), "Content-Type", typ); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, "Content-Type") {
			t.Errorf("Content-Type %q: status %d", typ, a.StatusCode)
		}
	}
	if a := p.send(evaluationPath, strings.NewReader(`{`+whole+`}`), "Content-Type", "application/json; charset=utf-8"); a.StatusCode != http.StatusOK {
		t.Errorf("with a charset: status %d", a.StatusCode)
	}
	for _, size := range []int{1 << 21, 10 << 20} {
		if a := p.send(evaluationPath, bytes.NewReader(append([]byte(`{"subject":"`), bytes.Repeat([]byte("a"), size)...))); a.StatusCode != http.StatusRequestEntityTooLarge || parsed(t, a.body).Error.Code == "" {
			t.Errorf("%d bytes: status %d", size, a.StatusCode)
		}
	}
	if strings.Contains(c.log.text(), "level=ERROR") {
		t.Errorf("errors in the log:\n%s", c.log.text())
	}
}

// TestOnlyAKeyInForceAsks: 401 for everything else, before anything is said about the question.
func TestOnlyAKeyInForceAsks(t *testing.T) {
	c := newConsole(t)
	key := c.key(true)
	other, err := c.store.DistrictID(t.Context(), sandbox.OtherDistrictID)
	if err != nil {
		t.Fatal(err)
	}
	_, random, _ := strings.Cut(strings.TrimPrefix(key, keyPrefix), "_")
	for _, header := range []string{
		"", "Bearer", "Bearer ", "Basic " + key, key, "Bearer " + key[:len(key)-1], "Bearer " + key + "x", "Bearer " + strings.ToUpper(key),
		"Bearer hp_0_" + random, "Bearer hp_-1_" + random, "Bearer hp_99999999999999999999_" + random, fmt.Sprintf("Bearer hp_%d_%s", other, random),
		newBearer(c.district).text, "Bearer " + newBearer(c.district).text, "Bearer \x00",
	} {
		for _, path := range []string{evaluationPath, evaluationsPath, searchSubjectPath, searchResourcePath, searchActionPath} {
			if strings.Contains(header, "\x00") {
				continue
			}
			a := program{c, key}.send(path, strings.NewReader(q("user:1", "users.view", "school:1")), "Authorization", header)
			if a.StatusCode != http.StatusUnauthorized || parsed(t, a.body).Error.Code != "unauthorized" || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%q at %s: status %d, %s", header, path, a.StatusCode, a.body)
			}
		}
	}
	if strings.Contains(c.log.text(), random) {
		t.Error("a key is in the log")
	}
}
