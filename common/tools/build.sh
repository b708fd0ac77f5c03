#!/bin/sh
# build.sh: has make bring files up to date, with as many compilers at a time as there are processors, and shows how far it
# is: a line that counts on a terminal, otherwise one line before a long wait.
#
#     build.sh [--log FILE] TREE MAKE FILE…     TREE is the folder of the object files, MAKE the command to call (its words
#                                               apart); with --log, what make and the compiler say goes to FILE
#
# A make that was given -j decides itself how many; under make -n, -q or -t nothing is counted and nothing shown.
set -u
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
log=""
[ "$1" != --log ] || { log=$2; shift 2; }
tree=$1 make=$2
shift 2

# MAKEFLAGS begins with the letters of options, and ends with the settings, which are not looked at.
flags=${MAKEFLAGS-}
case $flags in "-- "*) flags="" ;; esac
flags=${flags%% -- *}
letters=${flags%% *}
case $letters in -*) letters="" ;; esac
case " $flags " in
*" -j"* | *" --jobserver"*) ;;
*) make="$make -j$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)" ;;
esac
make="$make --no-print-directory"
case ${V-} in "" | 0 | no | off | false) make="$make -s" ;; esac # without "is up to date" for each file

case $letters in *[nqt]*) exec $make "$@" ;; esac

# The compilers that would be called. When there is nothing at all to do, that is all.
plan=$($make -n -s "$@" 2>/dev/null) && [ -z "$plan" ] && exit 0
total=$(printf '%s\n' "$plan" | grep -c -e ' -MF ')

poller="" mark=""
finish() {
    if [ -n "$poller" ]; then
        kill "$poller" 2>/dev/null
        wait "$poller" 2>/dev/null # whose shell would say "Terminated"
        printf '\r\033[K' >&2
    fi
    [ -z "$mark" ] || rm -f "$mark"
    poller="" mark=""
}
trap finish EXIT
trap 'exit 130' INT TERM

if [ "$total" -ge 3 ] && [ -t 2 ] && mark=$(mktemp); then
    while sleep 0.2; do
        finished=$(find "$tree" -name '*.o' -newer "$mark" 2>/dev/null | wc -l)
        printf '\rcompiling: %d of %d files\r' "$finished" "$total" >&2
    done &
    poller=$!
elif [ "$total" -ge 20 ]; then
    case $letters in *s*) ;; *) echo "compiling $total files, once: half a minute or so" >&2 ;; esac
fi
if [ -n "$log" ]; then
    $make "$@" >"$log" 2>&1
else
    $make "$@"
fi
