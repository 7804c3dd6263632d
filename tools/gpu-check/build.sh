#!/usr/bin/env bash
# Builds what a machine with a GPU and no .NET needs to check BoostingTicket: the program, the engine's tests and the PyTorch
# benchmark, self-contained, in one archive of at most 64 MiB. usage: build.sh [FOLDER]   (default: artifacts/gpu-check)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:-$root/artifacts/gpu-check}
runtime=${RUNTIME:-linux-x64}
limit=$((64 * 1024 * 1024))
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

if [ -e "$out" ] && [ ! -e "$out/.gpu-check" ]; then
  echo "$out exists and is not a folder that this script made; remove it or name another." >&2
  exit 2
fi
rm -rf "$out"
mkdir -p "$out/gpu-check/bin" "$out/gpu-check/pytorch"
touch "$out/.gpu-check"

# Both programs share one folder, so that .NET travels once.
publish() {
  echo "== publish $1"
  dotnet publish "$root/$1" -c Release -r "$runtime" --self-contained -p:DebugType=none -o "$out/gpu-check/bin" "${@:2}" \
    | grep -v -e '^ *$' -e 'Restored' -e 'up-to-date'
}
publish tests/BoostingTicket.Engine.Tests -p:EnableNUnitRunner=true
publish src/BoostingTicket.Cli
# Documentation for editors, and what only a debugger or Visual Studio loads.
rm -rf "$out/gpu-check/bin/"*.xml "$out/gpu-check/bin/Microsoft.CodeCoverage" \
  "$out/gpu-check/bin/"{createdump,libmscordbi.so,libmscordaccore.so}

cp "$here/run.sh" "$here/ranks.sh" "$here/README.md" "$out/gpu-check/"
cp "$root/benchmarks/pytorch/"*.py "$root/benchmarks/pytorch/README.md" "$out/gpu-check/pytorch/"
git -C "$root" rev-parse HEAD > "$out/gpu-check/COMMIT" 2> /dev/null || echo unknown > "$out/gpu-check/COMMIT"
git -C "$root" diff --quiet HEAD 2> /dev/null || echo "with uncommitted changes" >> "$out/gpu-check/COMMIT"

archive=$out/gpu-check.tar.gz
tar -C "$out" -cf - gpu-check | gzip -9 > "$archive"
size=$(wc -c < "$archive")
echo "$archive: $((size / 1048576)) MiB packed, $(du -sm "$out/gpu-check" | cut -f1) MiB unpacked"
if [ "$size" -gt "$limit" ]; then
  echo "The archive has $size bytes, more than the $limit that are allowed." >&2
  exit 1
fi
