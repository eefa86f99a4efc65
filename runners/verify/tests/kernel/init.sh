#!/bin/busybox sh
# The first process of the booted kernel: runs /run-verify, sends what it left, ends the machine.
# ttyS0 is the console; ttyS1 carries the record, ttyS2 the verdict, ttyS3 what was printed.
export PATH=/usr/bin:/bin HOME=/tmp LC_ALL=C
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t securityfs security /sys/kernel/security
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t cgroup2 cgroup /sys/fs/cgroup
for n in 1 2 3; do stty -F /dev/ttyS$n raw -echo 115200; done

echo "init: up $(cut -d' ' -f1 /proc/uptime), starting verify"
sh /run-verify >/tmp/printed 2>&1 </dev/null
code=$?
echo "init: up $(cut -d' ' -f1 /proc/uptime), verify gave $code"
cat /tmp/printed >/dev/ttyS3
cat /tmp/record.jsonl >/dev/ttyS1
# The length shows a record that was cut on its way.
echo "exit $code record $(wc -c </tmp/record.jsonl) up $(cut -d' ' -f1 /proc/uptime)" >/dev/ttyS2
poweroff -f
