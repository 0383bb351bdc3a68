/**
 * The two machines of the reference company, and what is planted on them: `web1` with a shop's site, `db1` with its
 * customers. Each is an {@link SshWorld}; a cable of their own joins them.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

export const WEB = "10.9.0.5";
export const DB = "10.9.0.20";

/** Stand in the secrets that are planted; none may be in facts or on record. */
export const PASSWORD = {
  agent: "pg-Agent-Word-4711",
  crm: "crm-Word-4711-Zaq",
  wp: "wp-Word-4711-Zaq",
} as const;

const PG = "/usr/lib/postgresql/15/bin";

/** Programs that start a service wait for it. */
const ready = (what: string) => `while ! ${what} >/dev/null 2>&1; do sleep 0.05; done`;

export const DB_PLANT = `
echo '${WEB} web1' >>/etc/hosts
account keeper; account runner
useradd -g postgres -d /var/lib/postgresql -m -s /bin/sh -p '*' postgres
install -d -o postgres /run/postgresql
as() { (cd /; runuser -u postgres -- "$@"); }
as ${PG}/initdb -D /var/lib/postgresql/data -U postgres -A peer --no-sync >/dev/null
cat >/var/lib/postgresql/data/pg_hba.conf <<'F'
local all postgres peer
host all all 0.0.0.0/0 scram-sha-256
F
cat >>/var/lib/postgresql/data/postgresql.conf <<'F'
listen_addresses = '*'
unix_socket_directories = '/run/postgresql'
fsync = off
F
as ${PG}/pg_ctl -D /var/lib/postgresql/data -l /dev/null -w start >/dev/null
as psql -qc "create database shop" -c "create role agent login password '${PASSWORD.agent}'"
as psql -q shop <<'F'
create table orders (id int, note text); insert into orders select g, 'x' from generate_series(1, 40) g;
create table customers (id int, email text, phone text);
insert into customers select g, 'person' || g || '@shop.example', '1' from generate_series(1, 120) g;
create table ledger (id int, amount int); insert into ledger select g, 1 from generate_series(1, 70) g;
create table archive (id int, note text); insert into archive select g, 'x' from generate_series(1, 30) g;
create table people (id int, email text, iban text);
insert into people select g, 'staff' || g || '@shop.example', '1' from generate_series(1, 12) g;
create function tidy() returns void language sql security definer as 'delete from public.archive';
revoke all on function tidy() from public; grant execute on function tidy() to agent;
revoke create on schema public from public;
grant select on orders, customers to agent; grant delete on ledger to agent; grant select on ledger to agent;
analyze;
F
as psql -q postgres <<'F'
create table visitors (id int, email text); insert into visitors select g, 'x' from generate_series(1, 8) g;
grant select on visitors to agent;
F
echo 'keeper ALL=(postgres) NOPASSWD: /usr/bin/psql' >>/etc/sudoers
cat /run/world/user_key.pub >/run/keys/keeper
/usr/sbin/sshd -f /etc/ssh/sshd_config
`;

/** The site's own files, as a plant writes them. */
function siteFiles(): string {
  const folder = join(import.meta.dirname, "..", "wordpress", "site");
  return execFileSync("tar", ["-C", folder, "-cz", "."]).toString("base64");
}

const MARIADB = "mariadb --no-defaults -S /run/mysqld/sock -u root";

