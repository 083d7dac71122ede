package dialect

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// next takes the first length-delimited field (a message, bytes or a string) off an
// encoded message, passing over fields of other kinds. Its value is part of raw and
// must not be written to. The number is 0 at the end, or at bytes that are no field; a
// message that was received has none.
func next(raw []byte) (number protowire.Number, value, rest []byte) {
	for len(raw) > 0 {
		number, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			break
		}
		raw = raw[n:]
		size := protowire.ConsumeFieldValue(number, kind, raw)
		if size < 0 {
			break
		}
		rest = raw[size:]
		if kind == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(raw)
			return number, value, rest
		}
		raw = rest
	}
	return 0, nil, nil
}

// last returns the last value of a field, which is the one that counts if the field
// is not repeated, and whether there is any.
func last(raw []byte, wanted protowire.Number) (value []byte, ok bool) {
	for {
		number, v, rest := next(raw)
		switch number {
		case 0:
			return value, ok
		case wanted:
			value, ok = v, true
		}
		raw = rest
	}
}

// unknown returns the fields that the message's own type does not have, encoded.
func unknown(message proto.Message) []byte { return message.ProtoReflect().GetUnknown() }
