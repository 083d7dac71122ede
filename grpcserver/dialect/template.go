package dialect

import (
	"google.golang.org/protobuf/encoding/protowire"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// oldTemplateNode is the template's node up to CA 1.34: a v1.Node message. On the
// wire a message is the bytes it encodes to.
const oldTemplateNode protowire.Number = 1

// Template returns the answer with an encoded v1.Node for every dialect: a CA stops
// with a nil dereference when the node is not in the field it reads. The node must not
// be empty.
func Template(node []byte) *protos.NodeGroupTemplateNodeInfoResponse {
	response := &protos.NodeGroupTemplateNodeInfoResponse{NodeBytes: node}
	old := make([]byte, 0, protowire.SizeTag(oldTemplateNode)+protowire.SizeBytes(len(node)))
	old = protowire.AppendTag(old, oldTemplateNode, protowire.BytesType)
	response.ProtoReflect().SetUnknown(protowire.AppendBytes(old, node))
	return response
}
