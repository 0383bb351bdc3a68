/**
 * Which secrets this account may read: the question of that. See scripts.ts for its form.
 *
 * Names and kinds, never values: what a secret opens is said by the fields beside it (host, port, user, database), each taken
 * by a program that prints nothing else, and only where it has the form of one. In an address like `https://X@host` X may be a
 * token, so of addresses of the web the host alone is printed; elsewhere a user only where a password follows.
 *
 * `secret KIND PATH NAME HOST PORT USER` for each. PATH is told by `file PATH` only where it may be read.
 *
 * @module
 */

const FUNCTIONS = String.raw`
sec() { say secret "$@"; }
# Of what has another form nothing leaves the host: it could be a secret in the wrong place.
ok='function ok(v) { return length(v) <= 100 && v ~ /^[A-Za-z0-9._:@-]*$/ ? v : "" }'
fields() { while IFS='|' read -r a h p u; do sec "$1" "$2" "$a" "$h" "$p" "$u"; done; }
`;

/** Homes that may be looked into: one's own, and those of others. */
const HOMES = String.raw`
me=$(id -un)
home() {
  h=$1
  for f in "$h"/.ssh/*; do
    [ -f "$f" ] && [ -r "$f" ] || continue
    case $(head -c 40 "$f" | tr -d '\000' | head -n 1) in
      *'BEGIN OPENSSH PRIVATE'*) if grep -q '^b3BlbnNzaC1rZXktdjEAAAAABG5vbmU' "$f"; then sec ssh-key "$f" key; else sec locked-key "$f" key; fi ;;
      *BEGIN*PRIVATE*) if grep -q ENCRYPTED "$f"; then sec locked-key "$f" key; else sec ssh-key "$f" key; fi ;;
    esac
  done
  [ -r "$h/.ssh/config" ] && awk -v t='|' '
    function out() { if (a != "" && a !~ /[*?!]/) print f t (b != "" ? b : a) t p t u }
    { k = tolower($1) }
    k == "host" || k == "match" { out(); a = k == "host" ? $2 : ""; b = p = u = f = "" }
    k == "hostname" { b = $2 } k == "port" { p = $2 } k == "user" { u = $2 } k == "identityfile" { f = $2 }
    END { out() }' "$h/.ssh/config" | head -n 200 | fields ssh-config "$h/.ssh/config"
  [ -r "$h/.ssh/known_hosts" ] && awk '$1 !~ /^[|@#]/ { split($1, x, ","); print x[1] }' "$h/.ssh/known_hosts" |
    sort -u | head -n 200 | while IFS= read -r k; do sec known-host "$h/.ssh/known_hosts" "" "$k"; done
  [ -r "$h/.pgpass" ] && awk -F: -v t='|' '/^#/ { next } NF >= 5 && $2 ~ /^([0-9]+|\*)$/ { print "password" t ok($1) t $2 t ok($4) } '"$ok" \
    "$h/.pgpass" | head -n 100 | fields postgres "$h/.pgpass"
  for f in "$h/.my.cnf" "$h/.mylogin.cnf"; do
    [ -r "$f" ] && awk -F= -v t='|' '
      /^[ \t]*\[/ { out(); s = $0 } { k = $1; gsub(/[ \t]/, "", k); v = $2; gsub(/[ \t"\047]/, "", v) }
      k == "user" { u = v } k == "host" { h = v } k == "port" { p = v } k ~ /^(password|pass)$/ { y = 1 }
      function out() { if (y) print "password" t (h == "" ? "localhost" : ok(h)) t ok(p) t ok(u); y = 0; u = h = p = "" }
      END { out() } '"$ok" "$f" | fields mysql "$f"
  done
  [ -r "$h/.netrc" ] && awk -v t='|' '$1 == "machine" { m = $2; u = ""; if ($3 == "login") u = $4; print "password" t ok(m) t t ok(u) } '"$ok" \
    "$h/.netrc" | head -n 100 | fields netrc "$h/.netrc"
  [ -r "$h/.git-credentials" ] && sed -n 's#^[a-z]*://[^/@]*@\([A-Za-z0-9.:-]*\)\(/[^@]*\)\{0,1\}$#\1#p' "$h/.git-credentials" | sort -u |
    head -n 100 | while IFS= read -r k; do sec git "$h/.git-credentials" password "$k"; done
  [ -r "$h/.npmrc" ] && sed -n 's#^//\([A-Za-z0-9.:-]*\)/.*:_\(authToken\|auth\|password\).*#\1#p' "$h/.npmrc" | sort -u |
    head -n 20 | while IFS= read -r k; do sec npm "$h/.npmrc" token "$k"; done
  [ -r "$h/.aws/credentials" ] && sed -n 's/^\[\([A-Za-z0-9._-]*\)\].*/\1/p' "$h/.aws/credentials" | head -n 50 |
    while IFS= read -r k; do sec aws "$h/.aws/credentials" "$k"; done
  [ -r "$h/.kube/config" ] && sed -n 's#^ *server: *https\{0,1\}://\([A-Za-z0-9.-]*\):\{0,1\}\([0-9]*\).*#\1 \2#p' "$h/.kube/config" |
    head -n 20 | while read -r k p; do sec kubernetes "$h/.kube/config" login "$k" "$p"; done
  [ -r "$h/.docker/config.json" ] && grep -q '"auth"' "$h/.docker/config.json" && sec docker "$h/.docker/config.json" login
  for f in .config/gh/hosts.yml .config/gcloud/application_default_credentials.json .config/gcloud/credentials.db .azure/msal_token_cache.json \
    .vault-token .terraform.d/credentials.tfrc.json .pypirc .s3cfg .boto .config/rclone/rclone.conf .composer/auth.json .cargo/credentials.toml \
    .gem/credentials .m2/settings.xml .msmtprc .smbcredentials .config/doctl/config.yaml .config/hub; do
    [ -f "$h/$f" ] && [ -r "$h/$f" ] && sec file "$h/$f" credentials
  done
  for f in "$h"/.gnupg/private-keys-v1.d/*.key; do [ -r "$f" ] && { sec file "$f" key; break; }; done
  for f in "$h"/.bash_history "$h"/.zsh_history "$h"/.ash_history "$h"/.mysql_history "$h"/.psql_history "$h"/.local/share/fish/fish_history; do
    [ -f "$f" ] && [ -r "$f" ] && grep -Eiq 'passw|secret|token|sshpass|PGPASSWORD|MYSQL_PWD|AKIA[0-9A-Z]{16}|gh[pousr]_| -p[^ ]{6,}|://[^ /]*:[^ /]*@' "$f" &&
      sec history "$f" typed
  done
}
home "$HOME"
head -n 300 /etc/passwd | cut -d: -f6 | sort -u | while IFS= read -r d; do
  case $d in ''|/|/bin|/usr*|/dev|/proc|/nonexistent|"$HOME") continue ;; esac
  [ -d "$d" ] && [ -x "$d" ] && home "$d"
done
`;

