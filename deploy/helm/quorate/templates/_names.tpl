{{/* The name of a part of this release, e.g. quorate-watcher. Takes (list $ "watcher"). */}}
{{- define "quorate.name" -}}
{{ (index . 0).Release.Name }}-{{ index . 1 }}
{{- end }}

{{/* The name of what has no namespace, so that it must tell releases of several namespaces apart. */}}
{{- define "quorate.clusterName" -}}
{{ (index . 0).Release.Namespace }}-{{ include "quorate.name" . }}
{{- end }}

{{/* The labels by which a part's pods are selected. They can never change, so the version is not among them. */}}
{{- define "quorate.selector" -}}
app.kubernetes.io/name: quorate
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "quorate.labels" -}}
{{ include "quorate.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
{{- end }}

{{/* What the pods of the three services have in common, and NATS and Redis have not. */}}
{{- define "quorate.servicesSelector" -}}
app.kubernetes.io/name: quorate
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: quorate-services
{{- end }}

{{/* The version of the API by which budgets go: Kubernetes 1.21 brought the new one, 1.25 took the old one away. */}}
{{- define "quorate.budgetVersion" -}}
{{ ternary "policy/v1" "policy/v1beta1" (semverCompare ">=1.21-0" .Capabilities.KubeVersion.Version) }}
{{- end }}

{{/* What scales the workers: keda, hpa, or nothing. */}}
{{- define "quorate.autoscaler" -}}
{{- with .Values.worker.autoscaling }}
{{- if .enabled }}
{{- if eq .kind "auto" }}
{{- ternary "keda" "hpa" ($.Capabilities.APIVersions.Has "keda.sh/v1alpha1") }}
{{- else }}
{{- .kind }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
