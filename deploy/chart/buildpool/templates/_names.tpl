{{- define "buildpool.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "buildpool.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "buildpool.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The CA of topology service has an identity of its own: it needs no rights on the account. */}}
{{- define "buildpool.autoscalerName" -}}
{{- if eq .Values.topology "sidecar" -}}
{{- include "buildpool.fullname" . -}}
{{- else -}}
{{- printf "%s-autoscaler" (include "buildpool.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- define "buildpool.autoscalerServiceAccountName" -}}
{{- if eq .Values.topology "sidecar" -}}
{{- include "buildpool.serviceAccountName" . -}}
{{- else -}}
{{- include "buildpool.autoscalerName" . -}}
{{- end -}}
{{- end -}}

{{- define "buildpool.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "buildpool.labels" -}}
{{ include "buildpool.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: buildpool
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "buildpool.configMapName" -}}
{{- default (include "buildpool.fullname" .) .Values.existingConfigMap -}}
{{- end -}}

{{- define "buildpool.priorityClassName" -}}
{{- default (include "buildpool.fullname" .) .Values.priorityClass.name -}}
{{- end -}}

{{- define "buildpool.serverSecret" -}}
{{- if .Values.tls.certManager.enabled -}}
{{- printf "%s-server" (include "buildpool.fullname" .) -}}
{{- else -}}
{{- .Values.tls.serverSecret -}}
{{- end -}}
{{- end -}}

{{- define "buildpool.clientSecret" -}}
{{- if .Values.tls.certManager.enabled -}}
{{- printf "%s-client" (include "buildpool.fullname" .) -}}
{{- else -}}
{{- .Values.tls.clientSecret -}}
{{- end -}}
{{- end -}}

{{/* The name by which CA calls the server: it must be in the certificate. */}}
{{- define "buildpool.host" -}}
{{- printf "%s.%s.svc" (include "buildpool.fullname" .) .Release.Namespace -}}
{{- end -}}

{{/* Where CA finds the provider. */}}
{{- define "buildpool.address" -}}
{{- if eq .Values.topology "service" -}}
{{- printf "%s:8086" (include "buildpool.host" .) -}}
{{- else if eq .Values.sidecar.listen "socket" -}}
unix:///run/buildpool/grpc.sock
{{- else -}}
127.0.0.1:8086
{{- end -}}
{{- end -}}

{{/* The label that the leading replica puts on its own pod, and the Service selects. */}}
{{- define "buildpool.leaderLabel" -}}
buildpool.io/leader
{{- end -}}

{{- define "buildpool.usesTLS" -}}
{{- if or (eq .Values.topology "service") .Values.expander.enabled -}}true{{- end -}}
{{- end -}}

{{/* The ConfigMap that keeps how often spot instances are taken back; empty: none does. Without
cluster.watch a sidecar has no way to the apiserver. */}}
{{- define "buildpool.reclaimHistory" -}}
{{- if and .Values.cluster.keepReclaims (or .Values.cluster.watch (eq .Values.topology "service")) -}}
{{ include "buildpool.fullname" . }}-reclaims
{{- end -}}
{{- end -}}
