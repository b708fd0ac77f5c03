# checks.sh: what the scripts that try a tool share; they read it in with "." when $scratch, a folder of their own, is there.

passed=0 failed=0

check() { # check NAME COMMAND…: the command must succeed
    name=$1
    shift
    if "$@" >"$scratch/said" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL: $name"
        head -c 600 "$scratch/said"
    fi
}
