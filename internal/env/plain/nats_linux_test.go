package plain_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/internal/recipe"
	"github.com/assay-dev/assay/system"
)

// A bus is three NATS of the recipe, asked in their own protocol.
type bus struct {
	t   *testing.T
	env *plain.Env
}

func newBus(t *testing.T) bus {
	t.Helper()
	program := filepath.Join(t.TempDir(), "nats-server")
	build := exec.Command("go", "build", "-o", program, "github.com/nats-io/nats-server/v2")
	build.Dir = filepath.Join("..", "..", "..", "examples", "shop") // whose module has it
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("nats-server cannot be built from the module of examples/shop: %v: %s", err, out)
	}
	svc, err := recipe.Expand("nats", recipe.Service{Name: "bus", Replicas: 3, Options: recipe.Options{Binary: program}}, recipe.Local())
	if err != nil {
		t.Fatal(err)
	}
	return bus{t, start(t, of(svc))}
}

// ask sends a request to a node and returns the answer.
func (b bus) ask(node, subject, payload string) (answer map[string]any, err error) {
	addr, err := b.env.Addr(b.t.Context(), system.Client, node, 4222)
	if err != nil {
		return nil, err
	}
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(conn, "CONNECT {\"verbose\":false}\r\nSUB inbox.%[1]p 1\r\nPUB %[2]s inbox.%[1]p %[3]d\r\n%[4]s\r\n", conn, subject, len(payload), payload)
	for in := bufio.NewReader(conn); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		words := strings.Fields(line)
		var size int
		if len(words) < 2 || words[0] != "MSG" {
			continue
		}
		if _, err := fmt.Sscan(words[len(words)-1], &size); err != nil {
			return nil, err
		}
		text := make([]byte, size)
		if _, err := io.ReadFull(in, text); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &answer); err != nil {
			return nil, err
		}
		if answer["error"] != nil {
			return nil, fmt.Errorf("%s: %s", subject, text)
		}
		return answer, nil
	}
}

// probe asks a node, "" while it does not answer.
func (b bus) probe(name, what string) any {
	answer, err := node(b.t, b.env, name).(system.Prober).Probe(b.t.Context(), what)
	if err != nil {
		return ""
	}
	return answer
}

// leader waits for the node that leads the cluster and is none of those that are gone.
func (b bus) leader(gone string) (leads string) {
	b.t.Helper()
	eventually(b.t, "somebody leads the cluster", func() bool {
		leads = ""
		for _, n := range b.env.Nodes() {
			if name := n.Instance().Name; name != gone && b.probe(name, "role") == "leader" {
				leads = name
			}
		}
		return leads != ""
	})
	return leads
}

// publish sends a message until it is acknowledged, and returns its number.
func (b bus) publish(node, text string) (seq int) {
	b.t.Helper()
	var err error
	eventually(b.t, "the stream takes a message", func() bool {
		var answer map[string]any
		if answer, err = b.ask(node, "orders", text); err != nil {
			return false
		}
		seq = int(answer["seq"].(float64))
		return answer["stream"] == "ORDERS" && seq > 0
	})
	return seq
}

func (b bus) read(node string, seq int) (string, error) {
	answer, err := b.ask(node, "$JS.API.STREAM.MSG.GET.ORDERS", fmt.Sprintf(`{"seq":%d}`, seq))
	if err != nil {
		return "", err
	}
	message, ok := answer["message"].(map[string]any)
	if !ok {
		return "", errors.New("the answer has no message")
	}
	data, _ := message["data"].(string)
	text, err := base64.StdEncoding.DecodeString(data)
	return string(text), err
}

// Three nodes of the recipe lose the one that leads: another one takes over, what was acknowledged can be read, and the one that
// comes back catches up.
func TestNatsFailover(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	first := b.leader("")
	eventually(t, "the stream is made", func() bool {
		_, err := b.ask("bus-1", "$JS.API.STREAM.CREATE.ORDERS", `{"name":"ORDERS","subjects":["orders"],"storage":"file","num_replicas":3}`)
		return err == nil || strings.Contains(err.Error(), "already in use")
	})
	kept := map[int]string{}
	for i := range 5 {
		text := fmt.Sprint("before ", i)
		kept[b.publish("bus-1", text)] = text
	}
	if err := node(t, b.env, first).(system.Killer).Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := b.leader(first)
	for i := range 5 {
		text := fmt.Sprint("after ", i)
		kept[b.publish(second, text)] = text
	}
	for seq, want := range kept {
		var got string
		eventually(t, "a message is read", func() bool { // a busy cluster may look for another leader
			var err error
			got, err = b.read(second, seq)
			return err == nil
		})
		if got != want {
			t.Errorf("message %d is %q, want %q", seq, got, want)
		}
	}
	if err := node(t, b.env, first).(system.Killer).Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, first+" catches up", func() bool {
		position := b.probe(second, "position")
		return strings.HasPrefix(fmt.Sprint(position), "ORDERS=") && position == b.probe(first, "position")
	})
	t.Logf("%s took over from %s; %d messages kept", second, first, len(kept))
}
