#!/bin/sh
# fresh.sh: does the course run on a new Debian system that has git, make and gcc and nothing else? `make test-fresh` calls it.
#
#     [SUITES="bookworm trixie"] [STEPS="bare chapter1 data verify grader"] [KEEP=1] [MIRROR=address] sh tests/fresh.sh FOLDER
#
# Builds each Debian release in FOLDER/SUITE, clones what is committed here into it, and types there what a newcomer types:
#
#     bare       make chapter1, as an ordinary user, who can install nothing: it goes on, and prints the line that would
#     chapter1   make chapter1, as root: what is missing is installed first
#     data       make data
#     verify     make verify; when that fails, each chapter by itself, to say which
#     grader     make test-grader, with a quarter of its programs: the jail on this system's compiler and C library
#
# and then all but the first once more as an ordinary user, who has a clone of his own and finds installed what root installed.
# A step also fails when the compiler warns. STEPS chooses among them; KEEP=1 leaves the systems to look into. What each
# step printed stays in FOLDER/logs. The last line is "N passed, N failed"; exit status 1 when something failed, 2 when no
# system could be had.
#
# Needs root and debootstrap (installed when it is missing) and, the first time, about a minute a system; later runs unpack
# FOLDER/SUITE.tar.gz, and take packages from FOLDER/packages. All of it together, with every chapter twice on each
# system, takes 40 minutes.
#
# This machine is left as it is. The mounts are made in a namespace of their own, which ends with its last process, so an
# interrupted run leaves neither mounts nor processes behind. How this machine reaches Debian's and npm's archives is found when
# the script runs (mirror, proxies, certificates) and told to the new systems.
set -u
usage='usage: sh tests/fresh.sh FOLDER'
[ $# -eq 1 ] && [ -n "$1" ] || { echo "$usage" >&2; exit 2; }
suites=${SUITES:-bookworm trixie}
steps=${STEPS:-bare chapter1 data verify grader}
inside=/home/course # the parent folder of both clones: inside/root, inside/student
variables=""        # NAME=value lines that every command inside gets

say() { echo "fresh: $*" >&2; }
stop() { say "$*"; exit 2; }
has() { command -v "$1" >/dev/null 2>&1; }

# ---- This machine --------------------------------------------------------------------------------------------------

# Once more in a mount and process namespace, where everything below happens.
enter_namespace() {
    [ "${FRESH_INSIDE-}" != yes ] || return 0
    [ "$(id -u)" -eq 0 ] || stop "needs root, for debootstrap and chroot. Type: sudo make test-fresh"
    for suite in $suites; do
        case $suite in *[!a-z]*) stop "SUITES: '$suite' is not the name of a Debian release" ;; esac
    done
    for step in $steps; do
        case $step in bare | chapter1 | data | verify | grader) ;; *) stop "STEPS: '$step': there are bare chapter1 data verify grader" ;; esac
    done
    if ! has debootstrap; then
        has apt-get || stop "needs debootstrap, which your system's package manager may have"
        say "installing debootstrap"
        apt-get update -qq >/dev/null 2>&1 # an old list may still do
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null ||
            stop "needs debootstrap. Type: apt-get install debootstrap"
    fi
    unshare --mount --propagation private --pid --fork --mount-proc true 2>/dev/null ||
        stop "this machine lets nobody mount (a container without privileges?); run it on a machine or in a virtual machine"
    # Killed, unshare takes everything inside with it, and the mounts go with the last of that.
    env FRESH_INSIDE=yes unshare --mount --propagation private --pid --fork --kill-child --mount-proc sh "$0" "$1" &
    child=$!
    trap 'interrupted "$1"' INT TERM HUP
    wait "$child"
    exit
}

interrupted() { # interrupted FOLDER
    kill -KILL "$child"
    wait "$child" 2>/dev/null
    [ -n "${KEEP-}" ] || for suite in $suites; do rm -rf --one-file-system "${1:?}/$suite" "$1/$suite.part"; done
    say "interrupted"
    exit 130
}

