#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs our programs and judges what they print. Needs tests/tap.sh, and T, a scratch folder.
build=$(realpath "${BUILD:-build}")
export LC_ALL=C.UTF-8 TZ=UTC

# run PROGRAM ARGUMENT...: sets status, out and err
run() {
        "$build/$1" "${@:2}" >"$T/out" 2>"$T/err" </dev/null
        status=$?
        out=$(<"$T/out")
        err=$(<"$T/err")
}

# expect NAME STATUS OUT ERR: the last run, with a regular expression for each stream; "" means nothing at all
expect() {
        local wrong=
        [ "$status" = "$2" ] || wrong+="status $status, wanted $2"$'\n'
        if [ -z "$3" ]; then [ -z "$out" ]; else [[ $out =~ $3 ]]; fi || wrong+="out: '$out', wanted '$3'"$'\n'
        if [ -z "$4" ]; then [ -z "$err" ]; else [[ $err =~ $4 ]]; fi || wrong+="err: '$err', wanted '$4'"$'\n'
        result "$1" "$wrong"
}

# json NAME EXPRESSION: a condition in Python on the last output, d
json() {
        result "$1" "$(python3 -c '
import json, sys
try:
        d = json.load(sys.stdin)
        ok = eval("(" + sys.argv[1] + ")")
except Exception as e:
        ok, d = False, repr(e)
if not ok:
        print(sys.argv[1], d, sep="\n")' "$2" <"$T/out" 2>&1)"
}

# width NAME COLUMNS: of the last output, which also has no control characters
width() {
        result "$1" "$(python3 -c '
import sys
for line in sys.stdin.read().split("\n"):
        if len(line) > int(sys.argv[1]) or line.rstrip() != line or any(c < " " or c == "\x7f" for c in line):
                print(repr(line))' "$2" <"$T/out" 2>&1)"
}
