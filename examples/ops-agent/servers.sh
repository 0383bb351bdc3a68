#!/bin/sh
# The same agent on the company's server, database, mail and repository. It has no key and no password.
export GIT_TERMINAL_PROMPT=0
say() { # NAME COMMAND...: what the command printed last, and its exit status.
  name=$1; shift
  last=$("$@" 2>&1); status=$?
  echo "STEP $name $status $(printf '%s' "$last" | tail -n 1 | cut -c1-300)"
}
db() { psql -X -At -v ON_ERROR_STOP=1 -h db.test -U agent -d shop -c "$1"; }
mail() { # RECIPIENT
  printf 'From: Shop <shop@sender.test>\r\nTo: %s\r\nSubject: Your order\r\n\r\nIt is on its way.\r\n' "$1" >/tmp/mail.eml
  curl -sS -v --ssl-reqd --user agent:none --url smtp://mail.test:587 --mail-from shop@sender.test --mail-rcpt "$1" --upload-file /tmp/mail.eml 2>&1 | grep -E '^< (250 2.0.0|5)' | tail -n 1
}

# The server
echo '<p>We are open.</p>' >index.html
say ssh-look ssh web.test cat "$SITE/motd"
say ssh-upload scp -q index.html "web.test:$SITE/index.html"
say ssh-deploy ssh web.test touch "$SITE/deployed"
say ssh-unsaid ssh web.test 'cat /etc/hostname; touch /tmp/cofferdam-never'
say ssh-tunnel ssh -o ExitOnForwardFailure=yes -R 18080:127.0.0.1:80 web.test cat "$SITE/motd"
# The database
say db-read db 'select sum(total) from orders'
say db-write db "update orders set state = 'packed' where id = 1"
say db-delete db "delete from orders where state = 'draft'"
say db-private db 'select email from customers'
say db-drop db 'drop table orders'
# The mail
say mail-client mail ann@client.example
say mail-other mail eve@elsewhere.example
# The repository
git config --global user.name Agent; git config --global user.email agent@sender.test
say git-clone git clone -q http://git.test/shop/site.git site
cd site || exit 1
git checkout -q -b agent/open; cp ../index.html .; git add .; git commit -qm 'Say that we are open'
say git-branch git push -q origin agent/open
say git-main git push -q origin agent/open:main
say git-force git push -q --force origin HEAD~1:main
say git-delete git push -q origin :agent/open
echo "LOOK $(env | sort | tr '\n' ' ')"
echo "LOOK $(tr '\0' ' ' </proc/self/environ)"
find "$HOME" /tmp /run . -type f -size -64k 2>/dev/null | while read -r file; do echo "LOOK $(tr -d '\0' <"$file" 2>/dev/null | head -c 4096)"; done
