//go:build !linux

package link

func newTicker() ticker { return newGoTicker() }
