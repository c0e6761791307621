package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/table"
	"github.com/assay-dev/assay/internal/toxiproxy"
)

const proxyExitCodes = `Exit codes:
  0    it was asked to end, by Ctrl-C, SIGTERM or "assay proxy stop"
  2    bad usage or configuration
  4    an address is taken, the holder ended, or the tool broke`

// proxyFlags are the flags of "assay proxy".
type proxyFlags struct {
	listen, config, id string
	proxies            []string
	seed               uint64
	keep, stay         bool
}

func (a *app) proxyCommand() *cobra.Command {
	var flags proxyFlags
	cmd := &cobra.Command{
		Use:   "proxy",
		Short: "Proxy TCP connections and bend them, with the HTTP API of Toxiproxy",
		Long: `Serve the HTTP API of Toxiproxy 2.12.0, so that its clients work unchanged: create
proxies, add toxics to them, disable them.

The proxies are in a process of their own, the holder. When this process is killed,
traffic flows on as it was, and the same command attaches to the holder again. When the
holder is killed, traffic is cut. Ctrl-C and SIGTERM end both (--stay: this one alone).
Proxies come back at the next start with the same --id, toxics with --keep-toxics.

` + proxyExitCodes,
		Example: `  assay proxy
  assay proxy --proxy redis,localhost:26379,localhost:6379
  assay proxy --config toxiproxy.json --seed 7
  assay proxy --listen localhost:0 --json          # a free port, printed; gone without a trace at the end
  assay proxy list
  assay proxy stop`,
		Args: usageArgs(subcommandOnly),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.proxy(cmd.Context(), flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.listen, "listen", "localhost:8474", "address of the API; port 0 takes a free one and prints it")
	f.StringVar(&flags.config, "config", "", "create the proxies of this JSON file, as POST /populate does")
	f.StringArrayVar(&flags.proxies, "proxy", nil, "create the proxy NAME,LISTEN,UPSTREAM (may be repeated)")
	f.Uint64Var(&flags.seed, "seed", 1, "decides jitter, toxicity and every other random choice")
	f.BoolVar(&flags.keep, "keep-toxics", false, "keep toxics on disk, too, and bring them back")
	f.BoolVar(&flags.stay, "stay", false, "leave the proxies running when this process is asked to end")
	f.StringVar(&flags.id, "id", "", "which group of proxies (default: by the address of the API; with port 0 a new one)")
	cmd.AddCommand(a.proxyListCommand(), a.proxyStopCommand())
	return cmd
}

func (a *app) proxy(ctx context.Context, flags proxyFlags) error {
	opts, err := flags.options()
	if err != nil {
		return err
	}
	opts.Ready = a.proxyReady(flags)
	err = toxiproxy.Serve(ctx, opts)
	var refused *toxiproxy.ConfigError
	if errors.As(err, &refused) && refused.Status < http.StatusInternalServerError {
		return &run.UsageError{Msg: fmt.Sprintf("%s: %s", flags.source(), refused.Text)}
	}
	if errors.Is(err, toxiproxy.ErrHolderGone) {
		return fmt.Errorf("%w (start again: its proxies come back)", err)
	}
	return err
}

// proxyReady prints where the API is.
func (a *app) proxyReady(flags proxyFlags) func(string, toxiproxy.Info, bool) {
	return func(api string, holder toxiproxy.Info, attached bool) {
		if attached {
			fmt.Fprintf(a.err, "the proxies of %s are running already: attached to their holder, process %d\n", holder.ID, holder.PID)
			if holder.Seed != flags.seed || holder.KeepToxics != flags.keep {
				fmt.Fprintf(a.err, "it goes on with --seed %d --keep-toxics=%t\n", holder.Seed, holder.KeepToxics)
			}
		} else {
			fmt.Fprintf(a.err, "the holder is process %d; state in %s\n", holder.PID, holder.Dir)
		}
		for _, problem := range holder.Problems {
			fmt.Fprintln(a.err, problem)
		}
		if a.json {
			a.printJSON(map[string]any{"api": api, "holder": holder, "attached": attached})
			return
		}
		fmt.Fprintf(a.out, "API of Toxiproxy %s at http://%s, proxies: %d, seed %d\n", toxiproxy.Version, api, holder.Proxies, holder.Seed)
	}
}

// source names what the proxies to create were read from.
func (f proxyFlags) source() string {
	if f.config != "" {
		return f.config
	}
	return "--proxy"
}

func (f proxyFlags) options() (toxiproxy.Options, error) {
	host, port, err := hostPort(f.listen)
	if err != nil {
		return toxiproxy.Options{}, &run.UsageError{Msg: fmt.Sprintf("--listen %s: want HOST:PORT: %v", f.listen, err)}
	}
	opts := toxiproxy.Options{Listen: f.listen, Seed: f.seed, KeepToxics: f.keep, Stay: f.stay, Version: version()}
	id := f.id
	switch {
	case id != "":
	case port == "0":
		id, opts.Once = fmt.Sprintf("process-%d", os.Getpid()), !f.stay
	default:
		id = toxiproxy.IDOf(host + "-" + port)
	}
	if opts.Place, err = toxiproxy.PlaceOf(id); err != nil {
		return opts, &run.UsageError{Msg: "--id: " + err.Error()}
	}
	opts.Config, err = f.populate()
	return opts, err
}

// hostPort takes apart an address to listen on, whose port exists.
func hostPort(at string) (host, port string, err error) {
	if host, port, err = net.SplitHostPort(at); err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	return host, port, err
}

// populate returns what --config and --proxy say, as one JSON list.
func (f proxyFlags) populate() ([]byte, error) {
	var list []json.RawMessage
	if f.config != "" {
		text, err := os.ReadFile(f.config)
		if err != nil {
			return nil, &run.UsageError{Msg: err.Error()}
		}
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, &run.UsageError{Msg: fmt.Sprintf("%s: want a JSON list of proxies, [{\"name\": …, \"listen\": …, \"upstream\": …}]: %v", f.config, err)}
		}
	}
	named := map[string]bool{}
	for _, short := range f.proxies {
		parts := strings.Split(short, ",")
		if len(parts) != 3 {
			return nil, &run.UsageError{Msg: fmt.Sprintf("--proxy %s: want NAME,LISTEN,UPSTREAM such as redis,localhost:26379,localhost:6379", short)}
		}
		if named[parts[0]] {
			return nil, &run.UsageError{Msg: fmt.Sprintf("--proxy %s: there is another proxy %s before it", short, parts[0])}
		}
		named[parts[0]] = true
		if _, _, err := hostPort(parts[1]); err != nil {
			return nil, &run.UsageError{Msg: fmt.Sprintf("--proxy %s: want HOST:PORT to listen on: %v", short, err)}
		}
		one, err := json.Marshal(map[string]string{"name": parts[0], "listen": parts[1], "upstream": parts[2]})
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	if list == nil {
		return nil, nil
	}
	return json.Marshal(list)
}

func (a *app) proxyListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the groups of proxies, and which of them run",
		Long: `List the groups of proxies of this user: the process that holds each, and where its API
is served. One without a holder does not run: only its proxies are kept on disk.

Exit codes:
  0    listed
  4    the tool broke`,
		Example: `  assay proxy list
  assay proxy list --json`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.proxyList(cmd.Context()) },
	}
}

