#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# TAP for test scripts in bash, which source this: result NAME WHAT-IS-WRONG prints one check, finish the plan.
n=0
failed=0

result() {
        n=$((n + 1))
        if [ -z "$2" ]; then
                echo "ok $n - $1"
        else
                failed=$((failed + 1))
                echo "not ok $n - $1"
                printf '# %s\n' "${2//$'\n'/$'\n# '}"
        fi
}

skip() {
        n=$((n + 1))
        echo "ok $n - $1 # SKIP $2"
}

finish() {
        echo "1..$n"
        exit $((failed > 0))
}
