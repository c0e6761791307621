package link

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// keysHit sends 64 clients' requests, each client with a connection of its own over HTTP/1.1, or together over HTTP/2, and
// returns the keys of those that a rule of 20 % hit.
func keysHit(t *testing.T, seed uint64, two, others bool) []string {
	m := newTestMesh(t, Options{Seed: seed})
	web := serveWeb(t)
	front := openFront(t, m, "a-1", "b", "b-1", web)
	setRule(t, m, system.Rule{Kind: system.Abort, Status: 503, When: system.Trigger{P: 0.2}})
	if err := m.SetRule("other", []system.Link{{From: "z-1", To: "b-1"}}, system.Rule{Kind: system.Abort, Status: 500, When: system.Trigger{P: 0.5}}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	if others {
		c, other := webClient(t, two), openFront(t, m, "z-1", "b", "b-1", web)
		for range 4 {
			wg.Go(func() {
				for i := range 50 {
					_, _, _ = load(c, "http://"+other.String()+"/x"+strconv.Itoa(i))
				}
			})
		}
	}
	var mu sync.Mutex
	var hit []string
	shared := webClient(t, two)
	for client := range 64 {
		wg.Go(func() {
			for n := range 10 {
				key := fmt.Sprintf("client-%d-%d", client, n)
				q, _ := http.NewRequest("GET", "http://"+front.String()+"/x", nil)
				q.Header.Set("Idempotency-Key", key)
				r, err := shared.Do(q)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				r.Body.Close()
				if r.StatusCode == 503 {
					mu.Lock()
					hit = append(hit, key)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	slices.Sort(hit)
	return hit
}

// The same seed hits the same requests, however they are scheduled, and another link's traffic changes nothing.
func TestRequestsSeed(t *testing.T) {
	t.Parallel()
	want := keysHit(t, 7, false, false)
	if len(want) < 64 || len(want) > 192 {
		t.Errorf("%d of 640 were hit by 20 %%", len(want))
	}
	for i := range 3 {
		if got := keysHit(t, 7, i%2 == 0, i > 0); !slices.Equal(got, want) {
			t.Errorf("run %d: %d hit, %d before", i, len(got), len(want))
		}
	}
	if got := keysHit(t, 8, false, false); slices.Equal(got, want) {
		t.Error("another seed hits the same requests")
	}
}

// Rules come and go while many requests are on their way, and none that is not hit loses a byte.
func TestRequestsArmedUnderLoad(t *testing.T) {
	t.Parallel()
	bothVersions(t, func(t *testing.T, m *Mesh, _ *records, c *http.Client, base string) {
		stop := make(chan struct{})
		var wg, arming sync.WaitGroup
		arming.Go(func() {
			for i := 0; ; i++ {
				setRule(t, m, system.Rule{Kind: system.Delay, Delay: time.Duration(i%7) * time.Millisecond, Match: &system.Match{Path: "/echo"}, When: system.Trigger{P: 0.5}})
				_ = m.SetRule("2", []system.Link{benchLink}, system.Rule{Kind: system.Abort, Status: 503, Match: &system.Match{Path: "/no"}})
				_ = m.SetRule("3", []system.Link{{From: "b-1", To: "a-1"}}, system.Rule{Kind: system.Delay, Delay: time.Millisecond})
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(i%5) * time.Millisecond):
				}
				for _, id := range []string{"test", "2", "3"} {
					_ = m.ClearRule(id)
				}
			}
		})
		for client := range 12 {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(1, uint64(client)))
				for range 25 {
					echoOnce(t, c, base, random)
				}
			})
		}
		wg.Wait()
		close(stop)
		arming.Wait()
	})
}

// A rule is set in the middle of bodies of both directions, while some of them wait: each time on a new connection.
func TestRequestsArmedMidway(t *testing.T) {
	t.Parallel()
	for _, two := range []bool{false, true} {
		m := newTestMesh(t, Options{})
		front := openFront(t, m, "a-1", "b", "b-1", serveWeb(t))
		for i := range 20 {
			c := webClient(t, two)
			base := "http://" + front.String()
			_, _, _ = load(c, base+"/warm")
			if err := m.SetRule("late", []system.Link{{From: "b-1", To: "a-1"}}, system.Rule{Kind: system.Delay, Delay: time.Duration(i%4) * time.Millisecond}); err != nil {
				t.Fatal(err)
			}
			before := laneOf(m).BytesIn
			var wg sync.WaitGroup
			for client := range 4 {
				wg.Go(func() {
					random := rand.New(rand.NewPCG(uint64(i), uint64(client)))
					for range 5 {
						echoOnce(t, c, base, random)
					}
				})
			}
			eventually(t, "some bytes have passed", func() bool { return laneOf(m).BytesIn > before+int64(i)*5000 })
			setRule(t, m, system.Rule{Kind: system.Abort, Status: 503, Match: &system.Match{Path: "/no"}})
			wg.Wait()
			if code, body, err := load(c, base+"/no"); code != 503 || err != nil {
				t.Error(two, code, body, err)
			}
			if err := m.ClearRule("test"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func echoOnce(t *testing.T, c *http.Client, base string, random *rand.Rand) {
	if random.IntN(4) == 0 {
		if code, _, err := load(c, base+"/no"); err != nil || code != 200 && code != 503 {
			t.Error(code, err)
		}
		return
	}
	block := make([]byte, random.IntN(200<<10))
	for i := range block {
		block[i] = byte(random.Uint32())
	}
	r, err := c.Post(base+"/echo", "application/octet-stream", strings.NewReader(string(block)))
	if err != nil {
		t.Error(err)
		return
	}
	defer r.Body.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, r.Body); err != nil || string(sum.Sum(nil)) != string(sha(block)) {
		t.Errorf("%d bytes: %v", len(block), err)
	}
}

func sha(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}