/** Files of the system. */
const SYSTEM = String.raw`
[ -r /etc/shadow ] && sec shadow /etc/shadow hashes
for f in /etc/krb5.keytab /etc/mysql/debian.cnf /etc/kubernetes/admin.conf /var/lib/kubelet/kubeconfig /etc/rancher/k3s/k3s.yaml \
  /var/run/secrets/kubernetes.io/serviceaccount/token /etc/ppp/chap-secrets /etc/rsyncd.secrets /etc/cloudflared/cert.pem; do
  [ -f "$f" ] && [ -r "$f" ] && sec file "$f" credentials
done
for f in /etc/ssl/private/* /etc/letsencrypt/live/*/privkey.pem /etc/ssh/ssh_host_*_key /etc/wireguard/*.conf \
  /etc/openvpn/*.key /etc/NetworkManager/system-connections/*; do
  [ -f "$f" ] && [ -r "$f" ] && sec file "$f" key
done
for p in /proc/[0-9]*; do
  [ -O "$p" ] && [ -r "$p/environ" ] || continue
  tr '\000' '\n' <"$p/environ" | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=..*/\1/p' | grep -Ei '(passw|secret|token|api_?key|credential|database_url)' |
    head -n 20 | while IFS= read -r k; do sec environ "$(tr '\000' ' ' <"$p/cmdline" | cut -d ' ' -f 1)" "$k"; done
done | sort -u | head -n 100
`;

