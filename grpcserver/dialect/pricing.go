package dialect

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

// The fields of the pricing requests up to CA 1.34. A metav1.Time has the numbers
// and types of a google.protobuf.Timestamp.
const (
	oldNodePriceStart protowire.Number = 2 // metav1.Time
	oldNodePriceEnd   protowire.Number = 3 // metav1.Time

	oldPodPricePod   protowire.Number = 1 // v1.Pod
	oldPodPriceStart protowire.Number = 2 // metav1.Time
	oldPodPriceEnd   protowire.Number = 3 // metav1.Time
)

// NodePriceTimes returns the period for which a node's price is asked; a time that was
// not sent is zero. The error is cloudprovider.ErrInvalidArgument.
func NodePriceTimes(request *protos.PricingNodePriceRequest) (start, end time.Time, err error) {
	return period(request,
		moment{request.GetStartTimestamp(), oldNodePriceStart},
		moment{request.GetEndTimestamp(), oldNodePriceEnd})
}

// PodPriceArguments returns the pod whose price is asked, and the period; a time that
// was not sent is zero. The error is cloudprovider.ErrInvalidArgument, also for a
// request without a pod.
func PodPriceArguments(request *protos.PricingPodPriceRequest) (pod *corev1.Pod, start, end time.Time, err error) {
	start, end, err = period(request,
		moment{request.GetStartTimestamp(), oldPodPriceStart},
		moment{request.GetEndTimestamp(), oldPodPriceEnd})
	if err != nil {
		return nil, start, end, err
	}
	encoded := request.GetPodBytes()
	if len(encoded) == 0 {
		encoded, _ = last(unknown(request), oldPodPricePod)
	}
	if len(encoded) == 0 {
		return nil, start, end, fmt.Errorf("%w: the request for a pod's price carries no pod", cloudprovider.ErrInvalidArgument)
	}
	pod, err = decodePod(encoded)
	return pod, start, end, err
}

// moment is a time as a new field's value, and the number of the old one.
type moment struct {
	sent *timestamppb.Timestamp
	old  protowire.Number
}

func period(request proto.Message, from, to moment) (start, end time.Time, err error) {
	start, startErr := from.in(request)
	end, endErr := to.in(request)
	return start, end, errors.Join(startErr, endErr)
}

func (m moment) in(request proto.Message) (time.Time, error) {
	sent := m.sent
	if sent == nil {
		encoded, ok := last(unknown(request), m.old)
		if !ok {
			return time.Time{}, nil
		}
		sent = &timestamppb.Timestamp{}
		if err := proto.Unmarshal(encoded, sent); err != nil {
			return time.Time{}, fmt.Errorf("%w: decode time in field %d: %w", cloudprovider.ErrInvalidArgument, m.old, err)
		}
	}
	if err := sent.CheckValid(); err != nil {
		return time.Time{}, fmt.Errorf("%w: %w", cloudprovider.ErrInvalidArgument, err)
	}
	return sent.AsTime(), nil
}

func decodePod(encoded []byte) (*corev1.Pod, error) {
	pod := &corev1.Pod{}
	if err := pod.Unmarshal(encoded); err != nil {
		return nil, fmt.Errorf("%w: decode pod: %w", cloudprovider.ErrInvalidArgument, err)
	}
	return pod, nil
}
