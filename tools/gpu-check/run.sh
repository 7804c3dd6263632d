#!/usr/bin/env bash
# Checks BoostingTicket on a machine with an NVIDIA GPU; needs no .NET. Unpack gpu-check.tar.gz and start this in it.
#   run.sh [--out FOLDER] [--cifar10 FOLDER] [--budget SECONDS] [--python PROGRAM] [--no-pytorch]
# --cifar10 names the folder in which cifar-10-batches-bin lies. Writes gpu-check.md and gpu-check.json into --out (default:
# results) after every step, the most important steps first, so that a run that is cut off leaves what it has.
# Exit code: 0 if every step passed, 1 if one failed, 2 for wrong options.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=results cifar10= budget=520 python=python3 pytorch=1
while [ $# -gt 0 ]; do
  case $1 in
    --out | --cifar10 | --budget | --python)
      [ $# -ge 2 ] || { echo "$1 needs a value." >&2; exit 2; }
      declare "${1#--}=$2"
      shift 2 ;;
    --no-pytorch) pytorch=0; shift ;;
    *) echo "There is no option '$1'; see the first lines of $0." >&2; exit 2 ;;
  esac
done
case $budget in '' | *[!0-9]*) echo "--budget has to be whole seconds." >&2; exit 2 ;; esac

if [ -n "$cifar10" ]; then
  cifar10=$(cd "$cifar10" && pwd) || { echo "--cifar10 has to name a folder." >&2; exit 2; }
fi

program=$here/bin/boosting-ticket
tests=$here/bin/BoostingTicket.Engine.Tests
mkdir -p "$out/steps" || exit 2
out=$(cd "$out" && pwd)
rm -rf "$out/steps" "$out/runs" "$out/pytorch.jsonl"
mkdir -p "$out/steps"
export NO_COLOR=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
commit=$(paste -sd ' ' "$here/COMMIT" 2> /dev/null)
started=$SECONDS
begun=$(date -u +%Y-%m-%dT%H:%M:%SZ)
names=() codes=() seconds=()

# Results are to be shown to others: no folder of this machine in them.
shorten() { sed -e "s#$out#results#g" -e "s#$here/##g" ${cifar10:+-e "s#$cifar10#data#g"}; }

left() { echo $((budget - (SECONDS - started))); }

# step NAME KIND LIMIT COMMAND...: runs a command for at most LIMIT seconds and what is left of the budget.
# KIND json: its standard output is one JSON document. KIND text: it is for people. Both are kept.
step() {
  local name=$1 kind=$2 limit=$3 code=skipped rest began=$SECONDS
  shift 3
  rest=$(left)
  [ "$limit" -le "$rest" ] || limit=$rest
  if [ "$limit" -lt 5 ]; then
    : > "$out/steps/$name.out"
    echo "not started: the $budget seconds of --budget were used up" > "$out/steps/$name.err"
  else
    echo "== $((SECONDS - started)) s: $name" >&2
    timeout -k 5 "$limit" "$@" > "$out/steps/.out" 2> "$out/steps/.err" < /dev/null
    code=$?
    shorten < "$out/steps/.out" > "$out/steps/$name.out"
    shorten < "$out/steps/.err" > "$out/steps/$name.err"
    if [ "$code" -ne 0 ] && [ "$code" -ne 77 ]; then
      echo "   exit code $code" >&2
      tail -q -n 3 "$out/steps/$name.err" "$out/steps/$name.out" | sed 's/^/   /' >&2
    fi
  fi
  names+=("$name") codes+=("$code") seconds+=($((SECONDS - began)))
  describe "$name" "$kind" "$code" $((SECONDS - began)) "$(shorten <<< "$*")" > "$out/steps/$name.json"
  report
  [ "$code" = 0 ]
}

# A number of a step's document: number STEP FIELD
number() { { tr -d ' \n\r\t' < "$out/steps/$1.out"; echo; } | sed -n "s/.*\"$2\":\([0-9.eE+-]*\).*/\1/p"; }

