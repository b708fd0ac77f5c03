#!/bin/sh
# live.sh FOLDER [WRITER MODEL]: makes in FOLDER what the pages that compute in the browser need, NAME.files.js for each page NAME:
# modules of WebAssembly (live.mk), chapter 1's data, and with WRITER (model_write.c, built for this machine) the GPT in the
# folder MODEL. live.sh --check only looks whether the tools are there. `make live` calls both; book.sh puts the files into the book.
#
# A page that is opened as a file may not fetch others, but it may run scripts that lie beside it. So the files come as scripts,
# in base64. In the environment, CLANG is the compiler, if not the first of clang, clang-14, clang-19, and LIVE_OBJECTS the folder
# for what is compiled, if not FOLDER/objects.
set -eu
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
unset CDPATH
here=common/tools/live

clang=""
for name in ${CLANG:+"$CLANG"} clang clang-14 clang-19; do
    [ -n "$clang" ] || clang=$(command -v "$name" || :)
done
tried=$(mktemp -d)
trap 'rm -rf "$tried"' EXIT
echo '#include <stdio.h>
int main(void) { return puts("") + printf("%Lf", 1.0L); }' >"$tried/try.c"
if [ -z "$clang" ] || ! "$clang" --target=wasm32-wasi -nostdlibinc -isystem /usr/include/wasm32-wasi "$tried/try.c" -o "$tried/try.wasm" \
    2>"$tried/said"; then
    number=$([ -z "$clang" ] || "$clang" -dumpversion | cut -d . -f 1)
    echo "live.sh: the pages that compute need a clang for WebAssembly. Type: sudo apt-get install clang lld wasi-libc" \
        "libclang-rt-${number:-14}-dev-wasm32" >&2
    [ ! -s "$tried/said" ] || sed 's/^/    /' "$tried/said" | head -n 3 >&2
    exit 1
fi
[ "$1" != --check ] || exit 0

# as_script NAME FILE: a file of the page, as a line of a script
as_script() { printf 'files["%s"] = "%s"\n' "$1" "$(base64 <"$2" | tr -d '\n')"; }

out=$1
objects=${LIVE_OBJECTS:-$out/objects}
mkdir -p "$out"
"${MAKE:-make}" --no-print-directory -s -j "${JOBS:-$(nproc 2>/dev/null || echo 2)}" -f "$here/live.mk" OUT="$objects" CLANG="$clang"
{ as_script descent.wasm "$objects/descent.wasm"; as_script datasets/diabetes.csv datasets/diabetes.csv; } \
    >"$out/01-linear-regression.files.js"
if [ $# -gt 1 ]; then
    "$2" "$3" "$out/model"
    { as_script gpt.wasm "$objects/gpt.wasm"; as_script model "$out/model"; } >"$out/20-tiny-gpt.files.js"
fi
