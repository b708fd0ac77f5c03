#!/bin/sh
# test_setup.sh: common/tools/setup.sh on machines where something is missing, locked, forbidden or far away. Nothing is
# installed: PATH holds a few programs of this machine and stand-ins for the compiler, apt-get, sudo and id.
set -u
setup=$(cd "$(dirname "$0")/../../common/tools" && pwd)/setup.sh
chapter=$(cd "$(dirname "$0")/../../chapters/33-many-machines" && pwd)
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
result=${SUITE_RESULT-}
passed=0 failed=0
bin=$scratch/bin
export MACHINE="$scratch/machine" # what is installed: a file for each package, headers as header-NAME
mkdir -p "$bin" "$MACHINE" "$scratch/home"
for program in sh env cat grep sed awk find head tail tr mktemp rm mkdir dirname chown date ln; do
    ln -s "$(command -v $program)" "$bin/$program" || exit 2
done

# ---- The stand-ins -------------------------------------------------------------------------------------------------------

# A compiler that finds the headers that MACHINE has: it prints the lines between an #if for one that is missing and #endif.
cat >"$scratch/gcc" <<'END'
#!/bin/sh
[ "$1" != --version ] || exit 0
shown=yes
while read -r word condition; do
    case $word in
        '#if')
            header=${condition#*<}
            header=${header%>*}
            [ ! -e "$MACHINE/header-${header##*/}" ] && shown=yes || shown=no ;;
        '#endif') shown=yes ;;
        *) [ $shown = no ] || echo "$word $condition" ;;
    esac
done
END
# APT is what apt-get does: good, or the end of its output when it fails. What it is asked is noted.
cat >"$scratch/apt-get" <<'END'
#!/bin/sh
while [ "$1" = -o ]; do shift 2; done
echo "apt-get $*" >>"$MACHINE/../asked"
case $* in
    update*)
        : >"$MACHINE/updated"
        [ "$APT" != offline ] || echo "W: Failed to fetch http://archive.invalid/x  Temporary failure resolving 'archive.invalid'"
        exit 0 ;;
    "install -s"*)
        case $APT in
            lists) [ -e "$MACHINE/updated" ] || { echo "E: Unable to locate package check"; exit 100; } ;;
            offline) for package in $everything; do echo "E: Unable to locate package $package"; done; exit 100 ;;
            unknown) echo "E: Unable to locate package libcjson-dev"; exit 100 ;;
        esac
        exit 0 ;;
    *--print-uris*) echo "'http://archive.invalid/a.deb' a.deb 5400000 MD5:0"; exit 0 ;;
esac
case $APT in
    old)
        [ -e "$MACHINE/updated" ] || { echo "E: Failed to fetch http://archive.invalid/a.deb  404  Not Found"; exit 100; }
        "$MACHINE/../put" "$@" ;;
    good | lists | unknown) "$MACHINE/../put" "$@" ;;
    part) "$MACHINE/../put" check ;;
    *) echo "$APT" >&2; exit 100 ;;
esac
END
# put PACKAGE…: installs them, in MACHINE and HOME
cat >"$scratch/put" <<'END'
#!/bin/sh
header() { : >"$MACHINE/header-$1"; }
command() { ln -sf "$MACHINE/../true" "$MACHINE/../bin/$1"; }
font() { : >"$MACHINE/../home/.fonts/$1"; }
for package; do
    case $package in
        libc6-dev) header math.h ;;
        check) header check.h ;;
        zlib1g-dev) header zlib.h ;;
        libpcre2-dev) header pcre2.h ;;
        libunistring-dev) header uninorm.h ;;
        libcjson-dev) header cJSON.h ;;
        libstb-dev) header stb_image.h ;;
        gnuplot-nox) command gnuplot ;;
        xz-utils) command xz ;;
        openmpi-bin) command mpirun ;;
        pkg-config | pandoc) command "$package" ;;
        libjs-katex) : >"$MACHINE/katex.min.js" ;;
        fonts-dejavu-core) font DejaVuSans.ttf ;;
        fonts-wqy-microhei) font wqy-microhei.ttc ;;
    esac
