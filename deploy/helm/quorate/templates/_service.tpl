{{/*
The Deployment of a service. Takes a map: root, service, replicas (none where something else sets their number),
environment (more of it, as YAML).
*/}}
{{- define "quorate.deployment" -}}
{{- $name := list .root .service }}
{{- $secrets := include "quorate.mountedSecrets" $name | fromYaml }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "quorate.name" $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "quorate.labels" $name | nindent 4 }}
spec:
  {{- if hasKey . "replicas" }}
  replicas: {{ .replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy:
    type: RollingUpdate
  selector:
    matchLabels:
      {{- include "quorate.selector" $name | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "quorate.labels" $name | nindent 8 }}
        app.kubernetes.io/part-of: quorate-services
    spec:
      {{- include "quorate.pod" .root | nindent 6 }}
      serviceAccountName: {{ include "quorate.name" $name }}
      automountServiceAccountToken: true
      topologySpreadConstraints:
        {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
        - topologyKey: {{ . }}
          maxSkew: 1
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "quorate.selector" $name | nindent 14 }}
        {{- end }}
      containers:
        - name: {{ .service }}
          {{- $image := .root.Values.image }}
          {{- include "quorate.image" (merge (dict "tag" ($image.tag | default .root.Chart.AppVersion)) $image) | nindent 10 }}
          # In so small a container Node collects young garbage in 1 MiB, which takes a busy worker a fifth of its time.
          command: [node, --max-semi-space-size=16, /app/services/{{ .service }}/main.ts]
          env:
            {{- include "quorate.settings" .root | nindent 12 }}
            {{- with .environment }}
            {{- . | trim | nindent 12 }}
            {{- end }}
          ports:
            - name: http
              containerPort: 8080
              protocol: TCP
          livenessProbe:
            httpGet:
              path: /livez
              port: http
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet:
              path: /readyz
              port: http
            periodSeconds: 5
            timeoutSeconds: 3
          resources:
            {{- toYaml (index .root.Values .service).resources | nindent 12 }}
          {{- include "quorate.container" .root | nindent 10 }}
          {{- if $secrets }}
          volumeMounts:
            {{- range $volume, $secret := $secrets }}
            - name: {{ $volume }}
              mountPath: /etc/quorate/{{ $volume }}
              readOnly: true
            {{- end }}
          {{- end }}
      {{- if $secrets }}
      volumes:
        {{- range $volume, $secret := $secrets }}
        - name: {{ $volume }}
          secret:
            secretName: {{ $secret }}
        {{- end }}
      {{- end }}
{{- end }}

{{/* The budget of a service of several pods: (list $ "watcher"). */}}
{{- define "quorate.budget" -}}
{{- $root := index . 0 }}
{{- if $root.Values.podDisruptionBudgets.enabled }}
apiVersion: {{ include "quorate.budgetVersion" $root }}
kind: PodDisruptionBudget
metadata:
  name: {{ include "quorate.name" . }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "quorate.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  {{- if semverCompare ">=1.27-0" $root.Capabilities.KubeVersion.Version }}
  # While NATS or Redis is away no pod is ready, and that must not hold up the draining of nodes.
  unhealthyPodEvictionPolicy: AlwaysAllow
  {{- end }}
  selector:
    matchLabels:
      {{- include "quorate.selector" . | nindent 6 }}
{{- end }}
{{- end }}
