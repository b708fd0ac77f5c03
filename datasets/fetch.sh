#!/bin/sh
# fetch.sh: brings the data sets that are not shipped, from Debian and npm packages, without installing them and without
# being root. What there is, and how each file is recognised, stands in datasets/recipes.
#
# A file gets its name in the cache only after its sha256 was found right, by a rename, so no reader ever meets half a
# file. A run that was stopped is resumed by the next one; two runs at once do the work once. When a set is complete
# and unchanged nothing is read and nobody is asked.

. "$(dirname "$0")/common.sh"

verify=no
seconds=1800
tools=$here/tools
most_unpacked=2000000000 # bytes of a package; the largest that is fetched has 0.6 GB

usage() {
    cat <<'END_OF_USAGE'
usage: sh datasets/fetch.sh [OPTION…] SET…     brings sets into datasets/cache/SET/
       sh datasets/fetch.sh --list             says what sets there are
       sh datasets/fetch.sh --prepare SET…     installs what bringing them needs (npm), and brings nothing
  --verify            compare the sha256 of what is already there as well
  --timeout SECONDS   give up a download after so long (default 1800)
  --cache FOLDER      another place than datasets/cache
  --recipes FILE      another list than datasets/recipes
  --tools FOLDER      another place than datasets/tools for the programs that convert
Without a network: `sh datasets/bundle.sh` packs sets into one file and takes them out again. Or put a set's files, or
the packages that hold them, where the message tells you; they are checked just as downloaded ones are.
END_OF_USAGE
}

task=fetch
while [ $# -gt 0 ]; do
    case $1 in
        --help) usage; exit 0 ;;
        --list) task=list ;;
        --prepare) task=prepare ;;
        --verify) verify=yes ;;
        --timeout | --cache | --recipes | --tools)
            [ $# -ge 2 ] || stop "$1 needs a value; see --help"
            case $1 in
                --timeout) seconds=$2 ;;
                --cache) cache=$2 ;;
                --recipes) recipes=$2 ;;
                --tools) tools=$2 ;;
            esac
            shift
            ;;
        --) shift; break ;;
        -*) stop "unknown option $1; see --help" ;;
        *) break ;;
    esac
    shift
done
[ -r "$recipes" ] || stop "$recipes cannot be read"

if [ "$task" = list ]; then
    for set in $(all_sets); do
        state="      "
        if is_complete "$set"; then state="here  "; fi
        printf '%s%-16s %5s MB  %s\n%32s%s\n' "$state" "$set" "$(megabytes_of "$set")" \
            "$(recipe "$set" | sed -n 's/^title //p')" "" "$(recipe "$set" | sed -n 's/^licence //p')"
    done
    exit 0
fi
[ $# -gt 0 ] || stop "which set? One of: $(all_sets | tr '\n' ' ')"
for set in "$@"; do
    [ -n "$(contents "$set")" ] || stop "there is no set '$set'. There are: $(all_sets | tr '\n' ' ')"
done

# ---- What went wrong -----------------------------------------------------------------------------------------------------

reasons="" # for the message at the end
causes=""  # of: network npm apt disk content
because() { # because CAUSE TEXT: remembered, and false. That an installed package is another one is no reason.
    [ "$way" != installed ] || return 1
    causes="$causes $1"
    shift
    case $reasons in *"data:   $*"*) ;; *) reasons="$reasons
data:   $*" ;; esac
    return 1
}

last_words() {
    [ -s "$stage/log" ] || return 0
    line=$(grep -E '^(E:|npm (error|ERR!)|.*error)' "$stage/log" | grep -v 'complete log of this run' | head -n 1)
    [ -n "$line" ] || line=$(grep -v '^$' "$stage/log" | tail -n 1)
    printf ': %s' "$line" | cut -c 1-200
}

# why TOOL PACKAGE STATUS: a download failed; says why, by what the tool said
why() {
    if [ "$3" -eq 124 ]; then
        because network "$2: $1 did not bring it within $seconds seconds (--timeout)"
    elif grep -qE 'No space left|ENOSPC' "$stage/log" 2>/dev/null; then
        because disk "$2: the disk is full"
    elif grep -qE 'Temporary failure|[Cc]ould not (resolve|connect|handshake)|Unable to connect|Network is unreachable|timed out|Failed to fetch|ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH' "$stage/log" 2>/dev/null; then
        because network "$2: $1 has no network$(last_words)"
    else
        because other "$2: $1 could not bring it$(last_words)"
    fi
}

# ---- npm ------------------------------------------------------------------------------------------------------------------