done
END
printf '#!/bin/sh\nexit 0\n' >"$scratch/true"
printf '#!/bin/sh\nexec "$@"\n' >"$scratch/ccache"
printf '#!/bin/sh\necho "${USER_ID-0}"\n' >"$scratch/id"
# SUDO: free (asks nobody), or nothing for one that wants a password and has no terminal
printf '#!/bin/sh\n[ "$SUDO" = free ] || exit 1\n[ "$*" != "-n true" ] || exit 0\necho sudo >>"$MACHINE/../asked"\nexec "$@"\n' >"$scratch/sudo"
chmod +x "$scratch/gcc" "$scratch/apt-get" "$scratch/put" "$scratch/true" "$scratch/ccache" "$scratch/id" "$scratch/sudo"

export everything="libc6-dev gnuplot-nox fonts-dejavu-core fonts-wqy-microhei check pkg-config zlib1g-dev xz-utils libpcre2-dev \
    libunistring-dev libcjson-dev libstb-dev pandoc libjs-katex openmpi-bin libopenmpi-dev"

# machine PROGRAM…: forgets everything; these stand-ins are there, and the compiler with its headers
machine() {
    rm -rf "$MACHINE" "$scratch/home" "$scratch/asked" "$scratch/build"
    rm -f "$bin/apt-get" "$bin/sudo" "$bin/ccache" "$bin/gcc" "$bin/gnuplot" "$bin/pkg-config" "$bin/xz" "$bin/pandoc" "$bin/mpirun"
    mkdir -p "$MACHINE" "$scratch/home/.fonts"
    : >"$MACHINE/header-math.h"
    : >"$scratch/asked"
    for program in id gcc "$@"; do ln -sf "$scratch/$program" "$bin/$program"; done
}
# shellcheck disable=SC2086
has_all() { "$scratch/put" $everything; }

run() { # run MODE NAME=VALUE…: setup.sh --MODE on that machine; "chapter": what chapter 33 alone needs
    case $1 in
        note | again) words="--$1 $stamp" ;;
        chapter) words="--again $stamp-33 --packages $chapter" ;;
        *) words=--$1 ;;
    esac
    shift
    # shellcheck disable=SC2086
    env -i PATH="$bin" MACHINE="$MACHINE" KATEX="$MACHINE" HOME="$scratch/home" APT=good everything="$everything" "$@" sh "$setup" $words \
        >"$scratch/said" 2>&1 </dev/null
    status=$?
}

expect() { # expect NAME STATUS "words said" "words that are not", or empty
    if [ "$status" -eq "$2" ] && { [ -z "$3" ] || grep -q -e "$3" "$scratch/said"; } &&
        { [ -z "$4" ] || ! grep -q -e "$4" "$scratch/said"; }; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL: $1: expected status $2, \"$3\", not \"$4\"; got status $status and:"
        cat "$scratch/said"
    fi
}
asked() { # asked NAME yes|no WORDS: whether apt-get was asked this
    got=no
    ! grep -q -e "$3" "$scratch/asked" || got=yes
    if [ $got = "$2" ]; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        echo "FAIL: $1: asked for '$3': expected $2, got:"
        cat "$scratch/asked"
    fi
}

# ---- Tests ---------------------------------------------------------------------------------------------------------------

stamp=$scratch/build/setup.done
machine apt-get && has_all
run note
expect "nothing is missing" 0 "" "setup:"
run check
expect "to check says what only data need" 0 "npm" "missing"
run unknown
expect "an unknown option" 2 "unknown option --unknown" ""

machine apt-get
run note
expect "root installs, and says how much it is" 0 "5 MB to fetch" "missing:"
# Fonts of this system count as well: they cannot be hidden from the script.
[ -n "$(find /usr/share/fonts -name 'wqy-microhei*' 2>/dev/null)" ] && letters="" || letters="fonts-wqy-microhei .*"
asked "all of it at once" yes "install -y --no-install-recommends gnuplot-nox .*${letters}pandoc"
run again
expect "then there is nothing to say" 0 "" "setup:"

machine apt-get
run note USER_ID=1000
expect "a user without sudo gets the line" 0 "type as root:  apt-get install -y .*gnuplot-nox" "installing"
run again USER_ID=1000
expect "a reminder" 0 "still missing: gnuplot-nox" "type as root"
run again USER_ID=1000
expect "once a day" 0 "" "setup:"
asked "and apt was never asked" no apt-get
has_all
run again USER_ID=1000
expect "installed by hand, it is seen" 0 "" "setup:"
[ -f "$stamp" ] && [ ! -s "$stamp" ]
status=$?
expect "and the note is empty" 0 "" ""

