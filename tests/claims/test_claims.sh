#!/bin/sh
# test_claims.sh: claims are proven by breaking their idea. Each entry of tests/claims/NN.txt changes chapter NN's source, and
# the claim that it names must then fail.
#
#   sh tests/claims/test_claims.sh TREE "COMPILER AND FLAGS" "LIBRARIES" [N]
#
# An entry:
#   == name                     one of a kind in its file
#   claim: the beginning of the claim's sentence, as the chapter prints it
#   why: what the edit breaks
#   skip: f g                   the calls of f and g in main, which take time and have nothing to do with it, are left out
#   - old text                  exactly once in the source
#   + new text
# With N all of that chapter's entries; with FULL=1 all there are; else eight or a few more, others each day.
set -u
export LC_ALL=C.UTF-8
tree=$1 compiler=$2 libraries=$3 only=${4-}
every=$(($(cat tests/claims/*.txt | grep -c '^== ') / 8)) first=$(date +%j | sed 's/^0*//')
[ $every -gt 0 ] && [ -z "$only${FULL-}" ] || every=1
scratch=$(mktemp -d "${TMPDIR:-/tmp}/course-claims-XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
unset FULL # the chapters would train longer

field() { # name of the field, file, entry
    awk -v field="$1: " -v entry="$3" '/^== / { inside = substr($0, 4) == entry }
        inside && index($0, field) == 1 { print substr($0, length(field) + 1); exit }' "$2"
}

# The edit of one entry must make its claim fail: silent when it does, else one complaint.
try() { # entries, entry, folder, source
    claim=$(field claim "$1" "$2")
    [ -n "$claim" ] || { echo "$1: $2: no claim is named"; return; }
    [ -n "$(field why "$1" "$2")" ] || { echo "$1: $2: why is not said"; return; }
    grep -qF "✓ $claim" "$3/README.md" || { echo "$1: $2: $3/README.md has no claim \"✓ $claim\""; return; }
    awk -v entry="$2" -f tests/claims/edit.awk "$1" "$4" >"$scratch/broken.c" 2>"$scratch/said" || { cat "$scratch/said"; return; }
    packages_cflags=$(sh common/tools/packages.sh cflags "$3") packages_libs=$(sh common/tools/packages.sh libs "$3")
    $compiler -g0 -w -I"$3" $packages_cflags "$scratch/broken.c" "$tree/libcommon.a" $packages_libs $libraries -o "$scratch/broken" 2>"$scratch/said" ||
        { echo "$1: $2: with the edit, the chapter cannot be built: $(head -1 "$scratch/said")"; return; }
    timeout 900 "$scratch/broken" --quiet --figures "$scratch/figures" >"$scratch/out" 2>"$scratch/said"
    status=$?
    if [ $status -ne 1 ] || ! grep -qE '^[0-9]+ of [0-9]+ claims? holds?' "$scratch/out"; then
        echo "$1: $2: expected a lesson that ends with claims that do not hold, and status 1; the status is $status: $(tail -1 "$scratch/said")"
    elif ! grep -qF "✗ $claim" "$scratch/out"; then
        echo "$1: $2: the edit was made, and this claim did not fail: $claim"
        grep '^✗' "$scratch/out" | sed 's/^/    instead: /'
    fi
}

# Claims on a page that no entry breaks.
unbroken() { # entries, page
    awk 'FNR == NR { if (sub(/^claim: /, "")) claims[count++] = $0; next }
        sub(/^✓ /, "") { for (i = 0; i < count; i++) if (index($0, claims[i]) == 1) next; print FILENAME ": no entry breaks: " $0 }' "$1" "$2"
}

number=0 tried=0 failed=0
for entries in tests/claims/*.txt; do
    chapter=${entries##*/} chapter=${chapter%.txt}
    for folder in chapters/"$chapter"-*; do break; done
    [ -z "$only" ] || [ "${chapter#0}" = "$only" ] || continue
    name=${folder##*/"$chapter"-}
    unbroken "$entries" "$folder/README.md" >"$scratch/complaint"
    failed=$((failed + $(wc -l <"$scratch/complaint")))
    cat "$scratch/complaint"
    sed -n 's/^== //p' "$entries" >"$scratch/names"
    while read -r entry; do
        number=$((number + 1))
        [ $((number % every)) -eq $((first % every)) ] || continue
        tried=$((tried + 1))
        try "$entries" "$entry" "$folder" "$folder/$(echo "$name" | tr - _).c" </dev/null >"$scratch/complaint"
        if [ -s "$scratch/complaint" ]; then
            failed=$((failed + 1))
            cat "$scratch/complaint"
        else
            echo "chapter ${chapter#0}, $entry: the claim fails, as it should"
        fi
    done <"$scratch/names"
done
[ $tried -gt 0 ] || { echo "no chapter ${only:-at all} in tests/claims"; exit 1; }
echo "tried $tried of $number changes that must break a claim"
echo "$((tried > failed ? tried - failed : 0)) passed, $failed failed"
[ $failed -eq 0 ]
