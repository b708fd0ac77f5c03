#!/bin/sh
# setup.sh: looks for what the course needs and installs what is missing, when it may.
#
#   sh common/tools/setup.sh                check; install with apt as root or through sudo; otherwise print the line to type
#   sh common/tools/setup.sh --check        only say what is missing; exit 1 when something is
#   sh common/tools/setup.sh --note FILE    as without it, and FILE gets the names of what is still missing
#   sh common/tools/setup.sh --again FILE   the same, unless FILE says that just this was missing before: then nothing is
#                                           tried, and somebody is reminded once a day
#
# What a single chapter needs beside, by the file `packages` in its folder (packages.sh), is looked for with the rest by the first
# three. --again leaves it out, so that nobody waits for it who does not ask for that chapter; behind it,
# --packages chapters/NN-name looks for just that.
#
# CC in the environment is the compiler, a command of one or more words (default gcc).
#
# Without gnuplot there are no pictures, without Check no tests, and so on: the rest works all the same, so a missing
# package is told and not an error. Only a compiler that cannot compile is, and an installation that was tried and failed:
# exit status 1.
set -u

usage="usage: sh common/tools/setup.sh [--check | --note FILE | --again FILE [--packages FOLDER] | --help]"
mode=install note="" only=""
case "${1-}" in
    "") ;;
    --check) mode=check ;;
    --note | --again)
        [ -n "${2-}" ] || { echo "setup: $1 needs a file; $usage" >&2; exit 2; }
        [ "$1" = --note ] || mode=again
        note=$2
        [ "${3-}" != --packages ] || only=${4-}
        [ -z "${3-}" ] || [ -n "$only" ] || { echo "setup: what is $3? $usage" >&2; exit 2; } ;;
    --help) echo "$usage"; exit 0 ;;
    *) echo "setup: unknown option $1; $usage" >&2; exit 2 ;;
esac

compiler=${CC:-gcc}
say() { echo "setup: $*" >&2; }
has_command() { command -v "$1" >/dev/null 2>&1; }
# shellcheck disable=SC2086
compiler_works() { $compiler --version >/dev/null 2>&1; }
has_font() { # has_font FILE
    for fonts in /usr/share/fonts /usr/local/share/fonts "${HOME:-/nonexistent}/.fonts" "${HOME:-/nonexistent}/.local/share/fonts"; do
        [ -z "$(find "$fonts" -name "$1" 2>/dev/null | head -n 1)" ] || return 0
    done
    return 1
}

# ---- What is missing ---------------------------------------------------------------------------------------------------

need() { # need PACKAGE "what it is for" TEST…
    package=$1 purpose=$2
    shift 2
    "$@" && return
    missing="$missing $package"
    what="$what
    $package: $purpose"
}