npm_line="apt-get install -y --no-install-recommends npm"

# Installs npm, as root or, when the user at the terminal agrees, through sudo. Says beforehand what that costs.
install_npm() {
    has npm && return 0
    has apt-get || return 1
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        has sudo && [ -t 0 ] && [ -t 2 ] && [ ! -e "$cache/.fetch/no-npm-$$" ] || return 1
        printf 'data: npm, which brings %s, is not installed. Install it now with sudo (about 45 MB)? [Y/n] ' "$1" >&2
        read -r answer || answer=n
        case $answer in [Nn]*) : >"$cache/.fetch/no-npm-$$"; return 1 ;; esac
        as_root=sudo
    else
        say "installing npm, which brings $1 (about 45 MB, once)"
    fi
    mkdir -p "$stage"
    # shellcheck disable=SC2086
    for try in 1 2; do
        $as_root env DEBIAN_FRONTEND=noninteractive $npm_line >"$stage/log" 2>&1 </dev/null && has npm && return 0
        [ $try -eq 2 ] || $as_root apt-get update >"$stage/log" 2>&1 || true
    done
    why apt-get npm 1
}

no_npm() { # npm is not here and could not be installed
    if has apt-get; then
        because npm "$1: npm is not installed: sudo apt-get install npm (about 45 MB)"
    else
        because npm "$1: npm is not installed; it comes with Node.js, which your system's package manager has"
    fi
}

# ---- Downloading -------------------------------------------------------------------------------------------------------

run() { # run COMMAND…: with a time limit; what it says is kept for the error message
    if timeout --foreground 1 true 2>/dev/null; then set -- timeout --foreground -k 5 "$seconds" "$@"; fi
    "$@" >"$stage/log" 2>&1 </dev/null
}

# On a terminal a line that counts, otherwise one line a set.
announced=no
announce() { # announce PACKAGE MB
    if [ -t 2 ]; then
        counted="data: $set: fetching $1"
        count_up "$2" &
        counter=$!
    elif [ $announced = no ]; then
        say "fetching $set, $(megabytes_of "$set") MB: $(recipe "$set" | sed -n 's/^title //p')"
    fi
    announced=yes
}
count_up() { # until the script ends, or ends this
    while kill -0 $$ 2>/dev/null; do
        kilobytes=$(du -sk "$stage" 2>/dev/null | cut -f 1)
        awk -v line="$counted" -v now="$((${kilobytes:-0} - already))" -v all="$1" \
            'BEGIN { now /= 1000; if (now < 0) now = 0; if (now > all) now = all; printf "\r%s: %.1f of %.1f MB ", substr(line, 1, 60), now, all }' >&2
        sleep 1
    done
}
counted_up() { # the end of the line that counts
    [ -t 2 ] || return 0
    kill "$counter" 2>/dev/null
    wait "$counter" 2>/dev/null
    printf '\r%78s\r' "" >&2
}

# Package lists may be missing (a fresh machine) or too old. Root renews the system's, anybody else makes private ones.
apt() { # apt COMMAND…
    set -- -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o APT::Sandbox::User=root "$@"
    if [ -n "$apt_lists" ]; then
        set -- -o Dir::State="$apt_lists" -o Dir::State::lists="$apt_lists/lists" -o Dir::Cache="$apt_lists" \
            -o Dir::State::status=/var/lib/dpkg/status "$@"
    fi
    run apt-get "$@"
}
download_deb() { # download_deb PACKAGE, into the current folder; apt goes on where an earlier download stopped
    apt_lists=""
    [ ! -d "$stage/apt" ] || apt_lists=$stage/apt
    apt download "$1" && return
    grep -q 'No space left' "$stage/log" && return 1
    if [ "$(id -u)" -ne 0 ]; then
        apt_lists=$stage/apt
        mkdir -p "$stage/apt/lists/partial" "$stage/apt/archives/partial"
    fi
    apt update && apt download "$1"
}

# What a user's settings of npm may say otherwise is said here; its cache goes with the staging folder.
download_npm() {
    run env npm_config_cache="$stage/npm" npm pack --loglevel=error --ignore-scripts --dry-run=false --json=false \
        --global=false --workspaces=false --offline=false --update-notifier=false --fund=false --pack-destination=. "$1"
}
npm_archive_name() { # @a/b@1.2 → a-b-1.2.tgz
    printf '%s\n' "${1#@}" | sed 's#/#-#g; s#@#-#; s#$#.tgz#'
}

newest() { # newest FILE…: the last written of those that exist
    # shellcheck disable=SC2012
    [ -e "$1" ] && ls -t "$@" | head -n 1
}

