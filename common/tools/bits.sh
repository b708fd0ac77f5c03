#!/bin/sh
# bits.sh: does every compiler, processor and number of threads compute the same bits? `make bits` calls it.
#
# Builds tests/bits.c (one hash for each kernel of the library) and chapter 1 with gcc and clang, for the
# common processor of the last ten years and for this one, and runs them with 1, 2 and 3 threads; and for
# aarch64, where a cross compiler and qemu-user are installed (Debian: gcc-aarch64-linux-gnu
# libc6-dev-arm64-cross qemu-user). What is missing is named and skipped. Prints a table; exit status 0 when
# all runs agree, 1 when one differs or fails.
#
#     BUILD=build MAKE=make [SOME=1] sh common/tools/bits.sh          from the top of the repository
#
# SOME=1: each compiler for one of the two processors, tomorrow for the other, and never with 2 threads.
set -u
case ${1-} in --help) sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
unset CDPATH
build=${BUILD:-build} make=${MAKE:-make}
work=$build/bits
chapter=01-linear-regression/linear_regression
table='%-30s %-11s %7s   %-16s   %s\n'
runs=0 differences=0
built='' emulated=''
unset FULL

# Figures are not drawn: an empty folder is all that a chapter finds of programs.
rm -rf "$work" && mkdir -p "$work/figures" "$work/no-programs" || exit 2

skip() { printf '%s: skipped\n' "$1"; }

# compile CC ARCH NAME=VALUE… TARGET: make, with none of the settings that this make was given
compile() {
    cc=$1 arch=$2
    shift 2
    env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES -u WERROR -u MODE -u CFLAGS -u CPPFLAGS -u LDFLAGS -u LDLIBS \
        $make -s -j "$(getconf _NPROCESSORS_ONLN)" BUILD="$build" CC="$cc" ARCH="$arch" MODE=release "$@" \
        >"$work/make.txt" 2>&1 && return
    echo "$cc -march=$arch cannot build it:" >&2
    tail -n 20 "$work/make.txt" >&2
    return 1
}

digest() { { sha256sum <"$1" 2>/dev/null || shasum -a 256 <"$1"; } | cut -c 1-16; }

fail() {
    echo "$1" >>"$work/differences.txt"
    differences=$((differences + 1))
}

