/**
 * Places on a Unix host that matter more than others: what is read there gives authority, what is written
 * there is executed or lets somebody in. Judged by name, whatever the host says it is; a name that is missed
 * is an ordinary file, for which the grant must name the path anyway.
 *
 * @module
 */
import type { Effect } from "../../action/index.ts";

/** Where a file system tells no case, another one is the same name. */
function anyCase(places: readonly RegExp[]): readonly RegExp[] {
  return places.map(({ source }) => new RegExp(source, "iu"));
}

/** macOS keeps `/etc` and `/var` there. */
const PRIVATE = /^\/private(?=\/)/i;

/** Reading these gives access that the task was not given. */
const SECRETS = anyCase([
  /(^|\/)g?shadow-?$/,
  /(^|\/)\.ssh(\/|$)/,
  /(^|\/)ssh_host_[a-z0-9]+_key$/,
  /(^|\/)id_[a-z0-9_]+$/,
  /(^|\/)[^/]*(\.pem|\.key|\.p12|\.pfx|\.kdbx|\.keytab|\.ppk|\.jks)$/i,
  /(^|\/)\.?env(\.[\w.-]+)?$/,
  /(^|\/)\.(netrc|pgpass|my\.cnf|mylogin\.cnf|git-credentials|npmrc|pypirc|htpasswd|vault-token|boto|s3cfg|smbcredentials)$/,
  /(^|\/)\.(aws|azure|kube|docker|gnupg|config\/gcloud|config\/gh|password-store|terraform\.d)(\/|$)/,
  /(^|\/)(credentials|secrets?|passwords?|token)(\.[\w]+)?$/i,
  /(^|\/)wp-config\.php$/,
  /(^|\/)etc\/(sudoers(\.d)?|krb5\.keytab|ssl\/private|wireguard|openvpn|letsencrypt|NetworkManager\/system-connections|mysql\/debian\.cnf|ppp\/.*secrets|rsyncd\.secrets)(\/|$)/,
  /(^|\/)(environ|mem|kcore|kmem|auxv)$/,
  /(^|\/)dev\/(sd|nvme|vd|xvd|mapper|dm-|mem|disk)/,
  /(^|\/)\.(bash|zsh|mysql|psql|python|node_repl|rediscli|sqlite|lesshst)_?(history|sh_history)?$/,
]);

/** Folders with such files somewhere below. */
const HOLDING =
  /^(\/|\/etc|\/root|\/home(\/[^/]+)?|\/var|\/var\/lib|\/srv|\/proc|\/dev|\/mnt|\/media|\.|~)\/?$/;

/** Extensions of what is told by a pattern and is never a secret's name. */
const ORDINARY_GLOB =
  /\/[\w.-]*\*[\w.-]*\.(log|conf|txt|md|html?|css|csv|xml|service|timer|list|cfg|ini|log\.\d)$/;

/** Reports whether a file told by the operand `path` (of a command in `cwd`, if that is known) may be a secret. */
export function holdsSecrets(
  path: string,
  { cwd, isRecursive }: { readonly cwd: string | undefined; readonly isRecursive: boolean },
): boolean {
  const from = cwd === undefined || path.startsWith("/") ? "" : `${cwd}/`;
  const whole = `${from}${path}`.replaceAll(/\/(\.?\/)+/g, "/");
  if (SECRETS.some((secret) => secret.test(whole))) return true;
  if (path.includes("*") && !ORDINARY_GLOB.test(whole)) return true;
  return isRecursive && HOLDING.test(whole);
}

/** Whoever writes these gives access: to an account, or to root's authority. */
const ACCESS = anyCase([
  /(^|\/)\.ssh(\/|$)/,
  /^\/etc\/ssh(\/|$)/,
  /(^|\/)authorized_keys2?$/,
  /^\/etc\/(passwd|shadow|gshadow|group|subuid|subgid|sudo\.conf|doas\.conf|securetty|shells|login\.defs|nsswitch\.conf|hosts\.allow|hosts\.deny|hosts\.equiv)-?$/,
  /^\/etc\/(sudoers|sudoers\.d|pam\.d|security|polkit-1|krb5\.conf\.d|sssd|ssl|ca-certificates|wireguard|selinux|apparmor\.d)(\/|$)/,
  /(^|\/)\.(rhosts|shosts|k5login|k5users)$/,
  /^\/usr\/share\/(ca-certificates|polkit-1)(\/|$)/,
  /^\/(boot|dev|proc|sys|efi)(\/|$)/,
  /^\/run\/systemd(\/|$)/,
]);

