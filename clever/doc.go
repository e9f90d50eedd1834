// Package clever speaks to Clever: the token list, OAuth sign-in, the identity
// call and the Data API's lists.
//
// It owns the wire: envelopes, paging, rate limits, retries, bounds on what a
// bad answer may cost, and the types of the fields that may be kept. It leaves
// to others what the records mean: package roster turns them into people and
// grants, handlers run the sign-in. It imports nothing else of this program.
//
// Fields that must not be stored (IEP, FRL, ELL, disability, race, language,
// date of birth, gender, home address) have no place in the types here, so
// they are never decoded.
package clever