func (a *app) proxyList(ctx context.Context) error {
	places, err := toxiproxy.Places()
	if err != nil {
		return err
	}
	type group struct {
		toxiproxy.Place
		Holder *toxiproxy.Info `json:"holder"`
	}
	groups := []group{}
	t := table.Table{Head: []string{"ID", "HOLDER", "PROXIES", "API", "STATE"}}
	for _, place := range places {
		holder, err := toxiproxy.List(ctx, place)
		if err != nil {
			return err
		}
		groups = append(groups, group{place, holder})
		if holder == nil {
			t.Row(place.ID, "-", "-", "-", place.Dir)
			continue
		}
		api := strings.Join(holder.APIs, " ")
		if api == "" {
			api = "not served"
		}
		t.Row(place.ID, fmt.Sprint(holder.PID), fmt.Sprint(holder.Proxies), api, place.Dir)
	}
	if a.json {
		a.printJSON(groups)
		return nil
	}
	fmt.Fprint(a.out, t.Lay(columns(a.out)))
	return nil
}

func (a *app) proxyStopCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "stop [ID…]",
		Short: "End holders of proxies, and with them all connections",
		Long: `End the holders of groups of proxies. Without an ID the one that runs; where several run,
they are named. Their proxies stay on disk and come back at the next start.

Exit codes:
  0    they are gone
  2    bad usage: nothing of that ID runs, or several run and none is named
  4    the tool broke`,
		Example: `  assay proxy stop
  assay proxy stop localhost-8474
  assay proxy stop --all`,
		RunE: func(cmd *cobra.Command, ids []string) error { return a.proxyStop(cmd.Context(), ids, all) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "end all that run")
	return cmd
}

func (a *app) proxyStop(ctx context.Context, ids []string, all bool) error {
	places, err := proxiesToStop(ids, all)
	if err != nil {
		return err
	}
	stopped := []string{}
	for _, place := range places {
		was, err := toxiproxy.Stop(ctx, place)
		if err != nil {
			return err
		}
		if !was && !all {
			return &run.UsageError{Msg: fmt.Sprintf("no proxies of %s run (assay proxy list)", place.ID)}
		}
		if was {
			stopped = append(stopped, place.ID)
		}
	}
	if a.json {
		a.printJSON(map[string]any{"stopped": stopped})
		return nil
	}
	for _, id := range stopped {
		fmt.Fprintln(a.out, "stopped", id)
	}
	return nil
}

func proxiesToStop(ids []string, all bool) ([]toxiproxy.Place, error) {
	var places []toxiproxy.Place
	for _, id := range ids {
		place, err := toxiproxy.PlaceOf(id)
		if err != nil {
			return nil, &run.UsageError{Msg: err.Error()}
		}
		places = append(places, place)
	}
	if len(ids) > 0 {
		return places, nil
	}
	known, err := toxiproxy.Places()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, place := range known {
		running, err := place.Running()
		if err != nil {
			return nil, err
		}
		if running {
			places, names = append(places, place), append(names, place.ID)
		}
	}
	if len(places) > 1 && !all {
		return nil, &run.UsageError{Msg: fmt.Sprintf("several run: name one of %s, or --all", strings.Join(names, ", "))}
	}
	if len(places) == 0 && !all {
		return nil, &run.UsageError{Msg: "no proxies run"}
	}
	return places, nil
}
