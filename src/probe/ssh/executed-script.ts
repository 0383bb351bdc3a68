/**
 * What others execute and this account may change: the question of that. See scripts.ts for its form.
 *
 * Left out is what the program that would read it refuses, since nobody could walk that: tables of cron and files of
 * logrotate, sudoers and doas that somebody else than root owns or may write (cron(8), logrotate(8), sudoers(5)), and keys
 * of an account whose files others may write, unless `StrictModes no`. busybox's crond has no such check.
 *
 * @module
 */

/** `run USER PATH KIND`: PATH is a program or a script, not what it works on. */
const FUNCTIONS = String.raw`
[ "$(id -u)" = 0 ] && { echo end; exit; }
run() {
  case $2 in
    /dev/*|/proc/*|/sys/*) return ;;
    *.sh|*.bash|*.py|*.pl|*.rb|*.php|*.js|*.mjs|*.cjs|*.lua|*.jar) ;;
    *) [ -f "$2" ] && [ -x "$2" ] || return ;;
  esac
  wr run "$1" "$2" "$3"
}
calls() {
  [ -f "$2" ] && [ -r "$2" ] || return
  case $(head -c 2 "$2" | tr -d '\000') in '#!') ;; *) return ;; esac
  head -c 65536 "$2" | grep -Eo '(^|[[:space:]"=;&|(])/[A-Za-z0-9._/+-]+' | sed 's,^[^/],,' | sort -u | head -n 100 |
    while IFS= read -r p; do run "$1" "$p" "$3"; done
}
each() { while IFS='|' read -r u p; do run "$u" "$p" "$1"; calls "$u" "$p" "$1"; done; }
inside() {
  [ -d "$2" ] || return
  if mine "$2"; then say run "$1" "$2/" "$3" itself; fi
  for f in "$2"/*; do [ -f "$f" ] && { wr run "$1" "$f" "$3"; calls "$1" "$f" "$3"; }; done
}
`;

/** cron: what its tables name, and folders of scripts. */
const CRON = String.raw`
cat /etc/crontab /etc/cron.d/* | awk -v t='|' -v q="'" '
  /^[ \t]*(#|$)/ || /^[ \t]*[A-Za-z_]+[ \t]*=/ { next }
  { at = ($1 ~ /^@/) ? 2 : 6
    for (i = at + 1; i <= NF; i++) { w = $i; gsub("[\"();&|]|" q, "", w); if (w ~ /^\//) print $at t w } }
' | sort -u | head -n 300 | each cron
for d in hourly daily weekly monthly; do inside root "/etc/cron.$d" cron; done
for d in /etc/periodic/*; do inside root "$d" cron; done
case $(readlink -f "$(command -v crond)") in
  *busybox*) for f in /etc/crontabs/* /var/spool/cron/crontabs/*; do [ -f "$f" ] && wr run "$(basename "$f")" "$f" cron; done ;;
esac
`;

const SYSTEMD = String.raw`
for d in /etc/systemd/system /run/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system \
  /lib/systemd/system-generators /usr/lib/systemd/system-generators /etc/systemd/system/*.d; do
  [ -d "$d" ] && mine "$d" && say run root "$d/" systemd itself
done
for f in /etc/systemd/system/*.service /etc/systemd/system/*.timer /etc/systemd/system/*.d/*.conf; do
  [ -f "$f" ] && wr run root "$f" systemd
done
set --
for f in /etc/systemd/system/*.service /etc/systemd/system/*.d/*.conf /run/systemd/system/*.service \
  /usr/local/lib/systemd/system/*.service /usr/lib/systemd/system/*.service; do
  [ -f "$f" ] && [ -r "$f" ] && set -- "$@" "$f"
done
[ $# -gt 0 ] && awk -v t='|' '
  function out() { for (i = 1; i <= k; i++) print u t e[i]; k = 0; u = "root" }
  FNR == 1 { out() }
  /^User=/ { u = substr($0, 6) }
  /^Exec[A-Za-z]*=/ { s = $0; sub(/^[A-Za-z]*=[-@:+!|]*/, "", s); m = split(s, x, " ")
    for (j = 1; j <= m; j++) { gsub(/["\047;]/, "", x[j]); if (x[j] ~ /^\//) e[++k] = x[j] } }
  END { out() }
' "$@" | sort -u | head -n 500 | each systemd
`;

/** What root's shells, logins, boots and upgrades read or run. */
const SYSTEM = String.raw`
for f in /etc/profile /etc/bash.bashrc /etc/bashrc /etc/zsh/zshenv /etc/zsh/zprofile /etc/zsh/zshrc /etc/environment \
  /root/.bashrc /root/.profile /root/.bash_profile /root/.zshrc /root/.ssh/rc; do wr run root "$f" login; done
for d in /etc/profile.d /etc/update-motd.d; do inside root "$d" login; done
for f in /etc/passwd /etc/shadow /etc/group /etc/ssh/sshd_config; do wr run root "$f" accounts; done
for d in /etc/pam.d /etc/ssh/sshd_config.d /etc/polkit-1/rules.d; do inside root "$d" accounts; done
for f in /etc/ld.so.preload /etc/ld.so.conf; do wr run root "$f" loader; done
inside root /etc/ld.so.conf.d loader
for f in /etc/rc.local /etc/rc.d/rc.local; do wr run root "$f" boot; done
for d in /etc/init.d /etc/local.d /etc/udev/rules.d /etc/modprobe.d /etc/network/if-up.d /etc/network/if-pre-up.d; do
  inside root "$d" boot
done
for d in /etc/apt/apt.conf.d /etc/dpkg/dpkg.cfg.d /etc/yum.repos.d /etc/apk; do inside root "$d" packages; done
cat /etc/logrotate.conf /etc/logrotate.d/* | awk -v t='|' '/^[ \t]*(pre|post)rotate|^[ \t]*(first|last)action/ { on = 1; next } /endscript/ { on = 0 }
  on { for (i = 1; i <= NF; i++) if ($i ~ /^\//) print "root" t $i }' |
  sort -u | head -n 100 | each logrotate
for d in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do
  if mine "$d"; then say run root "$d/" path itself; else
    for f in "$d"/*; do mine "$f" && [ -f "$f" ] && wr run root "$f" path; done
  fi
done
`;

