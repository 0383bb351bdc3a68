# Deletes $1 mails one after the other, whatever anybody says. $2 marks the process.
n=0
while [ $n -lt "$1" ]; do
  n=$((n + 1))
  curl -sS --max-time 6 -o /dev/null -X DELETE "https://mail.box.example/mails/$n?by=$2" || true
done
