#!/bin/sh
# test_mpi.sh: chapter 33's training in two processes that have nothing in common but a network: two network namespaces of this
# machine, joined by one wire. The wire is fast, slow, and cut.
#
#   sh tests/tools/test_mpi.sh PROGRAM      chapter 33's program; as root, with Open MPI and iproute2
#
# Where namespaces cannot be made it says so, and passes.
set -u
export LC_ALL=C.UTF-8
program=$(realpath "$1") || exit 2
one=course-$$-a two=course-$$-b
scratch=$(mktemp -d "${TMPDIR:-/tmp}/test-mpi-XXXXXX") || exit 2
started=""
# shellcheck disable=SC2317
clean_up() {
    [ -z "$started" ] || kill "$started" 2>/dev/null
    for name in "$one" "$two"; do
        ip netns pids "$name" 2>/dev/null | xargs -r kill -KILL 2>/dev/null
        ip netns del "$name" 2>/dev/null
    done
    rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

skip() { echo "test-mpi: not tried: $*"; exit 0; }
command -v mpirun >/dev/null 2>&1 || skip "there is no mpirun. Type: make setup"
command -v ip >/dev/null 2>&1 && command -v tc >/dev/null 2>&1 || skip "there is no ip and tc. Type: sudo apt-get install iproute2"
[ "$(id -u)" -eq 0 ] || skip "networks are made by root only. Type: sudo make test-mpi"
ip netns add "$one" 2>"$scratch/why" && ip netns add "$two" 2>"$scratch/why" &&
    ip link add course0 netns "$one" type veth peer name course0 netns "$two" 2>"$scratch/why" ||
    skip "this machine makes no network namespaces: $(cat "$scratch/why")"
network=10.213.77
ip -n "$one" addr add $network.1/24 dev course0 && ip -n "$two" addr add $network.2/24 dev course0 || exit 2
for name in "$one" "$two"; do
    ip -n "$name" link set lo up && ip -n "$name" link set course0 up || exit 2
done

# What mpirun takes for ssh: it gets the machine and the command. The other machine has a name of its own.
cat >"$scratch/agent" <<END
#!/bin/sh
shift
exec ip netns exec $two unshare --uts sh -c 'hostname second; exec sh -c "\$*"' sh "\$@"
END
chmod +x "$scratch/agent"
printf '%s slots=1\n' $network.1 $network.2 >"$scratch/hosts"

# run STEPS PATIENCE CHECKPOINT [BUCKET [KILLED_AT [SLOWER]]]: two processes, one at each end of the wire. They send all at the end
# of a step, or overlapped: a bucket as soon as that many numbers are final. SLOWER: microseconds more at each node.
at_the_end=1000000000 bucket=16384
run() {
    timeout -k 5 180 ip netns exec "$one" unshare --uts sh -c 'hostname first; exec "$@"' sh \
        mpirun --allow-run-as-root -n 2 --hostfile "$scratch/hosts" --map-by node --bind-to none \
        --mca plm_rsh_agent "$scratch/agent" --mca btl tcp,self --mca btl_tcp_if_include $network.0/24 \
        --mca oob_tcp_if_include $network.0/24 --mca oob_tcp_keepalive_time 2 --mca oob_tcp_keepalive_intvl 1 \
        --mca oob_tcp_keepalive_probes 2 -x OMP_NUM_THREADS=1 \
        "$program" --worker 7 "$1" "${5:--1}" "$2" "$3" "${4:-$at_the_end}" "${6:-0}"
}
messages() { sed -n 's/^result [^ ]* [^ ]* [^ ]* [^ ]* 2 \([^ ]*\) .*/\1/p' "$1"; }
weights() { sed -n 's/^result [^ ]* [^ ]* [^ ]* \([0-9a-f]*\) 2 .*/\1/p' "$1"; }

. "$(dirname "$0")/checks.sh"

# check, and where it fails, what the processes said last
check_run() {
    before=$failed
    check "$@"
    [ "$failed" -eq "$before" ] || tail -n 12 "$scratch/log" | sed 's/^/    /'
}

run 20 60 "$scratch/fast.safetensors" >"$scratch/log" 2>&1
check_run "two machines train over a wire" [ $? -eq 0 ]
fast=$(weights "$scratch/log")
check_run "and end with equal weights" [ -n "$fast" ]

# 20 Mbit/s: each step's 0.4 MB take a sixth of a second
tc -n "$one" qdisc add dev course0 root netem delay 10ms rate 20mbit 2>/dev/null ||
    tc -n "$one" qdisc add dev course0 root tbf rate 20mbit burst 32kb latency 400ms || exit 2
run 20 60 "$scratch/slow.safetensors" >"$scratch/log" 2>&1
check_run "they train over a slow wire" [ $? -eq 0 ]
check_run "to the same bits" [ "$(weights "$scratch/log")" = "$fast" ]
run 20 60 "$scratch/overlapped.safetensors" $bucket >"$scratch/log" 2>&1
check_run "sending while they compute, they train over it too" [ $? -eq 0 ]
check_run "to the same bits" [ "$(weights "$scratch/log")" = "$fast" ]
check_run "with 14 messages a step" [ "$(messages "$scratch/log")" = 0x1.cp+3 ]
# The second dies when its first bucket is on the wire.
run 20 60 "$scratch/killed.safetensors" $bucket 17 >"$scratch/log" 2>&1
check_run "where one is killed in the middle of such a step, the run ends" [ $? -ne 0 ]
check_run "it says who died" grep -q 'process rank 1 .*on signal 9' "$scratch/log"
check_run "after the checkpoint of step 10" [ "$(sed -n 's/^checkpoint: step //p' "$scratch/log")" = 10 ]
run 20 60 "$scratch/killed.safetensors" >"$scratch/log" 2>&1
check_run "from which it goes on to the same bits" [ "$(weights "$scratch/log")" = "$fast" ]
# A backward of a fifth of a second, as long as the messages: they must travel meanwhile. The machine may be busy: three tries.
milliseconds() { # of a step
    hex=$(sed -n 's/^result \([^ ]* \)\{7\}\([^ ]*\) .*/\2/p' "$scratch/log")
    printf '%.3f' "${hex:-0}" | awk '{ printf "%.0f", 1000 * $1 }'
}
saved=no
for _ in 1 2 3; do
    run 9 60 "$scratch/none" $at_the_end -1 10000 >"$scratch/log" 2>&1
    plain=$(milliseconds)
    run 9 60 "$scratch/none" $bucket -1 10000 >"$scratch/log" 2>&1
    overlapped=$(milliseconds)
    echo "a step of a larger model over the slow wire: $plain ms, overlapped $overlapped ms"
    [ "$overlapped" -eq 0 ] || [ $((10 * overlapped)) -gt $((8 * plain)) ] || { saved=yes; break; }
done
check_run "overlapped, a step of a larger model takes at most four fifths of the time" [ $saved = yes ]
tc -n "$one" qdisc del dev course0 root

# The wire is cut as soon as there is a checkpoint; the run must end by itself, say why, and leave a whole checkpoint.
cut() { # cut HOW BUCKET
    run 100000 5 "$scratch/cut-$2.safetensors" "$2" >"$scratch/log" 2>&1 &
    started=$!
    for _ in $(seq 600); do
        [ ! -e "$scratch/cut-$2.safetensors" ] || break
        sleep 0.1
    done
    check_run "$1: there is a checkpoint within a minute" [ -e "$scratch/cut-$2.safetensors" ]
    ip -n "$one" link set course0 down
    begun=$(date +%s)
    wait "$started"
    status=$?
    started=""
    took=$(($(date +%s) - begun))
    check_run "$1: over a wire that is cut, the run ends by itself" [ $status -ne 0 ] && check "$1: and soon" [ $took -le 60 ]
    check_run "$1: it says who cannot be reached" \
        grep -qE '^gave up: process [01] has waited 5 s|lost communication' "$scratch/log"
    step=$(sed -n 's/^checkpoint: step //p' "$scratch/log" | tail -n 1)
    ip -n "$one" link set course0 up
    run $((${step:-0} + 20)) 60 "$scratch/cut-$2.safetensors" >"$scratch/log" 2>&1
    mended=$(weights "$scratch/log")
    run $((${step:-0} + 20)) 60 "$scratch/whole-$2.safetensors" >"$scratch/log" 2>&1
    check_run "$1: with the wire mended, it goes on from its checkpoint to the bits of a run that was never cut" \
        [ -n "$mended" -a "$mended" = "$(weights "$scratch/log")" ]
}
cut "at the end" $at_the_end
cut overlapped $bucket

[ -z "${SUITE_RESULT-}" ] || echo "$passed passed, $failed failed" >"$SUITE_RESULT"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
