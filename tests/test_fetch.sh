#!/bin/sh
# test_fetch.sh: datasets/fetch.sh against archives that fail, hang, lie and stop half-way, and datasets/bundle.sh against
# damaged and foreign files. Nothing here uses a network: apt-get, npm and sudo are stand-ins, found first on PATH, that do
# what the test of the moment asks of them.
#
#   sh tests/test_fetch.sh [NAME…]      runs all tests, or those named; exit status 0 when all passed

set -u
unset CDPATH

top=$(cd "$(dirname "$0")/.." && pwd)
room=$(mktemp -d) # everything happens in here
trap 'rm -rf "$room"' EXIT
mkdir "$room/bin" "$room/packages"

# ---- The stand-ins -----------------------------------------------------------------------------------------------------
# The files behaviour and npm-behaviour hold: good, fail, missing (no such package), full (disk), hang, wrong, partial, half
# (writes half, then hangs), slow, lists (works after an update).

cat >"$room/bin/apt-get" <<END
#!/bin/sh
ROOM='$room'
END
cat >>"$room/bin/apt-get" <<'END'
while [ "$1" = -o ]; do shift 2; done
echo "apt-get $*" >>"$ROOM/calls"
behaviour=$(cat "$ROOM/behaviour")
if [ "$1" = update ]; then
    touch "$ROOM/updated"
    case $behaviour in lists | missing) ;; *) echo "E: Temporary failure resolving" >&2; exit 100 ;; esac
    exit
fi
if [ "$1" = install ]; then
    [ "$behaviour" = good ] || { echo "E: Temporary failure resolving" >&2; exit 100; }
    cp "$ROOM/spare/npm" "$ROOM/tools/npm"
    exit
fi
deb=$ROOM/packages/$2_1.0_all.deb
case $behaviour in
    good) cp "$deb" . ;;
    wrong) cp "$ROOM/packages/$2-wrong.deb" "$2_1.0_all.deb" ;;
    partial) head -c 300 "$deb" >"$2_1.0_all.deb" ;;
    half) head -c 300 "$deb" >"$2_1.0_all.deb"; : >"$ROOM/half"; exec sleep 100 ;;
    slow) sleep 1; cp "$deb" . ;;
    hang) exec sleep 100 ;;
    full) echo "E: Write error - write (28: No space left on device)" >&2; exit 100 ;;
    missing) echo "E: Unable to locate package $2" >&2; exit 100 ;;
    lists) [ -e "$ROOM/updated" ] && cp "$deb" . ;;
    *) echo "E: Could not connect to archive:80" >&2; exit 100 ;;
esac
END
cat >"$room/bin/npm" <<END
#!/bin/sh
ROOM='$room'
END
cat >>"$room/bin/npm" <<'END'
while [ $# -gt 1 ]; do shift; done
echo "npm pack $1" >>"$ROOM/calls"
case $(cat "$ROOM/npm-behaviour") in
    good) cp "$ROOM"/packages/*.tgz . ;;
    partial) head -c 100 "$ROOM"/packages/*.tgz >"$(basename "$ROOM"/packages/*.tgz)" ;;
    *) echo "npm error code ENOTFOUND" >&2; exit 1 ;;
esac
END
cat >"$room/bin/sudo" <<END
#!/bin/sh
echo "sudo \$*" >>'$room/calls'
exec "\$@"
END
chmod +x "$room/bin/apt-get" "$room/bin/npm" "$room/bin/sudo"
export PATH="$room/bin:$PATH"
every_tool=$PATH

# ---- Packages and the list of them -----------------------------------------------------------------------------------------

letters() { seq 1 500; }
numbers() { seq 1000 1500; }
hash_of() { sha256sum | cut -d ' ' -f 1; }

make_deb() { # make_deb NAME FILE: packs the files below $room/tree
    mkdir -p "$room/tree/DEBIAN"
    printf 'Package: %s\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\nDescription: test\n' "$1" \
        >"$room/tree/DEBIAN/control"
    dpkg-deb --build --root-owner-group "$room/tree" "$2" >/dev/null
}

share=$room/tree/usr/share/course-letters
mkdir -p "$share"
letters >"$share/letters.txt"
numbers | gzip -9 >"$share/numbers.gz"
make_deb course-letters "$room/packages/course-letters_1.0_all.deb"
echo changed >>"$share/letters.txt"
make_deb course-letters "$room/packages/course-letters-wrong.deb"
letters >"$share/real.txt"
ln -sf real.txt "$share/letters.txt"
make_deb course-letters "$room/packages/with-link.deb"
rm "$share/letters.txt" "$share/real.txt"
letters >"$share/letters.txt"
mkdir "$share/version-2.0"
mv "$share/letters.txt" "$share/version-2.0/notes-7.txt"
numbers | gzip -1 >"$share/numbers.gz" # another file, the same content
make_deb course-letters "$room/packages/other-release.deb"

mkdir -p "$room/package/poems"
echo one >"$room/package/poems/1.json"
echo two >"$room/package/poems/2.json"
letters >"$room/package/letters.txt"
tar -czf "$room/packages/course-poems-1.2.3.tgz" -C "$room" package
poems_hash=$(cd "$room/package/poems" && find . -type f | LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum | hash_of)

letters_line="file $(letters | hash_of) $(letters | wc -c) letters.txt"
numbers_line="file $(numbers | hash_of) $(numbers | wc -c) numbers.gz"
cat >"$room/recipes" <<END
set letters
title some letters
licence free
from deb course-letters 0.1 usr/share/course-letters
$letters_line
$numbers_line

set poems
title some poems
licence free
from npm @course/poems@1.2.3 0.1 .
tree $poems_hash 8 all poems

set mixed
from npm @course/poems@1.2.3 0.1 .
tree $poems_hash 8 all poems
from deb course-letters 0.1 usr/share/course-letters
$numbers_line

set converted
title letters, each twice
licence free
from deb course-letters 0.1 usr/share/course-letters
$letters_line
convert $(letters | sed p | hash_of) $(letters | sed p | wc -c) twice.txt repeat 2 {course-letters}/letters.txt

set unpacked
title numbers, letters of any release
licence free
from deb course-letters 0.1 usr/share/course-letters
tried 1.0 2.0
file $(numbers | hash_of) $(numbers | wc -c) numbers numbers.gz
convert $(letters | hash_of) $(letters | wc -c) letters.txt repeat 1 {course-letters}/letters.txt
convert $(letters | hash_of) $(letters | wc -c) letters.txt repeat 1 {course-letters}/version-*/notes-*.txt

