# Whether a port of this machine is listened on: looked up, since a connection would use up the server.
# $1 `wait` until it is, or `free` until it is not; $2 port; $3 and $4 pid of the server and its start
born() { if [ -r /proc/self/stat ]; then sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20; else ps -o lstart= -p "$1"; fi; }
state() { if [ -r /proc/self/stat ]; then sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f1; else ps -o state= -p "$1"; fi; }
listens() {
  if [ -r /proc/net/tcp ]; then
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
      awk -v p="$(printf ':%04X' "$1")" '$4 == "0A" && substr($2, length($2) - 4) == p { f = 1 } END { exit !f }'
  else netstat -an -p tcp | grep LISTEN | grep -q "[.:]$1 "; fi
}
lives() {
  [ -n "$1" ] && [ -n "$2" ] && [ "$(born "$1" 2>/dev/null)" = "$2" ] || return 1
  case $(state "$1" 2>/dev/null) in Z*) return 1 ;; esac
}
N=0
while [ $N -lt 60 ]; do
  if [ "$1" = wait ]; then
    listens "$2" && { echo listens; exit 0; }
  else
    lives "$3" "$4" || { listens "$2" || { echo free; exit 0; }; }
    [ $N = 20 ] && lives "$3" "$4" && kill -KILL "$3"
  fi
  sleep 0.05
  N=$((N + 1))
done
if [ "$1" = wait ]; then echo "nothing listens on port $2"; else echo "port $2 is still listened on, or process $3 is there"; fi
exit 1
