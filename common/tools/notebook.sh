#!/bin/sh
# notebook.sh: runs chapters and weaves what they print into their pages. `make weave`, `verify` and `notebooks` call it.
#
#     notebook.sh weave  TREE FOLDER CHAPTER…    writes chapters/NN-name/README.md and the pictures in figures/NN-name/
#     notebook.sh verify TREE FOLDER CHAPTER…    writes both to FOLDER/NN-name/ and compares the page with the committed
#                                                one, byte for byte; exit status 1 when a chapter differs or fails
#     notebook.sh jupyter TREE FOLDER CHAPTER…   writes FOLDER/NN-name.ipynb with the outputs of the committed page; nothing runs
#
# TREE is where make built the programs (build/gcc-native-release), FOLDER takes outputs and logs, CHAPTER is a folder's
# name, "NN-name". Run from the top of the repository. A page is the default run: FULL=1 in the environment is not heard.
set -u
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
unset FULL CDPATH
mode=$1 tree=$2 folder=$3
shift 3

# Tells why a chapter has no page, with the end of what it wrote to standard error.
complain() {
    echo "$chapter: $1" >&2
    [ ! -s "$work/errors.txt" ] || tail -n 20 "$work/errors.txt" | sed 's/^/    /' >&2
}

run_and_weave() { # pictures page
    "$tree/chapters/$chapter/$name" --quiet --figures "$1" >"$work/output.txt" 2>"$work/errors.txt" ||
        { complain "the chapter failed (exit status $?)"; return 1; }
    "$tree/common/tools/weave" "chapters/$chapter/$name.c" "$work/output.txt" -o "$2" 2>"$work/errors.txt" ||
        { complain "the page cannot be woven"; return 1; }
}

compare() { # committed page, page of this run
    [ -f "$1" ] || { complain "there is no $1; make weave writes it"; return 1; }
    if ! cmp -s "$1" "$2"; then
        echo "$chapter: this run differs from $1 (-); after a change that is meant, run make weave" >&2
        diff -u "$1" "$2" | sed -n '3,40p' >&2
        return 1
    fi
    for figure in $(sed -n 's|^!\[.*](../../\(figures/[^)]*\))$|\1|p' "$1"); do
        [ -f "$figure" ] || { complain "$figure is missing; make weave draws it"; return 1; }
    done
}

if [ "$mode" = jupyter ]; then
    mkdir -p "$folder" || exit 1
    for chapter; do
        name=$(printf '%s' "${chapter#*-}" | tr - _)
        "$tree/common/tools/weave" "chapters/$chapter/$name.c" "chapters/$chapter/README.md" --jupyter "figures/$chapter" \
            -o "$folder/$chapter.ipynb" || exit 1
    done
    echo "$folder: $# Jupyter notebooks"
    exit 0
fi

failed=0
for chapter; do
    name=$(printf '%s' "${chapter#*-}" | tr - _)
    work=$folder/$chapter
    mkdir -p "$work/figures" || exit 1
    # Two makes at once would write one output: who comes second waits.
    exec 9>"$work/lock"
    ! command -v flock >/dev/null || flock 9
    rm -f "$work/errors.txt"
    case $mode in
    weave)
        mkdir -p "figures/$chapter" || exit 1
        run_and_weave "figures/$chapter" "chapters/$chapter/README.md" && echo "chapters/$chapter/README.md" ;;
    verify)
        run_and_weave "$work/figures" "$work/README.md" && compare "chapters/$chapter/README.md" "$work/README.md" ;;
    *)
        echo "notebook.sh: weave, verify or jupyter, not $mode" >&2; exit 2 ;;
    esac || failed=$((failed + 1))
done

if [ "$failed" -gt 0 ]; then
    echo "$failed of $# chapters failed" >&2
    exit 1
fi
if [ "$mode" = verify ]; then
    [ $# -eq 1 ] && echo "1 chapter, no difference" || echo "$# chapters, no difference"
fi
