package linear

import "github.com/assay-dev/assay/history"

// A monitor decides a whole history whose values are unique, or says that it cannot. For a fail it returns a core.
type monitor func(ops []history.Op) (res Result, decided bool)

func registerMonitor(ops []history.Op) (Result, bool) { return Result{}, false }
func setMonitor(ops []history.Op) (Result, bool)      { return Result{}, false }
func queueMonitor(ops []history.Op) (Result, bool)    { return Result{}, false }
