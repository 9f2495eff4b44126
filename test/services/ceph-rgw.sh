#!/usr/bin/env bash
# A real S3 server for tests: Ceph on one node (monitor, in-memory OSD, radosgw), loopback only, no manager daemon.
#
#   ceph-rgw.sh [DIR] [S3_PORT] [MON_PORT]   starts it (again); prints `ready` when it answers
#   ceph-rgw.sh stop [DIR]                   stops it
#
# S3 at http://127.0.0.1:7480 unless told otherwise, path style, access key testkey, secret testsecret. Objects live in
# memory, 10 GiB at most: tests delete their buckets. Needs the Debian packages ceph-mon, ceph-osd, radosgw, ceph-common.
set -euo pipefail

default_dir=${TMPDIR:-/tmp}/ceph-rgw

# Kills what the folder's pid files name, if it is still what was started from that folder.
stop() {
  local file pid
  for file in "$1"/run/*.pid; do
    [ -f "$file" ] || continue
    pid=$(cat "$file")
    if tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "-c $1/ceph.conf"; then kill -KILL "$pid"; fi
    rm -f "$file"
  done
}

if [ "${1:-}" = stop ]; then
  stop "${2:-$default_dir}"
  exit 0
fi

dir=${1:-$default_dir}
s3_port=${2:-7480}
mon_port=${3:-6789}
conf=$dir/ceph.conf

stop "$dir"
rm -rf "$dir"
mkdir -p "$dir"/{mon,osd,rgw,run,log}

cluster_id=$(cat /proc/sys/kernel/random/uuid)
cat >"$conf" <<CONF
[global]
fsid = $cluster_id
mon host = [v1:127.0.0.1:$mon_port]
mon initial members = a
ms bind msgr2 = false
ms bind ipv4 = true
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
mon warn on pool no redundancy = false
mon allow pool size one = true
mon data avail crit = 1
mon data avail warn = 1
osd objectstore = memstore
memstore device bytes = 10737418240
# Room for S3 keys of 1,024 bytes with what radosgw writes before and after them.
osd max object name len = 2048
run dir = $dir/run
admin socket = $dir/run/\$name.asok
log file = $dir/log/\$name.log
pid file = $dir/run/\$name.pid

[mon.a]
mon data = $dir/mon
host = localhost

[osd.0]
osd data = $dir/osd
host = localhost

[client.rgw]
# Without tcp_nodelay every answer with a body waits 40 ms for the client's delayed acknowledgement.
rgw frontends = beast endpoint=127.0.0.1:$s3_port tcp_nodelay=1
rgw data = $dir/rgw
# Deleted objects leave the memory at once and not after two hours.
rgw gc obj min wait = 1
rgw gc processor period = 5
rgw gc processor max time = 5
rgw gc max concurrent io = 32
CONF

# Monitor.
monmaptool --create --fsid "$cluster_id" --addv a "[v1:127.0.0.1:$mon_port]" "$dir/monmap" >/dev/null
ceph-mon --mkfs -i a --monmap "$dir/monmap" -c "$conf"
ceph-mon -i a -c "$conf"

# Object store daemon. A monitor that has just started may refuse it at first.
osd_id=$(cat /proc/sys/kernel/random/uuid)
ceph -c "$conf" osd new "$osd_id" 0 >/dev/null
ceph-osd -i 0 --mkfs --osd-uuid "$osd_id" -c "$conf" 2>/dev/null
tries=0
until ceph-osd -i 0 -c "$conf" 2>/dev/null; do
  tries=$((tries + 1))
  [ "$tries" -lt 10 ] || { echo "ceph-osd does not start; see $dir/log" >&2; exit 1; }
  sleep 1
done
ceph -c "$conf" osd crush add osd.0 1.0 root=default host=localhost 2>/dev/null || true

# S3 gateway.
radosgw -c "$conf" -n client.rgw --log-file="$dir/log/rgw.log"
tries=0
until curl -s -o /dev/null --noproxy 127.0.0.1 "http://127.0.0.1:$s3_port"; do
  tries=$((tries + 1))
  [ "$tries" -lt 240 ] || { echo "radosgw does not answer on port $s3_port; see $dir/log" >&2; exit 1; }
  sleep 0.25
done
radosgw-admin -c "$conf" user create --uid=test --display-name=test --access-key=testkey --secret-key=testsecret >/dev/null
echo ready
