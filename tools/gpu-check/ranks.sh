#!/usr/bin/env bash
# Two processes that exchange values by NCCL must leave the weights that one process leaves, byte for byte.
# usage: ranks.sh PROGRAM FOLDER
# On one GPU this needs NCCL 2.30 or later, which lets two processes share it.
# Exit code: 0 equal, 1 different, 77 where it cannot be tried; the first line then says why.
set -uo pipefail
program=$1 folder=$2
command -v mpirun > /dev/null || { echo "needs mpirun"; exit 77; }
work=(run --device cuda --deterministic --replicas 2 --arms dense,ticket --epochs 1 --quiet)
mkdir -p "$folder"
rm -rf "$folder/ranks-one" "$folder/ranks-two"
"$program" "${work[@]}" --out "$folder/ranks-one" > /dev/null || exit
export NCCL_MULTI_RANK_GPU_ENABLE=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
mpirun -n 2 "$program" "${work[@]}" --ranks nccl --out "$folder/ranks-two" > /dev/null 2> "$folder/ranks.err"
code=$?
if [ "$code" -ne 0 ]; then
  grep -o -m 1 'NCCL cannot join these GPUs: .*' "$folder/ranks.err" && exit 77
  cat "$folder/ranks.err" >&2
  exit "$code"
fi
sums() { (cd "$1" && find . -type f -name '*.safetensors' -exec sha256sum {} + | sort -k 2); }
one=$(sums "$folder/ranks-one")
[ -n "$one" ] || { echo "no weights were written" >&2; exit 1; }
diff <(echo "$one") <(sums "$folder/ranks-two") >&2 || { echo "the weights of two processes differ" >&2; exit 1; }
echo "$(wc -l <<< "$one") files are equal"