set either
from deb course-letters 0.1 usr/share/course-letters
$letters_line
from npm @course/poems@1.2.3 0.1 .
$letters_line
END

# A program that converts: prints each line of a file so many times.
mkdir "$room/converters"
cat >"$room/converters/repeat.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
    char line[100];
    FILE *file = argc == 3 ? fopen(argv[2], "r") : NULL;
    if (!file) return 1;
    while (fgets(line, sizeof line, file))
        for (int i = 0; i < atoi(argv[1]); i++) fputs(line, stdout);
    return 0;
}
END

# ---- Asking and checking ---------------------------------------------------------------------------------------------------

fetch() { # fetch BEHAVIOUR[/NPM'S BEHAVIOUR] OPTION… SET…: sets $status, $said and $calls
    : >"$room/calls"
    rm -f "$room/updated"
    echo "${1%/*}" >"$room/behaviour"
    echo "${1#*/}" >"$room/npm-behaviour"
    shift
    sh "$top/datasets/fetch.sh" --recipes "${recipes:-$room/recipes}" --cache "$cache" \
        --tools "${converters:-$room/converters}" "$@" >"$room/out" 2>"$room/said" </dev/null
    status=$?
    said=$(cat "$room/said")
    calls=$(cat "$room/calls")
}

wrong() {
    echo "test_fetch.sh: $test: $1"
    failed=1
}
expect() { # expect GOT EXPECTED WHAT
    [ "$1" = "$2" ] || wrong "$3: got '$1', expected '$2'"
}
expect_said() { case $said in *"$1"*) ;; *) wrong "expected a message with '$1', got: $said" ;; esac; }
expect_letters() { # the set letters is there, whole
    [ -f "$cache/letters/.done" ] || wrong "there is no .done; it said: $said"
    expect "$(hash_of <"$cache/letters/letters.txt")" "$(letters | hash_of)" "letters.txt"
    expect "$(gzip -dc "$cache/letters/numbers.gz" | hash_of)" "$(numbers | hash_of)" "numbers.gz"
    [ ! -e "$cache/.fetch/letters" ] || wrong "the staging folder was left"
}
expect_nothing_of() { # no file of this set under its name, and no stamp
    for name in .done letters.txt numbers.gz all; do
        [ ! -e "$cache/$1/$name" ] || wrong "$cache/$1/$name is there and must not be"
    done
}

# ---- Tests -----------------------------------------------------------------------------------------------------------------

test_a_package_is_fetched_and_nothing_is_printed() {
    fetch good letters
    expect $status 0 "exit status"
    expect_letters
    expect "$(cat "$room/out")" "" "standard output"
    expect "$calls" "apt-get download course-letters" "calls"
}

test_what_is_there_asks_nobody() {
    fetch good letters
    fetch fail letters
    expect $status 0 "exit status"
    expect "$calls$said" "" "calls and messages"
}

test_without_a_network_the_message_says_which_file_goes_where() {
    fetch fail letters
    expect $status 1 "exit status"
    expect_nothing_of letters
    expect_said "course-letters: apt-get has no network: E: Temporary failure resolving"
    expect_said "Connect to the network and type the same again."
    expect_said "make data BUNDLE=FILE"
    expect_said "apt-get download course-letters"
    expect_said "$cache/letters/"
    expect_said "letters.txt sha256 $(letters | hash_of)"
    expect_said "numbers.gz sha256 of its unpacked content $(numbers | hash_of)"
}

