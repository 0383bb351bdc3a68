# Starts $1 processes that do nothing for two seconds.
n=0
while [ $n -lt "$1" ]; do
  n=$((n + 1))
  sh -c 'sleep 2; :' "$2-child" 2>/dev/null &
done
wait
