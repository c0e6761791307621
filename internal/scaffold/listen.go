package scaffold

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// everywhere are addresses that mean every address of a container. Here each instance has one of its own.
func everywhere() *regexp.Regexp {
	return regexp.MustCompile(`(^|[=/@\s"'])(0\.0\.0\.0|\[::\]|::)(:\d+)?($|["'\s/])`)
}

// ownAddress replaces "0.0.0.0", "0.0.0.0:8080" and ":8080" by the instance's own address, and notes that it did.
func ownAddress(text string, isArgument bool, bound *bool) string {
	out := everywhere().ReplaceAllString(text, "${1}{{ip}}${3}${4}")
	if isArgument || !strings.Contains(text, " ") {
		out = regexp.MustCompile(`(^|=):(\d{2,5})$`).ReplaceAllString(out, "${1}{{ip}}:${2}")
	}
	if out != text || strings.Contains(text, "{{ip}}") {
		*bound = true
	}
	return out
}

// withPort and bare are variables that programs take their own address from.
func withPort() []string {
	return []string{"LISTEN", "LISTEN_ADDR", "LISTEN_ADDRESS", "BIND_ADDR", "BIND_ADDRESS", "ADDR", "ADDRESS", "HTTP_ADDR", "SERVER_ADDR", "LISTEN_ON"}
}

func bare() []string {
	return []string{"HOST", "BIND", "BIND_HOST", "LISTEN_HOST", "SERVER_HOST", "HTTP_HOST", "LISTEN_IP"}
}

// local returns the variables that the local process needs to be other than the container's, as entries of a YAML
// mapping. Where nothing has said so far where to listen, one of them may.
func (t *topology) local(s *service, d dockerfile, bound *bool) (entries []string) {
	values := map[string]string{}
	for name, value := range d.env { // what the image would have
		if _, ok := s.c.Environment[name]; !ok && !strings.Contains(value, "$") && name != "PATH" && !strings.HasSuffix(name, "PATH") {
			values[name] = value
		}
	}
	for name, value := range s.c.Environment {
		if value != nil {
			values[name] = *value
		}
	}
	set := map[string]string{}
	for name, value := range values {
		own := ownAddress(value, true, bound)
		own = t.inData(s, own)
		if _, given := s.c.Environment[name]; own != value || !given {
			set[name] = own
		}
	}
	if !*bound {
		*bound = s.listenVariable(values, set)
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		entries = append(entries, fmt.Sprintf("%s: %s", name, quote(set[name])))
	}
	return entries
}

// listenVariable sets a variable that the source reads its own address from.
func (s *service) listenVariable(values, set map[string]string) bool {
	for _, name := range slices.Concat(withPort(), bare()) {
		if _, given := values[name]; given || !regexp.MustCompile(`["'.\[]`+name+`["'\]\s;,)|]`).MatchString(s.source) {
			continue
		}
		set[name] = "{{ip}}"
		if slices.Contains(withPort(), name) {
			set[name] = fmt.Sprintf("{{ip}}:%d", s.port)
		}
		s.guessed("it listens where %s says: its source reads it", name)
		return true
	}
	return false
}

// inData replaces the path of a named volume by the instance's private folder.
func (t *topology) inData(s *service, value string) string {
	for _, v := range s.c.Volumes {
		if v.Type == "volume" && (value == v.Target || strings.HasPrefix(value, strings.TrimSuffix(v.Target, "/")+"/")) {
			return "{{data}}" + strings.TrimPrefix(value, strings.TrimSuffix(v.Target, "/"))
		}
	}
	return value
}

// sourceOf returns the text of a folder's sources, bounded: for looking, not for understanding.
func sourceOf(dir string) string {
	const most = 1 << 20
	var b strings.Builder
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || b.Len() > most {
			return nil
		}
		if e.IsDir() {
			if path != dir && (strings.HasPrefix(e.Name(), ".") || slices.Contains([]string{"node_modules", "vendor", "bin", "dist", "testdata"}, e.Name())) {
				return fs.SkipDir
			}
			return nil
		}
		if !slices.Contains([]string{".go", ".js", ".mjs", ".cjs", ".ts", ".py"}, filepath.Ext(path)) || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		if text, err := os.ReadFile(path); err == nil {
			b.Write(text[:min(len(text), most)])
			b.WriteByte('\n')
		}
		return nil
	})
	return b.String()
}