test_a_download_that_hangs_is_given_up() {
    start=$(date +%s)
    fetch hang --timeout 1 letters
    expect $status 1 "exit status"
    [ $(($(date +%s) - start)) -le 15 ] || wrong "it took $(($(date +%s) - start)) s"
    expect_said "could not be had"
}

test_a_wrong_file_is_refused_and_the_next_run_is_not_misled() {
    fetch wrong letters
    expect $status 1 "exit status"
    [ ! -e "$cache/letters/letters.txt" ] || wrong "the wrong file was kept"
    [ ! -e "$cache/letters/.done" ] || wrong "the set counts as complete"
    expect_said "letters.txt of course-letters 1.0 is not the data that this course knows: expected $(letters | wc -c) bytes"
    expect_said "with the sha256 $(letters | hash_of); got $(($(letters | wc -c) + 8)) bytes with $({ letters; echo changed; } | hash_of)"
    fetch good letters
    expect $status 0 "exit status of the next run"
    expect_letters
}

test_half_a_package_is_refused_and_the_next_run_is_not_misled() {
    fetch partial letters
    expect $status 1 "exit status"
    expect_nothing_of letters
    expect_said "cannot be unpacked"
    fetch good letters
    expect_letters
    fetch partial poems
    expect $status 1 "exit status for npm"
    expect_nothing_of poems
    fetch good poems
    expect $status 0 "exit status of the next run"
}

test_a_link_in_a_package_is_refused() {
    mkdir -p "$cache"
    cp "$room/packages/with-link.deb" "$cache/course-letters_1.0_all.deb"
    fetch fail letters
    expect $status 1 "exit status"
    [ ! -e "$cache/letters/letters.txt" ] && [ ! -L "$cache/letters/letters.txt" ] || wrong "the link was kept"
}

test_files_put_there_by_hand_are_accepted() {
    mkdir -p "$cache/letters"
    letters >"$cache/letters/letters.txt"
    numbers | gzip -1 >"$cache/letters/numbers.gz" # another file, the same content
    fetch fail letters
    expect $status 0 "exit status"
    expect "$calls" "" "calls"
    expect_letters
}

test_a_wrong_file_put_there_by_hand_is_moved_aside() {
    mkdir -p "$cache/letters"
    letters | tr 1 2 >"$cache/letters/letters.txt" # as long as the right one
    numbers | gzip | head -c 500 >"$cache/letters/numbers.gz"
    fetch fail letters
    expect $status 1 "exit status"
    expect_nothing_of letters
    expect "$(hash_of <"$cache/letters/letters.txt.wrong")" "$(letters | tr 1 2 | hash_of)" "the file moved aside"
    [ -e "$cache/letters/numbers.gz.wrong" ] || wrong "half a numbers.gz was not moved aside"
    expect_said "letters.txt is not the file that it should be"
}

test_a_compressed_file_is_not_unpacked_beyond_its_size() {
    mkdir -p "$cache/letters"
    letters >"$cache/letters/letters.txt"
    { numbers; head -c 300000000 /dev/zero; } | gzip -1 >"$cache/letters/numbers.gz"
    fetch fail letters
    expect $status 1 "exit status"
    [ -e "$cache/letters/numbers.gz.wrong" ] || wrong "numbers with zeros behind them were accepted"
}

test_a_package_put_there_by_hand_is_used() {
    mkdir -p "$cache"
    cp "$room/packages/course-letters_1.0_all.deb" "$room/packages/course-poems-1.2.3.tgz" "$cache"
    fetch fail letters poems
    expect $status 0 "exit status"
    expect "$calls" "" "calls"
    expect_letters
    expect "$(cat "$cache/poems/all/2.json")" two "a file of a tree"
}

test_a_run_that_was_killed_is_resumed() {
    rm -f "$room/half"
    echo half >"$room/behaviour"
    setsid sh "$top/datasets/fetch.sh" --recipes "$room/recipes" --cache "$cache" letters 2>/dev/null &
    group=$! # setsid made it a process group of its own
    for _ in $(seq 100); do
        [ -e "$room/half" ] && break
        sleep 0.1
    done
    kill -s KILL -- "-$group"
    wait
    expect_nothing_of letters
    fetch good letters
    expect $status 0 "exit status"
    expect_letters
}

test_a_package_that_was_brought_whole_is_not_fetched_again() {
    # As a run leaves it that is killed between the download and the end of the unpacking.
    mkdir -p "$cache/.fetch/letters/deb-course-letters.part/usr"
    cp "$room/packages/course-letters_1.0_all.deb" "$cache/.fetch/letters/deb-course-letters.archive"
    fetch fail letters
    expect $status 0 "exit status"
    expect "$calls" "" "calls"
    expect_letters
}

test_every_source_that_failed_is_named() {
    fetch fail mixed
    expect $status 1 "exit status"
    expect_said "@course/poems@1.2.3: npm has no network: npm error code ENOTFOUND"
    expect_said "course-letters: apt-get has no network"
    expect_said "all/ sha256 $poems_hash"
}

