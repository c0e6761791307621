package run

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// redacted returns the plan without values that look secret: those of environment
// variables and headers with such a name become digests, which can be compared and not
// read, and passwords in URLs go. Experiments are kept as they are, because runs are judged again from them.
func (p Plan) redacted() (Plan, error) {
	var errs [4]error
	p.System, errs[0] = redactedCopy(p.System)
	p.Journeys, errs[1] = redactedCopy(p.Journeys)
	p.Setup, errs[2] = redactedCopy(p.Setup)
	p.Final, errs[3] = redactedCopy(p.Final)
	if err := errors.Join(errs[:]...); err != nil {
		return Plan{}, fmt.Errorf("take secrets out of the plan: %w", err)
	}
	return p, nil
}

// redactedCopy returns what JSON says of part, redacted. It shares nothing with part, which the run goes on with.
func redactedCopy[T any](part T) (T, error) {
	var tree any
	var clean T
	text, err := json.Marshal(part)
	if err == nil {
		err = decode(text, &tree)
	}
	if err == nil {
		text, err = json.Marshal(redactTree(tree, false))
	}
	if err == nil {
		err = decode(text, &clean)
	}
	return clean, err
}

// decode keeps numbers as they are written.
func decode(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return dec.Decode(into)
}

// redactTree redacts every string of a JSON value. named says that the keys of v are names of variables or headers.
func redactTree(v any, named bool) any {
	switch v := v.(type) {
	case string:
		return Redact(v)
	case []any:
		for i := range v {
			v[i] = redactTree(v[i], false)
		}
	case map[string]any:
		for key, value := range v {
			if text, ok := value.(string); ok && named {
				v[key] = RedactNamed(key, text)
				continue
			}
			v[key] = redactTree(value, key == "env" || key == "headers")
		}
	}
	return v
}

// Redact replaces passwords of URLs in text.
func Redact(text string) string {
	return regexp.MustCompile(`(://[^\s:/@?#"]*):[^\s/"]+@`).ReplaceAllString(text, "$1:***@")
}

// RedactNamed returns what may be shown of the value of a variable or header: a digest where its name looks secret.
func RedactNamed(name, value string) string {
	if value == "" || !looksSecret(name) {
		return Redact(value)
	}
	return fmt.Sprintf("sha256:%.12s…", fmt.Sprintf("%x", sha256.Sum256([]byte(value))))
}

// looksSecret says whether a name is one that secrets have: any name that contains one of some
// words, and any of which a part, such as KEY in API_KEY, is one of others.
func looksSecret(name string) bool {
	name = strings.ToLower(regexp.MustCompile(`([a-z0-9])([A-Z])`).ReplaceAllString(name, "${1}_$2"))
	within := []string{"password", "passwd", "passphrase", "secret", "token", "credential", "authorization", "cookie", "apikey"}
	if slices.ContainsFunc(within, func(word string) bool { return strings.Contains(name, word) }) {
		return true
	}
	parts := regexp.MustCompile(`[a-z0-9]+`).FindAllString(name, -1)
	if slices.Contains(parts, "idempotency") {
		return false
	}
	return slices.ContainsFunc([]string{"key", "keys", "dsn", "auth", "pass", "pwd"}, func(word string) bool { return slices.Contains(parts, word) })
}

// keepable returns what evidence keeps of a user's file. Env files hold secrets: what they were can be
// compared, not read. Of YAML files and SQL the passwords of URLs go, and the rest stays as it is.
func keepable(name string, content []byte) []byte {
	base := filepath.Base(name)
	if strings.HasPrefix(base, ".env") || strings.HasSuffix(base, ".env") {
		return fmt.Appendf(nil, "sha256:%x\n", sha256.Sum256(content))
	}
	if ending := path.Ext(base); ending == ".yaml" || ending == ".yml" || ending == ".sql" {
		return []byte(Redact(string(content)))
	}
	return content
}
