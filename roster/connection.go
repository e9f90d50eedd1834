package roster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"hallpass/access"
	"hallpass/clever"
	"hallpass/models"
)

// ErrNotOn says that nothing is synced in the district: it waits to be switched on, is paused or off, or has left.
var ErrNotOn = errors.New("this district is not switched on, or has left Clever's token list")

// Listed is what a look at Clever's token list brought, by Hallpass ids.
type Listed struct {
	New     []int64 // wait to be switched on
	Renewed []int64 // with another token than before
	Back    []int64 // had left
	Left    []int64
	Refused []int64 // listed with a token that Clever still refuses
}

// Poll looks at Clever's token list: a district that is new is entered and waits to be switched on, a token that is new
// is kept, a refused one is tried again, and a district that is gone from the list is marked. Nobody ends by that. One
// district's trouble keeps no other from its turn; a list that could not be read changes nothing.
func Poll(ctx context.Context, store *models.Store, client *clever.Client, log *slog.Logger) (found Listed, err error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	tokens, err := client.Tokens(ctx)
	if err != nil {
		return found, fmt.Errorf("look at the token list: %w", err)
	}
	known, err := store.DistrictIDs(ctx)
	if err != nil {
		return found, fmt.Errorf("look at the token list: %w", err)
	}
	newest := map[string]clever.DistrictToken{}
	for _, t := range tokens {
		if have, twice := newest[t.DistrictID]; !twice || t.Created.After(have.Created) {
			newest[t.DistrictID] = t
		}
	}
	p := poll{store: store, client: client, log: log, found: &found}
	var errs []error
	var listed []int64
	for _, t := range newest {
		id, err := p.take(ctx, t)
		if err != nil {
			errs = append(errs, fmt.Errorf("connection of district %s: %w", t.DistrictID, err))
		}
		listed = append(listed, id)
	}
	for _, id := range known {
		if slices.Contains(listed, id) {
			continue
		}
		err := store.As(access.System(id, "connections")).Write(ctx, func(tx *models.Tx) error {
			left, err := tx.Leave(ctx)
			if left {
				found.Left = append(found.Left, id)
			}
			return err
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("connection of district %d: %w", id, err))
		}
	}
	return found, errors.Join(errs...)
}

type poll struct {
	store  *models.Store
	client *clever.Client
	log    *slog.Logger
	found  *Listed
}

// take brings one district of the list into step, and gives its id.
func (p *poll) take(ctx context.Context, t clever.DistrictToken) (int64, error) {
	id, err := p.store.DistrictID(ctx, t.DistrictID)
	if errors.Is(err, models.ErrNotFound) {
		id, err = p.enter(ctx, t)
	}
	if err != nil {
		return id, err
	}
	scope := p.store.As(access.System(id, "connections"))
	var kept models.TokenKept
	err = scope.Write(ctx, func(tx *models.Tx) (err error) {
		kept, err = tx.KeepToken(ctx, t.Token, t.Created)
		if errors.Is(err, models.ErrNoKeys) {
			err = nil
		}
		return err
	})
	if err != nil {
		return id, err
	}
	if kept.Back {
		p.found.Back = append(p.found.Back, id)
	}
	if kept.Renewed {
		p.found.Renewed = append(p.found.Renewed, id)
	}
	if !kept.Refused {
		return id, nil
	}
	if _, err := p.client.District(ctx, t.Token); errors.Is(err, clever.ErrUnauthorized) {
		p.found.Refused = append(p.found.Refused, id)
		return id, nil
	} else if err != nil {
		return id, err // not heard of: the next look asks again
	}
	return id, scope.Write(ctx, func(tx *models.Tx) error { return tx.AcceptToken(ctx) })
}

// enter puts a new district down, under its name where its token tells it.
func (p *poll) enter(ctx context.Context, t clever.DistrictToken) (int64, error) {
	name, state := t.DistrictID, ""
	d, err := p.client.District(ctx, t.Token)
	switch {
	case err == nil && d.ID != t.DistrictID:
		return 0, errors.New("the token in Clever's list opens another district")
	case err == nil:
		name, state = d.Name, d.State
	default:
		p.log.WarnContext(ctx, "new district does not say its name", "error", err)
	}
	id, created, err := p.store.FindDistrict(ctx, t.DistrictID, name, state)
	if err == nil && created {
		p.found.New = append(p.found.New, id)
	}
	return id, err
}

// open finds the district's token: the one kept, or where none is, the one in Clever's list, which is then kept by
// keep. listed is zero for a kept one.
func (f *work) open(ctx context.Context) (token string, listed clever.DistrictToken, err error) {
	id, err := f.store.DistrictID(ctx, f.cleverID)
	if err == nil {
		err = f.store.As(access.System(id, "connections")).Read(ctx, func(tx *models.Tx) (err error) {
			token, err = tx.Token(ctx)
			return err
		})
	}
	if err == nil || !errors.Is(err, models.ErrNotFound) && !errors.Is(err, models.ErrNoKeys) {
		return token, listed, err
	}
	listed, err = f.client.DistrictToken(ctx, f.cleverID)
	return listed.Token, listed, err
}

// keep puts down the token that the list named; a zero one was kept already.
func (f *work) keep(ctx context.Context, district int64, t clever.DistrictToken) error {
	if t.Token == "" {
		return nil
	}
	return f.store.As(access.System(district, "connections")).Write(ctx, func(tx *models.Tx) error {
		_, err := tx.KeepToken(ctx, t.Token, t.Created)
		if errors.Is(err, models.ErrNoKeys) {
			return nil
		}
		return err
	})
}

// district reads the district's own record, and with it tries the token. One that is refused may have been replaced
// since it was kept: Clever's list is asked once.
func (f *work) district(ctx context.Context) (d clever.District, listed clever.DistrictToken, err error) {
	f.token, listed, err = f.open(ctx)
	if err != nil {
		return d, listed, err
	}
	d, err = f.client.District(ctx, f.token)
	if !errors.Is(err, clever.ErrUnauthorized) || listed.Token != "" {
		return d, listed, err
	}
	fresh, again := f.client.DistrictToken(ctx, f.cleverID)
	if again != nil || fresh.Token == f.token {
		return d, listed, err
	}
	f.token = fresh.Token
	d, err = f.client.District(ctx, f.token)
	return d, fresh, err
}

// refused notes that Clever does not take the district's token any more, unless the list names another one: then that
// one is kept, and the next run goes on with it.
func (f *work) refused(ctx context.Context, cause error) {
	e, ok := errors.AsType[*clever.Error](cause)
	if !ok || !errors.Is(cause, clever.ErrUnauthorized) || e.RecordType == "tokens" || f.token == "" || f.run.DistrictID == 0 {
		return
	}
	fresh, err := f.client.DistrictToken(ctx, f.cleverID)
	if err == nil && fresh.Token != f.token {
		err = f.keep(ctx, f.run.DistrictID, fresh)
	} else {
		err = f.scope.Write(ctx, func(tx *models.Tx) error { return tx.RefuseToken(ctx, f.token, e.Error()) })
	}
	if err != nil {
		f.opts.Log.ErrorContext(ctx, "refused token was not noted", "district", f.run.DistrictID, "error", err)
	}
}

// mustBeOn refuses a district in which nothing is to be synced.
func mustBeOn(ctx context.Context, tx *models.Tx) error {
	c, err := tx.Connection(ctx)
	if err == nil && (c.Switch != models.SwitchOn || c.LeftAt != nil) {
		err = ErrNotOn
	}
	return err
}