find_mirror() { # the address of the first Debian archive that this machine's apt uses; none on another system
    mirror=${MIRROR-}
    if [ -z "$mirror" ] && has apt-get; then
        mirror=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
            sed -n 's/^Debian \(.*\)/\1/p' | head -n 1)
    fi
}

# Settings of apt that say how to reach an archive, not what to do with what comes.
apt_settings() {
    has apt-config || return 0
    apt-config dump | grep -E '^Acquire::(https?::|ftp::|Retries|Check-|ForceIPv|AllowReleaseInfoChange)' |
        grep -v -i 'auto-detect'
}

# remember NAME VALUE: for every command inside; a certificate's file is copied into the new system, under one name
remember() {
    case $2 in
        "" | null | undefined) return ;;
        /*.crt | /*.pem)
            [ -f "$2" ] || return
            cp "$2" "$folder/certificates.pem" || return
            set -- "$1" /etc/ssl/certificates-of-the-host.pem ;;
        /*) return ;; # another path of this machine
    esac
    variables="$variables$1=$2
"
}

find_settings() {
    for name in http_proxy https_proxy ftp_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY \
        SSL_CERT_FILE NODE_EXTRA_CA_CERTS GIT_SSL_CAINFO; do
        eval "value=\${$name-}"
        remember "$name" "$value"
    done
    has npm || return 0
    for name in registry cafile proxy https-proxy noproxy; do
        remember "npm_config_$(echo "$name" | tr - _)" "$(npm config get "$name" 2>/dev/null)"
    done
}

# ---- A new system ----------------------------------------------------------------------------------------------------

# new_system: unpacks $suite into $root; the first time it is built, and packed.
new_system() {
    umount -R "$root/proc" 2>/dev/null
    rm -rf --one-file-system "$root" "$root.part" && mkdir -p "$folder/packages/$suite" || return 1
    if [ ! -f "$folder/$suite.tar.gz" ]; then
        say "building Debian $suite"
        # What `apt-get install git make gcc` brings; certificates, for a proxy or a registry that wants them.
        debootstrap --variant=minbase --include=git,make,gcc,libc6-dev,ca-certificates "$suite" "$root.part" \
            ${mirror:+"$mirror"} >"$folder/logs/$suite-debootstrap.txt" 2>&1 ||
            { tail -n 5 "$folder/logs/$suite-debootstrap.txt" >&2; return 1; }
        rm -rf "$root.part"/var/cache/apt/archives/*.deb "$root.part"/var/lib/apt/lists/*
        tar -C "$root.part" -cf - . | gzip -1 >"$folder/$suite.tar.part" && mv "$folder/$suite.tar.part" "$folder/$suite.tar.gz" ||
            return 1
    else
        mkdir "$root.part" && tar -C "$root.part" -xzf "$folder/$suite.tar.gz" || return 1
    fi
    mv "$root.part" "$root" &&
        mount -t proc proc "$root/proc" &&
        mount --bind "$folder/packages/$suite" "$root/var/cache/apt/archives" &&
        mkdir -p "$root/dev/shm" && mount -t tmpfs shm "$root/dev/shm" &&
        furnish
}

# furnish: the network's settings, a user, and a clone for each of the two.
furnish() {
    cat /etc/resolv.conf >"$root/etc/resolv.conf"
    cat /etc/hosts >"$root/etc/hosts"
    apt_settings >"$root/etc/apt/apt.conf.d/99host"
    [ ! -f "$folder/certificates.pem" ] || cp "$folder/certificates.pem" "$root/etc/ssl/certificates-of-the-host.pem"
    mkdir -p "$root$inside" &&
        git -c safe.directory='*' clone -q --no-hardlinks "file://$top" "$root$inside/root" &&
        cp -R "$root$inside/root" "$root$inside/student" &&
        chroot "$root" /usr/sbin/useradd -u 1000 -d $inside student &&
        chown -R 1000:1000 "$root$inside/student" && chmod 755 "$root$inside"
}

remove_system() {
    umount "$root/dev/shm" "$root/var/cache/apt/archives" "$root/proc" 2>/dev/null
    if [ -n "${KEEP-}" ]; then
        say "kept: chroot $root"
    else
        rm -rf --one-file-system "$root"
    fi
}

# in_system WHO COMMAND…: in the clone of root or student, with a new login's environment
in_system() {
    who=$1
    shift
    home=/root ids=0:0
    [ "$who" = root ] || home=$inside/student ids=1000:1000
    IFS='
'
    # shellcheck disable=SC2086
    set -- env -i $variables HOME=$home USER="$who" LOGNAME="$who" TERM=dumb \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        sh -c "cd $inside/$who && exec \"\$@\"" sh "$@"
    unset IFS
    chroot --userspec=$ids --groups=${ids#*:} "$root" "$@" </dev/null
}

# ---- The steps ---------------------------------------------------------------------------------------------------------

passed=0
failed=0

# step NAME "words that it must print, or empty" WHO COMMAND…: announced, timed, counted; its output goes to a log
step() {
    name=$1 words=$2 person=$3
    shift 3
    log=$folder/logs/$suite-$(echo "$name" | tr ' ' -).txt
    began=$(date +%s)
    echo "━━ $suite, $name: $*"
    in_system "$person" "$@" >"$log" 2>&1
    status=$?
    took=$(($(date +%s) - began))
    why=""
    [ "$status" -eq 0 ] || why="exit status $status"
    [ -z "$words" ] || grep -q -e "$words" "$log" || why="${why:+$why, }it does not say '$words'"
    ! grep -q ': warning: ' "$log" || why="${why:+$why, }the compiler warns"
    if [ -z "$why" ]; then
        passed=$((passed + 1))
        echo "━━ $suite, $name: passed in $took s"
        return 0
    fi
    failed=$((failed + 1))
    { grep -A 4 ': warning: ' "$log" | head -n 20; tail -n 15 "$log"; } | sed 's/^/    /'
    echo "━━ $suite, $name: FAILED after $took s: $why ($log)"
    return 1
}

chosen() { case " $steps " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

steps_of() { # steps_of WHO
    if chosen chapter1; then step "chapter1 as $1" 'claims hold' "$1" make chapter1; fi
    if chosen data; then step "data as $1" '' "$1" make data; fi
    if chosen verify && ! step "verify as $1" 'no difference' "$1" make verify; then
        for chapter in "$root$inside/$1"/chapters/[0-9]*; do
            number=$(basename "$chapter" | sed 's/^0*//; s/-.*//')
            step "verify$number as $1" 'no difference' "$1" make "verify$number"
        done
    fi
    if chosen grader; then step "grader as $1" ' 0 failed' "$1" make test-grader SCRIPTS=no; fi
}

case $1 in -*) stop "$usage" ;; esac
enter_namespace "$1"

# Whatever runs below ends with this process, the first of its namespace.
top=$(cd "$(dirname "$0")/.." && pwd) || exit 2
git -c safe.directory='*' -C "$top" rev-parse -q --verify HEAD >/dev/null ||
    stop "$top is not a git clone; this tests what is committed"
mkdir -p "$1/logs" && folder=$(cd "$1" && pwd) || exit 2
rm -f "$folder"/certificates.pem
[ -z "$(git -c safe.directory='*' -C "$top" status --porcelain)" ] ||
    say "there are changes that are not committed; they are left out"
find_mirror
find_settings

for suite in $suites; do
    root=$folder/$suite
    rm -f "$folder/logs/$suite"-*.txt
    if ! new_system; then
        say "Debian $suite cannot be built in $folder"
        failed=$((failed + 1))
        remove_system
        continue
    fi
    echo "━━ Debian $(cat "$root/etc/debian_version"), $(chroot "$root" gcc --version | head -n 1)"
    if chosen bare; then step "bare" 'apt-get install' student make chapter1; fi
    rm -rf "$root$inside/student/build" # what was built with nothing installed
    steps_of root
    steps_of student
    remove_system
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
