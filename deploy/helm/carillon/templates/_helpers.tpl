{{/* Labels of every object. */}}
{{- define "carillon.labels" -}}
app.kubernetes.io/name: carillon
app.kubernetes.io/part-of: carillon
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Metadata of an object in the namespace of the release: (list $ name). */}}
{{- define "carillon.metadata" -}}
name: {{ index . 1 }}
namespace: {{ (index . 0).Release.Namespace }}
labels:
  {{- include "carillon.labels" (index . 0) | nindent 2 }}
{{- end }}

{{/* Metadata of an object of the cluster: (list $ name). */}}
{{- define "carillon.clusterMetadata" -}}
name: {{ index . 1 }}
labels:
  {{- include "carillon.labels" (index . 0) | nindent 2 }}
{{- end }}

{{/* The image of a process: (list $ its own values). */}}
{{- define "carillon.image" -}}
{{- $root := index . 0 }}
{{- $image := mergeOverwrite (deepCopy $root.Values.image) (index . 1).image }}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* Binds a role to the account of the same process: (list $ kind of the role, its name, name of the account). */}}
{{- define "carillon.binding" -}}
{{- $root := index . 0 }}
{{- $kind := index . 1 }}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  {{- include (ternary "carillon.clusterMetadata" "carillon.metadata" (eq $kind "ClusterRole")) (list $root (index . 2)) | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ index . 2 }}
subjects:
  - kind: ServiceAccount
    name: {{ index . 3 }}
    namespace: {{ $root.Release.Namespace }}
{{- end }}

{{/* Arguments that both processes take. */}}
{{- define "carillon.args" -}}
- --health-probe-port=17472
{{- with .Values.loadBalancerClass }}
- {{ printf "--lb-class=%s" . | quote }}
{{- end }}
{{- if ne .Values.logLevel "info" }}
- --log-level={{ .Values.logLevel }}
{{- end }}
{{- if and .Values.metrics.enabled .Values.metrics.secure.enabled }}
- --secure-metrics-port={{ .Values.metrics.port }}
{{- if .Values.metrics.secure.secretName }}
- --metrics-cert-dir=/etc/carillon/metrics-certificates
{{- end }}
{{- else if .Values.metrics.enabled }}
- --port={{ .Values.metrics.port }}
{{- end }}
{{- end }}

{{/* Environment by which a process knows its pod. */}}
{{- define "carillon.env" -}}
- name: METALLB_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: METALLB_POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- end }}

{{/* The port of metrics, where there is one. */}}
{{- define "carillon.metricsPort" -}}
{{- if .Values.metrics.enabled }}
- name: metrics
  containerPort: {{ .Values.metrics.port }}
{{- end }}
{{- end }}

{{/* What of a pod both processes let be chosen: (list $ its own values). */}}
{{- define "carillon.pod" -}}
{{- $root := index . 0 }}
{{- $own := index . 1 }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $own.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Image and resources of a container: (list $ its own values). */}}
{{- define "carillon.container" -}}
{{- $root := index . 0 }}
{{- $own := index . 1 }}
image: {{ include "carillon.image" . | quote }}
{{- with (mergeOverwrite (deepCopy $root.Values.image) $own.image).pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
{{- with $own.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Whether the certificates of metrics are mounted: some text, or none. */}}
{{- define "carillon.metricsCertificates" -}}
{{- if and .Values.metrics.enabled .Values.metrics.secure.enabled }}{{ .Values.metrics.secure.secretName }}{{ end }}
{{- end }}

{{- define "carillon.metricsMount" -}}
{{- if include "carillon.metricsCertificates" . }}
- name: metrics-certificates
  mountPath: /etc/carillon/metrics-certificates
  readOnly: true
{{- end }}
{{- end }}

{{- define "carillon.metricsVolume" -}}
{{- with include "carillon.metricsCertificates" . }}
- name: metrics-certificates
  secret:
    secretName: {{ . }}
{{- end }}
{{- end }}
