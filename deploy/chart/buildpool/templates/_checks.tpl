{{/* What no schema can say of values that do not go together. */}}
{{- define "buildpool.check" -}}
{{- if and (eq .Values.topology "sidecar") (not .Values.autoscaler.enabled) -}}
{{- fail "topology sidecar puts buildpool beside a cluster-autoscaler of this chart: set autoscaler.enabled, or topology: service for one that is there already" -}}
{{- end -}}
{{- if and (include "buildpool.usesTLS" .) (not .Values.tls.certManager.enabled) -}}
{{- if not .Values.tls.serverSecret -}}
{{- fail "without cert-manager give tls.serverSecret, a Secret with tls.crt, tls.key and ca.crt" -}}
{{- end -}}
{{- if and (eq .Values.topology "service") .Values.autoscaler.enabled (not .Values.tls.clientSecret) -}}
{{- fail "without cert-manager give tls.clientSecret, which cluster-autoscaler shows to buildpool" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.credentials.rrsa.roleArn (not .Values.credentials.rrsa.oidcProviderArn) -}}
{{- fail "credentials.rrsa.roleArn and credentials.rrsa.oidcProviderArn belong together" -}}
{{- end -}}
{{- if and .Values.credentials.rrsa.oidcProviderArn (not .Values.credentials.rrsa.roleArn) -}}
{{- fail "credentials.rrsa.roleArn and credentials.rrsa.oidcProviderArn belong together" -}}
{{- end -}}
{{- if and .Values.overflow.enabled (not .Values.cluster.watch) -}}
{{- fail "overflow.enabled moves builds that it has to see: set cluster.watch" -}}
{{- end -}}
{{- if and .Values.credentials.rrsa.roleArn .Values.credentials.existingSecret -}}
{{- fail "credentials.rrsa and credentials.existingSecret are two different identities: give one" -}}
{{- end -}}
{{- end -}}
