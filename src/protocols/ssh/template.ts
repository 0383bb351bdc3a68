/** The commented grant of `cofferdam grant-template ssh`. */
export const TEMPLATE = `system: ssh
name: web                       # how you call it; the agent uses the host's name
hosts: [web.example.com]
# ports: [22]
# dial: 10.0.0.5:22             # where it is, if its name does not say so
credential: web-ssh             # of kind ssh-key, or ssh-certificate: minted per task, minutes long
with:
  # As \`ssh-keyscan web.example.com\` prints it, checked with whoever runs the host. Nothing is trusted at first sight.
  host_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI..."
allow:
  # Known commands in forms that only read (ls, cat, systemctl status, journalctl, ...), whatever their words.
  - verbs: [exec]
    doing: [read, read-private]
  # One command, word by word: * is one word or a part of it, ** any number of words.
  - verbs: [exec]
    on: ["sudo systemctl reload nginx"] # execute, administer: waits for a person
  # Files: read below a folder, write below another one. What is executed or lets somebody in waits for a person.
  - verbs: [sftp.list, sftp.read]
    on: ["/srv/www/**", "/var/log/nginx/**"]
  - verbs: [sftp.write, sftp.mkdir, sftp.setstat, sftp.rename]
    on: ["/srv/www/**"]
  # - verbs: [sftp.delete]        # waits for a person
  #   on: ["/srv/www/**"]
  # - verbs: [rsync.read, repo.read]
  #   on: ["/srv/**"]
  # git push, ref by ref and path by path, as a grant of system git has it (\`cofferdam grant-template git\`); it needs
  # \`repos: [me/site]\` above, under \`with:\`, where \`protected:\`, \`push_options:\` and \`private:\` may stand, too
  # - verbs: [push.create, push.update]
  #   on: ["refs/heads/agent/**"]
  # - verbs: [rsync.write]        # nobody sees what it sends: it may begin once after a yes, or by the rule itself
  #   on: ["/srv/www/**"]
  #   unattended: { count: 20, reason: Deploys of the site., expires: 2027-03-31 }
  # - verbs: [script]             # anything a shell can do: every one waits for a person
  # - verbs: [shell]              # an interactive shell; it is recorded, and not looked into
`;