# The words of CC that name programs: of "nice -n 5 ccache gcc-12", nice, ccache and gcc-12.
need_compiler() {
    for word in $compiler; do
        case $word in
            -* | *=* | [0-9]* | */*) ;;
            cc) need gcc "compiles" has_command cc ;;
            *) need "$word" "you asked for with CC=\"$compiler\"" has_command "$word" ;;
        esac
    done
}

# need_headers: from the lines "HEADER PACKAGE what it is for" those that the compiler does not find, all asked in one go.
need_headers() {
    # shellcheck disable=SC2086
    absent=$(sed 's/^\([^ ]*\) \(.*\)$/#if !__has_include(<\1>)\n\2\n#endif/' | $looker -E -P - 2>/dev/null)
    while read -r package purpose; do
        [ -z "$package" ] || need "$package" "$purpose" false
    done <<END
$absent
END
}

# need_packages [FOLDER]: what single chapters need, or this one (packages.sh)
need_packages() {
    packages=$(dirname "$0")/packages.sh
    [ -f "$packages" ] || return 0
    while read -r package kind name purpose; do
        case $kind in
            command) need "$package" "$purpose" has_command "$name" ;;
            library) need "$package" "$purpose" pkg-config --exists "$name" ;;
        esac
    done <<END
$(sh "$packages" list "$@")
END
}

look() { # sets missing: the names of Debian's packages, and what: a line for each
    missing="" what="" can_compile=yes
    if [ -n "$only" ]; then
        need_packages "$only"
        missing=${missing# } noted=${missing# }
        return
    fi
    need_compiler
    looker=$compiler
    compiler_works || can_compile=no looker=gcc # which headers there are, another may know
    need_headers <<END
math.h libc6-dev the headers of the C library
END
    [ -z "$missing" ] || can_compile=no
    need gnuplot-nox "draws the figures" has_command gnuplot
    need fonts-dejavu-core "letters for the figures" has_font DejaVuSans.ttf
    need fonts-wqy-microhei "Chinese characters for the figures" has_font 'wqy-microhei*'
    need pkg-config "finds the test library" has_command pkg-config
    need xz-utils "unpacks the reviews" has_command xz
    need_headers <<END
check.h check runs the tests
zlib.h zlib1g-dev reads compressed data
pcre2.h libpcre2-dev cuts text into words
uninorm.h libunistring-dev knows the normal forms of Unicode
cjson/cJSON.h libcjson-dev reads JSON
stb/stb_image.h libstb-dev reads photographs
$(case $compiler in
    *clang-[0-9]*) echo "omp.h libomp-$(echo "$compiler" | sed 's/.*clang-\([0-9]*\).*/\1/')-dev threads for clang" ;;
    *clang*) echo "omp.h libomp-dev threads for clang" ;;
esac)
END
    need pandoc "makes the web book" has_command pandoc
    need libjs-katex "sets the web book's formulas" [ -f "${KATEX:-/usr/share/javascript/katex}/katex.min.js" ]
    noted=${missing# } # without what single chapters need: they have notes of their own
    [ "$mode" = again ] || need_packages
    missing=${missing# }
}

# ---- The note ------------------------------------------------------------------------------------------------------------

# Whatever root wrote through sudo belongs to the one who typed it.
hand_over() {
    [ "$(id -u)" -ne 0 ] || [ -z "${SUDO_UID-}" ] || chown "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$@" 2>/dev/null
}

write_note() {
    [ -n "$note" ] || return 0
    folder=$(dirname "$note")
    if [ ! -d "$folder" ]; then
        mkdir -p "$folder" || return 1
        hand_over "$folder"
    fi
    printf '%s' "${noted:+$noted
}" >"$note" || { say "$note cannot be written; BUILD=folder chooses another place than $folder"; exit 1; }
    hand_over "$note"
}

# Nothing has changed since the note was written: not what is missing, and not what is looked for.
is_known() {
    [ "$mode" = again ] && [ -f "$note" ] && [ "$(cat "$note")" = "$missing" ] && [ -z "$(find "$0" ${only:+"$only/packages"} -newer "$note" 2>/dev/null)" ]
}

remind() {
    [ -n "$missing" ] || return 0
    today=$(date +%F)
    [ "$(cat "$note.told" 2>/dev/null)" != "$today" ] || return 0
    echo "$today" >"$note.told"
    hand_over "$note.told"
    say "still missing: $missing (make setup tries again)"
}

# ---- Installing ----------------------------------------------------------------------------------------------------------

tell_what_is_missing() {
    say "missing:$what"
    if ! has_command apt-get; then
        say "to have all of it, install these with your system's package manager (the names are Debian's): $missing"
    elif [ "$(id -u)" -eq 0 ] || ! has_command sudo; then
        say "to have all of it, type as root:  apt-get install -y --no-install-recommends $missing"
    else
        say "to have all of it, type:  sudo apt-get install -y --no-install-recommends $missing"
    fi
}

