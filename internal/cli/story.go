package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/system"
)

// story tells on stderr what happens: lines with the time since the start, and on
// a terminal one live line below them.
type story struct {
	w     io.Writer
	live  bool
	begin time.Duration

	mu    sync.Mutex
	shown bool
}

func newStory(w io.Writer) *story {
	return &story{w: w, live: isTerminal(w), begin: system.Monotonic()}
}

func (s *story) progress(p run.Progress) {
	if p.Text != "" {
		s.line(p.Stage, p.Text)
	}
	if p.Live != nil && s.live {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.clear()
		fmt.Fprintf(s.w, "  %s %s %s %.0f/%.0fs", bar(p.Live.At, p.Live.Total), p.Stage, p.Live.Phase, p.Live.At.Seconds(), p.Live.Total.Seconds())
		s.shown = true
	}
}

func bar(at, total time.Duration) string {
	const width = 20
	full := 0
	if total > 0 {
		full = int(min(at, total) * width / total)
	}
	text := make([]rune, width)
	for i := range text {
		text[i] = '·'
		if i < full {
			text[i] = '━'
		}
	}
	return string(text)
}

func (s *story) line(stage, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	fmt.Fprintf(s.w, "%6.1fs  %-22s %s\n", (system.Monotonic() - s.begin).Seconds(), stage, text)
}

func (s *story) clear() {
	if s.shown {
		fmt.Fprint(s.w, "\r\x1b[K")
		s.shown = false
	}
}

func (s *story) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
}
