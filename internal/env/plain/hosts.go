package plain

import "strings"

// A reference is a name of a service or an instance, found in a text where a
// program will take it for a host to dial.
type reference struct {
	Host   string
	Port   int    // 0: the text names none
	Scheme string // of the URL it stands in, or ""
}

// rewriteHosts replaces every reference in text by what to returns for its host.
//
// A name counts only where a host can stand: before a port ("db:5432"), after a
// scheme ("http://db/x"), after a user ("app@db"), and in comma lists of these.
// "xdb:5432", "path/db:5432" and "postgres://db:secret@…" hold no reference.
func rewriteHosts(text string, isHost func(string) bool, to func(reference) (string, error)) (string, error) {
	var out strings.Builder
	scheme, authority := "", false // authority: between "://" and the path
	for i := 0; i < len(text); {
		if !isNameByte(text[i]) {
			authority = authority && !endsAuthority(text[i])
			out.WriteByte(text[i])
			i++
			continue
		}
		end := nameEnd(text, i)
		word := text[i:end]
		if strings.HasPrefix(text[end:], "://") {
			scheme, authority = word, true
			out.WriteString(word + "://")
			i = end + len("://")
			continue
		}
		ref, ok := classify(text, i, end, authority)
		if ok && isHost(word) {
			if authority {
				ref.Scheme = scheme
			}
			host, err := to(ref)
			if err != nil {
				return "", err
			}
			word = host
		}
		out.WriteString(word)
		i = end
	}
	return out.String(), nil
}

// classify says whether the name at text[i:end] stands where a host stands.
func classify(text string, i, end int, authority bool) (reference, bool) {
	before, rest := byte(0), text[end:]
	if i > 0 {
		before = text[i-1]
	}
	port, ok := leadingPort(rest)
	ref := reference{Host: text[i:end], Port: port}
	if !authority {
		return ref, before != '/' && (ok || before == '@')
	}
	if beforeUserinfoEnd(rest) || !strings.ContainsRune("/@,", rune(before)) {
		return ref, false
	}
	return ref, ok || rest == "" || rest[0] == ',' || endsAuthority(rest[0])
}

// leadingPort reads ":PORT" where nothing that belongs to it follows.
func leadingPort(rest string) (int, bool) {
	if !strings.HasPrefix(rest, ":") {
		return 0, false
	}
	port, i := 0, 1
	for ; i < len(rest) && rest[i] >= '0' && rest[i] <= '9' && i <= len("65535"); i++ {
		port = port*10 + int(rest[i]-'0')
	}
	if i == 1 || port < 1 || port > 65535 {
		return 0, false
	}
	if i < len(rest) && (rest[i] == '@' || isNameByte(rest[i]) && !endsSentence(rest[i:])) {
		return 0, false
	}
	return port, true
}

// endsSentence says whether rest starts with a dot that is no part of a name.
func endsSentence(rest string) bool {
	return rest[0] == '.' && (len(rest) == 1 || !isNameByte(rest[1]))
}

// beforeUserinfoEnd says whether the name before rest is a user or a password.
func beforeUserinfoEnd(rest string) bool {
	for i := 0; i < len(rest) && rest[i] != ',' && !endsAuthority(rest[i]); i++ {
		if rest[i] == '@' {
			return true
		}
	}
	return false
}

// rewriteHostList is rewriteHosts for the value of a variable whose name says
// that it is a host: there a whole value, or an item of a comma list, may be a bare name.
func rewriteHostList(text string, isHost func(string) bool, to func(reference) (string, error)) (string, error) {
	if strings.Contains(text, "://") {
		return rewriteHosts(text, isHost, to)
	}
	items := strings.Split(text, ",")
	for i, item := range items {
		name := strings.TrimSpace(item)
		if !isHost(name) {
			rewritten, err := rewriteHosts(item, isHost, to)
			if err != nil {
				return "", err
			}
			items[i] = rewritten
			continue
		}
		host, err := to(reference{Host: name})
		if err != nil {
			return "", err
		}
		items[i] = strings.Replace(item, name, host, 1)
	}
	return strings.Join(items, ","), nil
}

// saysHost says whether a variable's name says that its value is a host to
// dial. HOSTNAME and SERVER_NAME are what a program calls itself.
func saysHost(variable string) bool {
	name := strings.ToUpper(variable)
	if name == "HOSTNAME" || strings.HasSuffix(name, "_NAME") || strings.HasSuffix(name, "_ID") {
		return false
	}
	return strings.Contains(name, "HOST") || strings.Contains(name, "ADDR") || strings.Contains(name, "SERVER")
}

func nameEnd(text string, i int) int {
	for i < len(text) && isNameByte(text[i]) {
		i++
	}
	return i
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
}

func endsAuthority(c byte) bool { return strings.IndexByte("/?#;|\\\"'`<>()[]{} \t\r\n", c) >= 0 }

// schemePort is the port a program dials when a URL names none.
func schemePort(scheme string) int {
	switch scheme {
	case "http", "ws", "h2c":
		return 80
	case "https", "wss":
		return 443
	case "postgres", "postgresql":
		return 5432
	case "redis", "rediss":
		return 6379
	case "nats", "tls":
		return 4222
	case "amqp":
		return 5672
	case "mysql":
		return 3306
	case "mongodb":
		return 27017
	}
	return 0
}