# fetch_package KIND PACKAGE MB: brings the package to $stage/ID.archive
fetch_package() {
    [ ! -f "$stage/$id.archive" ] || return 0
    case $1 in
        deb)
            tool=apt-get
            has apt-get || { because apt "$2: apt-get is not here: it is a package of Debian and its relatives"; return 1; }
            ;;
        npm)
            tool=npm
            has npm || install_npm "$2" || { no_npm "$2"; return 1; }
            ;;
    esac
    mkdir -p "$stage/$id.part"
    already=$(du -sk "$stage" | cut -f 1)
    announce "$2" "$3"
    (cd "$stage/$id.part" && "download_$1" "$2")
    code=$?
    counted_up
    [ $code -eq 0 ] || { why $tool "$2" $code; return 1; }
    brought=$(newest "$stage/$id.part/"$pattern)
    [ -n "$brought" ] || { because other "$2: $tool brought nothing$(last_words)"; return 1; }
    mv "$brought" "$stage/$id.archive" && rm -rf "$stage/$id.part" "$stage/npm"
}

# unpack KIND ARCHIVE FOLDER: at most $most_unpacked bytes; a longer one ends in the middle of a file, and tar says so
unpack() {
    rm -rf "$3" && mkdir -p "$3" || return 1
    : >"$stage/log"
    if [ "$1" = deb ]; then
        dpkg-deb --fsys-tarfile "$2" 2>>"$stage/log"
    else
        gzip -dc <"$2" 2>>"$stage/log"
    fi | head -c "$most_unpacked" | tar -xf - -C "$3" --no-same-owner 2>>"$stage/log" && [ ! -s "$stage/log" ] &&
        chmod -R u+rwX "$3"
}

# open_package KIND PACKAGE MB: the package's files are below $root. $way says where from: "installed" on this system, "here"
# as a file that somebody put into the cache, or "fetched". $version becomes what it is, for messages.
open_package() {
    id=$1-$(printf '%s\n' "$2" | tr '/@' '--')
    version=$2
    case $1 in
        deb) root=$stage/$way-$id pattern=$2_*.deb ;;
        npm) root=$stage/$way-$id/package pattern=$(npm_archive_name "$2") ;;
        *) stop "$recipes: 'from $1': there are deb and npm" ;;
    esac
    if [ "$way" = installed ]; then
        root=""
        [ "$1" = deb ]
        return
    fi
    if [ ! -d "$stage/$way-$id" ]; then
        case " $tried " in *" $way-$id "*) return 1 ;; esac
        tried="$tried $way-$id"
        if [ "$way" = here ]; then
            package=$(newest "$cache/"$pattern) && [ -n "$package" ] || return 1
            say "$set: using $(short "$package")"
        else
            fetch_package "$1" "$2" "$3" || return 1
            package=$stage/$id.archive
        fi
        unpack "$1" "$package" "$stage/unpacked" || {
            because content "$2: $(short "$package") cannot be unpacked: it is damaged, or too large$(last_words)"
            rm -rf "$stage/unpacked" "$stage/$id.archive"
            return 1
        }
        [ "$1" = npm ] || dpkg-deb -f "$package" Version >"$stage/$way-$id.version" 2>/dev/null
        mv "$stage/unpacked" "$stage/$way-$id"
    fi
    [ "$1" = npm ] || version="$2 $(cat "$stage/$way-$id.version")"
}

