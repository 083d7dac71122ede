package dialect

import (
	"errors"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// cursor walks over an encoded message that lies in several pieces, as a connection
// delivers it, without joining them. A copy of a cursor is a place to come back to.
type cursor struct {
	piece []byte   // what is left of the current piece
	next  [][]byte // the pieces after it
	left  int      // how much of the message is left
}

func newCursor(pieces [][]byte) cursor {
	c := cursor{next: pieces}
	for _, piece := range pieces {
		c.left += len(piece)
	}
	c.advance(0)
	return c
}

var (
	errTruncated = errors.New("it ends within a field")
	errNoText    = errors.New("a text is not UTF-8")
)

// advance passes over n bytes, which must be there.
func (c *cursor) advance(n int) {
	c.left -= n
	for n >= len(c.piece) {
		n -= len(c.piece)
		if len(c.next) == 0 {
			c.piece = nil
			return
		}
		c.piece, c.next = c.next[0], c.next[1:]
	}
	c.piece = c.piece[n:]
}

// take returns the next n bytes, which must be there, and passes over them. They are
// part of a piece, or joined in scratch, which grows as needed.
func (c *cursor) take(n int, scratch *[]byte) []byte {
	if n <= len(c.piece) {
		taken := c.piece[:n:n]
		c.advance(n)
		return taken
	}
	joined := (*scratch)[:0]
	for n > 0 {
		part := c.piece[:min(n, len(c.piece))]
		joined = append(joined, part...)
		n -= len(part)
		c.advance(len(part))
	}
	*scratch = joined
	return joined
}

// longestVarint is how many bytes a varint takes at most.
const longestVarint = 10

func (c *cursor) varint() (uint64, error) {
	here := c.piece[:min(len(c.piece), c.left)]
	value, n := protowire.ConsumeVarint(here)
	if n < 0 && len(here) < longestVarint { // it may go on in the next piece
		var joined [longestVarint]byte
		scratch, ahead := joined[:0], *c
		here = ahead.take(min(longestVarint, c.left), &scratch)
		value, n = protowire.ConsumeVarint(here)
	}
	if n < 0 {
		return 0, protowire.ParseError(n)
	}
	c.advance(n)
	return value, nil
}

// part is one field of a message.
type part struct {
	number protowire.Number
	kind   protowire.Type
	value  uint64 // of a varint
	body   cursor // of a length-delimited field
}

// field takes the next field.
func (c *cursor) field() (part, error) {
	tag, err := c.varint()
	if err != nil {
		return part{}, err
	}
	number, kind := protowire.DecodeTag(tag)
	if number < protowire.MinValidNumber || number > protowire.MaxValidNumber {
		return part{}, errors.New("a field has an invalid number")
	}
	p := part{number: number, kind: kind}
	size := 0
	switch kind {
	case protowire.VarintType:
		p.value, err = c.varint()
		return p, err
	case protowire.BytesType:
		length, err := c.varint()
		if err != nil {
			return part{}, err
		}
		if length > uint64(c.left) {
			return part{}, errTruncated
		}
		size, p.body = int(length), *c
		p.body.left = size
	case protowire.Fixed32Type:
		size = 4
	case protowire.Fixed64Type:
		size = 8
	default: // no message of ours has ever had a group
		return part{}, errors.New("a field is of a kind that no release sends")
	}
	if size > c.left {
		return part{}, errTruncated
	}
	c.advance(size)
	return p, nil
}

// bytes returns all that is left; it shares memory with the pieces if it lies in one.
func (c cursor) bytes() []byte {
	var joined []byte
	return c.take(c.left, &joined)
}

func (c cursor) text() (string, error) {
	text := c.bytes()
	if !utf8.Valid(text) {
		return "", errNoText
	}
	return string(text), nil
}
