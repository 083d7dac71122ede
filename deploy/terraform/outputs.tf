output "scaling_group_ids" {
  description = "For scalingGroup.id in the node-group file; its tags lead there, too"
  value       = { for name, group in alicloud_ess_scaling_group.builds : name => group.id }
}
