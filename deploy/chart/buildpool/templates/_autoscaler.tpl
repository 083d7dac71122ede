{{/* The flags of cluster-autoscaler, those of the values over the chart's own. */}}
{{- define "buildpool.autoscalerArgs" -}}
{{- $flags := dict
  "cloud-provider" "externalgrpc"
  "cloud-config" "/etc/cluster-autoscaler/cloud-config"
  "namespace" .Release.Namespace
  "leader-elect" "true"
  "leader-elect-resource-name" (include "buildpool.autoscalerName" .)
  "status-config-map-name" (printf "%s-status" (include "buildpool.autoscalerName" .))
  "expander" .Values.autoscaler.expander
  "scale-down-delay-type-local" "true"
  "skip-nodes-with-custom-controller-pods" "true"
  "address" ":8085"
  "v" "4" -}}
{{- if .Values.expander.enabled -}}
{{- $_ := set $flags "expander" (printf "grpc,%s" .Values.autoscaler.expander) -}}
{{- $_ := set $flags "grpc-expander-cert" "/etc/cluster-autoscaler-tls/ca.crt" -}}
{{- $host := ternary (include "buildpool.host" .) "127.0.0.1" (eq .Values.topology "service") -}}
{{- $_ := set $flags "grpc-expander-url" (printf "%s:8087" $host) -}}
{{- end -}}
{{- range $name, $value := .Values.autoscaler.flags -}}
{{- $_ := set $flags $name (toString $value) -}}
{{- end -}}
{{- range $name := keys $flags | sortAlpha }}
- --{{ $name }}={{ get $flags $name }}
{{- end }}
{{- end -}}

{{- define "buildpool.autoscalerContainer" -}}
- name: cluster-autoscaler
  image: "{{ .Values.autoscaler.image.repository }}:{{ .Values.autoscaler.image.tag }}"
  imagePullPolicy: {{ .Values.autoscaler.image.pullPolicy }}
  command: [./cluster-autoscaler]
  args:
    {{- include "buildpool.autoscalerArgs" . | trim | nindent 4 }}
  ports:
    - {name: ca-http, containerPort: 8085}
  livenessProbe:
    httpGet: {path: /health-check, port: ca-http}
    initialDelaySeconds: 30
    periodSeconds: 30
    timeoutSeconds: 5
    failureThreshold: 5
  resources:
    {{- toYaml .Values.autoscaler.resources | nindent 4 }}
  securityContext:
    {{- include "buildpool.containerSecurityContext" . | nindent 4 }}
  volumeMounts:
    - {name: cloud-config, mountPath: /etc/cluster-autoscaler, readOnly: true}
    {{- if include "buildpool.usesTLS" . }}
    - {name: autoscaler-tls, mountPath: /etc/cluster-autoscaler-tls, readOnly: true}
    {{- end }}
    {{- if and (eq .Values.topology "sidecar") (eq .Values.sidecar.listen "socket") }}
    - {name: socket, mountPath: /run/buildpool}
    {{- end }}
    {{- include "buildpool.apiTokenMount" . | nindent 4 }}
{{- end -}}

{{/* In topology sidecar CA gets of the server's certificate the authority alone. */}}
{{- define "buildpool.autoscalerVolumes" -}}
- name: cloud-config
  configMap: {name: {{ include "buildpool.autoscalerName" . }}-cloud-config}
{{- if eq .Values.topology "service" }}
- name: autoscaler-tls
  secret: {secretName: {{ include "buildpool.clientSecret" . }}, defaultMode: 0440}
{{- else if .Values.expander.enabled }}
- name: autoscaler-tls
  secret: {secretName: {{ include "buildpool.serverSecret" . }}, items: [{key: ca.crt, path: ca.crt}], defaultMode: 0440}
{{- end }}
{{ include "buildpool.apiTokenVolume" . }}
{{- end -}}
