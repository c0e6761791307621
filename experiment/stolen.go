package experiment

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// stolen returns for how long, since it started, the host of this virtual machine ran others on the processors that this
// one wanted, added up over processors: "steal" of proc_stat(5). It is 0 where nobody says so.
func stolen() time.Duration {
	const unit = time.Second / 100 // USER_HZ, 100 wherever Go runs on Linux
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0
	}
	ticks, err := strconv.ParseInt(fields[8], 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(ticks) * unit
}
