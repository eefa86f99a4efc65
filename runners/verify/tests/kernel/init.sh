#!/bin/busybox sh
# The first process of the booted kernel: runs /run-verify, sends what it left, ends the machine.
# ttyS0 is the console; ttyS1 carries the record, ttyS2 the verdict, ttyS3 what was printed.
# /setting may name another place for what verify writes, and other control groups.
export PATH=/usr/bin:/bin HOME=/tmp LC_ALL=C place=/tmp
export state=
cgroups=v2 root=rw
. /setting
/bin/busybox mkdir -p /proc /sys /dev /tmp /run
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t securityfs security /sys/kernel/security
mount -t tmpfs -o mode=1777 run /run
if [ "$cgroups" = v2 ]; then
  mount -t cgroup2 cgroup /sys/fs/cgroup
else
  mount -t tmpfs cgroup /sys/fs/cgroup
  for one in cpuset cpu,cpuacct memory hugetlb pids; do
    mkdir "/sys/fs/cgroup/$one"
    mount -t cgroup -o "$one" "$one" "/sys/fs/cgroup/$one"
  done
fi
if [ "$root" = ro ]; then mount -o remount,ro /; else mount -t tmpfs -o mode=1777 tmp /tmp; fi
for n in 1 2 3; do stty -F /dev/ttyS$n raw -echo 115200; done

echo "init: up $(cut -d' ' -f1 /proc/uptime), starting verify"
sh /run-verify >/run/printed 2>&1 </dev/null
code=$?
echo "init: up $(cut -d' ' -f1 /proc/uptime), verify gave $code"
cat /run/printed >/dev/ttyS3
record=$place/record.jsonl
[ -e "$record" ] || record=/dev/null
cat "$record" >/dev/ttyS1
# The length shows a record that was cut on its way.
echo "exit $code record $(wc -c <"$record") up $(cut -d' ' -f1 /proc/uptime)" >/dev/ttyS2
poweroff -f
