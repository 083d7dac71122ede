package config

import "reflect"

// Strict reads another kind of file by the rules of Parse: unknown keys, wrong types
// and missing fields are problems with their line and fix, all at once. T's fields have
// JSON tags; one without omitempty is required. check may look at the values; nil: it
// does not. The error is of type Errors.
func Strict[T any](filename string, data []byte, kind string, check func(Checker, T)) (T, error) {
	d := newDecoder(filename)
	d.kind = kind
	var v, none T
	if root := d.document(data); root != nil {
		d.findCredentials(root)
		d.value(root, "", reflect.ValueOf(&v).Elem())
		if check != nil {
			check(Checker{d}, v)
		}
	}
	d.findCredentialText(data)
	if len(d.problems) > 0 {
		return none, inFileOrder(d.redacted())
	}
	return v, nil
}

// Checker is what the check of a file complains to.
type Checker struct{ d *decoder }

// Sound reports whether the file sets the field and nothing is wrong with it yet.
func (c Checker) Sound(path string) bool { return c.d.sound(path) }

// Complain reports a problem of a field where its value stands, or the nearest field
// around it.
func (c Checker) Complain(path, message, fix string) { c.d.complain(path, message, fix) }

// Item is the path of a list's item.
func (Checker) Item(path string, i int) string { return itemPath(path, i) }