machine apt-get sudo
run note USER_ID=1000 SUDO=free
expect "sudo that asks nobody" 0 "installing" "missing:"
asked "through sudo" yes sudo
machine apt-get sudo
run note USER_ID=1000
expect "sudo that wants a password, and no terminal" 0 "type:  sudo apt-get install" "installing"

machine apt-get
run note "APT=E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4"
expect "apt is locked" 1 "another program is installing" "network"
run note APT=offline
expect "no network, and no package lists" 1 "Connect to the network" "do not know"
run note "APT=Temporary failure resolving 'archive.invalid'"
expect "no network" 1 "Connect to the network" "another program"
run note "APT=E: You don't have enough free space in /var/cache/apt/archives/."
expect "a full disk" 1 "disk is full" ""
run note "APT=E: dpkg was interrupted, you must manually run 'dpkg --configure -a'"
expect "an interrupted dpkg" 1 "dpkg --configure -a" ""
run note "APT=E: something odd"
expect "another reason is quoted" 1 "E: something odd" ""
: >"$scratch/asked"
run again "APT=E: something odd"
expect "the next make goes on" 0 "still missing" "something odd"
asked "without trying again" no install
run note
expect "make setup tries again" 0 "installing" "missing:"

machine apt-get
run again
expect "make chapter1 installs, too" 0 "installing" "missing:"
asked "but not what chapter 33 alone needs" no openmpi
run chapter
expect "chapter 33 does" 0 "installing" "missing:"
asked "and nothing else" yes "install -y --no-install-recommends openmpi-bin$"
: >"$scratch/asked"
run chapter
asked "once" no install
rm -f "$bin/mpirun"
run chapter USER_ID=1000
expect "a user is told" 0 "type as root:  apt-get install -y .*openmpi-bin" "installing"
run chapter USER_ID=1000
expect "reminded" 0 "still missing: openmpi-bin" "type as root"
run chapter USER_ID=1000
expect "once a day, too" 0 "" "setup:"

for lists in lists old; do
    machine apt-get
    run note APT=$lists
    expect "package lists that are missing or old" 0 "installing" "missing:"
    asked "are renewed" yes update
done
machine apt-get
run note APT=unknown
expect "a name that the release does not know" 1 "do not know: libcjson-dev" ""
asked "does not keep the others away" yes "install -y .*libstb-dev"
machine apt-get
run note APT=part
expect "what apt did not bring after all" 0 "missing:" ""

machine
run note
expect "a system without apt" 0 "package manager.*gnuplot-nox" "apt-get"

machine apt-get && has_all && rm "$MACHINE/header-math.h"
run note USER_ID=1000
expect "gcc without the C library's headers" 1 "libc6-dev" "going on"
run note
expect "root gets them" 0 "installing" "no C compiler"
has_all
run note "CC=ccache gcc" USER_ID=1000
expect "a compiler of two words, the first is missing" 1 "ccache: you asked for" "check:"
ln -s "$scratch/ccache" "$bin/ccache"
run note "CC=ccache gcc"
expect "a compiler of two words" 0 "" "setup:"
run note "CC=/nowhere/gcc"
expect "a compiler that is not there" 1 'no C compiler that works: "/nowhere/gcc"' ""
run check "CC=clang-19" USER_ID=1000
expect "clang needs its own OpenMP" 1 "libomp-19-dev" ""

machine apt-get && has_all && mv "$scratch/home/.fonts" "$scratch/home/elsewhere"
eval "env -i PATH=\"\$bin\" MACHINE=\"\$MACHINE\" USER_ID=1000 sh \"\$setup\" --check" >"$scratch/said" 2>&1
status=$?
[ -n "$(find /usr/share/fonts -name DejaVuSans.ttf 2>/dev/null)" ] || expect "without HOME" 1 "fonts-dejavu-core" ""
grep -q "parameter not set" "$scratch/said"
status=$?
expect "HOME need not be set" 1 "" ""

[ -z "$result" ] || echo "$passed passed, $failed failed" >"$result"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