# resolve PATH…: the one file that matches the recipe's pattern becomes $found
resolve() {
    [ $# -eq 1 ] && [ -e "$1" ] && found=$1
}

# ---- Converting ---------------------------------------------------------------------------------------------------------

# Builds a program of datasets/tools for this machine, whatever CC the course is built with.
build_tool() { # build_tool PROGRAM
    [ ! -x "$stage/$1.tool" ] || return 0
    # shellcheck disable=SC2086
    for compiler in cc gcc clang ${CC:+"$CC"}; do
        has ${compiler%% *} || continue
        $compiler -std=c11 -O1 -D_GNU_SOURCE "$tools/$1.c" -lz -o "$stage/$1.tool" >"$stage/log" 2>&1 && return 0
    done
    because other "the program $1, which converts, cannot be built; \`make setup\` installs what is missing$(last_words)"
}

# place {PACKAGE}REST: opens the package; $found is its FOLDER and the rest of the argument
place() {
    named=${1%%"}"*} rest=${1#*"}"}
    source=$(awk -v name="${named#"{"}" '$1 == "from" { plain = $3; if ($2 == "npm") sub(/@[^@]*$/, "", plain)
        if (plain == name) { print $2, $3, $4, $5; exit } }' "$stage/recipe")
    [ -n "$source" ] || stop "$recipes: $set: no 'from' names $named}"
    read -r its_kind its_name its_megabytes its_folder <<END_OF_SOURCE
$source
END_OF_SOURCE
    open_package "$its_kind" "$its_name" "$its_megabytes" || return 1
    origin="$origin${origin:+, }$version"
    # Only a rest with a * has to be there: others may be the beginning of several names.
    # shellcheck disable=SC2086
    case $rest in
        *"*"*) resolve "$root"/$its_folder$rest ;;
        *) resolve "$root"/$its_folder && found=$found$rest ;;
    esac || because content "$version: there is no $its_folder$rest in it"
}

# convert BYTES PROGRAM ARGUMENT…: keeps what the program prints as $stage/made. Of too much output only so much is kept as
# to tell that it is too much.
convert() {
    most=$(($1 * 2 + 1000000)) program=$2 origin="" arguments=$(($# - 2))
    shift 2
    while [ $arguments -gt 0 ]; do # each goes to the end, with its path in place of {PACKAGE}
        argument=$1 arguments=$((arguments - 1))
        shift
        case $argument in "{"*"}"*) place "$argument" && argument=$found || return 1 ;; esac
        set -- "$@" "$argument"
    done
    build_tool "$program" || return 1
    rm -f "$stage/log"
    "$stage/$program.tool" "$@" 2>"$stage/log" </dev/null | head -c "$most" >"$stage/made"
}

# ---- One set -----------------------------------------------------------------------------------------------------------

# make_it: $name as $stage/made, out of the packages in this $way
make_it() {
    rm -rf "$stage/made"
    if [ "$word" = convert ]; then
        # shellcheck disable=SC2086
        convert "$bytes" $rest_of_line
        return
    fi
    path=${rest_of_line:-$name}
    open_package "$kind" "$package_name" "$megabytes" || return 1
    origin=$version
    # shellcheck disable=SC2086
    resolve "$root"/$folder/$path || { because content "$version: there is no $folder/$path in it"; return 1; }
    [ ! -L "$found" ] || { because content "$version: $folder/$path in it is a link, not a file"; return 1; }
    case $path:$name in
        *.gz:*.gz) cp "$found" "$stage/made" ;; # its content counts, packed as it may be
        *.gz:*) gzip -dc <"$found" 2>"$stage/log" | head -c $((bytes * 2 + 1000000)) >"$stage/made" ;;
        *) cp -R "$found" "$stage/made" ;;
    esac
}

made_is_right() { # is_right, but $stage/made has not the name by which a .gz is recognised
    case $name in
        *.gz) mv "$stage/made" "$stage/made.gz" && is_right "$word" "$stage/made.gz" "$sha256" "$bytes" && mv "$stage/made.gz" "$stage/made" ;;
        *) is_right "$word" "$stage/made" "$sha256" "$bytes" ;;
    esac
}

# bring_it: tries the ways, until $name is in place and right
bring_it() {
    for way in installed here fetched; do
        make_it || continue
        if made_is_right; then
            mv "$stage/made" "$target/$name" && return 0
            because disk "$(short "$target")/$name cannot be written"
            return 1
        fi
        if [ -s "$stage/log" ] && [ "$word" = convert ]; then
            because content "$name cannot be made of $origin$(last_words)"
        else
            because content "$name of $origin is not the data that this course knows: expected $bytes bytes with the sha256 $sha256; got $got_bytes bytes${got_sha256:+ with $got_sha256}"
        fi
        [ "$way" != fetched ] || spoilt="$spoilt $id"
    done
    return 1
}

# A wrong file under a right name would be read: it is moved aside. It may be somebody's only copy, so it is kept.
set_aside() { # set_aside PATH
    rm -rf "$1.wrong" && mv "$1" "$1.wrong"
    say "$set: $(short "$1") is not the file that it should be; it is now called $(basename "$1").wrong"
}

# Is the file in place and right? An earlier version of the course may have left it, packed or with other content.
is_there() {
    if [ -e "$target/$name" ]; then
        is_right "$word" "$target/$name" "$sha256" "$bytes" && return 0
        if grep -q " $name\$" "$stage/done.before" 2>/dev/null && [ "$verify" = no ]; then
            rm -rf "${target:?}/$name" # what the recipe of that time asked for
        else
            set_aside "$target/$name"
        fi
    fi
    if [ "$word" = file ] && [ -f "$target/$name.gz" ]; then
        gzip -dc <"$target/$name.gz" 2>/dev/null | head -c $((bytes + 1)) >"$stage/made"
        made_is_right && mv "$stage/made" "$target/$name" && return 0
    fi
    return 1
}

