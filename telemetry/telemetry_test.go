package telemetry

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

func TestSeriesRoundTrip(t *testing.T) {
	t.Parallel()
	s := Series{Name: "queue_depth", Labels: map[string]string{"instance": "db-1"}, Points: []Point{{At: time.Second, Value: 1.5}, {At: 2 * time.Second}}}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back Series
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, s) {
		t.Errorf("%s came back as %+v, %v", text, back, err)
	}
}
