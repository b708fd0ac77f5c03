#!/bin/sh
# run.sh PROGRAM [OPTION…]: runs a program with the words of the environment's ARGS before its own options.
#
# ARGS is cut at blanks and line ends; quotation marks and backslashes keep words together as they do in a shell. Nothing
# else is special: no $, no `, no ; and no *.
set -u
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
program=$1
shift
words=$(awk 'BEGIN {
    text = ENVIRON["ARGS"]
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (quote == "" && c ~ /[ \t\r\n]/) {
            if (begun) print_word()
            continue
        }
        begun = 1
        if (c == quote) quote = ""
        else if (quote == "" && (c == "\"" || c == "\047")) quote = c
        else {
            if (c == "\\" && quote != "\047" && i < length(text)) c = substr(text, ++i, 1)
            word = word (c == "\047" ? "\047\\\047\047" : c)
        }
    }
    if (quote != "") exit 1
    if (begun) print_word()
}
function print_word() { printf " \047%s\047", word; word = ""; begun = 0 }') ||
    { printf 'ARGS=%s: a quotation mark is not closed\n' "$ARGS" >&2; exit 2; }
eval "set -- $words \"\$@\""
exec "$program" "$@"