test_what_one_source_brought_is_not_fetched_again() {
    fetch fail/good mixed
    expect $status 1 "exit status"
    expect "$(cat "$cache/mixed/all/1.json")" one "what npm brought"
    [ ! -e "$cache/mixed/.done" ] || wrong "the set counts as complete"
    fetch good/fail mixed
    expect $status 0 "exit status of the next run"
    expect "$calls" "apt-get download course-letters" "calls"
}

test_two_runs_at_once_do_the_work_once() {
    : >"$room/calls"
    echo slow >"$room/behaviour"
    for _ in 1 2; do
        sh "$top/datasets/fetch.sh" --recipes "$room/recipes" --cache "$cache" letters 2>/dev/null &
    done
    wait
    expect_letters
    expect "$(cat "$room/calls")" "apt-get download course-letters" "calls of both"
}

test_changed_content_is_found_when_asked_for() {
    fetch good letters
    letters | tr 1 2 >"$cache/letters/letters.txt"
    fetch good letters
    expect "$calls" "" "calls without --verify"
    fetch good --verify letters
    expect $status 0 "exit status"
    expect "$calls" "apt-get download course-letters" "calls with --verify"
    expect_letters
    fetch fail --verify letters
    expect $status 0 "exit status when all is right"
    expect "$calls" "" "calls when all is right"
}

test_a_file_that_was_deleted_is_brought_again() {
    fetch good letters
    rm "$cache/letters/letters.txt"
    fetch good letters
    expect_letters
}

test_a_changed_recipe_is_noticed() {
    fetch good letters
    sed "s/^$numbers_line/file $(echo x | hash_of) 2 numbers.gz/" "$room/recipes" >"$room/recipes2"
    recipes=$room/recipes2
    fetch fail letters
    recipes=
    expect $status 1 "exit status"
    [ ! -e "$cache/letters/numbers.gz" ] || wrong "a file that the new recipe does not know was left in place"
}

test_missing_package_lists_are_renewed() {
    fetch lists letters
    expect $status 0 "exit status"
    expect "$(echo "$calls" | tr '\n' ';')" "apt-get download course-letters;apt-get update;apt-get download course-letters;" "calls"
    expect_letters
}

only_these_tools() { # only_these_tools USER STAND-IN…: a PATH with what the scripts need, and these
    PATH=$every_tool
    rm -rf "$room/tools" "$room/spare"
    mkdir "$room/tools" "$room/spare"
    cp "$room/bin/npm" "$room/spare"
    for tool in sh awk sed grep cut tr head tail wc cat ls find sort xargs sha256sum gzip tar mkdir mv rm cp chmod touch \
        dirname basename timeout env flock date dpkg-deb du sleep; do
        path=$(command -v $tool) && ln -sf "$path" "$room/tools/$tool"
    done
    printf '#!/bin/sh\necho %s\n' "$1" >"$room/tools/id"
    shift
    for tool in "$@"; do cp "$room/bin/$tool" "$room/tools/$tool"; done
    chmod +x "$room/tools/id"
    PATH=$room/tools
}

test_without_npm_or_apt_it_says_so_politely() {
    only_these_tools 1000
    fetch good letters poems
    PATH=$every_tool
    expect $status 1 "exit status"
    expect_said "course-letters: apt-get is not here"
    expect_said "@course/poems@1.2.3: npm is not installed; it comes with Node.js"
    expect_said "npm pack @course/poems@1.2.3"
    case $said in *"Connect to the network"*) wrong "the network is blamed: $said" ;; esac
}

test_root_gets_npm_and_is_told_what_it_costs() {
    only_these_tools 0 apt-get
    fetch good poems
    expect $status 0 "exit status"
    expect "$(echo "$calls" | tr '\n' ';')" \
        "apt-get install -y --no-install-recommends npm;npm pack @course/poems@1.2.3;" "calls"
    expect_said "installing npm, which brings @course/poems@1.2.3 (about 45 MB, once)"
    only_these_tools 0 apt-get
    rm -rf "$cache"
    fetch fail poems
    expect $status 1 "exit status without a network"
    expect_said "npm: apt-get has no network"
    only_these_tools 0 apt-get
    fetch good --prepare letters
    expect "$status$calls" 0 "what a set of Debian needs"
    fetch good --prepare letters poems
    PATH=$every_tool
    expect "$status$calls" "0apt-get install -y --no-install-recommends npm" "preparing for both"
    [ ! -e "$cache/poems/.done" ] || wrong "preparing fetched"
}

test_who_is_not_root_and_has_no_terminal_is_told_what_to_type() {
    only_these_tools 1000 apt-get sudo
    fetch good poems
    expect $status 1 "exit status"
    expect "$calls" "" "calls"
    expect_said "@course/poems@1.2.3: npm is not installed: sudo apt-get install npm (about 45 MB)"
    expect_said "Type:  sudo apt-get install -y --no-install-recommends npm"
    case $said in *"onnect to the network"*) wrong "the network is blamed: $said" ;; esac
    fetch good --prepare poems
    PATH=$every_tool
    expect $status 1 "exit status of --prepare"
    expect_said "npm, which brings @course/poems@1.2.3, is missing. Type:  sudo apt-get install"
}

