package report

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"io/fs"
	"strings"
)

// The page is plain HTML, CSS and JavaScript; the scripts run in the order of their
// names.
//
//go:embed page
var pageFiles embed.FS

// WriteHTML writes one page about a run, or about several side by side. It is whole in
// itself: opened from a disk or a mail it asks nothing of any network, and its own
// content policy forbids it to.
func WriteHTML(w io.Writer, runs ...Report) error {
	comparison := Compare(runs...)
	data, err := json.Marshal(comparison.Runs) // escapes what could end the script
	if err != nil {
		return fmt.Errorf("encode runs: %w", err)
	}
	compared, err := json.Marshal(comparison.Figures)
	if err != nil {
		return fmt.Errorf("encode figures: %w", err)
	}
	style := pageFile("page.css")
	script := pageScript()
	page := strings.NewReplacer(
		"{{title}}", html.EscapeString(pageTitle(runs)),
		"{{style-hash}}", contentHash(style), "{{style}}", style,
		"{{script-hash}}", contentHash(script), "{{script}}", script,
		"{{runs}}", string(data), "{{figures}}", string(compared),
	).Replace(pageFile("page.html"))
	if _, err := io.WriteString(w, page); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

func pageTitle(runs []Report) string {
	var names []string
	for _, r := range runs {
		if r.Name != "" {
			names = append(names, r.Name)
		}
	}
	return strings.Join(append([]string{"buildpool simulation"}, names...), " · ")
}

// pageScript joins the scripts in a scope of their own.
func pageScript() string {
	files, err := fs.Glob(pageFiles, "page/*.js")
	if err != nil {
		panic("pattern of the page's scripts: " + err.Error())
	}
	var out bytes.Buffer
	out.WriteString("\"use strict\";\n(() => {\n")
	for _, file := range files {
		out.WriteString(pageFile(strings.TrimPrefix(file, "page/")))
	}
	out.WriteString("})();\n")
	return out.String()
}

// pageFile is an embedded file: one that is missing is a broken build.
func pageFile(name string) string {
	data, err := pageFiles.ReadFile("page/" + name)
	if err != nil {
		panic("the page's own file: " + err.Error())
	}
	return string(data)
}

// contentHash names a style or a script in a content policy.
func contentHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
