{{/*
The account of a service and its rights: (list $ "watcher"). The service defines them in two templates:
quorate.SERVICE.rules on objects in namespaces, and quorate.SERVICE.clusterRules on those that have none.
*/}}
{{- define "quorate.rights" -}}
{{- $root := index . 0 }}
{{- $rules := include (printf "quorate.%s.rules" (index . 1)) $root }}
{{- $clusterRules := include (printf "quorate.%s.clusterRules" (index . 1)) $root }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "quorate.name" . }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "quorate.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- range $root.Values.namespaces }}
---
{{- include "quorate.role" (dict "name" $ "kind" "Role" "namespace" . "rules" $rules) }}
{{- end }}
{{- if $root.Values.namespaces }}
{{- if $clusterRules }}
---
{{- include "quorate.role" (dict "name" . "kind" "ClusterRole" "rules" $clusterRules) }}
{{- end }}
{{- else }}
---
{{- include "quorate.role" (dict "name" . "kind" "ClusterRole" "rules" (printf "%s\n%s" (trim $rules) (trim $clusterRules))) }}
{{- end }}
{{- end }}

{{/* A role and its binding to the service's account. */}}
{{- define "quorate.role" -}}
{{- $root := index .name 0 }}
{{- range list .kind (print .kind "Binding") }}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ . }}
metadata:
  name: {{ include "quorate.clusterName" $.name }}
  {{- with $.namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "quorate.labels" $.name | nindent 4 }}
{{- if eq . $.kind }}
rules:
  {{- $.rules | trim | nindent 2 }}
---
{{- else }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $.kind }}
  name: {{ include "quorate.clusterName" $.name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "quorate.name" $.name }}
    namespace: {{ $root.Release.Namespace }}
{{- end }}
{{- end }}
{{- end }}
