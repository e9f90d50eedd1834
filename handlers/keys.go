package handlers

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"hallpass/audit"
	"hallpass/models"
	"hallpass/views"
)

// newBearer makes a key. Its text goes to whoever asked for it and nowhere else.
func newBearer(district int64) bearer {
	random := make([]byte, tokenBytes)
	_, _ = rand.Read(random) // never fails: crypto/rand ends the program instead
	return bearer{district, keyPrefix + strconv.FormatInt(district, 10) + "_" + base64.RawURLEncoding.EncodeToString(random)}
}

// keyHint is enough of a key to tell it from others.
func keyHint(b bearer) string { return b.text[len(b.text)-4:] }

// maxKeyName is the longest name of a key, in characters.
const maxKeyName = 100

func listKeys(v *visit) (reply, error) {
	p := views.KeysPage{Explains: true}
	switch notice := v.c.QueryParam("notice"); notice {
	case "revoked", "already_revoked", "shown_once":
		p.Notices = append(p.Notices, notice)
	}
	return v.keysPage(p)
}

func (v *visit) keysPage(p views.KeysPage) (reply, error) {
	keys, err := v.tx.APIKeys(v.ctx)
	if err != nil {
		return nil, err
	}
	if p.Keys, err = v.keys(keys...); err != nil {
		return nil, err
	}
	p.Token, p.Endpoint = newChangeToken(), strings.TrimSuffix(v.server.BaseURL, "/")+evaluationPath
	p.Frame = v.frame()
	if p.Problem != "" {
		return pageAs(http.StatusUnprocessableEntity, views.Keys(p)), nil
	}
	return page(views.Keys(p)), nil
}

// keys are keys as pages show them, with the names of those who made them.
func (v *visit) keys(keys ...models.APIKey) ([]views.Key, error) {
	var by []int64
	for _, k := range keys {
		by = append(by, k.CreatedBy)
	}
	names, err := v.tx.UserNames(v.ctx, by)
	if err != nil {
		return nil, err
	}
	shown := make([]views.Key, len(keys))
	for i, k := range keys {
		shown[i] = views.Key{
			ID: k.ID, Name: k.Name, Hint: k.Hint, Explains: k.Explains, By: names[k.CreatedBy], Made: k.CreatedAt, LastUsed: k.LastUsedAt, Revoked: k.RevokedAt,
		}
	}
	return shown, nil
}

// keyChange is what the receipt of a key's making or revoking holds.
type keyChange struct {
	Key      int64  `json:"key"`
	Hint     string `json:"hint"`
	Explains bool   `json:"explains"`
}

func (v *visit) recordKey(action audit.Action, k models.APIKey, token string) (models.Change, error) {
	plan := sha256.Sum256([]byte(string(action) + " " + token))
	n := models.NewChange{Token: token, Action: action, Subject: "key:" + strconv.FormatInt(k.ID, 10), Plan: plan[:]}
	about := keyChange{k.ID, k.Hint, k.Explains}
	if action == audit.KeyMade {
		n.Before, n.After = struct{}{}, about
	} else {
		n.Before, n.After = about, struct{}{}
	}
	return v.tx.RecordChange(v.ctx, n)
}

// createKey makes a key and shows it: this answer is the only one that has it. The same form sent again makes no
// second one.
func createKey(v *visit) (reply, error) {
	name, token := strings.TrimSpace(text(v.c.FormValue("name"), 4*maxKeyName)), formToken(v)
	p := views.KeysPage{Name: name, Explains: v.c.FormValue("explains") == "1"}
	switch {
	case name == "":
		p.Problem = "missing"
	case utf8.RuneCountInString(name) > maxKeyName:
		p.Problem = "long"
	}
	if p.Problem != "" {
		return v.keysPage(p)
	}
	if used, err := v.keyTokenUsed(token); used || err != nil {
		return seeOther(views.KeysPath(v.me.District.CleverID, string(v.actor.View)) + "?notice=shown_once"), err
	}
	b := newBearer(v.actor.District)
	k, err := v.tx.CreateAPIKey(v.ctx, models.NewAPIKey{Name: name, Hash: hash(b.text), Hint: keyHint(b), Explains: p.Explains})
	if err != nil {
		return nil, err
	}
	change, err := v.recordKey(audit.KeyMade, k, token)
	if err != nil {
		return nil, err
	}
	shown, err := v.keys(k)
	if err != nil {
		return nil, err
	}
	return v.keysPage(views.KeysPage{Explains: true, Made: &views.MadeKey{Key: shown[0], Text: b.text, Change: change.ID}})
}

// formToken is the token of a form, made when it was drawn. A form without one is a form of its own.
func formToken(v *visit) string {
	if token := v.c.FormValue("token"); isToken(token) {
		return token
	}
	return newChangeToken()
}

// keyTokenUsed reports whether the form was sent before.
func (v *visit) keyTokenUsed(token string) (bool, error) {
	if err := v.tx.LockAccess(v.ctx); err != nil {
		return false, err
	}
	_, err := v.tx.ChangeOfToken(v.ctx, token)
	if errors.Is(err, models.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (v *visit) keyInPath() (models.APIKey, error) {
	value, ok := pathID(v.c)
	id, err := strconv.ParseInt(value, 10, 64)
	if !ok || err != nil {
		return models.APIKey{}, models.ErrNotFound
	}
	return v.tx.APIKey(v.ctx, id)
}

// confirmRevokeKey asks once more.
func confirmRevokeKey(v *visit) (reply, error) {
	k, err := v.keyInPath()
	if err != nil {
		return nil, err
	}
	if k.RevokedAt != nil {
		return v.toKeys("already_revoked"), nil
	}
	shown, err := v.keys(k)
	if err != nil {
		return nil, err
	}
	return page(views.RevokeKey(views.KeyPage{Frame: v.frame(), Key: shown[0], Token: newChangeToken()})), nil
}

// revokeKey ends a key. It is refused by the next request that bears it.
func revokeKey(v *visit) (reply, error) {
	token := formToken(v)
	k, err := v.keyInPath()
	if err != nil {
		return nil, err
	}
	if used, err := v.keyTokenUsed(token); used || err != nil {
		return v.toKeys("revoked"), err
	}
	if k, err = v.tx.RevokeAPIKey(v.ctx, k.ID); errors.Is(err, models.ErrConflict) {
		return v.toKeys("already_revoked"), nil
	} else if err != nil {
		return nil, err
	}
	if _, err := v.recordKey(audit.KeyRevoked, k, token); err != nil {
		return nil, err
	}
	return v.toKeys("revoked"), nil
}

func (v *visit) toKeys(notice string) reply {
	return seeOther(views.KeysPath(v.me.District.CleverID, string(v.actor.View)) + "?notice=" + notice)
}

// keyReceipt is the receipt of a key's making or revoking. There is no undo: a key that was shown cannot be unshown,
// and one that was revoked does not come back.
func keyReceipt(v *visit, c models.Change) (views.Receipt, error) {
	kind, value, _ := strings.Cut(c.Subject, ":")
	id, err := strconv.ParseInt(value, 10, 64)
	if kind != "key" || err != nil {
		return views.Receipt{}, models.ErrNotFound
	}
	k, err := v.tx.APIKey(v.ctx, id)
	if err != nil {
		return views.Receipt{}, err
	}
	l := v.locale()
	return views.Receipt{
		Sentence: l.KeyReceipt(c.Kind == audit.KeyMade, k.Name, k.Hint),
		Links:    []views.Link{{Href: views.KeysPath(v.me.District.CleverID, string(v.actor.View)), Word: l.T("keys.title")}},
	}, nil
}
