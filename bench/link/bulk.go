package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/assay-dev/assay/system"
)

const (
	bulkBytes = 512 << 20 // of a transfer of raw bytes
	bodyBytes = 100 << 20 // of an HTTP body
	bodyCount = 3         // in a row
	gigabyte  = 1e9
)

func idleCPU(b *bench) error {
	s, err := serve(sink)
	if err != nil {
		return err
	}
	defer s.close()
	ways, err := b.ways(s.addr, plain, toxiproxy, ours)
	if err != nil {
		return err
	}
	if err := b.perGB(ways, "raw bytes, no fault", bulkBytes, sendRaw, 0.35); err != nil {
		return err
	}
	return b.httpCPU()
}

func (b *bench) httpCPU() error {
	addr, stop, err := serveHTTP(bodies(bodyBytes))
	if err != nil {
		return err
	}
	defer stop()
	ways, err := b.ways(addr, plain, toxiproxy, ours)
	if err != nil {
		return err
	}
	if err := b.perGB(ways, "HTTP/1.1 download of 100 MiB, no fault", bodyCount*bodyBytes, download, 0.35); err != nil {
		return err
	}
	return b.perGB(ways, "HTTP/1.1 upload of 100 MiB, no fault", bodyCount*bodyBytes, upload, 0.35)
}

func chainCPU(b *bench) error {
	s, err := serve(sink)
	if err != nil {
		return err
	}
	defer s.close()
	ways, err := b.ways(s.addr, toxiproxy, ours)
	if err != nil {
		return err
	}
	for _, p := range ways {
		if err := p.arm(chain()...); err != nil {
			return err
		}
	}
	return b.perGB(ways, "latency 5 ms, bandwidth 10 GB/s, slicer 16 KiB", bulkBytes, sendRaw, 0.6)
}

func chain() []fault {
	return []fault{
		delayed(5*time.Millisecond, true),
		{true, system.Rule{Kind: system.Throttle, Rate: 10e9, Each: true}, "bandwidth", map[string]int64{"rate": 10e6}},
		{true, system.Rule{Kind: system.Slice, Bytes: 16 << 10}, "slicer", map[string]int64{"average_size": 16 << 10}},
	}
}

func delayed(by time.Duration, up bool) fault {
	return fault{up, system.Rule{Kind: system.Delay, Delay: by}, "latency", map[string]int64{"latency": by.Milliseconds()}}
}

// perGB measures the processor time that each proxy needs for a transfer, and its rate.
func (b *bench) perGB(ways []*proxy, what string, bytes int64, transfer func(addr string) error, most float64) error {
	all, err := b.compare(ways, 2, func(p *proxy) ([]float64, error) {
		used, begin := p.cpu(), time.Now()
		if err := transfer(p.addr); err != nil {
			return nil, err
		}
		amount := float64(bytes) / gigabyte
		return []float64{(p.cpu() - used).Seconds() / amount, amount * 1000 / time.Since(begin).Seconds()}, nil
	})
	if err != nil {
		return err
	}
	b.add(what, "CPU s/GB", all[0]).against(toxiproxy).ratioAtMost(most)
	if len(all[0][plain]) > 0 && len(all[0][toxiproxy]) > 0 {
		b.note("%s: plain / Toxiproxy %.2f, ours / plain %.2f of processor time.", what, all[0].ratio(plain, toxiproxy), all[0].ratio(ours, plain))
	}
	b.add(what+": rate", "MB/s", all[1]).against(toxiproxy)
	return nil
}

// sendRaw sends to a sink.
func sendRaw(addr string) error {
	c, err := dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	var head [8]byte
	binary.BigEndian.PutUint64(head[:], bulkBytes)
	if _, err := c.Write(head[:]); err != nil {
		return err
	}
	data := make([]byte, 256<<10)
	for range bulkBytes / len(data) {
		if _, err := c.Write(data); err != nil {
			return err
		}
	}
	_, err = io.ReadFull(c, head[:1])
	return err
}

func download(addr string) error {
	return requestBodies(addr, func(client *http.Client) (*http.Response, error) { return client.Get("http://" + addr + "/") })
}

func upload(addr string) error {
	return requestBodies(addr, func(client *http.Client) (*http.Response, error) {
		r, err := http.NewRequest("POST", "http://"+addr+"/", zeros(bodyBytes))
		if err != nil {
			return nil, err
		}
		r.ContentLength = bodyBytes
		return client.Do(r)
	})
}

func requestBodies(addr string, request func(*http.Client) (*http.Response, error)) error {
	transport := &http.Transport{DisableCompression: true, ReadBufferSize: 256 << 10, WriteBufferSize: 256 << 10}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	for range bodyCount {
		res, err := request(client)
		if err != nil {
			return err
		}
		if err := drop(res.Body); err != nil {
			return err
		}
		res.Body.Close()
		if res.StatusCode != 200 {
			return fmt.Errorf("through %s: %s", addr, res.Status)
		}
	}
	return nil
}
