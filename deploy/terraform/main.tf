# Three scaling groups for builds. Checked here: that it parses, and that every argument
# is one that the provider documents. Not applied to an account: verified on cloud: no.
terraform {
  required_version = ">= 1.5"
  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = ">= 1.230.0"
    }
  }
}

provider "alicloud" {
  region = var.region
}

locals {
  # Taken in this order, zone by zone, until one is in stock.
  groups = {
    normal = {
      max            = 20
      instance_types = ["ecs.c7.2xlarge", "ecs.c6.2xlarge"]
      spot_strategy  = "NoSpot"
      spot_duration  = null
      # Stopped instances are kept and started first: their disks still hold the images.
      scaling_policy = "recycle"
    }
    gpu = {
      max            = 8
      instance_types = ["ecs.gn7i-c8g1.2xlarge"]
      spot_strategy  = "NoSpot"
      spot_duration  = null
      # A stopped GPU instance is not sure to get its GPU back.
      scaling_policy = "release"
    }
    spot = {
      max            = 40
      instance_types = ["ecs.c7.2xlarge", "ecs.c6.2xlarge", "ecs.c7a.2xlarge", "ecs.g7.2xlarge"]
      spot_strategy  = "SpotAsPriceGo"
      # The first hour is not taken away: longer than most builds.
      spot_duration  = "1"
      scaling_policy = "release"
    }
  }
}

resource "alicloud_ecs_launch_template" "builds" {
  for_each             = local.groups
  launch_template_name = "builds-${each.key}"
  image_id             = var.image_id
  instance_type        = each.value.instance_types[0]
  instance_charge_type = "PostPaid"
  spot_strategy        = each.value.spot_strategy
  spot_duration        = each.value.spot_duration
  security_group_ids   = var.security_group_ids
  ram_role_name        = var.node_role_name
  key_pair_name        = var.key_pair_name

  system_disk {
    category             = "cloud_essd"
    performance_level    = "PL1"
    size                 = 120
    delete_with_instance = true
  }

  user_data = base64encode(templatefile("${path.module}/join.sh.tftpl", {
    class           = each.key
    apiserver       = var.apiserver
    bootstrap_token = var.bootstrap_token
    ca_cert_hash    = var.ca_cert_hash
  }))

  tags = { buildpool = each.key }
}

resource "alicloud_ess_scaling_group" "builds" {
  for_each           = local.groups
  scaling_group_name = "builds-${each.key}"
  min_size           = 0
  max_size           = each.value.max
  # A number here, even 0, switches the expected-number mode on.
  desired_capacity        = 0
  vswitch_ids             = var.vswitch_ids
  multi_az_policy         = "PRIORITY"
  launch_template_id      = alicloud_ecs_launch_template.builds[each.key].id
  launch_template_version = "Latest"
  scaling_policy          = each.value.scaling_policy
  # buildpool says what goes; ESS takes away only what is broken.
  health_check_type         = "ECS"
  group_deletion_protection = true
  tags                      = { buildpool = each.key }

  dynamic "launch_template_override" {
    for_each = each.value.instance_types
    content {
      instance_type = launch_template_override.value
    }
  }

  lifecycle {
    # The number of nodes is cluster-autoscaler's from now on.
    ignore_changes = [desired_capacity]
  }
}
