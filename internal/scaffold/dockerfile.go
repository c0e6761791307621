package scaffold

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A dockerfile is what the last stage of a Dockerfile says of the program that runs.
type dockerfile struct {
	name       string // as the build names it
	entrypoint []string
	cmd        []string
	env        map[string]string
	expose     string
	health     string // of HEALTHCHECK, without CMD
	workdir    string
	text       string
}

// readDockerfile reads a service's Dockerfile. Without one it is empty.
func readDockerfile(dir, name, inline string) dockerfile {
	d := dockerfile{name: name, text: inline, env: map[string]string{}}
	if inline == "" {
		if d.name == "" {
			d.name = "Dockerfile"
		}
		path := d.name
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return dockerfile{env: map[string]string{}}
		}
		d.text = string(content)
	}
	joined := regexp.MustCompile(`\\[ \t]*\r?\n`).ReplaceAllString(d.text, " ")
	for line := range strings.Lines(joined) {
		d.instruction(strings.TrimSpace(line))
	}
	return d
}

func (d *dockerfile) instruction(line string) {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToUpper(word) {
	case "FROM": // another stage begins
		d.entrypoint, d.cmd, d.env, d.expose, d.health, d.workdir = nil, nil, map[string]string{}, "", "", ""
	case "ENTRYPOINT":
		d.entrypoint, d.cmd = command(rest), nil
	case "CMD":
		d.cmd = command(rest)
	case "WORKDIR":
		d.workdir = rest
	case "EXPOSE":
		if d.expose == "" && rest != "" {
			d.expose, _, _ = strings.Cut(strings.Fields(rest)[0], "/")
		}
	case "HEALTHCHECK":
		if _, after, ok := strings.Cut(rest, "CMD"); ok {
			d.health = strings.Join(command(strings.TrimSpace(after)), " ")
		}
	case "ENV":
		d.environment(rest)
	}
}

// environment reads "ENV A=1 B=2" and the old form "ENV A 1".
func (d *dockerfile) environment(rest string) {
	name, value, ok := strings.Cut(rest, " ")
	if ok && !strings.Contains(name, "=") {
		d.env[name] = strings.TrimSpace(value)
		return
	}
	for _, m := range regexp.MustCompile(`(\w+)=("[^"]*"|\S*)`).FindAllStringSubmatch(rest, -1) {
		d.env[m[1]] = strings.Trim(m[2], `"`)
	}
}

// command reads the exec form ["a", "b"], or the shell form as the words it is of, or as a line for a shell.
func command(text string) []string {
	var words []string
	if strings.HasPrefix(text, "[") && json.Unmarshal([]byte(text), &words) == nil {
		return words
	}
	if strings.ContainsAny(text, `|&;<>()$'"*`+"`") {
		return []string{"/bin/sh", "-c", text}
	}
	return strings.Fields(text)
}