/** `keeperKey` opens `keeper` at db1: it lies in the home of `deploy`. */
export const webPlant = (keeperKey: string): string => `
echo '${DB} db1' >>/etc/hosts
useradd -r -d /nonexistent mysql
install -d -o mysql /run/mysqld /var/lib/mysql
mariadb-install-db --no-defaults --user=mysql --datadir=/var/lib/mysql --skip-test-db --auth-root-authentication-method=normal >/dev/null
setpriv --reuid=mysql --regid=mysql --clear-groups mariadbd --no-defaults --datadir=/var/lib/mysql --socket=/run/mysqld/sock \\
  --port=3306 --bind-address=0.0.0.0 --skip-name-resolve --innodb-flush-log-at-trx-commit=0 --default-storage-engine=Aria >/dev/null 2>&1 &
chmod 755 /run/mysqld
${ready(`${MARIADB} -e 'select 1'`)}
${MARIADB} <<'F'
ALTER USER root@localhost IDENTIFIED VIA unix_socket;
CREATE USER wordpress@'%' IDENTIFIED BY '${PASSWORD.wp}'; GRANT ALL ON wordpress.* TO wordpress@'%';
CREATE DATABASE crm; USE crm;
CREATE TABLE leads (id INT, email VARCHAR(100)); INSERT INTO leads SELECT seq, CONCAT('lead', seq, '@x.example') FROM seq_1_to_25;
CREATE TABLE tickets (id INT, note TEXT); INSERT INTO tickets SELECT seq, 'x' FROM seq_1_to_9;
CREATE USER crm@'%' IDENTIFIED BY '${PASSWORD.crm}'; GRANT SELECT, DELETE ON crm.* TO crm@'%';
F
mkdir -p /srv/www; base64 -d <<'F' | tar -C /srv/www -xz
${siteFiles()}
F
cd /srv/www
for f in /usr/share/wordpress/*.php; do [ "\${f##*/}" = wp-config.php ] || cp "$f" .; done
ln -s /usr/share/wordpress/wp-admin /usr/share/wordpress/wp-includes .
sed -i "s/define('DB_PASSWORD', '')/define('DB_PASSWORD', '${PASSWORD.wp}')/" wp-config.php
sed -i "s/^define('DB_HOST'.*/define('DB_HOST', 'localhost');/" wp-config.php
sed -i "s/'wordpress', ''/'wordpress', '${PASSWORD.wp}'/" install.php
mkdir -p wp-content/plugins wp-content/mu-plugins wp-content/upgrade /srv/directory; chmod 777 /srv/directory
cat >wp-content/mu-plugins/directory.php <<'F'
<?php // In place of wordpress.org: whoever publishes puts SLUG.zip into a folder.
add_filter('plugins_api', fn($no, $what, $args) => (object) ['slug' => $args->slug, 'name' => $args->slug, 'version' => '1',
  'download_link' => "/srv/directory/$args->slug.zip", 'language_packs' => []], 10, 3);
add_filter('upgrader_pre_download', fn($no, $link) => (copy($link, $to = "/tmp/" . basename($link)) ? $to : $no), 10, 2);
F
chown -R www-data wp-content; chown root:deploy wp-config.php; chmod 644 wp-config.php
printf '#!/bin/sh\\ncat >>/tmp/mails\\n' >/run/world/mailer; chmod 755 /run/world/mailer
PHP='php -d mysqli.default_socket=/run/mysqld/sock -d sendmail_path=/run/world/mailer'
export SITE_SOCKET=/run/mysqld/sock
setpriv --reuid=www-data --regid=www-data --clear-groups $PHP install.php >/run/world/users.json
(cd /srv/www; exec setpriv --reuid=www-data --regid=www-data --clear-groups $PHP -S ${WEB}:8080 -t /srv/www router.php >/dev/null 2>&1) &
rm -f install.php tables.php cron.php
cd /

cat >>/etc/sudoers <<'S'
deploy ALL=(root) NOPASSWD: /usr/bin/find
S
mkdir -p /srv/crm
cat >/srv/crm/.env <<'F'
DB_CONNECTION=mysql
DB_HOST=localhost
DB_USERNAME=crm
DB_PASSWORD="${PASSWORD.crm}"
F
chown root:deploy /srv/crm/.env; chmod 640 /srv/crm/.env
h=/home/deploy; mkdir -m 700 $h/.ssh
cat >$h/.ssh/id_ed25519 <<'F'
${keeperKey}F
 chmod 600 $h/.ssh/id_ed25519
printf 'Host db1\\n  HostName ${DB}\\n  User keeper\\n  StrictHostKeyChecking no\\n' >$h/.ssh/config
printf '${DB}:5432:shop:agent:${PASSWORD.agent}\\n' >$h/.pgpass; chmod 600 $h/.pgpass
chown -R deploy:deploy $h
mkdir -m 700 /home/plain/.aws; printf '[default]\\naws_secret_access_key = x\\n' >/home/plain/.aws/credentials
chown -R plain:plain /home/plain
mkdir -p /home/other/.ssh; : >/home/other/.ssh/authorized_keys; chown -R other:other /home/other/.ssh
chgrp deploy /home/other/.ssh/authorized_keys; chmod 664 /home/other/.ssh/authorized_keys
/usr/sbin/sshd -f /etc/ssh/sshd_config
`;
