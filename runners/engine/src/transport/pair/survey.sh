# What one end of a link says before and after: nothing is sent to the other one.
# $1 own address, $2 address of the other end, $3 `idle` to watch for a second how busy it is
s() { printf '== %s\n' "$1"; }
s system
uname -s
s iperf3
command -v iperf3 >/dev/null 2>&1 && iperf3 --version 2>&1 | head -n 1
if [ "$(uname -s)" = Darwin ]; then
  s route-macos
  { E=$(route -n get "$2" 2>&1 1>&3); R=$?; } 3>&1
  D=$(route -n get "$2" 2>/dev/null | sed -n 's/^ *interface: *//p')
else
  s route
  { E=$(ip -j route get "$2" 2>&1 1>&3); R=$?; } 3>&1
  D=$(ip -j route get "$2" 2>/dev/null | sed -n 's/.*"dev":"\([^"]*\)".*/\1/p')
fi
s route-said
printf '%s\n' "$E"
s route-exit
echo $R
if [ "$(uname -s)" = Darwin ]; then
  s ifconfig
  ifconfig "$D"
  s netstat
  netstat -I "$D" -bdn
  s listening
  netstat -an -p tcp | awk '/LISTEN/ { print $4 }'
  [ "$3" = idle ] && { s top; top -l 2 -n 3 -s 1 -stats cpu,command; }
else
  s link
  [ -n "$D" ] && ip -j -s -s link show dev "$D"
  s listening
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { print $2 }'
  if [ "$3" = idle ]; then
    p() { cat /proc/[0-9]*/stat 2>/dev/null; }
    A=$(p); T=$(head -n 1 /proc/stat); sleep 1; U=$(head -n 1 /proc/stat); B=$(p)
    s cpu
    printf '%s\n%s\n' "$T" "$U"
    s load
    cat /proc/loadavg
    s ran
    { printf '%s\n\n' "$A"; printf '%s\n' "$B"; } | awk '
      !NF { second = 1; next }
      { i = index($0, "("); j = match($0, /\) [A-Za-z] /); if (!i || !j) next
        pid = $1; name = substr($0, i + 1, j - i - 1); $0 = substr($0, j + 2); t = $12 + $13
        if (!second) was[pid] = t; else if (t > was[pid] + 1) print t - was[pid], name }' | sort -rn | head -n 3
  fi
fi
s end