# A timing of this engine: timing MODEL METHOD PRECISION BATCHES
timing() {
  local name=profile-$1-$2-$3 median
  step "$name" json 60 \
    "$program" profile --device cuda --model "$1" --method "$2" --steps 10 --precision "$3" --batch 128 --batches "$4" \
    --json --quiet
  median=$(number "$name" secondsPerBatchMedian)
  [ -z "$median" ] || echo "$1 $2 $3 $median $(number "$name" secondsPerBatchMin) $(number "$name" secondsPerBatchMax)" \
    >> "$out/steps/timings.txt"
  report
}

# Timings in PyTorch: peers NAME LIMIT OPTION...; its lines are kept one by one.
peers() {
  local name=$1 limit=$2 rest
  shift 2
  [ "$pytorch" = 1 ] || return 0
  rest=$(left)
  [ "$limit" -le "$rest" ] || limit=$rest
  # Between two results it looks at the clock itself; compilers may take longer than that.
  step "$name" text "$limit" \
    "$python" "$here/pytorch/benchmark.py" --out "$out/pytorch.jsonl" --quick \
    --time-budget "$((limit > 30 ? limit - 15 : limit / 2))" "$@"
}

json_string() {
  sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/\t/\\t/g' "$@" | tr -d '\000-\010\013-\037' \
    | awk '{ printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }'
}

# One step of gpu-check.json: describe NAME KIND CODE SECONDS COMMAND
describe() {
  local file=$out/steps/$1 code=$3
  [ "$code" != skipped ] || code=null
  printf '    {\n      "name": "%s",\n      "command": "%s",\n      "exitCode": %s,\n      "seconds": %s,\n' \
    "$1" "$(json_string <<< "$5")" "$code" "$4"
  if [ "$2" = json ] && [ "$3" = 0 ] && [ "$(head -c 1 "$file.out")" = "{" ]; then
    printf '      "result": %s\n    }' "$(cat "$file.out")"
  else
    printf '      "output": "%s",\n      "error": "%s"\n    }' \
      "$(tail -n 60 "$file.out" | json_string)" "$(tail -n 30 "$file.err" | json_string)"
  fi
}

write_json() {
  local i separator=
  printf '{\n  "schema": 1,\n  "started": "%s",\n  "commit": "%s",\n' "$begun" "$(json_string <<< "$commit")"
  printf '  "machine": "%s",\n  "gpu": "%s",\n  "budgetSeconds": %s,\n  "seconds": %s,\n  "steps": [' \
    "$(uname -srm | json_string)" "$(json_string <<< "$gpu")" "$budget" "$((SECONDS - started))"
  for i in "${!names[@]}"; do
    printf '%s\n' "$separator"
    cat "$out/steps/${names[$i]}.json"
    separator=,
  done
  printf '\n  ],\n  "pytorch": ['
  # Lines that were cut off have no closing brace.
  grep -a '^{.*}$' "$out/pytorch.jsonl" 2> /dev/null | awk '{ printf "%s\n    %s", (NR > 1 ? "," : ""), $0 }'
  printf '\n  ]\n}\n'
}

# The table of both engines' times: lines of timings.txt and of pytorch.jsonl, in the order in which they came.
write_timings() {
  cat "$out/steps/timings.txt" "$out/pytorch.jsonl" 2> /dev/null | awk '
    function text(name,   found) {
      if (!match($0, "\"" name "\": \"[^\"]*\"")) return ""
      found = substr($0, RSTART, RLENGTH)
      sub(/^"[^"]*": "/, "", found)
      return substr(found, 1, length(found) - 1)
    }
    function milliseconds(value) { return value == "" ? "–" : sprintf("%.2f", 1000 * value) }
    function remember(key) { if (!(key in seen)) { seen[key] = 1; keys[++count] = key } }
    /^[a-z]/ {
      key = $1 " | " $2 " | " $3
      remember(key)
      ours[key] = $4
      range[key] = " (" milliseconds($5) " to " milliseconds($6) ")"
    }
    /^{.*}$/ && text("status") == "ok" && match($0, /"seconds_per_batch_median": [0-9.eE+-]+/) {
      value = substr($0, RSTART + 28, RLENGTH - 28)
      key = text("model") " | " text("method") " | " text("precision")
      remember(key)
      theirs[key, text("variant")] = value
      if (!(key in best) || value + 0 < best[key] + 0) best[key] = value
    }
    END {
      if (count == 0) exit
      print "\n## Milliseconds a step of 128 images\n"
      print "Medians; behind ours the least and the most. " \
        "The ratio is the time of PyTorch\047s fastest variant over ours: above 1, ours is"
      print "faster.\n"
      print "| model | method | precision | ours | PyTorch eager | graph | compile | compile-graph | ratio |"
      print "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
      for (i = 1; i <= count; i++) {
        key = keys[i]
        printf "| %s | %s%s | %s | %s | %s | %s | %s |\n", key, milliseconds(ours[key]), range[key], \
          milliseconds(theirs[key, "eager"]), milliseconds(theirs[key, "graph"]), milliseconds(theirs[key, "compile"]), \
          milliseconds(theirs[key, "compile-graph"]), \
          ((key in ours) && ours[key] > 0 && (key in best)) ? sprintf("%.2f", best[key] / ours[key]) : "–"
      }
    }'
}

