#!/usr/bin/env bash
# Makes the commit that users of the action get, and pushes its tags: pushActionTag.sh v1.2.3 FOLDER-WITH-THE-BUNDLE [REMOTE]
# The commit is a child of the release's commit and on no branch: what is in it besides is exactly dist/action. The tag vN moves to it,
# vN.N.N-action stays.
set -euo pipefail

version=${1:?version, as in v1.2.3}
bundle=${2:?folder with the bundle}
remote=${3:-origin}
[[ $version =~ ^v(0|[1-9][0-9]*)\.[0-9]+\.[0-9]+$ ]] || { echo "no version: $version" >&2; exit 64; }
major=v${BASH_REMATCH[1]}

# an index of its own: the work tree and the caller's index stay as they are
index=$(mktemp)
trap 'rm -f "$index"' EXIT
export GIT_INDEX_FILE=$index
release=$(git rev-parse --verify "$version^{commit}")
git read-tree "$release"
for file in index.mjs worker.mjs; do
  blob=$(git hash-object -w -- "$bundle/$file")
  git update-index --add --cacheinfo "100644,$blob,dist/action/$file"
done
# the commit depends on nothing but the release and the bundle: whoever builds the same gets the same commit
when=$(git show -s --format=%cI "$release")
export GIT_AUTHOR_NAME=reprise GIT_AUTHOR_EMAIL=release@reprise.invalid GIT_AUTHOR_DATE=$when
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL GIT_COMMITTER_DATE=$when
commit=$(git commit-tree "$(git write-tree)" -p "$release" -m "action: $version, with its bundle")
unset GIT_INDEX_FILE

git push --quiet "$remote" "$commit:refs/tags/$version-action"
git push --quiet --force "$remote" "$commit:refs/tags/$major"
echo "$commit"
