{{/*
A bundled server, NATS or Redis: one pod, its service and its claim, for a first try. Nothing in it is lost for good:
Quorate fills an empty one again from the Kubernetes API. Takes a map: root, server, port, healthPort (where it has
one), command (as YAML), probe (as YAML), config (what is in the ConfigMap of its name, where it has one).
*/}}
{{- define "quorate.server" -}}
{{- $name := list .root .server }}
{{- $values := index .root.Values .server }}
{{- if or $values.auth.existingSecret $values.tls.existingSecret }}
{{- fail (printf "%[1]s.auth and %[1]s.tls are for a server that exists: set %[1]s.url, too" .server) }}
{{- end }}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "quorate.name" $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "quorate.labels" $name | nindent 4 }}
spec:
  selector:
    {{- include "quorate.selector" $name | nindent 4 }}
  ports:
    - name: {{ .server }}
      port: {{ .port }}
      targetPort: {{ .server }}
      protocol: TCP
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "quorate.name" $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "quorate.labels" $name | nindent 4 }}
spec:
  replicas: 1
  serviceName: {{ include "quorate.name" $name }}
  selector:
    matchLabels:
      {{- include "quorate.selector" $name | nindent 6 }}
  template:
    metadata:
      labels:
        # Not the version of Quorate, which has nothing to do with these pods.
        {{- include "quorate.selector" $name | nindent 8 }}
      {{- with .config }}
      annotations:
        # So that another configuration restarts it.
        checksum/config: {{ sha256sum . }}
      {{- end }}
    spec:
      {{- include "quorate.pod" .root | nindent 6 }}
      automountServiceAccountToken: false
      containers:
        - name: {{ .server }}
          {{- include "quorate.image" $values.image | nindent 10 }}
          command:
            {{- .command | nindent 12 }}
          ports:
            - name: {{ .server }}
              containerPort: {{ .port }}
              protocol: TCP
            {{- with .healthPort }}
            - name: health
              containerPort: {{ . }}
              protocol: TCP
            {{- end }}
          {{- range list "livenessProbe" "readinessProbe" }}
          {{ . }}:
            {{- $.probe | nindent 12 }}
            periodSeconds: 5
            timeoutSeconds: 3
            failureThreshold: {{ ternary 12 3 (eq . "livenessProbe") }}
          {{- end }}
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          {{- include "quorate.container" .root | nindent 10 }}
          volumeMounts:
            - name: data
              mountPath: /data
            {{- if .config }}
            - name: config
              mountPath: /etc/{{ .server }}
              readOnly: true
            {{- end }}
      {{- if or .config (not $values.persistence.enabled) }}
      volumes:
        {{- if .config }}
        - name: config
          configMap:
            name: {{ include "quorate.name" $name }}
        {{- end }}
        {{- if not $values.persistence.enabled }}
        - name: data
          emptyDir: {}
        {{- end }}
      {{- end }}
  {{- if $values.persistence.enabled }}
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: [ReadWriteOnce]
        {{- with $values.persistence.storageClass }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests:
            storage: {{ $values.persistence.size }}
  {{- end }}
{{- end }}