# compare FILE WHO: against the first run's file, line by line; names the first kernels that differ
compare() {
    first=$work/first.${1##*.}
    [ -f "$first" ] || { cp "$1" "$first"; first_run=$2; }
    cmp -s "$first" "$1" && return
    if [ "${1##*.}" = kernels ]; then
        differing=$(diff "$first" "$1" | sed -n 's/^> \([^ ]*\) .*/\1/p')
        fail "$2 differs from $first_run in $(echo "$differing" | wc -l) kernels:"
        echo "$differing" | head -n 6 | sed 's/^/    /' >>"$work/differences.txt"
    else
        fail "$2 differs from $first_run in chapter 1:"
        diff "$first" "$1" | head -n 6 | sed 's/^/    /' >>"$work/differences.txt"
    fi
}

# run CC ARCH THREADS EMULATOR…: both programs of a tree
run() {
    tree=$build/$(basename "$1")-$2-release who="$1 -march=$2, OMP_NUM_THREADS=$3" name=$(basename "$1")-$2-$3
    label="$1 $("$1" -dumpversion)" arch=$2
    export OMP_NUM_THREADS=$3 OMP_DYNAMIC=false OMP_WAIT_POLICY=passive
    shift 3
    runs=$((runs + 1)) kernels=$work/$name.kernels lesson=$work/$name.chapter lesson_digest=-
    if "$@" "$tree/tests/bits" >"$kernels"; then
        compare "$kernels" "$who"
    else
        fail "$who: tests/bits failed"
    fi
    if [ -x "$tree/chapters/$chapter" ]; then
        set -- "$@" "$tree/chapters/$chapter" --quiet --figures "$work/figures"
        if env PATH="$work/no-programs" COURSE_BUILD="$work" "$@" >"$lesson" 2>"$work/$name.errors"; then
            compare "$lesson" "$who"
        else
            fail "$who: chapter 1 failed: $(tail -n 1 "$work/$name.errors")"
        fi
        lesson_digest=$(digest "$lesson")
    fi
    printf "$table" "$label" "$arch" "$OMP_NUM_THREADS" "$(digest "$kernels")" "$lesson_digest"
}

chapter_program() { # CC ARCH: the target's name, nothing when there is no chapter
    [ ! -f "chapters/$chapter.c" ] || echo "$build/$(basename "$1")-$2-release/chapters/$chapter"
}

# build_here CC ARCH: a compiler of this machine, for a processor that this machine can run
build_here() {
    echo 'int main(void) { return 0; }' | "$1" -march="$2" -x c - -o "$work/probe" 2>/dev/null ||
        { skip "$1 does not know -march=$2"; return; }
    compile "$1" "$2" "$build/$(basename "$1")-$2-release/tests/bits" $(chapter_program "$1" "$2") || exit 1
    built="$built $1:$2"
}

# aarch64 on a machine of another kind. Chapter 1 links with zlib, to make pictures small, but draws none
# here: only the header of this machine's zlib is used.
build_emulated() {
    cross=aarch64-linux-gnu-gcc emulator=$(command -v qemu-aarch64) ||
        { skip 'qemu-aarch64 is not installed (Debian: qemu-user)'; return; }
    command -v "$cross" >/dev/null ||
        { skip "$cross is not installed (Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross)"; return; }
    compile "$cross" armv8-a LIBRARIES='-static -lm' "$build/$cross-armv8-a-release/tests/bits" || exit 1
    lesson_program=$(chapter_program "$cross" armv8-a)
    [ -z "$lesson_program" ] ||
        compile "$cross" armv8-a COURSE_CPPFLAGS='-D_GNU_SOURCE -Icommon -idirafter /usr/include' \
            LIBRARIES='-static -Wl,--unresolved-symbols=ignore-all -lm' "$lesson_program" ||
        skip "chapter 1 with $cross"
    emulated=$cross
}

[ -f "chapters/$chapter.c" ] || skip "chapters/$chapter.c is not there"
case $(uname -m) in
x86_64)
    processors='x86-64-v3 native'
    grep -q '^flags.* avx2.* ' /proc/cpuinfo && grep -q '^flags.* fma ' /proc/cpuinfo ||
        { skip 'x86-64-v3: this processor has no AVX2 or no FMA'; processors=native; } ;;
aarch64) processors='armv8-a native' ;;
*) processors=native ;;
esac

threads='1 2 3' emulated_threads='1 3' turn=$(($(date +%j | sed 's/^0*//') % 2))
[ -z "${SOME-}" ] || threads='1 3' emulated_threads=3
for compiler in gcc clang; do
    command -v "$compiler" >/dev/null || { skip "$compiler is not installed"; continue; }
    turn=$((1 - turn)) number=0
    for processor in $processors; do
        number=$((number + 1))
        [ -n "${SOME-}" ] && [ "$processors" != native ] && [ $((number % 2)) -ne "$turn" ] && continue
        build_here "$compiler" "$processor"
    done
done
[ "$(uname -m)" = aarch64 ] || build_emulated

printf "$table" compiler processor threads kernels 'chapter 1'
for pair in $built; do
    for count in $threads; do run "${pair%%:*}" "${pair#*:}" "$count"; done
done
[ -z "$emulated" ] || for count in $emulated_threads; do run "$emulated" armv8-a "$count" "$emulator"; done

if [ "$differences" -gt 0 ]; then
    echo
    cat "$work/differences.txt"
    exit 1
fi
[ "$runs" -gt 0 ] || { echo 'nothing could be run' >&2; exit 1; }
also=$([ ! -f "$work/first.chapter" ] || echo ', chapter 1')
echo "one hash everywhere: $runs runs, $(wc -l <"$work/first.kernels") kernels$also"