# How each pass of each convolution is computed: the list "convolutions" of the profiles' documents, of which each field has a
# line.
write_convolutions() {
  local file
  for file in "$out/steps/"profile-*-pgd-bf16.out; do
    [ -s "$file" ] || continue
    awk -v name="$(basename "$file" .out)" '
      function value(line) {
        sub(/^[^:]*: */, "", line)
        sub(/,? *\r?$/, "", line)
        gsub(/^"|"$/, "", line)
        gsub(/\|/, "/", line)
        return line
      }
      function number(text, format) { return text == "" || text == "null" ? "–" : sprintf(format, text) }
      function word(text) { return text == "true" ? "yes" : text == "false" ? "no" : "–" }
      /^ *"convolutions": *\[ *$/ { inside = 1; next }
      inside && /^ *\]/ { exit }
      inside && /^ *"work":/ { work = value($0) }
      inside && /^ *"way":/ { way = value($0) }
      inside && /^ *"fused":/ { fused = value($0) }
      inside && /^ *"accumulates":/ { sum = value($0) }
      inside && /^ *"check":/ { check = value($0) }
      inside && /^ *"milliseconds":/ { time = value($0) }
      inside && /^ *"teraOperationsPerSecond":/ { rate = value($0) }
      inside && /^ *}/ {
        if (!rows++) {
          print "\n## Convolutions of " name "\n"
          print "| pass | algorithm | fused | beta 1 | values | ms | TFLOP/s |\n| --- | --- | --- | --- | --- | --- | --- |"
        }
        print "| " work " | " way " | " word(fused) " | " word(sum) " | " check " | " \
          number(time, "%.3f") " | " number(rate, "%.1f") " |"
        work = way = fused = sum = check = time = rate = ""
      }' "$file"
  done
}

write_markdown() {
  local i result name
  printf '# GPU check\n\n%s; %s; commit %s; %s s of %s.\n\n' \
    "${gpu:-no GPU seen by nvidia-smi}" "$begun" "${commit:-unknown}" "$((SECONDS - started))" "$budget"
  write_convolutions
  printf '\n## Steps\n\n| step | result | seconds |\n| --- | --- | --- |\n'
  for i in "${!names[@]}"; do
    case ${codes[$i]} in
      0) result=passed ;;
      skipped) result="not started, out of time" ;;
      77) result="skipped: $(head -n 1 "$out/steps/${names[$i]}.out")" ;;
      replaced) result="found no libraries by itself; see devices-python" ;;
      124 | 137) result="cut off at its time limit" ;;
      *) result="**failed**, exit code ${codes[$i]}" ;;
    esac
    printf '| %s | %s | %s |\n' "${names[$i]}" "$result" "${seconds[$i]}"
  done
  write_timings
  if [ -s "$out/steps/tests.out" ]; then
    printf '\n## CUDA tests on the GPU\n\n```\n'
    grep -a -A 5 'Test run summary' "$out/steps/tests.out" || tail -n 8 "$out/steps/tests.out"
    printf '```\n'
  fi
  for name in run-builtin run-builtin-plain run-cifar10; do
    [ -e "$out/runs/$name/summary.md" ] || continue
    printf '\n## %s\n\n' "$name"
    # Its headings go two levels down.
    sed 's/^#/###/' "$out/runs/$name/summary.md" | shorten
  done
  for i in "${!names[@]}"; do
    case ${codes[$i]} in 0 | 77 | skipped | replaced) continue ;; esac
    printf '\n## What %s said last\n\n```\n' "${names[$i]}"
    tail -n 40 "$out/steps/${names[$i]}.out"
    tail -n 20 "$out/steps/${names[$i]}.err"
    printf '```\n'
  done
}

