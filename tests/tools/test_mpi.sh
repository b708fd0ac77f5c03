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

# run STEPS PATIENCE CHECKPOINT: two processes, one at each end of the wire
run() {
    timeout -k 5 180 ip netns exec "$one" unshare --uts sh -c 'hostname first; exec "$@"' sh \
        mpirun --allow-run-as-root -n 2 --hostfile "$scratch/hosts" --map-by node --bind-to none \
        --mca plm_rsh_agent "$scratch/agent" --mca btl tcp,self --mca btl_tcp_if_include $network.0/24 \
        --mca oob_tcp_if_include $network.0/24 --mca oob_tcp_keepalive_time 2 --mca oob_tcp_keepalive_intvl 1 \
        --mca oob_tcp_keepalive_probes 2 -x OMP_NUM_THREADS=1 \
        "$program" --worker 7 "$1" -1 "$2" "$3"
}
weights() { sed -n 's/^result [^ ]* [^ ]* [^ ]* \([0-9a-f]*\) 2 .*/\1/p' "$1"; }

passed=0 failed=0
check() { # check NAME COMMAND…
    name=$1
    shift
    if "$@" >"$scratch/said" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL: $name"
        head -c 400 "$scratch/said"
        tail -n 12 "$scratch/log" | sed 's/^/    /'
    fi
}

run 20 60 "$scratch/fast.safetensors" >"$scratch/log" 2>&1
check "two machines train over a wire" [ $? -eq 0 ]
fast=$(weights "$scratch/log")
check "and end with equal weights" [ -n "$fast" ]

# 20 Mbit/s: each step's 0.4 MB take a sixth of a second
tc -n "$one" qdisc add dev course0 root netem delay 10ms rate 20mbit 2>/dev/null ||
    tc -n "$one" qdisc add dev course0 root tbf rate 20mbit burst 32kb latency 400ms || exit 2
run 20 60 "$scratch/slow.safetensors" >"$scratch/log" 2>&1
check "they train over a slow wire" [ $? -eq 0 ]
check "to the same bits" [ "$(weights "$scratch/log")" = "$fast" ]
tc -n "$one" qdisc del dev course0 root

# The wire is cut as soon as there is a checkpoint; the run must end by itself, say why, and leave a whole checkpoint.
run 100000 5 "$scratch/cut.safetensors" >"$scratch/log" 2>&1 &
started=$!
for _ in $(seq 600); do
    [ ! -e "$scratch/cut.safetensors" ] || break
    sleep 0.1
done
ip -n "$one" link set course0 down
begun=$(date +%s)
wait "$started"
status=$?
started=""
took=$(($(date +%s) - begun))
check "over a wire that is cut, the run ends by itself" [ $status -ne 0 ] && check "and soon" [ $took -le 60 ]
check "it says who cannot be reached" grep -qE '^gave up: process [01] has waited 5 s|lost communication' "$scratch/log"
step=$(sed -n 's/^checkpoint: step //p' "$scratch/log" | tail -n 1)
ip -n "$one" link set course0 up
run $((${step:-0} + 20)) 60 "$scratch/cut.safetensors" >"$scratch/log" 2>&1
mended=$(weights "$scratch/log")
run $((${step:-0} + 20)) 60 "$scratch/whole.safetensors" >"$scratch/log" 2>&1
check "with the wire mended, it goes on from its checkpoint to the bits of a run that was never cut" \
    [ -n "$mended" -a "$mended" = "$(weights "$scratch/log")" ]

[ -z "${SUITE_RESULT-}" ] || echo "$passed passed, $failed failed" >"$SUITE_RESULT"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
