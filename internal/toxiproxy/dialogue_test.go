package toxiproxy

// dialogue is what both servers are asked, in this order.
func dialogue() []step {
	var all []step
	for _, part := range [][]step{aboutProxies(), aboutUpdates(), aboutToxics(), aboutBadToxics(), aboutPopulate(), aboutPaths()} {
		all = append(all, part...)
	}
	return all
}

func aboutProxies() []step {
	return []step{
		{"GET", "/version", ""},
		{"GET", "/proxies", ""},
		{"POST", "/proxies", `{"name":"a","listen":"localhost:0","upstream":"localhost:6379"}`},
		{"POST", "/proxies", `{"name":"a","listen":"localhost:0","upstream":"localhost:6379"}`},
		{"POST", "/proxies", `{"name":"any","listen":":0","upstream":"localhost:6379"}`},
		{"POST", "/proxies", `{"name":"unsaid","upstream":"localhost:6379"}`},
		{"POST", "/proxies", `{"name":"six","listen":"[::1]:0","upstream":"x:1"}`},
		{"POST", "/proxies", `{"NAME":"off","Listen":"localhost:0","upstream":"x:1","enabled":false,"more":[1]}`},
		{"POST", "/proxies", `{"name":"odd \"<é\u0001","listen":"127.0.0.1:0","upstream":"no address at all"}`},
		{"POST", "/proxies", `{"name":"busy","listen":"$BUSY","upstream":"x:1"}`},
		{"GET", "/proxies/busy", ""},
		{"POST", "/proxies", `{"name":"p","listen":"foo","upstream":"x:1"}`},
		{"POST", "/proxies", `{"name":"p","listen":"127.0.0.1:99999","upstream":"x:1"}`},
		{"POST", "/proxies", `{"name":"p","listen":"127.0.0.1:nonsuch","upstream":"x:1"}`},
		{"POST", "/proxies", `{"name":"p","listen":"nowhere.invalid:1","upstream":"x:1"}`},
		{"POST", "/proxies", `{"name":"p","listen":"192.0.2.1:0","upstream":"x:1"}`},
		{"POST", "/proxies", `{"name":"","upstream":"x:1"}`},
		{"POST", "/proxies", `{"upstream":"x:1"}`},
		{"POST", "/proxies", `{"name":"p"}`},
		{"POST", "/proxies", `{}`},
		{"POST", "/proxies", `null`},
		{"POST", "/proxies", ``},
		{"POST", "/proxies", `{"name":`},
		{"POST", "/proxies", `nonsense`},
		{"POST", "/proxies", `[]`},
		{"POST", "/proxies", `"text"`},
		{"POST", "/proxies", `{"name":7,"upstream":"x:1"}`},
		{"POST", "/proxies", `{"name":"p","upstream":"x:1","enabled":"yes"}`},
		{"POST", "/proxies", `{"name":"tail","listen":"127.0.0.1:0","upstream":"x:1"} and more`},
		{"GET", "/proxies/a", ""},
		{"GET", "/proxies/none", ""},
		{"GET", "/proxies/odd%20%22%3C%C3%A9%01", ""},
		{"DELETE", "/proxies/any", ""},
		{"DELETE", "/proxies/any", ""},
		{"DELETE", "/proxies/unsaid", "a body nobody asked for"},
	}
}

func aboutUpdates() []step {
	return []step{
		{"POST", "/proxies/a", `{}`},
		{"PATCH", "/proxies/a", `{"enabled":false}`},
		{"PATCH", "/proxies/a", `{"enabled":false}`},
		{"PATCH", "/proxies/a", `{"upstream":"localhost:1"}`},
		{"PATCH", "/proxies/a", `{"enabled":true}`},
		{"POST", "/proxies/a", `{"enabled":true,"listen":"$a"}`},
		{"POST", "/proxies/a", `{"upstream":"localhost:2"}`},
		{"POST", "/proxies/a", `{"name":"b","upstream":"localhost:3"}`},
		{"POST", "/proxies/a", `{"listen":"localhost:0"}`},
		{"POST", "/proxies/a", `{"listen":"foo"}`},
		{"POST", "/proxies/a", `{"listen":""}`},
		{"POST", "/proxies/a", `{"upstream":""}`},
		{"POST", "/proxies/a", `{"listen":"127.0.0.1:0","enabled":false}`},
		{"GET", "/proxies/a", ``},
		{"POST", "/proxies/a", `{"listen":"$BUSY","enabled":true}`},
		{"GET", "/proxies/a", ``},
		{"DELETE", "/proxies/off", ``}, // in which order a reset goes is anybody's guess
		{"POST", "/reset", ``},         // cannot enable a, and says so
		{"POST", "/proxies/a", `{"listen":"127.0.0.1:0","upstream":"localhost:6379","enabled":true}`},
		{"POST", "/proxies/a", ``},
		{"POST", "/proxies/a", `[]`},
		{"POST", "/proxies/a", `{"enabled":1}`},
		{"POST", "/proxies/none", `{}`},
		{"PATCH", "/proxies/none", `nonsense`},
		{"GET", "/proxies", ``},
	}
}