bring_set() { # in a subshell: variables set here end here
    mkdir -p "$target" "$stage" 2>/dev/null || { say "$set: $(short "$target") cannot be written"; return 1; }
    if [ -f "$target/.done" ]; then mv -f "$target/.done" "$stage/done.before"; fi
    tried="" kind="" package_name="" megabytes="" folder="" way=""
    there="" # names that are in place and right
    spoilt="" # downloads that are not what they should be
    rm -rf "$stage/log" "$stage"/here-* # what a run that was stopped had taken out of a package that may be another one now
    recipe "$set" >"$stage/recipe"
    while read -r word sha256 bytes name rest_of_line <&3; do
        case $word in
            from) kind=$sha256 package_name=$bytes megabytes=$name folder=$rest_of_line ;;
            file | tree | convert)
                case " $there " in *" $name "*) continue ;; esac
                if is_there || bring_it; then there="$there $name"; fi
                way=""
                ;;
            title | licence | tried) ;;
            *) stop "$recipes: $set: '$word' is not understood" ;;
        esac
    done 3<"$stage/recipe"
    for id in $spoilt; do rm -rf "${stage:?}/fetched-$id" "$stage/$id.archive"; done

    for name in $(contents "$set" | cut -d ' ' -f 4); do
        case " $there " in *" $name "*) ;; *) by_hand; return 1 ;; esac
    done
    finish_set "$set" || { say "$set: $(short "$target") cannot be written"; return 1; }
    rm -rf "$stage"
    if [ -t 2 ]; then say "$set is in $(short "$target")"; fi
}

# What went wrong, and what helps against that.
by_hand() {
    say "$set could not be had:$reasons"
    case "$causes " in
        *" npm "*)
            say "Type:  sudo $npm_line"
            say "and then the same again."
            ;;
        *" network "*) say "Connect to the network and type the same again." ;;
        *" disk "*) say "Make room on the disk and type the same again." ;;
        *" content "*)
            awk '$1 == "from" { name = $3 } $1 == "tried" { $1 = ""; print "data: Versions of " name " that are known to be right:" $0 }' \
                "$stage/recipe" >&2
            say "With another one, the newest version of this course may know it. Or bring one of these, or a bundle:"
            ;;
    esac
    say "Without that: on a machine that has the data, type \`make data-bundle\`, and here \`make data BUNDLE=FILE\`."
    say "Or bring the packages from a machine with a network, into $(short "$cache")/:"
    awk '$1 == "from" && $2 == "deb" { print "data:   apt-get download " $3 }
         $1 == "from" && $2 == "npm" { print "data:   npm pack " $3 }' "$stage/recipe" >&2
    say "or these files, into $(short "$target")/:"
    awk -v there=" $there " '$1 == "file" || $1 == "tree" || $1 == "convert" {
            if (index(there, " " $4 " ") || seen[$4]++) next
            print "data:   " $4 ($1 == "tree" ? "/" : "") " sha256" ($4 ~ /\.gz$/ ? " of its unpacked content " : " ") $2
        }' "$stage/recipe" >&2
    say "and type the same again: they are checked and used."
}

# ---- Main ---------------------------------------------------------------------------------------------------------------

status=0
missing=""
for set in "$@"; do
    if [ "$verify" = no ] && is_complete "$set"; then
        touch "$cache/$set/.done" 2>/dev/null # newer than the recipes, for make
    else
        missing="$missing $set"
    fi
done
[ -n "$missing" ] || exit 0
lock
trap 'rm -f "$cache/.fetch/no-npm-$$"' EXIT

if [ "$task" = prepare ]; then
    stage=$cache/.fetch/prepare way=""
    for set in $missing; do
        package_name=$(recipe "$set" | awk '$1 == "from" && $2 == "npm" { print $3; exit }')
        [ -n "$package_name" ] || continue
        install_npm "$package_name" || { say "npm, which brings $package_name, is missing. Type:  sudo $npm_line  (about 45 MB)"; exit 1; }
        exit 0
    done
    exit 0
fi

for set in $missing; do
    target=$cache/$set stage=$cache/.fetch/$set
    has flock || stage=$stage-$$
    if [ "$verify" = no ] && is_complete "$set"; then continue; fi # somebody else brought it meanwhile
    (bring_set) || status=1
done
exit $status