test_who_has_a_terminal_is_asked() {
    command -v script >/dev/null || return 0
    for answer in yes no; do
        rm -rf "$cache"
        only_these_tools 1000 apt-get sudo
        : >"$room/calls"
        echo good >"$room/behaviour"
        echo good >"$room/npm-behaviour"
        PATH=$every_tool
        { sleep 0.3; echo $answer; sleep 1; } | script -qec "PATH='$room/tools' sh '$top/datasets/fetch.sh' --recipes '$room/recipes' \
            --cache '$cache' poems" /dev/null >"$room/said" 2>&1
        said=$(cat "$room/said")
        expect_said "Install it now with sudo (about 45 MB)?"
        case $answer in
            yes) [ -f "$cache/poems/.done" ] || wrong "agreed, and no poems: $said" ;;
            no) expect "$(cat "$room/calls")" "" "calls when declined" ;;
        esac
    done
}

test_a_terminal_sees_how_far_it_is() {
    command -v script >/dev/null || return 0
    echo slow >"$room/behaviour"
    script -qec "sh '$top/datasets/fetch.sh' --recipes '$room/recipes' --cache '$cache' letters" /dev/null </dev/null >"$room/said" 2>&1
    said=$(cat "$room/said")
    expect_said "data: letters: fetching course-letters: 0.0 of 0.1 MB"
    expect_said "data: letters is in $cache/letters"
    case $said in *awk* | *illed* | *erminated*) wrong "noise: $said" ;; esac
    expect_letters
}

test_real_causes_are_named() {
    fetch missing letters
    expect_said "course-letters: apt-get could not bring it: E: Unable to locate package course-letters"
    case $said in *"onnect to the network"*) wrong "the network is blamed: $said" ;; esac
    fetch full letters
    expect_said "course-letters: the disk is full"
    expect_said "Make room on the disk"
}

test_releases_that_pack_the_same_data_otherwise_are_accepted() {
    for release in course-letters_1.0_all other-release; do
        rm -rf "$cache"
        mkdir -p "$cache"
        cp "$room/packages/$release.deb" "$cache/course-letters_2.0_all.deb"
        fetch fail unpacked
        expect $status 0 "exit status with $release ($said)"
        expect "$(hash_of <"$cache/unpacked/numbers")" "$(numbers | hash_of)" "numbers"
        expect "$(hash_of <"$cache/unpacked/letters.txt")" "$(letters | hash_of)" "letters.txt"
    done
    rm -rf "$cache"
    fetch wrong unpacked
    expect $status 1 "exit status with other data"
    expect_said "letters.txt of course-letters 1.0 is not the data that this course knows"
    expect_said "Versions of course-letters that are known to be right: 1.0 2.0"
}

test_a_wrong_package_put_there_by_hand_does_not_stop_a_download() {
    mkdir -p "$cache"
    head -c 300 "$room/packages/course-letters_1.0_all.deb" >"$cache/course-letters_1.0_all.deb"
    fetch good letters
    expect $status 0 "exit status"
    expect_letters
}

test_what_an_earlier_recipe_brought_is_used_or_removed() {
    mkdir -p "$cache/unpacked"
    numbers | gzip >"$cache/unpacked/numbers.gz"
    echo old >"$cache/unpacked/letters.txt"
    echo old >"$cache/unpacked/packed.bin"
    echo mine >"$cache/unpacked/mine.txt"
    printf 'file %s 1 %s\n' "$(numbers | hash_of)" numbers.gz 0 letters.txt 0 packed.bin 0 ../../x >"$cache/unpacked/.done"
    fetch good unpacked
    expect $status 0 "exit status"
    expect "$(ls "$cache/unpacked" | tr '\n' ' ')" "letters.txt mine.txt numbers " "files"
    case $said in *wrong*|*"should be"*) wrong "an alarm: $said" ;; esac
}

test_the_environment_does_not_matter() {
    mkdir -p "$room/elsewhere/datasets" "$room/a course" "$room/locked"
    mkdir -p "$room/a course/datasets"
    cp "$top/datasets/"*.sh "$room/a course/datasets"
    echo good >"$room/behaviour"
    (
        cd "$room/a course" && : >"$room/locked/rc" && umask 777 &&
            env CDPATH=".:$room/elsewhere:$room/a course" TMPDIR="$room/no where" GZIP=--bogus TAR_OPTIONS=--bogus \
                LC_ALL=tr_TR.UTF-8 LANG=xx POSIXLY_CORRECT=1 XZ_OPT=--bogus HOME=/proc BASH_ENV="$room/locked/rc" \
                GREP_OPTIONS=--bogus IFS=/ ENV=/nowhere npm_config_dry_run=true npm_config_json=true NODE_OPTIONS=--bogus \
                CC=no-such-compiler sh datasets/fetch.sh --recipes "$room/recipes" --cache "$cache" --tools "$room/converters" \
                converted letters >"$room/out" 2>&1
    )
    expect $? 0 "exit status ($(cat "$room/out"))"
    expect_letters
    expect "$(hash_of <"$cache/converted/twice.txt")" "$(letters | sed p | hash_of)" "what was converted"
    expect "$(stat -c %a "$cache/letters/letters.txt" "$cache/converted/twice.txt" | tr '\n' ' ')" "644 644 " "permissions"
    (cd "$top" && CDPATH=".:$room/elsewhere" sh datasets/fetch.sh --list >"$room/out" 2>&1)
    expect $? 0 "exit status of --list with CDPATH"
    CDPATH=".:$top" make -s -C "$top" data-list >"$room/out" 2>&1
    expect $? 0 "exit status of make data-list with CDPATH"
}

