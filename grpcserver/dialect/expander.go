package dialect

import (
	"fmt"
	"iter"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/buildpool/buildpool/cloudprovider"
)

// The fields of the expander's messages. Those of pods and nodes up to CA 1.34 hold
// Kubernetes' own messages, which on the wire are the bytes that the newer fields hold.
const (
	requestOptions  protowire.Number = 1
	oldRequestNodes protowire.Number = 2 // map<string, v1.Node>
	requestNodes    protowire.Number = 3 // map<string, bytes>

	optionGroup   protowire.Number = 1
	optionCount   protowire.Number = 2
	optionDebug   protowire.Number = 3
	oldOptionPods protowire.Number = 4 // repeated v1.Pod
	optionPods    protowire.Number = 5 // repeated bytes

	entryKey   protowire.Number = 1 // of any map's entry
	entryValue protowire.Number = 2
)

// mostOptions bounds what a small request can make us hold. An account has some
// hundred groups.
const mostOptions = 10_000

// ExpanderRequest is a BestOptionsRequest of any dialect. CA sends every pod once per
// option, tens of megabytes when thousands of builds wait, and few of them matter to a
// choice: so the pods stay where they were received, neither copied nor decoded.
type ExpanderRequest struct {
	Options []ExpanderOption
	// nodes are the groups' template nodes, encoded.
	nodes, oldNodes map[string][]byte
}

// ExpanderOption is one option of a request.
type ExpanderOption struct {
	GroupID   string
	NodeCount int32
	Debug     string

	body cursor
	// pods is the number of the field in which the pods are; 0: there are none.
	pods protowire.Number
}

// Read takes an encoded request, in pieces as they were received. It keeps parts of
// them, so that they must not be written to any more. The error is
// cloudprovider.ErrInvalidArgument.
func (r *ExpanderRequest) Read(pieces [][]byte) error {
	for c := newCursor(pieces); c.left > 0; {
		field, err := c.field()
		if err == nil {
			err = r.take(field)
		}
		if err != nil {
			return fmt.Errorf("%w: decode the expander's request: %w", cloudprovider.ErrInvalidArgument, err)
		}
	}
	return nil
}

func (r *ExpanderRequest) take(field part) error {
	if field.kind != protowire.BytesType {
		return nil
	}
	switch field.number {
	case requestOptions:
		if len(r.Options) == mostOptions {
			return fmt.Errorf("it has more than %d options", mostOptions)
		}
		r.Options = append(r.Options, ExpanderOption{})
		return r.Options[len(r.Options)-1].read(field.body)
	case requestNodes:
		return takeNode(&r.nodes, field.body)
	case oldRequestNodes:
		return takeNode(&r.oldNodes, field.body)
	}
	return nil
}

// read finds an option's fields and passes over its pods.
func (o *ExpanderOption) read(body cursor) error {
	o.body = body
	for body.left > 0 {
		field, err := body.field()
		switch {
		case err != nil:
		case field.number == optionCount && field.kind == protowire.VarintType:
			o.NodeCount = int32(field.value)
		case field.kind != protowire.BytesType:
		case field.number == optionGroup:
			o.GroupID, err = field.body.text()
		case field.number == optionDebug:
			o.Debug, err = field.body.text()
		case field.number == optionPods, field.number == oldOptionPods:
			o.pods = max(o.pods, field.number) // the new field, if there are both
		}
		if err != nil {
			return fmt.Errorf("option: %w", err)
		}
	}
	return nil
}

func takeNode(nodes *map[string][]byte, entry cursor) error {
	var key string
	var value []byte
	for entry.left > 0 {
		field, err := entry.field()
		switch {
		case err != nil:
		case field.kind != protowire.BytesType:
		case field.number == entryKey:
			key, err = field.body.text()
		case field.number == entryValue:
			value = field.body.bytes()
		}
		if err != nil {
			return fmt.Errorf("template node: %w", err)
		}
	}
	if *nodes == nil {
		*nodes = map[string][]byte{}
	}
	(*nodes)[key] = value
	return nil
}

// Node returns the template node of a group as an encoded v1.Node, and whether it was
// sent. It must not be written to.
func (r *ExpanderRequest) Node(group string) (node []byte, sent bool) {
	nodes := r.nodes
	if len(nodes) == 0 {
		nodes = r.oldNodes
	}
	node, sent = nodes[group]
	return node, sent
}

// Pods yields the option's pods as encoded v1.Pod objects. Each is good until the next
// and must not be written to.
func (o *ExpanderOption) Pods() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var scratch []byte
		for body := o.body; body.left > 0 && o.pods != 0; {
			field, err := body.field()
			if err != nil {
				return // Read has found none
			}
			if field.number != o.pods || field.kind != protowire.BytesType {
				continue
			}
			if !yield(field.body.take(field.body.left, &scratch)) {
				return
			}
		}
	}
}
