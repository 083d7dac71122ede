{{/* What every pod of the chart has: an ordinary user, no privileges, not on a build node. */}}
{{- define "buildpool.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "buildpool.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Where a pod may run; needs a dict of root and component. */}}
{{- define "buildpool.placement" -}}
{{- $root := .root -}}
priorityClassName: {{ include "buildpool.priorityClassName" $root }}
terminationGracePeriodSeconds: {{ $root.Values.terminationGracePeriodSeconds }}
affinity:
  {{- $affinity := deepCopy $root.Values.affinity }}
  {{- if not (hasKey $affinity "nodeAffinity") }}
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            - key: buildpool.io/class
              operator: DoesNotExist
  {{- end }}
  {{- with $affinity }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
topologySpreadConstraints:
  {{- if $root.Values.topologySpreadConstraints }}
  {{- toYaml $root.Values.topologySpreadConstraints | nindent 2 }}
  {{- else }}
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "buildpool.selectorLabels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ $.component }}
  {{- end }}
  {{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The token of the service account, for the containers that talk to the apiserver. */}}
{{- define "buildpool.apiTokenVolume" -}}
- name: api-token
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3607}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
{{- end -}}

{{- define "buildpool.apiTokenMount" -}}
- {name: api-token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end -}}
