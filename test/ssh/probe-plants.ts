/**
 * What is planted on the machine of probe.test.ts. `deploy` has each of these powers, `plain` beside it has none: folders and
 * files are the group's of deploy.
 *
 * @module
 */

/** Stands in every secret: nothing that Cofferdam writes may have it. */
export const VALUE = "s3cr3tV4lue";

export const PLANT = `
groupadd docker; usermod -aG docker deploy
give() { chgrp deploy "$1"; chmod g+w "$1"; }
script() { mkdir -p "$(dirname "$1")"; printf '#!/bin/sh\\n%s\\n' "$2" >"$1"; chmod 755 "$1"; }

cat >>/etc/sudoers <<'S'
deploy ALL=(root) NOPASSWD: /usr/bin/find, /usr/bin/systemctl reload nginx, /opt/app/run.sh, /usr/bin/vi /etc/motd, \\
  sudoedit /etc/profile.d/site.sh
deploy ALL=(other) NOPASSWD: SETENV: /usr/bin/id
plain ALL=(root) NOPASSWD: /usr/bin/systemctl reload nginx, /opt/app/fixed.sh, /usr/bin/id ""
S
script /opt/app/run.sh 'echo run'; give /opt/app/run.sh
script /opt/app/fixed.sh 'echo fixed'

mkdir -p /opt/tool /opt/quiet
cp /usr/bin/find /opt/tool/find; chgrp deploy /opt/tool/find; chmod 4750 /opt/tool/find
cp /usr/bin/id /opt/tool/odd; chgrp deploy /opt/tool/odd; chmod 4750 /opt/tool/odd
mount -t tmpfs -o mode=755,nosuid world /opt/quiet; cp /usr/bin/find /opt/quiet/find; chmod 4755 /opt/quiet/find
perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Local => "/run/docker.sock", Listen => 1); sleep 100000' >/dev/null 2>&1 &
while [ ! -S /run/docker.sock ]; do sleep 0.05; done
chgrp docker /run/docker.sock; chmod 660 /run/docker.sock

script /etc/cron.daily/backup ':'; give /etc/cron.daily/backup
script /opt/jobs/run.py 'exec /opt/jobs/lib/step.sh'
script /opt/jobs/lib/step.sh ':'; give /opt/jobs/lib/step.sh
script /opt/jobs/cron.sh ':'; give /opt/jobs/cron.sh
echo '*/5 * * * * root /opt/jobs/run.py >/dev/null; sh /opt/jobs/cron.sh /srv/data' >/etc/cron.d/job
mkdir -p /opt/service; script /opt/service/serve.sh ':'; chgrp deploy /opt/service; chmod 775 /opt/service
mkdir -p /etc/systemd/system
printf '[Service]\\nExecStart=/opt/service/serve.sh --port 1\\nUser=other\\n' >/etc/systemd/system/app.service
printf ':\\n' >/etc/profile.d/site.sh; give /etc/profile.d/site.sh
chgrp deploy /usr/local/bin; chmod 775 /usr/local/bin
script /opt/jobs/rotate.sh ':'; give /opt/jobs/rotate.sh
printf '/var/log/x {\\n  postrotate\\n    /opt/jobs/rotate.sh\\n  endscript\\n}\\n' >/etc/logrotate.d/x
script /opt/jobs/daemon.sh 'while :; do sleep 1000; done'; give /opt/jobs/daemon.sh
/bin/sh /opt/jobs/daemon.sh >/dev/null 2>&1 &

: >/home/other/.bashrc; mkdir -p /home/other/.ssh; : >/home/other/.ssh/authorized_keys
chown -R other:other /home/other
for f in /home/other/.bashrc /home/other/.ssh/authorized_keys; do give $f; done

mkdir -p /etc/nginx/sites-enabled /etc/php/8.2/fpm/pool.d /srv/site/wp-content
echo 'server { root /srv/site; }' | tr '{;' '{\\n' | sed 's/^ *//' >/etc/nginx/sites-enabled/site
printf 'user = www-data\\n' >/etc/php/8.2/fpm/pool.d/www.conf
give /srv/site/wp-content
mkdir -p /srv/git/x.git/hooks; echo ref >/srv/git/x.git/HEAD; chown -R other /srv/git/x.git; give /srv/git/x.git/hooks

# Names of files are data.
script '/etc/cron.daily/$(touch pwned)' ':'
script '/etc/cron.daily/x;touch pwned;' ':'
printf ':' >"$(printf '/etc/cron.daily/n\\nrun\\troot\\tforged\\tcron\\titself')"

for f in /etc/cron.daily/*; do give "$f"; done

h=/home/deploy
mkdir -m 700 $h/.ssh $h/.aws
ssh-keygen -q -t ed25519 -N '' -f $h/.ssh/id_ed25519
ssh-keygen -q -t ed25519 -N '${VALUE}' -f $h/.ssh/id_locked
printf 'Host backup\\n  HostName 10.9.0.7\\n  User root\\n  Port 2222\\nHost *\\n  User nobody\\n' >$h/.ssh/config
printf 'db.internal:5432:shop:agent:${VALUE}\\nhost:user:${VALUE}\\n' >$h/.pgpass
printf '[client]\\nuser = wp\\npassword = "${VALUE}"\\nhost=localhost\\n' >$h/.my.cnf
printf 'machine api.example login ann password ${VALUE}\\n' >$h/.netrc
printf 'https://${VALUE}:x-oauth-basic@github.com\\nhttps://ann:a@${VALUE}/b@git.example\\n' >$h/.git-credentials
printf '//registry.example/:_authToken=${VALUE}\\n' >$h/.npmrc
printf '[default]\\naws_access_key_id = AKIA${VALUE}\\naws_secret_access_key = ${VALUE}\\n' >$h/.aws/credentials
printf 'mysql -u wp -p${VALUE}\\n' >$h/.bash_history
chown -R deploy:deploy $h; chmod 600 $h/.pgpass $h/.my.cnf $h/.netrc
cat >/srv/site/wp-config.php <<'P'
<?php define('DB_PASSWORD', '${VALUE}'); define( 'DB_USER', "wp" );
define('DB_HOST', 'localhost');
P
cat >/srv/site/.env <<'P'
APP_KEY=base64:${VALUE}
export DB_CONNECTION=pgsql
DB_HOST=db.internal
DB_USERNAME=agent
DB_PASSWORD="${VALUE}"
CACHE_URL=redis://default:${VALUE}@10.9.0.8:6380/0
API_URL=https://${VALUE}@api.example/
P
chown root:deploy /srv/site/wp-config.php /srv/site/.env; chmod 640 /srv/site/wp-config.php /srv/site/.env
mkdir -p /var/backups; echo x >/var/backups/shop.sql; chgrp deploy /var/backups/shop.sql; chmod 640 /var/backups/shop.sql

setpriv --reuid=redis --regid=nogroup --clear-groups redis-server --bind 0.0.0.0 --port 6379 --save '' --dir /tmp \\
  --protected-mode no >/dev/null 2>&1 &
setpriv --reuid=other --regid=other --clear-groups redis-server --bind 127.0.0.1 --port 6400 --save '' --dir /tmp >/dev/null 2>&1 &
while ! redis-cli ping >/dev/null 2>&1 || ! redis-cli -p 6400 ping >/dev/null 2>&1; do sleep 0.05; done
`;