/** Files of applications. An .env holds values of all kinds, so few keys have theirs printed, and only as names look. */
const APPLICATIONS = String.raw`
bounded find /var/www /srv /opt /home /root /usr/local/etc /var/lib /etc -xdev -maxdepth 5 -type f \( -name .env -o -name '.env.*' \
  -o -name wp-config.php -o -name configuration.php -o -name settings.php -o -name LocalSettings.php -o -name config.inc.php \
  -o -name database.yml -o -name secrets.yml -o -name parameters.yml -o -name local.xml -o -name env.php \
  -o -name 'credentials*.json' -o -name '*.tfstate' -o -name appsettings.json -o -name '*.kdbx' -o -name '*.ppk' \) 2>/dev/null |
  head -n 300 | while IFS= read -r f; do
  [ -r "$f" ] || continue
  case $f in
    */wp-config.php)
      awk -v t='|' -v q="'" '
        '"$ok"'
        function val(k) { at = index($0, k); m = split(substr($0, at), x, "[" q "\"]"); return m >= 3 && x[2] ~ /^ *, *$/ ? ok(x[3]) : "" }
        /define\(/ && /DB_USER/ { u = val("DB_USER") } /define\(/ && /DB_HOST/ { h = val("DB_HOST") } /define\(/ && /DB_PASSWORD/ { y = 1 }
        END { if (y) { n = split(h, x, ":"); print "DB_PASSWORD" t x[1] t (n > 1 ? x[2] : "") t u } }' "$f" | fields mysql "$f" ;;
    */.env|*/.env.*)
      sed -n 's/^ *\(export \)\{0,1\}\([A-Za-z_][A-Za-z0-9_]*\)=..*/\2/p' "$f" | grep -Ei '(passw|secret|token|key|credential|_url|_dsn)' |
        head -n 50 | while IFS= read -r k; do sec variable "$f" "$k"; done
      awk -v t='|' '
        { sub(/^ *(export )?/, ""); at = index($0, "="); if (!at) next; k = toupper(substr($0, 1, at - 1)); v = substr($0, at + 1)
          gsub(/^["\047]|["\047 \r]+$/, "", v) }
        k == "DB_CONNECTION" { c = v } k == "DB_HOST" { h = v } k == "DB_PORT" { p = v } k == "DB_USERNAME" || k == "DB_USER" { u = v }
        k == "DB_PASSWORD" || k == "DB_PASS" { y = k }
        k == "REDIS_HOST" { rh = v } k == "REDIS_PORT" { rp = v } k == "REDIS_PASSWORD" { ry = k }
        k == "MAIL_HOST" || k == "SMTP_HOST" { mh = v } k == "MAIL_PORT" || k == "SMTP_PORT" { mp = v }
        k == "MAIL_USERNAME" || k == "SMTP_USER" { mu = v } k == "MAIL_PASSWORD" || k == "SMTP_PASSWORD" || k == "SMTP_PASS" { my = k }
        k ~ /(^|_)(URL|DSN|URI)$/ && v ~ /^(postgres|postgresql|mysql|mariadb|redis|rediss):\/\/[A-Za-z0-9._-]*:[^\/@]*@[A-Za-z0-9.-]+(:[0-9]+)?([\/?][^@]*)?$/ {
          s = v; sub(/:.*/, "", s); rest = v; sub(/^[a-z]*:\/\//, "", rest); us = rest; sub(/:.*/, "", us); sub(/[\/?][^@]*$/, "", rest); sub(/.*@/, "", rest)
          n = split(rest, x, ":"); print s t k t x[1] t (n > 1 ? x[2] : "") t (s ~ /^redis/ ? "" : us) }
        END { if (y) print (c == "" ? "database" : ok(c)) t y t ok(h) t ok(p) t ok(u); if (ry) print "redis" t ry t ok(rh) t ok(rp) t ""
          if (my) print "smtp" t my t ok(mh) t ok(mp) t ok(mu) } '"$ok" "$f" | head -n 20 | while IFS='|' read -r c a h p u; do sec "env-$c" "$f" "$a" "$h" "$p" "$u"; done ;;
    *) sec file "$f" credentials ;;
  esac
done
`;

/** See the module. */
export const SECRETS_SCRIPT = `${FUNCTIONS}${HOMES}${SYSTEM}${APPLICATIONS}`;
