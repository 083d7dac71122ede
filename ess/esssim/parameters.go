package esssim

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// parameters are a request's parameters, of the query and the form together. The
// first value of a repeated name counts.
type parameters map[string]string

func newParameters(values url.Values) parameters {
	p := make(parameters, len(values))
	for name, all := range values {
		if len(all) > 0 {
			p[name] = all[0]
		}
	}
	return p
}

// required returns a value that must be there.
func (p parameters) required(name string) (string, error) {
	if p[name] == "" {
		return "", account.ErrMissing(name)
	}
	return p[name], nil
}

// integer returns a number, and whether there is one.
func (p parameters) integer(name string) (n int, given bool, err error) {
	text := p[name]
	if text == "" {
		return 0, false, nil
	}
	if n, err = strconv.Atoi(text); err != nil {
		return 0, false, account.ErrInvalid(name, "it is not a number")
	}
	return n, true, nil
}

// number returns a number, or 0 when there is none.
func (p parameters) number(name string) (int, error) {
	n, _, err := p.integer(name)
	return n, err
}

func (p parameters) boolean(name string, standard bool) (bool, error) {
	switch strings.ToLower(p[name]) {
	case "":
		return standard, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, account.ErrInvalid(name, "it is neither true nor false")
}

// list returns the values of Name.1, Name.2, … in the order of their numbers.
func (p parameters) list(name string) []string {
	var values []string
	for _, n := range p.indexes(name + ".") {
		if value := p[name+"."+strconv.Itoa(n)]; value != "" {
			values = append(values, value)
		}
	}
	return values
}

// tags returns the pairs of Tag.1.Key and Tag.1.Value, ….
func (p parameters) tags(name string) (map[string]string, error) {
	tags := map[string]string{}
	for _, n := range p.indexes(name + ".") {
		prefix := fmt.Sprintf("%s.%d.", name, n)
		key := p[prefix+"Key"]
		if key == "" {
			return nil, account.ErrMissing(prefix + "Key")
		}
		tags[key] = p[prefix+"Value"]
	}
	return tags, nil
}

// indexes returns the numbers that follow a prefix, ascending and once each.
func (p parameters) indexes(prefix string) []int {
	var found []int
	for name := range p {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		digits, _, _ := strings.Cut(rest, ".")
		if n, err := strconv.Atoi(digits); err == nil && n > 0 && strconv.Itoa(n) == digits {
			found = append(found, n)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// paging returns the page asked for. A given zero is wrong, while an absent value
// asks for the default.
func (p parameters) paging() (account.Paging, error) {
	var paging account.Paging
	for _, field := range []struct {
		name string
		to   *int
	}{{"PageNumber", &paging.Number}, {"PageSize", &paging.Size}} {
		n, given, err := p.integer(field.name)
		if err != nil {
			return account.Paging{}, err
		}
		if given && n < 1 {
			return account.Paging{}, account.ErrInvalid(field.name, "it is not positive")
		}
		*field.to = n
	}
	return paging, nil
}