/** Other accounts: what their logins run, who may log in as them, and what they run now. */
const OTHERS = String.raw`
me=$(id -un); uid=$(id -u)
strict=unknown
for f in /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*; do [ -f "$f" ] && [ ! -r "$f" ] && strict=closed; done
if [ $strict = unknown ] && [ -r /etc/ssh/sshd_config ]; then
  strict=$(cat /etc/ssh/sshd_config.d/*.conf /etc/ssh/sshd_config |
    awk 'tolower($1) == "strictmodes" { print tolower($2); exit }')
fi
say strict "$strict"
keys='.ssh/authorized_keys .ssh/authorized_keys2'
# Of names that are not taken from elsewhere sshd reads those that its first line outside a Match says.
if [ "$strict" != closed ] && [ -r /etc/ssh/sshd_config ]; then
  named=$(cat /etc/ssh/sshd_config.d/*.conf /etc/ssh/sshd_config |
    awk 'tolower($1) == "match" { exit } tolower($1) == "authorizedkeysfile" { $1 = ""; print $0 " "; exit }')
  case $named in
    ''|*authorized_keys2*|*%h*|*'"'*) ;;
    *' .ssh/authorized_keys '*) keys=.ssh/authorized_keys ;;
  esac
fi
for f in $keys; do wr key "$me" "$HOME/$f" own; done
head -n 300 /etc/passwd | while IFS=: read -r u x i g c h s; do
  [ "$u" = "$me" ] && continue
  case $s in */nologin|*/false|*/sync|'') continue ;; esac
  case $h in /|/nonexistent|'') continue ;; esac
  for f in $keys; do wr key "$u" "$h/$f" other; done
  for f in .ssh/rc .bashrc .bash_profile .bash_login .profile .zshenv .zprofile .zshrc; do wr run "$u" "$h/$f" login; done
done
k=0
for p in /proc/[0-9]*; do
  [ -O "$p" ] && continue
  [ $((k += 1)) -gt 600 ] && break
  c=$(tr '\000' '\n' <"$p/cmdline" | head -n 12) || continue
  [ -n "$c" ] || continue
  printf '%s\n' "$c" | while IFS= read -r w; do case $w in /*) printf '%s|%s\n' "$(stat -c %U "$p")" "$w" ;; esac; done
done | sort -u | head -n 400 | each process
`;

/** Web roots that an interpreter serves, and hooks of repositories of others. */
const SERVED = String.raw`
fpm=$(cat /etc/php/*/fpm/pool.d/*.conf /etc/php-fpm.d/*.conf /etc/php*/php-fpm.d/*.conf |
  awk -F= '/^[ \t]*user[ \t]*=/ { gsub(/[ \t"]/, "", $2); print $2 }' | sort -u | head -n 20)
if [ -z "$fpm" ]; then
  fpm=$(sed -n 's/^export APACHE_RUN_USER=//p' /etc/apache2/envvars; awk '$1 == "User" { print $2 }' /etc/httpd/conf/httpd.conf)
fi
{
  cat /etc/nginx/nginx.conf /etc/nginx/sites-enabled/* /etc/nginx/conf.d/* | awk '{ for (i = 1; i < NF; i++) if ($i == "root") { v = $(i + 1); sub(/;.*/, "", v); print v } }'
  cat /etc/apache2/sites-enabled/* /etc/httpd/conf/httpd.conf /etc/httpd/conf.d/* | awk 'tolower($1) == "documentroot" { gsub(/"/, "", $2); print $2 }'
} | sort -u | head -n 100 | while IFS= read -r r; do
  case $r in /*) ;; *) continue ;; esac
  [ -d "$r" ] || continue
  for u in $fpm; do
    [ "$u" = "$me" ] && continue
    bounded find "$r" -xdev -maxdepth 4 -type d 2>/dev/null | head -n 500 | while IFS= read -r d; do
      mine "$d" && { say run "$u" "$d/" web itself; break; }
    done
    bounded find "$r" -xdev -maxdepth 4 -type f -name '*.php' 2>/dev/null | head -n 2000 | while IFS= read -r f; do
      mine "$f" && { say run "$u" "$f" web itself; break; }
    done
  done
done
bounded find /srv /opt /home /var/lib /var/www /var/git /git -xdev -maxdepth 6 -type d -name hooks 2>/dev/null | head -n 200 |
  while IFS= read -r d; do
    [ -e "$d/../HEAD" ] || continue
    u=$(stat -c %U "$d/../HEAD"); [ "$u" = "$me" ] && continue
    if mine "$d"; then say run "$u" "$d/" hooks itself; else
      for f in "$d"/*; do [ -x "$f" ] && wr run "$u" "$f" hooks; done
    fi
  done
`;

/** See the module. */
export const EXECUTED_SCRIPT = `${FUNCTIONS}${CRON}${SYSTEMD}${SYSTEM}${OTHERS}${SERVED}`;
