#!/usr/bin/env bash
# Puts what compiles and checks the GPU kernels into a folder, without installing anything and without root: NVRTC 11.8
# (libnvrtc, libnvrtc-builtins) and ptxas, from the non-free component of Debian 12, verified with Debian's keyring.
#
# usage: tools/get-nvrtc.sh [folder]        (default: artifacts/nvrtc in the repository, where tool and tests look for it)
#
# The mirror is the one that this machine's apt uses for Debian, also where its lists were deleted; DEBIAN_MIRROR names another
# (needed where apt is not Debian's).
# Needs apt, dpkg and debian-archive-keyring. The packages are under NVIDIA's licence (usr/share/doc/*/copyright in the folder).
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$root/artifacts/nvrtc}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

for command in apt-get dpkg; do
  command -v "$command" > /dev/null || { echo "$command was not found: this script needs Debian's package tools." >&2; exit 1; }
done
[ -r "$keyring" ] || { echo "$keyring was not found: install the package debian-archive-keyring." >&2; exit 1; }

mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' \
  | awk '$2 == "main" && $1 ~ /\/debian\/?$/ { print $1; exit }')}
[ -n "$mirror" ] || mirror=$({ grep -rhoE 'https?://[^] ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d \
    2> /dev/null || true; } \
  | awk '{ print $1; exit }')
[ -n "$mirror" ] || { echo "apt knows no Debian mirror here: name one in DEBIAN_MIRROR." >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{etc/sources.list.d,etc/preferences.d,etc/trusted.gpg.d,lists/partial,cache/archives/partial,debs}
: > "$work/status"
echo "deb [arch=amd64 signed-by=$keyring] $mirror bookworm non-free" > "$work/etc/sources.list"
options=(
  -o "Dir::Etc::sourcelist=$work/etc/sources.list" -o "Dir::Etc::sourceparts=$work/etc/sources.list.d"
  -o "Dir::Etc::preferences=$work/etc/preferences" -o "Dir::Etc::preferencesparts=$work/etc/preferences.d"
  -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work/cache"
  -o "Dir::Cache::archives=$work/cache/archives" -o "Debug::NoLocking=true" -o "APT::Sandbox::User="
  -o "APT::Architecture=amd64" -o "APT::Architectures=amd64" -o "APT::Update::Post-Invoke=" -q)

apt-get "${options[@]}" update
(cd "$work/debs" && apt-get "${options[@]}" download libnvrtc11.2 libnvrtc-builtins11.8 nvidia-cuda-toolkit)

# Of the toolkit only ptxas: the rest is 300 MB that nothing here uses.
mkdir -p "$folder"
for package in "$work"/debs/libnvrtc*.deb; do
  dpkg -x "$package" "$folder"
done
dpkg --fsys-tarfile "$work"/debs/nvidia-cuda-toolkit*.deb \
  | tar -x -C "$folder" ./usr/bin/ptxas ./usr/share/doc/nvidia-cuda-toolkit/copyright

find "$folder" \( -name 'libnvrtc*.so*' -o -name ptxas \) | sort
