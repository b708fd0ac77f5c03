#!/bin/sh
# test_fetch.sh: datasets/fetch.sh against archives that fail, hang, lie and stop half-way. Nothing here uses a network:
# apt-get and npm are stand-ins, found first on PATH, that do what the test of the moment asks of them.
#
#   sh tests/test_fetch.sh [NAME…]      runs all tests, or those named; exit status 0 when all passed

set -u

top=$(cd "$(dirname "$0")/.." && pwd)
room=$(mktemp -d) # everything happens in here
trap 'rm -rf "$room"' EXIT
mkdir "$room/bin" "$room/packages"

# ---- The stand-ins -----------------------------------------------------------------------------------------------------
# BEHAVIOUR: good, fail, hang, wrong, partial, half (writes half, then hangs), slow, lists (works after an update).

cat >"$room/bin/apt-get" <<'END'
#!/bin/sh
while [ "$1" = -o ]; do shift 2; done
echo "apt-get $*" >>"$ROOM/calls"
if [ "$1" = update ]; then
    touch "$ROOM/updated"
    [ "$BEHAVIOUR" = lists ] || { echo "E: Temporary failure resolving" >&2; exit 100; }
    exit
fi
deb=$ROOM/packages/$2_1.0_all.deb
case $BEHAVIOUR in
    good) cp "$deb" . ;;
    wrong) cp "$ROOM/packages/$2-wrong.deb" "$2_1.0_all.deb" ;;
    partial) head -c 300 "$deb" >"$2_1.0_all.deb" ;;
    half) head -c 300 "$deb" >"$2_1.0_all.deb"; : >"$ROOM/half"; exec sleep 100 ;;
    slow) sleep 1; cp "$deb" . ;;
    hang) exec sleep 100 ;;
    lists) [ -e "$ROOM/updated" ] && cp "$deb" . ;;
    *) echo "E: Unable to locate package $2" >&2; exit 100 ;;
esac
END
cat >"$room/bin/npm" <<'END'
#!/bin/sh
while [ $# -gt 1 ]; do shift; done
echo "npm pack $1" >>"$ROOM/calls"
case $NPM_BEHAVIOUR in
    good) cp "$ROOM"/packages/*.tgz . ;;
    partial) head -c 100 "$ROOM"/packages/*.tgz >"$(basename "$ROOM"/packages/*.tgz)" ;;
    *) echo "npm error code ENOTFOUND" >&2; exit 1 ;;
esac
END
chmod +x "$room/bin/apt-get" "$room/bin/npm"
export ROOM="$room" PATH="$room/bin:$PATH"

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
convert $(letters | sed p | hash_of) $(letters | sed p | wc -c) twice.txt repeat 2 letters.txt

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
    apt=${1%/*} npm=${1#*/}
    shift
    BEHAVIOUR=$apt NPM_BEHAVIOUR=$npm sh "$top/datasets/fetch.sh" --recipes "${recipes:-$room/recipes}" --cache "$cache" \
        --tools "${converters:-$room/converters}" "$@" >"$room/out" 2>"$room/said"
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
    expect_said "course-letters: apt-get could not bring it: E: Temporary failure resolving"
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
    expect_said "usr/share/course-letters/letters.txt in it is not the file we know"
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
    BEHAVIOUR=half setsid sh "$top/datasets/fetch.sh" --recipes "$room/recipes" --cache "$cache" letters 2>/dev/null &
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
    expect_said "@course/poems@1.2.3: npm could not bring it: npm error code ENOTFOUND"
    expect_said "course-letters: apt-get could not bring it"
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
    for _ in 1 2; do
        BEHAVIOUR=slow sh "$top/datasets/fetch.sh" --recipes "$room/recipes" --cache "$cache" letters 2>/dev/null &
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

test_without_npm_or_apt_it_says_so_politely() {
    tools=$room/tools
    mkdir -p "$tools"
    for tool in sh awk sed grep cut tr head tail wc cat ls find sort xargs sha256sum gzip tar mkdir mv rm cp chmod touch \
        dirname basename timeout env flock id date; do
        path=$(command -v $tool) && ln -sf "$path" "$tools/$tool"
    done
    saved=$PATH
    PATH=$tools
    fetch good letters poems
    PATH=$saved
    expect $status 1 "exit status"
    expect_said "course-letters: apt-get is not here"
    expect_said "@course/poems@1.2.3: npm is not here"
    expect_said "npm pack @course/poems@1.2.3"
}

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
    rm "$cache/converted/twice.txt"
    fetch fail converted # its source is still there
    expect "$status$calls" 0 "exit status and calls when the converted file was deleted"
    letters >"$cache/converted/twice.txt"
    fetch fail --verify converted
    expect $status 0 "exit status when the converted file was changed"
    expect "$(hash_of <"$cache/converted/twice.txt")" "$(letters | sed p | hash_of)" "what was converted again"
    expect "$(hash_of <"$cache/converted/twice.txt.wrong")" "$(letters | hash_of)" "the file moved aside"
}

test_a_conversion_that_fails_leaves_nothing_under_the_name() {
    converters=$room/nowhere
    fetch good converted
    converters=
    expect $status 1 "exit status without the program"
    expect_said "repeat: the program that converts cannot be built"
    expect_said "twice.txt sha256 $(letters | sed p | hash_of)"
    [ ! -e "$cache/converted/twice.txt" ] && [ ! -e "$cache/converted/.done" ] || wrong "the set counts as complete"
    sed 's/repeat 2 letters/repeat 3 letters/' "$room/recipes" >"$room/recipes2"
    recipes=$room/recipes2
    fetch good converted
    recipes=
    expect $status 1 "exit status when it makes something else"
    expect_said "twice.txt: what repeat makes is not the file we know"
    [ ! -e "$cache/converted/twice.txt" ] || wrong "what it made was kept"
    fetch good converted
    expect $status 0 "exit status of the next run"
    rm -rf "$cache"
    fetch fail converted
    expect_said "course-letters: apt-get could not bring it"
    case $said in *"what repeat makes"*) wrong "it converted what is not there" ;; esac
}

test_wrong_requests_are_refused() {
    fetch good nonsense
    expect $status 2 "exit status for a set that is not there"
    expect_said "there is no set 'nonsense'. There are: letters poems mixed converted either"
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
        $1 == "set" { if (NF != 2 || seen[$2]++) print "line " NR; delete names; next }
        $1 == "file" || $1 == "tree" {
            if ((NF != 4 && NF != 5) || length($2) != 64 || $2 ~ /[^0-9a-f]/ || $3 ~ /[^0-9]/ || names[$4]++) print "line " NR
            next
        }
        $1 == "convert" {
            if (NF < 5 || length($2) != 64 || $2 ~ /[^0-9a-f]/ || $3 ~ /[^0-9]/ || names[$4]++) print "line " NR
            if (system("test -r " top "/common/tools/" $5 ".c") != 0) print "line " NR ": there is no " $5
            next
        }
        $1 == "from" { if (NF != 5 || ($2 != "deb" && $2 != "npm") || $4 + 0 <= 0) print "line " NR; next }
        NF && $1 != "title" && $1 != "licence" && $1 !~ /^#/ { print "line " NR }
    ' "$top/datasets/recipes")" "" "lines that are not well formed"
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
    if command -v "test_$test" >/dev/null; then "test_$test"; else wrong "there is no such test"; fi
    count=$((count + 1))
    failures=$((failures + failed))
done
echo "Fetching data: $count tests, $failures failed"
[ $failures -eq 0 ]