/** What lies here is executed, by the system or by whoever logs in. */
const EXECUTED = anyCase([
  /^\/etc\/(cron[^/]*|anacrontab|init\.d|rc[^/]*|profile|profile\.d|bash[^/]*|zsh[^/]*|csh[^/]*|fish|environment|environment\.d|ld\.so\.[^/]*|systemd|udev|modprobe\.d|modules[^/]*|inittab|inetd\.conf|xinetd[^/]*|logrotate[^/]*|apt|dpkg|yum[^/]*|dnf|update-motd\.d|network|NetworkManager|dhcp|ppp|acpi|xdg|X11|alternatives|default|sysctl[^/]*|exports|fstab|crypttab|aliases|mail|postfix|exim4|php|apache2|httpd|nginx|supervisor|monit|docker|containerd|kubernetes|rsyslog[^/]*|binfmt\.d|tmpfiles\.d|sysusers\.d|needrestart|qemu|libvirt)(\/|$)/,
  /^\/var\/spool\/(cron|at|anacron|incron)(\/|$)/,
  /^\/(usr\/)?(local\/)?(s?bin|lib(32|64|x32|exec)?|games)(\/|$)/,
  /^\/usr\/(lib|libexec|share\/(bash-completion|zsh|fish|applications|dbus-1|pam-configs))(\/|$)/,
  /^\/opt\/([^/]+\/)*(s?bin|lib|libexec)(\/|$)/,
  /(^|\/)(s?bin|\.local\/bin|\.local\/lib|\.cargo|\.npm|\.nvm|\.pyenv|\.rbenv|node_modules\/\.bin|site-packages|dist-packages)(\/|$)/,
  /(^|\/)\.(bash[^/]*|zsh[^/]*|zlog[^/]*|zprofile|profile|login|logout|cshrc|tcshrc|kshrc|mkshrc|shinit|inputrc|xinitrc|xsession[^/]*|xprofile|pam_environment|forward|procmailrc|mailcap|vimrc|exrc|viminfo|gdbinit|pythonrc[^/]*|pdbrc|irbrc|gemrc|perltidyrc|npmrc|yarnrc|envrc|direnvrc|tmux\.conf|screenrc|lesskey|wgetrc|curlrc|gitconfig|hgrc|mailrc|netrc|selected_editor|toprc)$/,
  /(^|\/)\.(config|vim|emacs\.d|oh-my-zsh|git|husky|github|gitlab|circleci|vscode|idea|claude|codex|local\/share\/(systemd|applications|dbus-1))(\/|$)/,
  /(^|\/)(hooks|cron\.d|systemd|LaunchAgents|LaunchDaemons|StartupItems)(\/|$)/,
  /(^|\/)(Makefile|GNUmakefile|makefile|Dockerfile|docker-compose[^/]*|compose\.ya?ml|package\.json|\.gitlab-ci\.yml|Jenkinsfile|Vagrantfile|Procfile|Rakefile|Gemfile|setup\.py|pyproject\.toml|conftest\.py|sitecustomize\.py|usercustomize\.py|composer\.json|\.htaccess|\.user\.ini|crontab)$/,
  /\.(service|timer|socket|path|mount|desktop|so(\.\d+)*|ko|sh|bash|zsh|py|pyc|pth|pl|pm|rb|php\d?|phtml|phar|cgi|js|mjs|cjs|jsp|war|jar|asp|aspx|lua|exe|bat|ps1|rules|sudo)$/i,
]);

/** What writing (creating, replacing, renaming to, linking, changing the mode of) the file `path` does besides. */
export function effectsOfPlace(path: string): readonly Effect[] {
  const known = path.replace(PRIVATE, "");
  if (ACCESS.some((place) => place.test(known))) return ["execute", "administer"];
  return EXECUTED.some((place) => place.test(known)) ? ["execute"] : [];
}

/** Reports whether reading the file `path` gives access. */
export function isSecretPath(path: string): boolean {
  return SECRETS.some((secret) => secret.test(path));
}
