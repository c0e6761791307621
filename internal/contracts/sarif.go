package contracts

import (
	"encoding/json"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// What of SARIF 2.1.0 is written. The specification is OASIS' "Static Analysis Results Interchange Format".
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		ColumnKind  string            `json:"columnKind"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		ExecutionSuccessful bool `json:"executionSuccessful"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Related      []sarifLocation    `json:"relatedLocations,omitempty"`
		Fingerprints map[string]string  `json:"partialFingerprints,omitempty"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
		Properties   map[string]any     `json:"properties,omitempty"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
	sarifLocation struct {
		ID       int            `json:"id,omitempty"`
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
		Message  *sarifText     `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
	}
)

// undecided is the rule of what was neither proven nor refuted.
const undecided = "undecided"

// WriteSARIF writes the report as SARIF 2.1.0. version is that of assay, folder the working folder below the repository's top. A
// finding that is waived is a suppressed result; what is undecided is an error, since nobody may take it for well.
func (r Report) WriteSARIF(w io.Writer, version, folder string) error {
	s := &sarif{folder: folder, rules: []sarifRule{}, results: []sarifResult{}}
	for _, one := range r.Results {
		for _, f := range one.Findings {
			s.finding(one, f)
		}
		for _, g := range one.Gaps {
			s.gap(one, g)
		}
	}
	log := sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{{
		Tool:        sarifTool{sarifDriver{Name: "assay", Version: version, InformationURI: "https://github.com/assay-dev/assay", Rules: s.rules}},
		Invocations: []sarifInvocation{{true}}, ColumnKind: "unicodeCodePoints", Results: s.results}}}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(log)
}

type sarif struct {
	folder  string
	rules   []sarifRule
	results []sarifResult
}

func (s *sarif) finding(r Result, f Found) {
	result := sarifResult{RuleID: f.Rule, RuleIndex: s.rule(f.Rule), Level: levelOf(f.Severity), Message: sarifText{f.message()},
		Locations:    []sarifLocation{s.location(f.here(r), f.Subject, f.Path)},
		Fingerprints: map[string]string{"assayFinding/v1": f.ID},
		Properties:   map[string]any{"contract": r.Contract, "kind": f.Kind, "severity": f.Severity}}
	if f.Old.File != "" {
		old := s.location(f.Old, "", "")
		old.ID, old.Message = 1, &sarifText{"as it was in " + r.Old.Name}
		result.Related = []sarifLocation{old}
	}
	for _, e := range f.Ends {
		end := s.location(e.At, "", "")
		end.ID, end.Message = len(result.Related)+1, &sarifText{e.What}
		result.Related = append(result.Related, end)
	}
	if f.Witness != nil {
		result.Properties["witness"] = f.Witness
	}
	if f.Waived != nil {
		result.Suppressions = []sarifSuppression{{"external", "accepted", f.Waived.Owner + ": " + f.Waived.Reason}}
	}
	s.results = append(s.results, result)
}

func (s *sarif) gap(r Result, g contract.Gap) {
	at := g.At
	if at.File == "" {
		at = r.place()
	}
	s.results = append(s.results, sarifResult{RuleID: undecided, RuleIndex: s.rule(undecided), Level: "error", Message: sarifText{"undecided: " + gapTitle(g)},
		Locations: []sarifLocation{s.location(at, g.Subject, g.Path)}, Properties: map[string]any{"contract": r.Contract}})
}

// message is the text of a finding, with its witness.
func (f Found) message() string {
	text := f.title()
	if f.Witness != nil {
		text += "\nWitness: " + witnessText(*f.Witness) + "\n" + brief(f.Witness.Document)
	}
	if f.Try != "" {
		text += "\nTry: " + f.Try
	}
	return text
}

func levelOf(s contract.Severity) string {
	return map[contract.Severity]string{contract.Break: "error", contract.Risk: "warning", contract.Change: "note"}[s]
}

// rule returns the index of a rule, and adds it where it is new.
func (s *sarif) rule(id string) int {
	i := slices.IndexFunc(s.rules, func(r sarifRule) bool { return r.ID == id })
	if i < 0 {
		i = len(s.rules)
		s.rules = append(s.rules, sarifRule{id, sarifText{strings.ReplaceAll(strings.ReplaceAll(id, "-", " "), "_", " ")}})
	}
	return i
}

func (s *sarif) location(at contract.Place, subject, in string) sarifLocation {
	var l sarifLocation
	if at.File != "" {
		l.Physical = &sarifPhysical{Artifact: sarifArtifact{(&url.URL{Path: repoPath(s.folder, at.File)}).String()}}
		if at.Line > 0 {
			l.Physical.Region = &sarifRegion{at.Line, at.Column}
		}
	}
	if subject != "" {
		l.Logical = []sarifLogical{{strings.TrimSpace(subject + " " + in)}}
	}
	return l
}

// repoPath returns a file's path below the repository's top, where it is below it. One of a revision is below it anyway.
func repoPath(folder, file string) string {
	if _, in, ok := strings.Cut(file, ":"); ok {
		return in
	}
	if file == "" || filepath.IsAbs(file) || folder == "" {
		return filepath.ToSlash(file)
	}
	return path.Join(filepath.ToSlash(folder), filepath.ToSlash(file))
}