func aboutToxics() []step {
	return []step{
		{"GET", "/proxies/a/toxics", ``},
		{"POST", "/proxies/a/toxics", `{"type":"latency","attributes":{"latency":100}}`},
		{"POST", "/proxies/a/toxics", `{"type":"latency","attributes":{"latency":100}}`},
		{"POST", "/proxies/a/toxics", `{"type":"latency","stream":"upstream","attributes":{"latency":5,"jitter":3}}`},
		{"POST", "/proxies/a/toxics", `{"name":"bw","type":"bandwidth","attributes":{"rate":1000}}`},
		{"POST", "/proxies/a/toxics", `{"name":"sc","type":"slow_close","toxicity":0.25,"attributes":{"delay":10}}`},
		{"POST", "/proxies/a/toxics", `{"name":"to","type":"timeout","stream":"upstream","attributes":{"timeout":10}}`},
		{"POST", "/proxies/a/toxics", `{"name":"rp","type":"reset_peer","attributes":{"timeout":10}}`},
		{"POST", "/proxies/a/toxics", `{"name":"sl","type":"slicer","attributes":{"average_size":64,"size_variation":32,"delay":10}}`},
		{"POST", "/proxies/a/toxics", `{"name":"ld","type":"limit_data","attributes":{"bytes":10}}`},
		{"POST", "/proxies/a/toxics", `{"name":"no","type":"noop"}`},
		{"GET", "/proxies/a/toxics", ``},
		{"GET", "/proxies/a", ``},
		{"GET", "/proxies/a/toxics/bw", ``},
		{"POST", "/proxies/a/toxics/bw", `{"attributes":{"rate":5}}`},
		{"PATCH", "/proxies/a/toxics/latency_upstream", `{"toxicity":0.5,"attributes":{"jitter":7}}`},
		{"PATCH", "/proxies/a/toxics/latency_upstream", `{"name":"x","type":"timeout","stream":"downstream","toxicity":0}`},
		{"PATCH", "/proxies/a/toxics/latency_upstream", `{"attributes":null,"toxicity":null}`},
		{"PATCH", "/proxies/a/toxics/bw", `{"attributes":{"rate":"fast"}}`},
		{"PATCH", "/proxies/a/toxics/bw", `{"attributes":7}`},
		{"PATCH", "/proxies/a/toxics/bw", ``},
		{"PATCH", "/proxies/a/toxics/none", `{}`},
		{"PATCH", "/proxies/none/toxics/bw", `{}`},
		{"GET", "/proxies/a/toxics/none", ``},
		{"GET", "/proxies/none/toxics/bw", ``},
		{"GET", "/proxies/none/toxics", ``},
		{"DELETE", "/proxies/a/toxics/sc", ``},
		{"DELETE", "/proxies/a/toxics/sc", ``},
		{"DELETE", "/proxies/none/toxics/sc", ``},
		{"POST", "/proxies/a", `{"upstream":"localhost:7"}`}, // toxics stay
		{"POST", "/reset", `a body`},
		{"GET", "/proxies", ``},
	}
}

