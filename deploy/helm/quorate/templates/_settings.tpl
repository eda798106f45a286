{{/* The environment of every service. */}}
{{- define "quorate.settings" -}}
- name: QUORATE_KUBE
  value: {{ .Values.kubeId | quote }}
{{- if .Values.kubes.enabled }}
- name: QUORATE_KUBES_NAMESPACE
  value: {{ .Release.Namespace | quote }}
{{- end }}
- name: QUORATE_KUBE_REQUESTS_PER_SECOND
  value: {{ .Values.kubes.requestsPerSecond | quote }}
- name: QUORATE_KUBE_BURST
  value: {{ .Values.kubes.burst | quote }}
{{- with .Values.namespaces }}
- name: QUORATE_NAMESPACES
  value: {{ join "," . | quote }}
{{- end }}
- name: LOG_LEVEL
  value: {{ .Values.logLevel }}
- name: QUORATE_HTTP_PORT
  value: "8080"
- name: NATS_URL
  value: {{ .Values.nats.url | default (printf "nats://%s:4222" (include "quorate.name" (list . "nats"))) | quote }}
{{- with .Values.nats.auth }}
{{- include "quorate.secretSetting" (list "NATS_USER" .existingSecret .userKey) }}
{{- include "quorate.secretSetting" (list "NATS_PASSWORD" .existingSecret .passwordKey) }}
{{- include "quorate.secretSetting" (list "NATS_TOKEN" .existingSecret .tokenKey) }}
{{- include "quorate.fileSetting" (list "NATS_CREDS" "nats-auth" .existingSecret .credsKey) }}
{{- end }}
{{- with .Values.nats.tls }}
{{- include "quorate.fileSetting" (list "NATS_CA" "nats-tls" .existingSecret .caKey) }}
{{- include "quorate.fileSetting" (list "NATS_CERT" "nats-tls" .existingSecret .certKey) }}
{{- include "quorate.fileSetting" (list "NATS_KEY" "nats-tls" .existingSecret .keyKey) }}
{{- end }}
{{- with .Values.tracing }}
{{- if .endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .endpoint | quote }}
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ .share | quote }}
{{- include "quorate.secretSetting" (list "OTEL_EXPORTER_OTLP_HEADERS" .existingSecret .headersKey) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The environment of services that put objects into events and records. */}}
{{- define "quorate.digestSettings" -}}
{{- with .Values.digestKey }}
{{- include "quorate.secretSetting" (list "QUORATE_DIGEST_KEY" .existingSecret .key) }}
{{- end }}
{{- end }}

{{/* The environment of services that use Redis. */}}
{{- define "quorate.redisSettings" -}}
- name: REDIS_URL
  value: {{ .Values.redis.url | default (printf "redis://%s:6379" (include "quorate.name" (list . "redis"))) | quote }}
{{- with .Values.redis.auth }}
{{- include "quorate.secretSetting" (list "REDIS_USERNAME" .existingSecret .usernameKey) }}
{{- include "quorate.secretSetting" (list "REDIS_PASSWORD" .existingSecret .passwordKey) }}
{{- end }}
{{- with .Values.redis.tls }}
{{- include "quorate.fileSetting" (list "REDIS_CA" "redis-tls" .existingSecret .caKey) }}
{{- include "quorate.fileSetting" (list "REDIS_CERT" "redis-tls" .existingSecret .certKey) }}
{{- include "quorate.fileSetting" (list "REDIS_KEY" "redis-tls" .existingSecret .keyKey) }}
{{- end }}
{{- end }}

{{/* A setting from a key of a Secret: (list SETTING SECRET KEY). None where either is not given. */}}
{{- define "quorate.secretSetting" -}}
{{- if and (index . 1) (index . 2) }}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 }}
      key: {{ index . 2 }}
{{- end }}
{{- end }}

{{/* A setting that is the path of a key of a mounted Secret: (list SETTING VOLUME SECRET KEY). */}}
{{- define "quorate.fileSetting" -}}
{{- if and (index . 2) (index . 3) }}
- name: {{ index . 0 }}
  value: /etc/quorate/{{ index . 1 }}/{{ index . 3 }}
{{- end }}
{{- end }}

{{/* The Secrets that a service mounts, as YAML of a map from volume to Secret. */}}
{{- define "quorate.mountedSecrets" -}}
{{- $root := index . 0 }}
{{- if and $root.Values.nats.auth.existingSecret $root.Values.nats.auth.credsKey }}
nats-auth: {{ $root.Values.nats.auth.existingSecret }}
{{- end }}
{{- with $root.Values.nats.tls.existingSecret }}
nats-tls: {{ . }}
{{- end }}
{{- if eq (index . 1) "worker" }}
{{- with $root.Values.redis.tls.existingSecret }}
redis-tls: {{ . }}
{{- end }}
{{- end }}
{{- end }}
