// Package roster keeps our copy of a district in step with Clever: clever in, models out.
//
// It owns what Clever's records mean here (which fields are kept, how a role becomes a grant), the order of a full
// sync, and how events are followed after one. How Clever is asked belongs to clever, how rows are written to models,
// and when a sync runs to jobs.
package roster
