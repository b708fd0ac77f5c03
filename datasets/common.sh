# common.sh: what fetch.sh and bundle.sh share; they read it first thing (`.`). It runs nothing of its own.
# shellcheck shell=sh disable=SC2034

set -u

# ---- A known environment ------------------------------------------------------------------------------------------------
# Many variables change what cd, tar, gzip, sort, gcc, npm or the shell do (CDPATH, TAR_OPTIONS, GZIP, LC_ALL, POSIXLY_CORRECT,
# npm_config_dry_run, …). So the script begins again with nothing but what is named here: the way to programs, to the
# network, and the user's home, where npm and apt keep how to get there.
if [ "${DATA_ENVIRONMENT-}" != known ]; then
    set -- sh "$0" "$@"
    for name in HOME USER LOGNAME TERM LD_LIBRARY_PATH CC APT_CONFIG SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS \
        http_proxy https_proxy ftp_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY \
        npm_config_registry npm_config_proxy npm_config_https_proxy npm_config_noproxy npm_config_cafile \
        npm_config_strict_ssl npm_config_userconfig npm_config_globalconfig \
        NPM_CONFIG_REGISTRY NPM_CONFIG_CAFILE NPM_CONFIG_USERCONFIG; do
        eval "value=\${$name-}"
        [ -z "$value" ] || set -- "$name=$value" "$@"
    done
    exec env -i DATA_ENVIRONMENT=known LC_ALL=C "PATH=${PATH-/usr/bin:/bin}" "$@"
fi
unset DATA_ENVIRONMENT
umask 022

here=$(cd "$(dirname "$0")" && pwd) || exit 2
recipes=$here/recipes
cache=$here/cache

say() { printf 'data: %s\n' "$*" >&2; }
stop() {
    say "$*"
    exit 2
}
has() { command -v "$1" >/dev/null 2>&1; }

# A path as it is seen from here.
short() { case $1 in "$PWD"/*) printf '%s\n' "${1#"$PWD"/}" ;; *) printf '%s\n' "$1" ;; esac; }

# ---- Recipes ------------------------------------------------------------------------------------------------------------

all_sets() { awk '$1 == "set" { print $2 }' "$recipes"; }
# The lines of a set, without its "set" line.
recipe() { awk -v name="$1" '$1 == "set" { on = $2 == name; next } on && NF && $1 !~ /^#/' "$recipes"; }
# Its files, trees and converted files: what .done holds when the set is complete.
contents() { recipe "$1" | awk '($1 == "file" || $1 == "tree" || $1 == "convert") && !seen[$4]++ { print $1, $2, $3, $4 }'; }
megabytes_of() { recipe "$1" | awk '$1 == "from" { sum += $4 } END { printf "%.1f", sum }'; }

# ---- Hashes -------------------------------------------------------------------------------------------------------------

if has sha256sum; then hasher=sha256sum; else hasher="shasum -a 256"; fi
sha256() { $hasher | cut -d ' ' -f 1; } # of standard input

# measure KIND PATH BYTES: sets $got_sha256 and $got_bytes of what is there, as the recipes count. No more than one byte
# beyond what is due is unpacked.
measure() {
    got_sha256="" got_bytes=0
    case $1:$2 in
        tree:*)
            [ -d "$2" ] && [ ! -L "$2" ] && [ -z "$(find "$2" ! -type f ! -type d | head -n 1)" ] || return 1
            got_bytes=$(find "$2" -type f -exec cat {} + | wc -c)
            [ "$got_bytes" -eq "$3" ] || return 0
            got_sha256=$(cd "$2" && find . -type f | sort | tr '\n' '\0' | xargs -0 $hasher | sha256)
            ;;
        *.gz)
            [ -f "$2" ] && [ ! -L "$2" ] || return 1
            got_bytes=$(gzip -dc <"$2" 2>/dev/null | head -c $(($3 + 1)) | wc -c)
            got_sha256=$(gzip -dc <"$2" 2>/dev/null | head -c $(($3 + 1)) | sha256)
            ;;
        *)
            [ -f "$2" ] && [ ! -L "$2" ] || return 1
            got_bytes=$(wc -c <"$2")
            got_sha256=$(sha256 <"$2")
            ;;
    esac
}
is_right() { # is_right KIND PATH SHA256 BYTES: is this what we want?
    measure "$1" "$2" "$4" && [ "$got_bytes" -eq "$4" ] && [ "$got_sha256" = "$3" ]
}

is_complete() { # is_complete SET: the stamp names today's recipe and every name is there
    [ -f "$cache/$1/.done" ] && [ "$(cat "$cache/$1/.done")" = "$(contents "$1")" ] || return 1
    for name in $(contents "$1" | cut -d ' ' -f 4); do
        [ -e "$cache/$1/$name" ] || return 1
    done
}

# finish_set SET: everything is in $cache/SET and right. The stamp is written, and what the recipe of an earlier version of
# the course had put there, as its stamp says, goes.
finish_set() {
    contents "$1" >"$stage/done" || return 1
    if [ -f "$stage/done.before" ]; then
        cut -d ' ' -f 4 "$stage/done.before" | while read -r name; do
            case $name in "" | */* | .*) continue ;; esac
            cut -d ' ' -f 4 "$stage/done" | grep -qxF -e "$name" || rm -rf "${cache:?}/$1/$name"
        done
    fi
    mv "$stage/done" "$cache/$1/.done"
}

# The lock ends with its holder, however that ends. Without flock, two runs at once may both do the work.
lock() {
    mkdir -p "$cache/.fetch" 2>/dev/null && cache=$(cd "$cache" && pwd) && [ -w "$cache/.fetch" ] ||
        stop "$(short "$cache") cannot be written: is it somebody else's, or the disk full?"
    has flock || return 0
    exec 9>"$cache/.fetch/lock" || stop "$(short "$cache")/.fetch/lock cannot be written"
    flock -w 3 9 && return 0
    say "somebody is fetching data already; waiting"
    flock 9
}
