#!/bin/sh
# packages.sh: what single chapters need of the system, from the files `packages` in their folders.
#
#   sh common/tools/packages.sh list [FOLDER]     "PACKAGE command|library NAME what it is for", a line for each; of all, or of one
#   sh common/tools/packages.sh cflags FOLDER     options for compiling with the libraries that are there, and …
#   sh common/tools/packages.sh libs FOLDER       … for linking with them; nothing for one that is missing
#
# A chapter's program asks __has_include whether its library's header is there, and says what to install when it is not.
set -u
case ${1-} in
    list)
        chapters=$(dirname "$0")/../../chapters
        if [ -n "${2-}" ]; then cat "$2/packages"; else cat "$chapters"/[0-9]*/packages; fi 2>/dev/null | grep '^[a-z]' ;;
    cflags | libs)
        libraries=$(sed -n 's/^[a-z][^ ]* library \([^ ]*\) .*/\1/p' "${2?a chapter folder}/packages" 2>/dev/null)
        for library in $libraries; do
            # Headers of others are not ours to warn about.
            pkg-config "--$1" "$library" 2>/dev/null | sed 's/^-I */-isystem /; s/ -I */ -isystem /g'
        done ;;
    *) sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0" ;;
esac
exit 0
