# Answers the other agent $1 times, with the same words.
n=0
while [ $n -lt "$1" ]; do
  curl -sS --max-time 4 -o /dev/null --data "thank you; and you? $2" https://chat.peer.example/turn || break
  n=$((n + 1))
done
echo "$n turns"
