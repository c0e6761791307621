package orders

import (
	"testing"
	"time"
)

func TestKeeperTakesUpWhatLies(t *testing.T) {
	t.Parallel()
	start := time.Unix(0, 0)
	due := Entry{Order{ID: "due", State: Paid, Event: EventDue}, 1}
	pending := Entry{Order{ID: "pending", State: Pending}, 2}
	published := Entry{Order{ID: "due", State: Paid, Event: EventPublished}, 3}
	k := newKeeper(nil, till{})
	k.note([]Entry{due, pending, {Order{ID: "done", State: Declined}, 4}}, start)

	if got := k.ripe(start.Add(dueGrace - 1)); len(got) != 0 {
		t.Errorf("before the grace: got %v, want nothing", got)
	}
	if got := k.ripe(start.Add(dueGrace)); len(got) != 1 || got[0] != due {
		t.Errorf("after the grace of events: got %v, want %v", got, due)
	}
	if got := k.ripe(start.Add(dueGrace)); len(got) != 0 {
		t.Errorf("what was handed out is in hand: got %v", got)
	}
	k.note([]Entry{published}, start.Add(dueGrace))
	if got := k.ripe(start.Add(pendingGrace)); len(got) != 1 || got[0] != pending {
		t.Errorf("after the grace of charges: got %v, want %v", got, pending)
	}
}
