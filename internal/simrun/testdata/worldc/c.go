// Package worldc calls C code.
package worldc

/*
static int answer(void) { return 42; }
*/
import "C"

// Answer is what C code says.
func Answer() int { return int(C.answer()) }
