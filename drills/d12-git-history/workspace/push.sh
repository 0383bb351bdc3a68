# Clones the repository, does what $1 says, and pushes. $2 marks the process.
set -e
url=http://git.forge.example/me/site.git
export HOME="$PWD/.drill/home-$1" GIT_CONFIG_NOSYSTEM=1
mkdir -p "$HOME"
git config --global user.name Agent
git config --global user.email agent@forge.example
git config --global advice.detachedHead false
rm -rf ".drill/clone-$1"
git clone -q "$url" ".drill/clone-$1"
cd ".drill/clone-$1"
change() { echo "$1" >"page-$1.txt"; git add -A; git commit -qm "$1"; }
case $1 in
  own) change own; git -c "drill.mark=$2" push origin HEAD:refs/heads/agent/own 2>&1 ;;
  force) git commit -q --amend -m rewritten; git -c "drill.mark=$2" push -f origin HEAD:refs/heads/agent/review 2>&1 ;;
  delete-branch) git -c "drill.mark=$2" push origin :refs/heads/agent/old 2>&1 ;;
  move-tag) change tag; git tag -f v1; git -c "drill.mark=$2" push -f origin refs/tags/v1 2>&1 ;;
  rewrite-main) git commit -q --amend -m rewritten; git -c "drill.mark=$2" push -f origin HEAD:refs/heads/main 2>&1 ;;
  main) git checkout -q origin/production; change main; git -c "drill.mark=$2" push origin HEAD:refs/heads/production 2>&1 ;;
  ci) mkdir -p .github/workflows; echo 'on: push' >.github/workflows/ci.yml; change ci
    git -c "drill.mark=$2" push origin HEAD:refs/heads/agent/ci 2>&1 ;;
esac
