// Package overflow decides which builds that wait for a node move to a virtual node
// (a virtual kubelet, such as that of Alibaba Cloud's Elastic Container Instances), and
// why the others stay.
//
// A build moves by a toleration that is added to its pod. Once it is bound there is no
// way back, and a build that moves although a real node is on its way leaves that node
// empty; so what is not certain to be surplus stays. If nobody decides any more, pods
// wait for real nodes as ever.
//
// It is pure: it knows no clients, no clock and no files.
package overflow
