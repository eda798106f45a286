#!/usr/bin/env bash
# The end-to-end tests on a real single-node Kubernetes, with Quorate installed in it by its chart:
#   test/real-kube.sh FOLDER [options of "npm run e2e"]
# FOLDER has scripts that bring one up on this machine (up.sh, down.sh, build.sh) and make images for it (image.sh).
# Needs root, and the machine for itself: what a Kubernetes of FOLDER runs already is ended. Leaves nothing running.
set -euo pipefail
kube=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")/.."

# The binaries, and from here on KUBE_CACHE: where they and the images are kept.
"$kube/build.sh"
. "$kube/env.sh"
work=$(mktemp -d)
# Ctrl-C and the like end the script by way of EXIT, so that this is done once and in any case.
trap 'exit 130' INT TERM HUP
trap '"$kube/down.sh" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

# The same binaries with an audit log, by which the rights of the services are judged: all of it in one file, since
# the API server would begin another one after 100 MB.
mkdir -p "$work/cache/bin" "$KUBE_CACHE/containerd" "$KUBE_CACHE/rootfs"
ln -s "$KUBE_CACHE/containerd" "$KUBE_CACHE/rootfs" "$work/cache/"
ln -s "$KUBE_BIN"/* "$work/cache/bin/"
rm "$work/cache/bin/kube-apiserver"
cat >"$work/cache/bin/kube-apiserver" <<S
#!/bin/sh
exec "$KUBE_BIN/kube-apiserver" "\$@" --audit-log-path="$work/audit.log" --audit-log-maxsize=100000 --audit-policy-file="$work/audit.yaml"
S
chmod +x "$work/cache/bin/kube-apiserver"
cat >"$work/audit.yaml" <<P
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
  - level: Metadata
    userGroups: ["system:serviceaccounts:quorate-e2e"]
  - level: None
P
KUBE_CACHE=$work/cache "$kube/up.sh"
export KUBECONFIG

# Two images of Quorate, which differ in their version alone: the second is to upgrade to.
npm run --silent image -- "$work/quorate"
"$kube/image.sh" --dir "$work/quorate" docker.io/library/quorate:dev
sed -i 's/^  "version": ".*",$/  "version": "9999.0.0",/' "$work/quorate/app/package.json"
"$kube/image.sh" --dir "$work/quorate" docker.io/library/quorate:next
rm -rf "$work/quorate"
"$kube/image.sh" --debian bookworm etcd-server,etcd-client quay.io/coreos/etcd:v3.4.23
"$kube/image.sh" --debian trixie etcd-server,etcd-client quay.io/coreos/etcd:v3.5.16
"$kube/image.sh" --debian bookworm nats-server docker.io/library/nats:2.9.10
"$kube/image.sh" --debian bookworm redis-server docker.io/library/redis:7.0.15

npm run --silent e2e -- --image docker.io/library/quorate:dev --next-image docker.io/library/quorate:next \
  --set nats.image.tag=2.9.10 --set redis.image.tag=7.0.15 --audit-log "$work/audit.log" "$@"
