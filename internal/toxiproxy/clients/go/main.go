// Command go walks through Toxiproxy's own Go client against the API and the Redis of its two arguments, with
// the examples of that client's documentation. It is a module of its own, so that assay does not depend on Toxiproxy.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
)

func main() {
	if err := walk(toxiproxy.NewClient(os.Args[1]), os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// walk does one part after the other.
func walk(client *toxiproxy.Client, redis string) error {
	for _, part := range []struct {
		name string
		do   func(*toxiproxy.Client, string) error
	}{
		{"version", version}, {"populate", populate}, {"create, change, delete", proxies}, {"down", down},
		{"slow", slow}, {"toxics", toxics}, {"errors", mistakes}, {"reset", reset},
	} {
		if err := part.do(client, redis); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		fmt.Println("ok", part.name)
	}
	return nil
}

func version(client *toxiproxy.Client, _ string) error {
	text, err := client.Version()
	return errors.Join(err, want(strings.TrimSpace(string(text)), `{"version": "2.12.0"}`))
}

func populate(client *toxiproxy.Client, redis string) error {
	made, err := client.Populate([]toxiproxy.Proxy{{Name: "redis", Listen: "localhost:0", Upstream: redis, Enabled: true}})
	if err != nil {
		return err
	}
	again, err := client.Populate([]toxiproxy.Proxy{{Name: "redis", Listen: made[0].Listen, Upstream: redis, Enabled: true}})
	if err != nil {
		return err
	}
	all, err := client.Proxies()
	return errors.Join(err, want(len(made), 1), want(again[0].Listen, made[0].Listen), want(len(all), 1), want(all["redis"].Upstream, redis))
}

func proxies(client *toxiproxy.Client, redis string) error {
	p, err := client.CreateProxy("other", "localhost:0", "nowhere.invalid:1")
	if err != nil {
		return err
	}
	p.Upstream = redis
	if err := p.Save(); err != nil {
		return err
	}
	if _, err := get(p.Listen); err != nil {
		return err
	}
	shown, err := client.Proxy("other")
	err = errors.Join(err, want(shown.Upstream, redis), want(shown.Enabled, true))
	return errors.Join(err, p.Delete())
}

func down(client *toxiproxy.Client, _ string) error {
	p, err := client.Proxy("redis")
	if err != nil {
		return err
	}
	if err := p.Disable(); err != nil {
		return err
	}
	if _, err := get(p.Listen); !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("a disabled proxy: %v", err)
	}
	if err := p.Enable(); err != nil {
		return err
	}
	_, err = get(p.Listen)
	return err
}

func slow(client *toxiproxy.Client, _ string) error {
	p, err := client.Proxy("redis")
	if err != nil {
		return err
	}
	added, err := p.AddToxic("", "latency", "", 1, toxiproxy.Attributes{"latency": 1000})
	if err != nil {
		return err
	}
	took, err := get(p.Listen)
	if err == nil && took < time.Second {
		err = fmt.Errorf("a latency of 1000 ms took %v", took)
	}
	return errors.Join(err, want(added.Name, "latency_downstream"), p.RemoveToxic("latency_downstream"))
}

// toxics adds, changes and removes each type in both directions.
func toxics(client *toxiproxy.Client, _ string) error {
	p, err := client.Proxy("redis")
	if err != nil {
		return err
	}
	for kind, attributes := range map[string]toxiproxy.Attributes{
		"latency": {"latency": 10, "jitter": 5}, "bandwidth": {"rate": 100}, "slow_close": {"delay": 10}, "timeout": {"timeout": 10},
		"reset_peer": {"timeout": 10}, "slicer": {"average_size": 8, "size_variation": 4, "delay": 5}, "limit_data": {"bytes": 100},
	} {
		for _, stream := range []string{"upstream", "downstream"} {
			if _, err := p.AddToxic("", kind, stream, 0.5, attributes); err != nil {
				return err
			}
			for key := range attributes {
				changed, err := p.UpdateToxic(kind+"_"+stream, 0.25, toxiproxy.Attributes{key: 7})
				if err != nil {
					return err
				}
				if err := errors.Join(want(fmt.Sprint(changed.Attributes[key]), "7"), want(changed.Toxicity, 0.25)); err != nil {
					return err
				}
			}
		}
	}
	all, err := p.Toxics()
	if err := errors.Join(err, want(len(all), 14)); err != nil {
		return err
	}
	for _, t := range all {
		if err := p.RemoveToxic(t.Name); err != nil {
			return err
		}
	}
	all, err = p.Toxics()
	return errors.Join(err, want(len(all), 0))
}

func mistakes(client *toxiproxy.Client, redis string) error {
	p, err := client.Proxy("redis")
	if err != nil {
		return err
	}
	_, twice := client.CreateProxy("redis", "localhost:0", redis)
	_, kind := p.AddToxic("", "nonsense", "", 1, nil)
	_, none := client.Proxy("none")
	for _, c := range []struct {
		err  error
		want int
	}{{twice, 409}, {kind, 400}, {none, 404}, {p.RemoveToxic("none"), 404}} {
		var answered *toxiproxy.ApiError
		if !errors.As(c.err, &answered) || answered.Status != c.want {
			return fmt.Errorf("got %v, want %d", c.err, c.want)
		}
	}
	return nil
}

func reset(client *toxiproxy.Client, _ string) error {
	p, err := client.Proxy("redis")
	if err != nil {
		return err
	}
	if _, err := p.AddToxic("t", "timeout", "upstream", 1, toxiproxy.Attributes{"timeout": 0}); err != nil {
		return err
	}
	if err := errors.Join(p.Disable(), client.ResetState()); err != nil {
		return err
	}
	if _, err := get(p.Listen); err != nil {
		return err
	}
	p, err = client.Proxy("redis")
	return errors.Join(err, want(p.Enabled, true), want(len(p.ActiveToxics), 0), p.Delete())
}

// get asks Redis for a key and returns how long that took.
func get(addr string) (time.Duration, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	start := time.Now()
	if _, err := io.WriteString(c, "GET test\r\n"); err != nil {
		return 0, err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && line != "$-1\r\n" {
		err = fmt.Errorf("redis says %q", line)
	}
	return time.Since(start), err
}

func want[T comparable](got, want T) error {
	if got != want {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	return nil
}
