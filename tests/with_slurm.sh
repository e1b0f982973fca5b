#!/usr/bin/env bash
# Runs a command on a Slurm cluster that this script makes for it: one node, this machine, on the loopback interface.
#     tests/with_slurm.sh snakemake --workflow-profile profiles/slurm ...
# Everything lies in a temporary folder that SLURM_CONF names, so an installed Slurm is neither used nor changed, and any
# user may call it. Debian's packages: slurm-wlm munge.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"
folder=$(mktemp -d)
chmod 755 "$folder" # munge's clients must reach its socket
mkdir -m 700 "$folder"/{bin,key,state,spool}
started=()
finish() {
  scancel --state=RUNNING --state=PENDING --user="$(id -u)" --quiet 2>/dev/null || true
  for ((i = ${#started[@]} - 1; i >= 0; i--)); do kill "${started[i]}" 2>/dev/null || true; done
  wait
  rm -rf "$folder"
}
trap finish EXIT
start() { # a daemon in the foreground of its own background job, which `finish` ends
  "$@" >"$folder/$(basename "$1").log" 2>&1 </dev/null &
  started+=($!)
}

free=$(python3 -c 'import socket as s
a, b = s.socket(), s.socket(); a.bind(("127.0.0.1", 0)); b.bind(("127.0.0.1", 0)); print(a.getsockname()[1], b.getsockname()[1])')
read -r controller node <<<"$free"
host=$(hostname -s)
memory=$(awk '/^MemTotal/ { print int($2 / 1024 * 0.9) }' /proc/meminfo)
export SLURM_CONF="$folder/slurm.conf"
cat >"$SLURM_CONF" <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$controller
SlurmdPort=$node
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthInfo=socket=$folder/munge.socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
# No control groups: a container's root may not make them. Requests decide what runs side by side, nothing enforces them.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# A GPU that is only a name: what asks for one is given the node, and sees no GPU there.
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory Gres=gpu:1 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
echo "NodeName=$host Name=gpu Count=1 File=/dev/null" >"$folder/gres.conf"

# Snakemake's plugin clears SLURM_CONF, among much else of the submitting shell, for the step that it starts in a job.
printf '#!/bin/sh\nSLURM_CONF="%s" exec "%s" "$@"\n' "$SLURM_CONF" "$(command -v srun)" >"$folder/bin/srun"
chmod +x "$folder/bin/srun"
export PATH="$folder/bin:$PATH"

head -c 1024 /dev/urandom >"$folder/key/munge.key"
chmod 600 "$folder/key/munge.key"
start munged --foreground --force --num-threads=2 --key-file="$folder/key/munge.key" --socket="$folder/munge.socket" \
  --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" --seed-file="$folder/seed"
start slurmctld -D
start slurmd -D -N "$host"
for ((waited = 0; waited < 60; waited++)); do
  sinfo --noheader --format=%T 2>/dev/null | grep -q idle && break
  sleep 0.5
done
if ! sinfo --noheader --format=%T 2>/dev/null | grep -q idle; then
  echo "error: Slurm does not start here:" >&2
  tail -n 20 "$folder"/*.log >&2
  exit 1
fi
"$@"
