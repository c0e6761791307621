package matrix

import (
	"fmt"
	"time"
)

// An Age is how old evidence is. It is written as a person says it: "3d", "5h", "12m".
type Age time.Duration

// String returns the age in the largest unit of which it has two, or one of days.
func (a Age) String() string {
	d := time.Duration(a)
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", max(d, 0)/time.Second)
}