# ---- Bundles -----------------------------------------------------------------------------------------------------------

bundle() { # bundle ARGUMENT…: sets $status and $said
    task=$1 its_file=$2
    shift 2
    sh "$top/datasets/bundle.sh" "$task" "$its_file" --recipes "$room/recipes" --cache "$cache" --tools "$room/converters" "$@" \
        >"$room/out" 2>"$room/said" </dev/null
    status=$?
    said=$(cat "$room/said")
}
fail_everything() { echo fail >"$room/behaviour"; echo fail >"$room/npm-behaviour"; : >"$room/calls"; }
pack_good() {
    echo good >"$room/behaviour"
    echo good >"$room/npm-behaviour"
    file="$room/a bundle.tar.gz"
    bundle pack "$file" letters poems converted
    expect $status 0 "exit status of pack ($said)"
    fail_everything
}

test_a_bundle_carries_sets_to_where_no_network_is() {
    pack_good
    expect_said "a bundle.tar.gz ("
    expect_said "make data BUNDLE='$file'"
    rm -rf "$cache"
    bundle take "$file" letters poems
    expect $status 0 "exit status of take ($said)"
    expect "$(cat "$room/calls")" "" "calls"
    expect_letters
    expect "$(cat "$cache/poems/all/2.json")" two "a file of a tree"
    bundle take "$file" letters either
    expect $status 1 "exit status when a set is missing in it"
    expect_said "still missing: either"
    [ -f "$cache/letters/.done" ] || wrong "what the bundle holds was not taken"
    gzip -dc "$file" >"$room/unpacked.tar" # as some browsers leave it
    rm -rf "$cache"
    bundle take "$room/unpacked.tar" letters
    expect $status 0 "exit status with an unpacked bundle"
}

test_a_bundle_replaces_what_is_wrong_and_old() {
    pack_good
    echo wrong >"$cache/letters/letters.txt"
    echo old >"$cache/letters/old.bin"
    echo "file 0 1 old.bin" >"$cache/letters/.done"
    bundle take "$file" letters
    expect $status 0 "exit status ($said)"
    expect_letters
    [ ! -e "$cache/letters/old.bin" ] || wrong "a file of an earlier recipe was left"
}

expect_refused() { # expect_refused FILE MESSAGE: nothing of the bundle is in the cache
    rm -rf "$cache"
    bundle take "$1" letters
    expect $status 1 "exit status ($said)"
    expect_said "$2"
    expect_nothing_of letters
    expect_nothing_of poems
    [ ! -e "$cache/.fetch/bundle" ] || wrong "the staging folder was left"
}

test_damaged_bundles_are_refused() {
    pack_good
    head -c $(($(wc -c <"$file") / 2)) "$file" >"$room/half.tar.gz"
    expect_refused "$room/half.tar.gz" "it is damaged"
    { head -c 200 "$file"; printf 'xxxxxxxx'; tail -c +209 "$file"; } >"$room/damaged.tar.gz"
    expect_refused "$room/damaged.tar.gz" "it is damaged"
    mkdir "$room/again"
    (cd "$room/again" && tar -xzf "$file" && letters | tr 1 2 >letters/letters.txt && tar -czf "$room/changed.tar.gz" course-data letters poems converted)
    expect_refused "$room/changed.tar.gz" "letters/letters.txt in it is damaged: expected"
    (cd "$room/again" && rm letters/letters.txt && tar -czf "$room/lacks.tar.gz" course-data letters poems converted)
    expect_refused "$room/lacks.tar.gz" "letters/letters.txt is missing in it"
    echo >"$room/empty"
    expect_refused "$room/empty" "no bundle"
    : >"$room/empty"
    expect_refused "$room/empty" "no bundle"
    bundle take "$room/nowhere" letters
    expect $status 2 "exit status for a file that is not there"
    expect_said "there is no file $room/nowhere"
}