func aboutBadToxics() []step {
	return []step{
		{"POST", "/proxies/none/toxics", `{"type":"latency"}`},
		{"POST", "/proxies/a/toxics", ``},
		{"POST", "/proxies/a/toxics", `{}`},
		{"POST", "/proxies/a/toxics", `null`},
		{"POST", "/proxies/a/toxics", `[]`},
		{"POST", "/proxies/a/toxics", `{"type":""}`},
		{"POST", "/proxies/a/toxics", `{"type":"Latency"}`},
		{"POST", "/proxies/a/toxics", `{"type":"none","stream":"sideways"}`},
		{"POST", "/proxies/a/toxics", `{"type":"latency","stream":"sideways"}`},
		{"POST", "/proxies/a/toxics", `{"type":"latency","stream":""}`},
		{"POST", "/proxies/a/toxics", `{"type":"latency","stream":"UpStream"}`},
		{"POST", "/proxies/a/toxics", `{"type":"none","attributes":"x"}`},
		{"POST", "/proxies/a/toxics", `{"type":"latency","attributes":[]}`},
		{"POST", "/proxies/a/toxics", `{"name":"n","type":"latency","attributes":null}`},
		{"POST", "/proxies/a/toxics", `{"name":"n","type":"latency","attributes":{"latency":"x"}}`}, // taken, before unreadable
		{"POST", "/proxies/a/toxics", `{"name":"m","type":"latency","attributes":{"latency":"x"}}`},
		{"POST", "/proxies/a/toxics", `{"name":"m","type":"latency","attributes":{"latency":1.5}}`},
		{"POST", "/proxies/a/toxics", `{"name":"m","type":"latency","attributes":{"latency":99999999999999999999}}`},
		{"POST", "/proxies/a/toxics", `{"name":"m","type":"latency","toxicity":"high"}`},
		{"POST", "/proxies/a/toxics", `{"name":"big","type":"latency","attributes":{"latency":9223372036854775807,"nonsense":1}}`},
		{"POST", "/proxies/a/toxics", `{"name":"below","type":"latency","toxicity":-3,"attributes":{"latency":-5,"jitter":-9}}`},
		{"POST", "/proxies/a/toxics", `{"name":"above","type":"slicer","toxicity":7,"attributes":{"average_size":1,"size_variation":500}}`},
		{"GET", "/proxies/a/toxics", ``},
		{"POST", "/reset", ``},
	}
}

func aboutPopulate() []step {
	return []step{
		{"POST", "/populate", ``},
		{"POST", "/populate", `{}`},
		{"POST", "/populate", `null`},
		{"POST", "/populate", `[]`},
		{"POST", "/populate", `[{"name":"p1","listen":"localhost:0","upstream":"x:1"},{"name":"p2","listen":"localhost:0","upstream":"x:2","enabled":false}]`},
		{"GET", "/proxies/p1", ``},
		{"POST", "/proxies/p1/toxics", `{"type":"latency"}`},
		{"POST", "/populate", `[{"name":"p1","listen":"$p1","upstream":"x:1","enabled":false}]`}, // the same: stays, and stays enabled
		{"POST", "/populate", `[{"name":"p1","listen":"$p1","upstream":"x:9"}]`},                 // replaced, without toxics
		{"POST", "/populate", `[{"name":"p3","listen":"localhost:0","upstream":"x:1"},{"name":"p4","upstream":""}]`},
		{"POST", "/populate", `[{"upstream":"x:1"}]`},
		{"GET", "/proxies/p3", ``},
		{"POST", "/populate", `[{"name":"p5","listen":"localhost:0","upstream":"x:1"},{"name":"p6","listen":"$BUSY","upstream":"x:1"},{"name":"p7","upstream":"x"}]`},
		{"POST", "/populate", `[{"name":"p5","listen":"nowhere.invalid:1","upstream":"x:1"}]`},
		{"POST", "/populate", `[{"name":"p1","listen":"$BUSY","upstream":"x:1"}]`},
		{"POST", "/populate", `[{"name":"p8","listen":"localhost:0","upstream":"x:1"},{"name":"p8","listen":"localhost:0","upstream":"x:2"}]`},
		{"POST", "/populate", `[{"name":1}]`},
		{"POST", "/populate", `[7]`},
		{"GET", "/proxies", ``},
	}
}

func aboutPaths() []step {
	return []step{
		{"GET", "/", ``},
		{"GET", "/none", ``},
		{"GET", "/proxies/", ``},
		{"GET", "//proxies", ``},
		{"GET", "/proxies/../version?x=1", ``},
		{"GET", "/proxies/a/none", ``},
		{"GET", "/proxies/a/toxics/x/y", ``},
		{"PUT", "/proxies", ``},
		{"DELETE", "/proxies", ``},
		{"PUT", "/proxies/a", ``},
		{"PATCH", "/proxies/a/toxics", ``},
		{"PUT", "/proxies/a/toxics/b", ``},
		{"GET", "/reset", ``},
		{"GET", "/populate", ``},
		{"POST", "/version", ``},
		{"HEAD", "/version", ``},
		{"OPTIONS", "/proxies", ``},
		{"GET", "/proxies", `agent:Mozilla/5.0 (X11)`},
		{"GET", "/none", `agent:Mozilla/5.0 (X11)`},
		{"GET", "/proxies/none", `agent:mozilla/5.0`},
	}
}
