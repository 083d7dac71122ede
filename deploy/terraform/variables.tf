variable "region" {
  type    = string
  default = "cn-hangzhou"
}

variable "image_id" {
  type        = string
  description = "A custom image with containerd, kubelet and kubeadm of the cluster's version, and the builds' images"
}

variable "vswitch_ids" {
  type        = list(string)
  description = "One per zone, in the order in which zones are tried"
}

variable "security_group_ids" {
  type = list(string)
}

variable "node_role_name" {
  type        = string
  default     = null
  description = "The instances' RAM role, as the cloud controller manager and the CSI driver need it"
}

variable "key_pair_name" {
  type    = string
  default = null
}

variable "apiserver" {
  type        = string
  description = "host:port of the apiserver, as nodes reach it"
}

variable "bootstrap_token" {
  type        = string
  sensitive   = true
  description = "A kubeadm token that does not expire, or that is renewed here"
}

variable "ca_cert_hash" {
  type        = string
  description = "sha256:… of the cluster's authority"
}
