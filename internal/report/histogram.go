package report

import (
	"math/bits"
	"time"
)

// A histogram counts durations in cells that are at most 1/32 wide of what they hold. It keeps the cells
// between the shortest and the longest it has seen, so that hundreds of them fit beside each other.
type histogram struct {
	first int // the cell of counts[0]
	count []uint32
	total int64
}

// cellBits is how many cells a doubling has, as a power of two.
const cellBits = 5

// cellOf returns the cell of a duration, by its microseconds. Below 64 µs each has its own.
func cellOf(d time.Duration) int {
	us := uint64(max(d, 0) / time.Microsecond)
	if us < 2<<cellBits {
		return int(us)
	}
	shift := bits.Len64(us) - cellBits - 1
	return shift<<cellBits + int(us>>shift)
}

// valueOf returns the middle of a cell.
func valueOf(cell int) time.Duration {
	if cell < 2<<cellBits {
		return time.Duration(cell) * time.Microsecond
	}
	shift := cell>>cellBits - 1
	low := (cell - shift<<cellBits) << shift
	return time.Duration(low)*time.Microsecond + time.Duration(1<<shift)*time.Microsecond/2
}

func (h *histogram) add(d time.Duration) { h.addCell(cellOf(d), 1) }

func (h *histogram) addCell(cell int, n uint32) {
	switch {
	case len(h.count) == 0:
		h.first, h.count = cell, make([]uint32, 1, 16)
	case cell < h.first:
		wider := make([]uint32, h.first-cell+len(h.count))
		copy(wider[h.first-cell:], h.count)
		h.first, h.count = cell, wider
	case cell >= h.first+len(h.count):
		h.count = append(h.count, make([]uint32, cell-h.first-len(h.count)+1)...)
	}
	h.count[cell-h.first] += n
	h.total += int64(n)
}

func (h *histogram) merge(other *histogram) {
	for i, n := range other.count {
		if n > 0 {
			h.addCell(other.first+i, n)
		}
	}
}

// quantile returns the duration that the share q did not exceed, and 0 where there is none.
func (h *histogram) quantile(q float64) time.Duration {
	rank := max(int64(q*float64(h.total)+0.9999999), 1)
	for i, n := range h.count {
		if rank -= int64(n); rank <= 0 && n > 0 {
			return valueOf(h.first + i)
		}
	}
	return 0
}