test_foreign_bundles_are_refused() {
    pack_good
    foreign=$room/foreign
    rm -rf "$foreign"
    mkdir "$foreign" && cd "$foreign" && tar -xzf "$file" && cp -R "$foreign" "$room/whole" || exit 1
    tar -czf "$room/t.tar.gz" letters poems converted
    expect_refused "$room/t.tar.gz" "it is no bundle"
    tar -czf "$room/t.tar.gz" "$room/packages" 2>/dev/null
    expect_refused "$room/t.tar.gz" "it is no bundle"
    mkdir letters/sub && echo x >letters/sub/more
    tar -czf "$room/t.tar.gz" course-data letters poems converted
    expect_refused "$room/t.tar.gz" "'letters/sub/' in it is no file of a set"
    rm -r letters/sub
    echo x >"$room/outside"
    tar -czPf "$room/t.tar.gz" course-data letters poems converted ../outside
    expect_refused "$room/t.tar.gz" "'../outside' in it is no file of a set"
    tar -czPf "$room/t.tar.gz" --transform 's#^letters/letters.txt#poems/all/../../../outside#' course-data letters poems converted
    expect_refused "$room/t.tar.gz" "poems/all/../../../outside' in it is no file of a set"
    tar -czPf "$room/t.tar.gz" course-data letters poems converted "$room/outside"
    expect_refused "$room/t.tar.gz" "'$room/outside' in it is no file of a set"
    for link in -s -f; do
        rm letters/letters.txt
        ln $link "$room/outside" letters/letters.txt
        tar -czPf "$room/t.tar.gz" course-data ../outside letters poems converted
        expect_refused "$room/t.tar.gz" "in it is"
        rm letters/letters.txt
        cp "$room/whole/letters/letters.txt" letters
    done
    rm -r poems/all && ln -s "$room" poems/all
    tar -czf "$room/t.tar.gz" course-data letters poems converted
    expect_refused "$room/t.tar.gz" "poems/all in it is a link or a device"
    rm poems/all && cp -R "$room/whole/poems/all" poems
    sed 's/^set letters/set ..\/letters/' "$room/whole/course-data" >course-data
    tar -czf "$room/t.tar.gz" course-data letters poems converted
    expect_refused "$room/t.tar.gz" "the set '../letters', which this version of the course does not know"
    sed 's/ letters.txt$/ letters.tex/' "$room/whole/course-data" >course-data
    tar -czf "$room/t.tar.gz" course-data letters poems converted
    expect_refused "$room/t.tar.gz" "another version of the course, where the set letters has other content"
    cp "$room/whole/course-data" .
    head -c 40000000 /dev/zero >letters/letters.txt
    tar -czf "$room/t.tar.gz" course-data letters poems converted
    expect_refused "$room/t.tar.gz" "it unpacks to more than all sets together"
    [ "$(cat "$room/outside")" = x ] || wrong "a file outside was changed"
    cd "$room"
}

test_no_bundle_is_made_of_half_the_data() {
    fail_everything
    bundle pack "$room/no.tar.gz" letters
    expect $status 2 "exit status"
    expect_said "a bundle is only made when all sets are here"
    [ ! -e "$room/no.tar.gz" ] || wrong "there is a bundle"
    echo good >"$room/behaviour"
    bundle pack "$room" letters
    expect $status 2 "exit status for a folder"
    expect_said "is a folder"
}

# ---- More about sets -----------------------------------------------------------------------------------------------------

test_a_tree_is_compared_file_by_file() {
    fetch good poems
    expect $status 0 "exit status"
    expect "$(ls "$cache/poems/all" | tr '\n' ' ')" "1.json 2.json " "files"
    touch "$cache/poems/all/3.json"
    fetch fail --verify poems
    expect $status 1 "exit status with a file too many"
    expect_nothing_of poems
}

test_the_second_source_helps_when_the_first_fails() {
    fetch fail/good either
    expect $status 0 "exit status"
    expect "$(hash_of <"$cache/either/letters.txt")" "$(letters | hash_of)" "letters.txt"
    rm -rf "$cache"
    fetch good/fail either
    expect $status 0 "exit status"
    expect "$calls" "apt-get download course-letters" "calls"
}

test_a_file_is_converted_once_and_checked() {
    fetch good converted
    expect $status 0 "exit status"
    expect "$(hash_of <"$cache/converted/twice.txt")" "$(letters | sed p | hash_of)" "what was converted"
    [ ! -e "$cache/.fetch/converted" ] || wrong "the staging folder was left"
    converters=$room/nowhere
    fetch fail converted
    expect "$status$calls$said" 0 "what a complete set asks for"
    converters=
    letters >"$cache/converted/twice.txt"
    fetch good --verify converted
    expect $status 0 "exit status when the converted file was changed"
    expect "$(hash_of <"$cache/converted/twice.txt")" "$(letters | sed p | hash_of)" "what was converted again"
    expect "$(hash_of <"$cache/converted/twice.txt.wrong")" "$(letters | hash_of)" "the file moved aside"
}