# Why apt did not do it, and what helps.
tell_why() {
    case $(cat "$log") in
        *"Could not get lock"* | *"Unable to acquire the dpkg frontend lock"* | *"Unable to lock"*)
            say "another program is installing packages just now. Wait until it has finished, then type: make setup" ;;
        *"No space left"* | *"enough free space"*)
            say "the disk is full. Make room, then type: make setup" ;;
        *"dpkg was interrupted"*)
            say "an earlier installation was interrupted. Type: ${sudo:+$sudo }dpkg --configure -a   and then: make setup" ;;
        *"Temporary failure resolving"* | *"Could not resolve"* | *"Could not connect"* | *"Unable to connect"* | *"Cannot initiate the connection"* | \
            *"Network is unreachable"* | *"Connection timed out"* | *"Connection refused"* | *"Connection failed"*)
            say "the archive with the packages cannot be reached. Connect to the network, then type: make setup" ;;
        *"Read-only file system"* | *"Permission denied"*)
            say "the system's folders cannot be written here, not even by root" ;;
        *"a password is required"* | *"incorrect password"* | *"not in the sudoers"* | *"may not run sudo"*)
            say "sudo did not let you. Somebody who may must type the line below" ;;
        *)
            grep -v '^$' "$log" | tail -n 5 | sed 's/^/    /' >&2
            say "apt-get could not install it; its last words are above" ;;
    esac
}

# shellcheck disable=SC2086
apt() { $sudo env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -o DPkg::Lock::Timeout=60 "$@"; }

# shellcheck disable=SC2086
install_wanted() { apt install -y --no-install-recommends $wanted >>"$log" 2>&1; }

# sets unknown: the names that the package lists do not have, blanks between them
find_unknown() {
    # shellcheck disable=SC2086
    unknown=$(apt install -s --no-install-recommends $missing 2>&1 |
        sed -n -e 's/^E: Unable to locate package \([^ ]*\).*/\1/p' -e "s/^E: Package '\([^']*\)' has no installation candidate.*/\1/p" |
        tr '\n' ' ')
}

# install_missing: 0 when apt installed all, 1 when it did not, 2 when it may not even try
install_missing() {
    has_command apt-get || return 2
    sudo=""
    if [ "$(id -u)" -ne 0 ]; then
        has_command sudo || return 2
        if ! sudo -n true 2>/dev/null; then
            [ -t 0 ] && [ -t 2 ] || return 2
            say "sudo may ask for your password"
        fi
        sudo=sudo
    fi
    log=$(mktemp) || log=/dev/null
    trap '[ "$log" = /dev/null ] || rm -f "$log"' EXIT
    trap 'exit 130' INT TERM
    say "looking for $missing"
    : >"$log"
    find_unknown
    [ -z "$unknown" ] || { apt update >"$log" 2>&1; find_unknown; } # the lists may be missing, or old
    # A name that this release does not know must not keep the others away.
    wanted=""
    for name in $missing; do
        case " $unknown " in *" $name "*) ;; *) wanted="$wanted $name" ;; esac
    done
    if [ -n "$wanted" ]; then
        # shellcheck disable=SC2086
        megabytes=$(apt install --print-uris -y --no-install-recommends $wanted 2>/dev/null |
            awk "/^'/ { bytes += \$3 } END { printf \"%d\", bytes / 1000000 + 0.5 }")
        say "installing them: ${megabytes:-?} MB to fetch"
        install_wanted || { grep -q 'Failed to fetch' "$log" && apt update >>"$log" 2>&1 && install_wanted; } ||
            { tell_why; return 1; }
    fi
    # When even the lists could not be had, that is the reason.
    if [ -n "$unknown" ] && grep -q 'Failed to fetch' "$log"; then
        tell_why
        return 1
    fi
    [ -z "$unknown" ] || { say "this system's package lists do not know: $unknown"; return 1; }
}

look
[ "$can_compile" = yes ] && is_known && { remind; exit 0; }
if [ -n "$missing" ] && [ "$mode" != check ]; then
    install_missing
    tried=$?
    look
else
    tried=2
fi
if [ "$mode" = check ]; then
    [ -z "$missing" ] || say "missing:$what"
    has_command npm || say "npm is not here either: some data sets need it, and \`make data\` brings it then"
    [ -z "$missing" ]
    exit
fi

write_note
[ -z "$missing" ] || tell_what_is_missing
if [ "$can_compile" = no ]; then
    say "there is no C compiler that works: \"$compiler\""
    exit 1
fi
[ -z "$missing" ] || say "going on with what works."
[ "$tried" -ne 1 ] || [ -z "$missing" ] || [ "$mode" = again ]
