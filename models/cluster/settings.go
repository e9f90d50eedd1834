package cluster

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// reserved settings are not the caller's to change: the first group is the lock
// on the door (authentication is "trust", so the private socket must stay the
// only way in), the second is what ThrowAway decides.
var reserved = []string{
	"listen_addresses", "port", "unix_socket_directories", "unix_socket_permissions", "unix_socket_group",
	"data_directory", "config_file", "hba_file", "ident_file", "external_pid_file",
	"fsync", "synchronous_commit", "full_page_writes",
}

func checkOptions(o Options) error {
	if o.Dir == "" && !o.ThrowAway {
		return errors.New("start private database: no data folder was given")
	}
	if o.Cache != "" && !o.ThrowAway {
		return errors.New("start private database: only throw-away data may come from a cache")
	}
	for name := range o.Settings {
		// log_…: people's names must never reach a log.
		if low := strings.ToLower(name); slices.Contains(reserved, low) || strings.HasPrefix(low, "log") {
			return fmt.Errorf("start private database: setting %s is not free to choose", name)
		}
	}
	return nil
}

// serverArgs are given on the command line, so that nothing in the data folder
// has to be rewritten when they change with a release.
func serverArgs(o Options, pg, socket string) []string {
	set := map[string]string{
		"listen_addresses":        "",
		"port":                    port,
		"unix_socket_directories": `"` + strings.ReplaceAll(socket, `"`, `""`) + `"`,
		"unix_socket_permissions": "0700",

		// Sized for a laptop with two cores and a disk without moving parts.
		"max_connections":      "60",
		"shared_buffers":       "256MB",
		"work_mem":             "16MB",
		"maintenance_work_mem": "128MB",
		"random_page_cost":     "1.1",
		"jit":                  "off",
		"autovacuum":           "on",
		"timezone":             "UTC",
		"cluster_name":         "hallpass",

		// People's names must never reach a log. Statements and parameters are
		// off; but the text of an error quotes values too (`invalid input
		// syntax for type integer: "Ada"`), and its detail whole keys. So
		// errors of queries stay between the client and the server, and only
		// what concerns the server itself (LOG, FATAL, PANIC) is logged, terse.
		"logging_collector":                 "off",
		"log_destination":                   "stderr",
		"log_min_messages":                  "log",
		"log_error_verbosity":               "terse",
		"log_statement":                     "none",
		"log_min_error_statement":           "panic",
		"log_min_duration_statement":        "-1",
		"log_parameter_max_length":          "0",
		"log_parameter_max_length_on_error": "0",
		"log_autovacuum_min_duration":       "-1",
		"log_checkpoints":                   "off",
		"log_line_prefix":                   "",
		"log_timezone":                      "UTC",
	}
	if o.ThrowAway {
		maps.Copy(set, map[string]string{
			"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
			"wal_level": "minimal", "max_wal_senders": "0",
		})
	}
	for name, value := range o.Settings {
		set[strings.ToLower(name)] = value
	}
	args := []string{"-D", pg}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		args = append(args, "-c", name+"="+set[name])
	}
	return args
}
