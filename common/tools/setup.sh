#!/bin/sh
# setup.sh: looks for what the course needs and installs what is missing, when it may.
#
#   sh common/tools/setup.sh            check; install with apt as root or through sudo; otherwise print the line to type
#   sh common/tools/setup.sh --check    only say what is missing; exit 1 when something is
#
# Without gnuplot there are no pictures, without Check no tests, and so on: the rest works all the same, so a missing
# package is told and not an error. Only a missing compiler is.

set -u

usage="usage: sh common/tools/setup.sh [--check | --help]"
only_check=no
case "${1-}" in
    "") ;;
    --check) only_check=yes ;;
    --help) echo "$usage"; exit 0 ;;
    *) echo "setup: unknown option $1; $usage" >&2; exit 2 ;;
esac

compiler=${CC:-gcc}
has_command() { command -v "$1" >/dev/null 2>&1; }
has_header() { echo "#include <$1>" | "$compiler" -DPCRE2_CODE_UNIT_WIDTH=8 -E -o /dev/null - >/dev/null 2>&1; } # PCRE2 insists

if ! has_command "$compiler"; then
    echo "setup: there is no C compiler '$compiler'. Type: apt-get install gcc libc6-dev make" >&2
    exit 1
fi

missing=""
what=""
need() { # need PACKAGE "what it is for" TEST…
    package=$1
    purpose=$2
    shift 2
    "$@" && return
    missing="$missing $package"
    what="$what
    $package: $purpose"
}
need gnuplot-nox "draws the figures" has_command gnuplot
need fonts-dejavu-core "the figures' letters" test -n "$(find /usr/share/fonts "${HOME:-/nonexistent}/.fonts" -name 'DejaVuSans.ttf' 2>/dev/null | head -n 1)"
need check "runs the tests" has_header check.h
need pkg-config "finds the test library" has_command pkg-config
need zlib1g-dev "reads compressed data" has_header zlib.h
need xz-utils "unpacks the reviews" has_command xz
need libpcre2-dev "cuts text into words" has_header pcre2.h
need libunistring-dev "knows Unicode's normal forms" has_header uninorm.h
need libcjson-dev "reads JSON" has_header cjson/cJSON.h
need libstb-dev "reads photographs" has_header stb/stb_image.h
need pandoc "makes the web book" has_command pandoc
case "$compiler" in
    *clang*) need libomp-dev "threads for clang" has_header omp.h ;;
esac

[ -z "$missing" ] && exit 0
if [ "$only_check" = yes ]; then
    echo "setup: missing:$what" >&2
    exit 1
fi

line="apt-get install -y --no-install-recommends$missing"
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if has_command sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        as_root="sudo"
    else
        as_root="none"
    fi
fi

if has_command apt-get && [ "$as_root" != none ]; then
    echo "setup: installing$missing" >&2
    log=$(mktemp)
    if $as_root apt-get update >"$log" 2>&1; then :; fi # an old list may still do
    if $as_root env DEBIAN_FRONTEND=noninteractive $line >>"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 5 "$log" >&2
    rm -f "$log"
    echo "setup: that did not work." >&2
fi

echo "setup: missing:$what" >&2
if has_command apt-get; then
    echo "setup: to have all of it, type:  sudo $line" >&2
else
    echo "setup: to have all of it, install these with your system's package manager:$missing" >&2
fi
echo "setup: going on with what works." >&2
exit 0
