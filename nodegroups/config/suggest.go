package config

import (
	"reflect"
	"strings"
)

// nearest returns the known word that the given one was most likely meant to be: a
// slip or two apart, more in a long word, or one is the beginning of the other.
func nearest(word string, known []string) (string, bool) {
	best, bestDistance := "", max(len(word)/3, 2)+1
	if len(word) < 4 {
		bestDistance = 2
	}
	lower := strings.ToLower(word)
	for _, k := range known {
		if d := editDistance(lower, strings.ToLower(k)); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	if best != "" {
		return best, true
	}
	for _, k := range known {
		if len(k) >= 3 && len(word) >= 3 && (strings.HasPrefix(lower, strings.ToLower(k)) || strings.HasPrefix(strings.ToLower(k), lower)) {
			return k, true
		}
	}
	return "", false
}

// maxCompared keeps the comparison cheap; no known word is near that long.
const maxCompared = 64

// editDistance counts the letters to change, add, drop or swap with their
// neighbour ("optimal string alignment"), over bytes.
func editDistance(a, b string) int {
	if len(a) > maxCompared {
		return len(a)
	}
	var beforeLast, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		beforeLast, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, row[j]+1, last[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], beforeLast[j-1]+1)
			}
		}
	}
	return row[len(b)]
}

// ownerOf returns the field that holds the key one level further down, for a key
// that was written one level too high.
func (fs fields) ownerOf(key string) (string, bool) {
	for _, f := range fs {
		t := f.typ
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || t == quantityType {
			continue
		}
		if _, ok := fieldsOf(t).find(key); ok {
			return f.key, true
		}
	}
	return "", false
}
