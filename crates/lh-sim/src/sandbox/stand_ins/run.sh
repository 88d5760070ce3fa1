#!/bin/bash
# Runs one command of an agent: run.sh FOLDER, with the script in it. The exit status is there only
# when the output is whole. It ends with nobody: whoever began it may be gone.
here=${0%/*}
job=$1
echo "$$" >"$job/pid"
cd "${here%/.sandbox}" || exit 1
"$here/bin/bash" "$job/script" </dev/null >"$job/out" 2>"$job/err"
echo "$?" >"$job/status.new"
mv "$job/status.new" "$job/status"
