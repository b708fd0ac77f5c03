#!/bin/sh
# bundle.sh: carries data sets to machines without a network. One file holds the sets as they lie in datasets/cache, and a
# list of them; whoever takes it out compares every sha256 with the recipes of their own course.
#
#   sh datasets/bundle.sh pack FILE SET…      packs these sets, bringing those that are not here
#   sh datasets/bundle.sh take FILE SET…      puts the sets of a bundle into datasets/cache, and says when one of SET… is
#                                             then missing
#   --cache FOLDER, --recipes FILE and --tools FOLDER are those of fetch.sh
#
# A bundle is a tar file packed by gzip (one that a browser has unpacked is taken as well). Its first member is `course-data`: a
# line "set NAME" for each set, and its lines of datasets/cache/NAME/.done. A file that holds anything but that and
# the files it names, a link, a name that leaves the folder, or more bytes than all sets have together, is refused before
# anything is unpacked; and nothing is put into the cache before every file was found right.

. "$(dirname "$0")/common.sh"

usage="usage: sh datasets/bundle.sh pack|take FILE SET… (see the head of datasets/bundle.sh)"
[ "${1-}" != --help ] || { printf '%s\n' "$usage"; exit 0; }
[ $# -ge 2 ] || stop "$usage"
task=$1 file=$2
shift 2
tools=$here/tools
while [ $# -gt 1 ]; do
    case $1 in
        --cache) cache=$2 ;;
        --recipes) recipes=$2 ;;
        --tools) tools=$2 ;;
        *) break ;;
    esac
    shift 2
