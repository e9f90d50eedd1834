package cluster

import (
	"strings"
	"testing"
)

// Only Linux can tie a child's life to ours; TestOrphanIsStopped is about the others.
func TestKilledProgramTakesItsServerAlong(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	cmd, line := run(t, "hold", dir, cache, nil)
	pid := atoi(t, strings.Fields(line)[0])
	check(t, cmd.Process.Kill())
	cmd.Wait()
	eventually(t, "the server ends", func() bool { return !runs(pid) })
	ask(t, mustStart(t, throwAway(dir)), "select 'works'")
}
