package workload

import (
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// value appends a value's text to l.text: a string's, a number's as it is written,
// nothing for null. Classes may be a list and labels an object.
func (l *lineReader) value(name string) (*fault, error) {
	switch kind := l.decoder.PeekKind(); {
	case kind == '[' && name == "class":
		return l.elements(name, '|')
	case kind == '{' && name == "labels":
		return l.elements(name, ';')
	case kind == '{' || kind == '[' || kind == 't' || kind == 'f':
		if err := l.decoder.SkipValue(); err != nil {
			return nil, err
		}
		return &fault{name, "is neither text nor a number", "", "write it as in CSV"}, nil
	}
	return nil, l.scalar()
}

func (l *lineReader) scalar() error {
	value, err := l.decoder.ReadValue()
	if err != nil {
		return err
	}
	switch value.Kind() {
	case '"':
		l.text, err = jsontext.AppendUnquote(l.text, value)
	case '0':
		l.text = append(l.text, value...)
	}
	return err
}

// elements appends a list's or an object's values as our CSV has them.
func (l *lineReader) elements(name string, between byte) (*fault, error) {
	if _, err := l.decoder.ReadToken(); err != nil {
		return nil, err
	}
	object, first := between == ';', true
	for kind := l.decoder.PeekKind(); kind != ']' && kind != '}'; kind = l.decoder.PeekKind() {
		if !first {
			l.text = append(l.text, between)
		}
		first = false
		if object {
			if err := l.scalar(); err != nil {
				return nil, err
			}
			l.text = append(l.text, '=')
			kind = l.decoder.PeekKind()
		}
		before := len(l.text)
		if err := l.scalar(); err != nil {
			return nil, err
		}
		if kind != '"' || strings.ContainsRune(string(l.text[before:]), rune(between)) {
			return &fault{name, "holds what is no plain text", "", "write strings without '|' or ';'"}, nil
		}
	}
	_, err := l.decoder.ReadToken()
	return nil, err
}

// jsonMessage says what is wrong with JSON without the decoder's own prefix and place.
func jsonMessage(err error) string {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the JSON ends too early"
	case errors.As(err, &syntax) && syntax.Err != nil:
		return "this is no JSON: " + strings.TrimPrefix(syntax.Err.Error(), "jsontext: ")
	}
	return "this is no JSON: " + err.Error()
}