report() {
  write_json > "$out/.json" && mv "$out/.json" "$out/gpu-check.json"
  write_markdown > "$out/.md" && mv "$out/.md" "$out/gpu-check.md"
}

gpu=$(timeout 20 nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2> /dev/null | head -n 1)
trap 'report; exit 1' INT TERM

# Where Python keeps its packages, NVIDIA's among them: as it says itself, should they lie in an unusual place.
python_packages() {
  "$python" -c 'import site, sysconfig; print(":".join(dict.fromkeys(
    [sysconfig.get_paths()["purelib"], *site.getsitepackages(), site.getusersitepackages()])))' 2> /dev/null
}

if ! step devices json 30 "$program" devices --device cuda --json \
  && ! { packages=$(python_packages) && [ -n "$packages" ] \
    && export BOOSTING_TICKET_CUDA_PATH="${BOOSTING_TICKET_CUDA_PATH:+$BOOSTING_TICKET_CUDA_PATH:}$packages" \
    && step devices-python json 30 "$program" devices --device cuda --json && codes[0]=replaced; }; then
  echo "The program can use no GPU here, so nothing else was started; $out/gpu-check.md says why." >&2
  exit 1
fi
# A run of which every test was skipped fails; so does every test that finds no GPU.
step tests text 150 env BOOSTING_TICKET_REQUIRE_CUDA=1 "$tests" --filter 'TestCategory=Gpu|FullyQualifiedName~"gpu"' \
  --zero-tests-policy strict --no-ansi --progress off --show-stdout Failed --results-directory "$out/steps"
if ! step run-builtin json 60 "$program" run --device cuda --out "$out/runs/run-builtin" --json --quiet; then
  # Call by call, each waited for: what fails then is named.
  step run-builtin-plain json 60 env BOOSTING_TICKET_CUDA_GRAPHS=0 CUDA_LAUNCH_BLOCKING=1 \
    "$program" run --device cuda --out "$out/runs/run-builtin-plain" --json --quiet
fi
if [ -n "$cifar10" ]; then
  step run-cifar10 json 80 "$program" run --device cuda --preset cifar10-resnet18 --data "$cifar10" --epochs 2 \
    --train-samples 20000 --test-samples 1000 --out "$out/runs/run-cifar10" --json --quiet
fi
step ranks text 60 "$here/ranks.sh" "$program" "$out/runs"

# PGD-10 first, in every model, then the same in PyTorch; the large networks do fewer steps, but enough for clocks to settle.
declare -A count=([lenet]=400 [vgg16]=60 [resnet18]=40 [wrn-34-10]=30)
for model in resnet18 wrn-34-10 vgg16 lenet; do timing "$model" pgd bf16 "${count[$model]}"; done
peers pytorch-pgd 90 --methods pgd --precisions bf16
for model in resnet18 wrn-34-10 vgg16 lenet; do timing "$model" pgd tf32 "${count[$model]}"; done
for method in fgsm natural; do
  for model in resnet18 wrn-34-10 vgg16 lenet; do
    for precision in bf16 tf32; do timing "$model" "$method" "$precision" "$((4 * ${count[$model]}))"; done
  done
done
peers pytorch-pgd-tf32 60 --methods pgd --precisions tf32
peers pytorch-rest 90 --methods fgsm,natural
# What is left goes to the compiler, whose first result alone may take a minute.
if [ "$pytorch" = 1 ]; then
  rest=$(left)
  step pytorch-compiled text "$rest" "$python" "$here/pytorch/benchmark.py" --out "$out/pytorch.jsonl" --repetitions 3 \
    --batches 50 --methods pgd --precisions bf16 --variants compile,compile-graph --time-budget "$((rest > 90 ? rest - 75 : 1))"
fi

report
echo "$out/gpu-check.md and $out/gpu-check.json, after $((SECONDS - started)) s" >&2
for code in "${codes[@]}"; do
  case $code in 0 | 77 | skipped | replaced) ;; *) exit 1 ;; esac
done
