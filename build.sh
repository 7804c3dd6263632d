#!/usr/bin/env bash
# Builds, tests and packs BoostingTicket.
# usage: build.sh [restore|build|test|pack|kernels|bench]...   (default: restore build test)
set -euo pipefail
root=$(cd "$(dirname "$0")" && pwd)
configuration=${CONFIGURATION:-Release}
[ $# -gt 0 ] || set -- restore build test
for target in "$@"; do
  echo "== $target"
  case $target in
    restore) dotnet restore "$root/BoostingTicket.sln" ;;
    build) dotnet build "$root/BoostingTicket.sln" -c "$configuration" --no-restore ;;
    test) dotnet test "$root/BoostingTicket.sln" -c "$configuration" --no-build ;;
    pack) dotnet pack "$root/BoostingTicket.sln" -c "$configuration" -o "$root/artifacts" ;;
    kernels) dotnet run -c Release --project "$root/tools/BoostingTicket.KernelCompiler" -- --kernels "$root/kernels" ;;
    bench) dotnet run -c Release --project "$root/benchmarks/BoostingTicket.Benchmarks" ;;
    *) echo "There is no target '$target'; choose restore, build, test, pack, kernels or bench." >&2; exit 2 ;;
  esac
done