test_a_conversion_that_fails_leaves_nothing_under_the_name() {
    converters=$room/nowhere
    fetch good converted
    converters=
    expect $status 1 "exit status without the program"
    expect_said "the program repeat, which converts, cannot be built"
    expect_said "twice.txt sha256 $(letters | sed p | hash_of)"
    [ ! -e "$cache/converted/twice.txt" ] && [ ! -e "$cache/converted/.done" ] || wrong "the set counts as complete"
    sed 's/repeat 2 {/repeat 3 {/' "$room/recipes" >"$room/recipes2"
    recipes=$room/recipes2
    fetch good converted
    recipes=
    expect $status 1 "exit status when it makes something else"
    expect_said "twice.txt of course-letters 1.0 is not the data that this course knows"
    sed 's/repeat 2 {/repeat 2000000 {/' "$room/recipes" >"$room/recipes2"
    recipes=$room/recipes2
    fetch good converted
    recipes=
    expect $status 1 "exit status when it makes far too much"
    expect_said "; got 100"
    [ ! -e "$cache/converted/twice.txt" ] || wrong "what it made was kept"
    fetch good converted
    expect $status 0 "exit status of the next run"
    rm -rf "$cache"
    fetch fail converted
    expect_said "course-letters: apt-get has no network"
    case $said in *"course knows"*) wrong "it converted what is not there" ;; esac
}

test_wrong_requests_are_refused() {
    fetch good nonsense
    expect $status 2 "exit status for a set that is not there"
    expect_said "there is no set 'nonsense'. There are: letters poems mixed converted unpacked either"
    fetch good --nonsense letters
    expect $status 2 "exit status for an option that is not there"
    expect_said "unknown option --nonsense"
    fetch good
    expect $status 2 "exit status without a set"
}

test_the_list_says_what_is_here() {
    fetch good letters
    fetch good --list
    expect $status 0 "exit status"
    case $(cat "$room/out") in
        "here  letters"*"some letters"*"free"*"      poems"*) ;;
        *) wrong "the list: $(cat "$room/out")" ;;
    esac
}

test_the_shipped_recipes_are_well_formed() {
    expect "$(awk -v top="$top" '
        $1 == "set" { if (NF != 2 || seen[$2]++) print "line " NR; delete names; delete packages; next }
        $1 == "file" || $1 == "tree" || $1 == "convert" {
            if (NF < 4 || length($2) != 64 || $2 ~ /[^0-9a-f]/ || $3 ~ /[^0-9]/ || ($4 in names && names[$4] != $2)) print "line " NR
            names[$4] = $2
        }
        $1 == "file" || $1 == "tree" { if (NF > 5) print "line " NR; next }
        $1 == "convert" {
            if (NF < 6 || system("test -r " top "/datasets/tools/" $5 ".c") != 0) print "line " NR ": there is no " $5
            for (i = 6; i <= NF; i++) if (match($i, /^{[^}]*}/) && !(substr($i, 2, RLENGTH - 2) in packages)) print "line " NR ": " $i
            next
        }
        $1 == "from" {
            if (NF != 5 || ($2 != "deb" && $2 != "npm") || $4 + 0 <= 0) print "line " NR
            if ($2 == "npm") sub(/@[^@]*$/, "", $3)
            packages[$3]
            untried = $2 == "deb" ? NR : 0
            next
        }
        $1 == "tried" { untried = 0; next }
        NF && $1 != "title" && $1 != "licence" && $1 !~ /^#/ { print "line " NR }
    ' "$top/datasets/recipes")" "" "lines that are not well formed"
}

test_chapters_and_benchmarks_name_sets_that_there_are() {
    for set in $(cat "$top"/chapters/*/data | grep -v '^#') $(grep -v '^#' "$top/tests/bench/data" | cut -d ' ' -f 2-); do
        grep -qx "set $set" "$top/datasets/recipes" || wrong "there is no set $set"
    done
    # Whoever reads from the cache says so.
    for chapter in "$top"/chapters/*/; do
        for set in $(grep -oh 'datasets/cache/[a-z0-9-]*' "$chapter"*.c | sort -u | sed 's|.*/||'); do
            grep -qx "$set" "${chapter}data" || wrong "${chapter}data does not name $set"
        done
    done
}

test_the_shipped_tables_have_the_hashes_of_the_readme() {
    for table in "$top"/datasets/*.csv; do
        hash=$(hash_of <"$table")
        grep -q "^| .$(basename "$table"). |.*$hash" "$top/datasets/README.md" ||
            wrong "datasets/README.md does not give $(basename "$table") the sha256 $hash"
    done
}

# ---- Running -----------------------------------------------------------------------------------------------------------------

[ $# -gt 0 ] || set -- $(sed -n 's/^test_\([a-z_0-9]*\)() {$/\1/p' "$0")
count=0 failures=0
for test in "$@"; do
    failed=0
    cache="$room/a cache" # a blank in the path, on purpose
    rm -rf "$cache"
    PATH=$every_tool
    if command -v "test_$test" >/dev/null; then "test_$test"; else wrong "there is no such test"; fi
    count=$((count + 1))
    failures=$((failures + failed))
done
echo "Fetching data: $count tests, $failures failed"
[ $failures -eq 0 ]
