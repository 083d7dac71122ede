{{/* The container of buildpool serve. */}}
{{- define "buildpool.serveContainer" -}}
- name: buildpool
  image: "{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}"
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args:
    - serve
    - --config=/etc/buildpool/nodegroups.yaml
    {{- if eq .Values.topology "service" }}
    - --address=0.0.0.0:8086
    - --tls-cert=/etc/buildpool-tls/tls.crt
    - --tls-key=/etc/buildpool-tls/tls.key
    - --tls-client-ca=/etc/buildpool-tls/ca.crt
    {{- range (default (list .Values.tls.clientName) .Values.tls.allowClients) }}
    - --allow-client={{ . }}
    {{- end }}
    - --leader-elect
    - --leader-elect-lease={{ .Release.Namespace }}/{{ include "buildpool.fullname" . }}
    - --leader-elect-label={{ include "buildpool.leaderLabel" . }}
    {{- if .Values.expander.enabled }}
    - --expander-address=0.0.0.0:8087
    {{- end }}
    {{- else }}
    - --address={{ include "buildpool.address" . }}
    {{- if .Values.expander.enabled }}
    - --expander-address=127.0.0.1:8087
    - --expander-tls-cert=/etc/buildpool-tls/tls.crt
    - --expander-tls-key=/etc/buildpool-tls/tls.key
    {{- end }}
    {{- end }}
    - --watch-cluster={{ ternary "always" "never" .Values.cluster.watch }}
    {{- with include "buildpool.reclaimHistory" . }}
    - --reclaim-history={{ $.Release.Namespace }}/{{ . }}
    {{- end }}
    {{- if .Values.overflow.enabled }}
    - --overflow
    {{- end }}
    - --http-address=0.0.0.0:8081
    - --log-format=json
    {{- with .Values.extraArgs }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- if or .Values.credentials.rrsa.roleArn .Values.credentials.existingSecret .Values.extraEnv }}
  env:
    {{- with .Values.credentials.rrsa }}
    {{- if .roleArn }}
    - {name: ALIBABA_CLOUD_ROLE_ARN, value: {{ .roleArn | quote }}}
    - {name: ALIBABA_CLOUD_OIDC_PROVIDER_ARN, value: {{ .oidcProviderArn | quote }}}
    - {name: ALIBABA_CLOUD_OIDC_TOKEN_FILE, value: /var/run/secrets/rrsa/token}
    {{- end }}
    {{- end }}
    {{- with .Values.credentials.existingSecret }}
    - name: ALIBABA_CLOUD_ACCESS_KEY_ID
      valueFrom: {secretKeyRef: {name: {{ . }}, key: accessKeyId}}
    - name: ALIBABA_CLOUD_ACCESS_KEY_SECRET
      valueFrom: {secretKeyRef: {name: {{ . }}, key: accessKeySecret}}
    {{- end }}
    {{- with .Values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
  ports:
    - {name: http, containerPort: 8081}
    {{- if eq .Values.topology "service" }}
    - {name: grpc, containerPort: 8086}
    {{- if .Values.expander.enabled }}
    - {name: expander, containerPort: 8087}
    {{- end }}
    {{- end }}
  {{- if eq .Values.topology "service" }}
  startupProbe:
    httpGet: {path: /healthz, port: http}
    periodSeconds: 2
    failureThreshold: 30
  readinessProbe:
    httpGet: {path: /readyz, port: http}
    periodSeconds: 5
  {{- else }}
  # Ready once the account could be read. Later only its life counts: beside a CA that
  # stands by nobody asks it anything, and its reading grows old.
  startupProbe:
    httpGet: {path: /readyz, port: http}
    periodSeconds: 5
    failureThreshold: 60
  readinessProbe:
    httpGet: {path: /healthz, port: http}
  {{- end }}
  livenessProbe:
    httpGet: {path: /healthz, port: http}
    periodSeconds: 10
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    {{- include "buildpool.containerSecurityContext" . | nindent 4 }}
  volumeMounts:
    - {name: config, mountPath: /etc/buildpool, readOnly: true}
    {{- if include "buildpool.usesTLS" . }}
    - {name: tls, mountPath: /etc/buildpool-tls, readOnly: true}
    {{- end }}
    {{- if or (eq .Values.topology "service") .Values.cluster.watch }}
    {{- include "buildpool.apiTokenMount" . | nindent 4 }}
    {{- end }}
    {{- if and (eq .Values.topology "sidecar") (eq .Values.sidecar.listen "socket") }}
    - {name: socket, mountPath: /run/buildpool}
    {{- end }}
    {{- if .Values.credentials.rrsa.roleArn }}
    - {name: rrsa, mountPath: /var/run/secrets/rrsa, readOnly: true}
    {{- end }}
{{- end -}}

{{/* The volumes of that container. Secrets are mounted whole: only so are they renewed. */}}
{{- define "buildpool.serveVolumes" -}}
- name: config
  configMap: {name: {{ include "buildpool.configMapName" . }}, items: [{key: nodegroups.yaml, path: nodegroups.yaml}]}
{{- if include "buildpool.usesTLS" . }}
- name: tls
  secret: {secretName: {{ include "buildpool.serverSecret" . }}, defaultMode: 0440}
{{- end }}
{{- if and (eq .Values.topology "sidecar") (eq .Values.sidecar.listen "socket") }}
- name: socket
  emptyDir: {medium: Memory, sizeLimit: 1Mi}
{{- end }}
{{- with .Values.credentials.rrsa }}
{{- if .roleArn }}
- name: rrsa
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken: {path: token, audience: {{ .audience | quote }}, expirationSeconds: {{ .expirationSeconds }}}
{{- end }}
{{- end }}
{{- end -}}
