#!/usr/bin/env bash
# Builds dist/: the Debian package, an archive with the same binary, the bill of
# materials and the checksums. Two runs for one commit give the same bytes:
# every time in them is the commit's. Needs bin/rathausnetz and .tools/nfpm.
set -euo pipefail
cd "$(dirname "$0")/../../.."
: "${VERSION:?}" "${GO:=go}"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH
rm -rf dist && mkdir -p dist/man dist/completion

bin/rathausnetz man dist/man
gzip -9n dist/man/*.1
bin/rathausnetz completion bash > dist/completion/rathausnetz.bash
bin/rathausnetz completion zsh > dist/completion/_rathausnetz
gzip -9nc CHANGELOG.md > dist/CHANGELOG.md.gz
"$GO" run ./cmd/sbom bin/rathausnetz > dist/sbom.cdx.json

# Debian versions begin with a digit; without a tag it is a day and a commit.
case $VERSION in
  v[0-9]*) VERSION=${VERSION#v} ;;
  *) VERSION=0~$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M).$VERSION ;;
esac
export VERSION

{
  echo "This package contains the program rathausnetz and, linked into it, the parts listed here with their terms."
  "$GO" version -m bin/rathausnetz | awk '$1=="dep"{print $2}' | while read -r module; do
    dir=$("$GO" list -m -f '{{.Dir}}' "$module")
    for file in "$dir"/LICENSE* "$dir"/COPYING* "$dir"/NOTICE*; do
      if [ -f "$file" ]; then printf '\n==== %s: %s\n\n' "$module" "$(basename "$file")"; cat "$file"; fi
    done
  done
  printf '\n==== Go standard library\n\n'; cat "$("$GO" env GOROOT)/LICENSE"
  printf '\n==== KERN design system\n\n'; cat portal/web/static/files/KERN-LICENSE.md
  printf '\n==== Fira Sans\n\n'; cat portal/web/static/files/FIRA-OFL.txt
} > dist/copyright

find dist bin/rathausnetz -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
.tools/nfpm package --packager deb --config cmd/rathausnetz/package/nfpm.yaml --target dist/rathausnetz_amd64.deb
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - -C bin rathausnetz -C .. README.md CHANGELOG.md docs/betrieb.md | gzip -9n > dist/rathausnetz_linux_amd64.tar.gz
(cd dist && sha256sum rathausnetz_amd64.deb rathausnetz_linux_amd64.tar.gz sbom.cdx.json | tee SHA256SUMS)