done
case $file in "~/"*) file=$HOME/${file#"~/"} ;; -*) file=./$file ;; esac

for set in "$@"; do
    [ -n "$(contents "$set")" ] || stop "there is no set '$set'. There are: $(all_sets | tr '\n' ' ')"
done

size_of() { # size_of FILE: for people
    wc -c <"$1" | awk '{ printf $1 < 1e6 ? "%.0f kB" : "%.1f MB", $1 < 1e6 ? $1 / 1e3 : $1 / 1e6 }'
}

# ---- Packing -------------------------------------------------------------------------------------------------------------

pack() {
    [ $# -gt 0 ] || stop "which sets? $usage"
    [ ! -d "$file" ] || stop "$file is a folder; give the bundle a name in it"
    # What is damaged is brought again rather than carried on.
    sh "$here/fetch.sh" --cache "$cache" --recipes "$recipes" --tools "$tools" --verify -- "$@" ||
        stop "a bundle is only made when all sets are here"
    lock
    stage=$cache/.fetch/bundle
    rm -rf "$stage" && mkdir -p "$stage" "$(dirname "$file")" || stop "$(short "$cache") cannot be written"
    for set in "$@"; do
        printf 'set %s\n' "$set"
        contents "$set"
    done >"$stage/course-data"
    # shellcheck disable=SC2046
    {
        tar -cf - -C "$stage" course-data -C "$cache" $(for set in "$@"; do
            contents "$set" | awk -v set="$set" '{ print set "/" $4 }'
        done) || : >"$stage/failed"
    } | gzip -n >"$file.part" && [ ! -e "$stage/failed" ] && mv "$file.part" "$file" || {
        rm -f "$file.part"
        stop "$file could not be written: is the disk full?"
    }
    rm -rf "$stage"
    say "$file ($(size_of "$file")) holds: $*"
    say "Carry it to a machine that has the course, and type there:"
    say "    make data BUNDLE=$(printf '%s\n' "$file" | sed "s/'/'\\\\''/g; /[^A-Za-z0-9_.\/-]/ { s/^/'/; s/\$/'/; }")"
}

# ---- Taking --------------------------------------------------------------------------------------------------------------

refuse() {
    say "$file is not taken: $*"
    rm -rf "$stage"
    exit 1
}

# As a tar file in $stage, of at most so many bytes as all sets have, a tenth and 10 MB.
unpack_bundle() {
    most=$(awk '$1 == "file" || $1 == "tree" || $1 == "convert" { sum += $3 } END { printf "%d", sum * 1.1 + 1e7 }' "$recipes")
    if [ "$(head -c 2 "$file" | od -An -tx1 | tr -d ' \n')" = 1f8b ]; then
        { gzip -dc <"$file" 2>"$stage/log" || : >"$stage/failed"; } | head -c $((most + 1)) >"$stage/tar"
    else
        head -c $((most + 1)) "$file" >"$stage/tar"
    fi
    [ "$(wc -c <"$stage/tar")" -le "$most" ] || refuse "it unpacks to more than all sets together ($((most / 1000000)) MB)"
    [ ! -e "$stage/failed" ] || refuse "it is damaged ($(tail -n 1 "$stage/log" | sed 's/^[^:]*: *//')); copy it again"
    tar -tf "$stage/tar" >"$stage/names" 2>"$stage/log" && tar -tvf "$stage/tar" >"$stage/kinds" 2>>"$stage/log" ||
        refuse "it is damaged, or no bundle of \`make data-bundle\`$(sed -n '1s/^/: /p' "$stage/log")"
    [ "$(head -n 1 "$stage/names")" = course-data ] || refuse "it is no bundle of \`make data-bundle\`"
}

# Nothing but files and folders, with names that the list has.
check_names() {
    awk '$0 !~ /^[-d]/ { print NR; exit }' "$stage/kinds" >"$stage/odd"
    [ ! -s "$stage/odd" ] || refuse "$(sed -n "$(cat "$stage/odd")p" "$stage/names") in it is a link or a device, not a file"
    tar -xOf "$stage/tar" course-data 2>/dev/null | head -c 1000000 >"$stage/list"
    awk '$1 == "set" && NF == 2 { print $2 }' "$stage/list" >"$stage/sets"
    [ -s "$stage/sets" ] || refuse "its list names no set"
    all_sets >"$stage/known"
    while read -r set; do
        grep -qxF -e "$set" "$stage/known" || refuse "it holds the set '$set', which this version of the course does not know"
        awk -v name="$set" '$1 == "set" { on = $2 == name; next } on' "$stage/list" >"$stage/theirs"
        [ "$(cat "$stage/theirs")" = "$(contents "$set")" ] ||
            refuse "it was made by another version of the course, where the set $set has other content; make one with the same version"
        contents "$set" | awk -v set="$set" '{ print $1, set "/" $4 }'
    done <"$stage/sets" >"$stage/wanted"
    awk 'FNR == NR { if ($1 == "tree") tree[$2]; else file[$2]; next }
         $0 == "course-data" { next }
         { name = $0; sub(/\/$/, "", name); if (name in file || name in tree) next
           if (name !~ /(^|\/)\.\.(\/|$)/) for (t in tree) if (index(name, t "/") == 1) next
           print; exit }' "$stage/wanted" "$stage/names" >"$stage/odd"
    [ ! -s "$stage/odd" ] || refuse "'$(cat "$stage/odd")' in it is no file of a set"
}

check_contents() {
    mkdir "$stage/files" && tar -xf "$stage/tar" -C "$stage/files" --no-same-owner 2>"$stage/log" && chmod -R u+rwX "$stage/files" ||
        refuse "it could not be unpacked: is the disk full?$(sed -n '1s/^/ /p' "$stage/log")"
    while read -r set; do
        contents "$set" | while read -r kind sha256 bytes name; do
            [ -e "$stage/files/$set/$name" ] || refuse "$set/$name is missing in it"
            is_right "$kind" "$stage/files/$set/$name" "$sha256" "$bytes" ||
                refuse "$set/$name in it is damaged: expected $bytes bytes with the sha256 $sha256, got $got_bytes bytes${got_sha256:+ with $got_sha256}; copy the bundle again"
        done || exit 1
    done <"$stage/sets"
}

take() {
    [ -e "$file" ] || stop "there is no file $file${PWD:+ (in $PWD)}; a bundle is made by \`make data-bundle\`"
    [ -f "$file" ] && [ -r "$file" ] || stop "$file is no file that can be read"
    lock
    bundle_stage=$cache/.fetch/bundle
    stage=$bundle_stage
    rm -rf "$stage" && mkdir -p "$stage" || stop "$(short "$cache") cannot be written"
    unpack_bundle
    check_names
    check_contents
    while read -r set; do
        mkdir -p "$cache/$set" || stop "$(short "$cache")/$set cannot be written"
        stage=$bundle_stage/$set
        mkdir "$stage"
        if [ -f "$cache/$set/.done" ]; then mv "$cache/$set/.done" "$stage/done.before"; fi
        for name in $(contents "$set" | cut -d ' ' -f 4); do
            rm -rf "${cache:?}/$set/$name" && mv "$bundle_stage/files/$set/$name" "$cache/$set/$name" ||
                stop "$(short "$cache")/$set/$name cannot be written"
        done
        finish_set "$set" || stop "$(short "$cache")/$set cannot be written"
    done <"$bundle_stage/sets"
    say "taken from $file: $(tr '\n' ' ' <"$bundle_stage/sets")"
    rm -rf "$bundle_stage"
    missing=""
    for set in "$@"; do is_complete "$set" || missing="$missing $set"; done
    [ -z "$missing" ] || {
        say "still missing:$missing. The bundle does not hold that; make one that does, or type \`make data\` with a network."
        exit 1
    }
}

case $task in
    pack | take) "$task" "$@" ;;
    *) stop "$usage" ;;
esac
