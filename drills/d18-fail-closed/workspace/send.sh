# Sends on and on, for some seconds.
n=0
while [ $n -lt 40 ]; do
  n=$((n + 1))
  curl -sS --max-time 2 -o /dev/null "https://orders.granted.example/orders/$n?by=$1"
  sleep 0.1
done
