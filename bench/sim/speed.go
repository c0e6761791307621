package main

import (
	"errors"
	"flag"
)

func speed(b *bench, flags *flag.FlagSet, args []string) error { return errors.New("not yet") }
