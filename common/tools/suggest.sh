#!/bin/sh
# suggest.sh: what may have been meant. The Makefile calls it, from the course's folder.
#
#     suggest.sh settings NAME… -- SETTING…                   prints those names that are nearly a setting, with it
#     suggest.sh name NAME -- OTHER…                          prints the OTHER that is nearest to a function's NAME, if near
#     suggest.sh goals STRANGE UNKNOWN TARGET… -- FAMILY…     tells whoever typed COURSE_GOALS (in the environment) what to
#                                                             type, on standard error; exit status 2
#
# STRANGE is what the first form has printed, UNKNOWN those of the goals that are no targets, in one word each. A FAMILY is
# a target with a number at its end (chapter1), or unit-name. A variable of the Makefile is a setting, too.
set -u
export LC_ALL=C
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac

# The smallest number of letters to be changed, added, left out or exchanged with the next.
distance='
function min(a, b) { return a < b ? a : b }
function distance(a, b,    i, j, cost, d) {
    for (i = 0; i <= length(a); i++) d[i, 0] = i
    for (j = 0; j <= length(b); j++) d[0, j] = j
    for (i = 1; i <= length(a); i++)
        for (j = 1; j <= length(b); j++) {
            cost = substr(a, i, 1) != substr(b, j, 1)
            d[i, j] = min(min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost)
            if (i > 1 && j > 1 && substr(a, i, 1) == substr(b, j - 1, 1) && substr(a, i - 1, 1) == substr(b, j, 1))
                d[i, j] = min(d[i, j], d[i - 2, j - 2] + 1)
        }
    return d[length(a), length(b)]
}'

form=$1
shift
if [ "$form" = settings ]; then
    for name; do
        shift
        [ "$name" != -- ] || break
        grep -qF -e "\$($name)" -e "\$\$$name" -e "$name =" -e "$name :=" -e "$name ?=" Makefile || set -- "$@" "$name="
    done
    # Settings, and then the names that are not known, with a = behind them.
    awk "$distance"'BEGIN {
        for (i = 1; i < ARGC; i++) if (ARGV[i] !~ /=$/) setting[++count] = ARGV[i]
        for (i = 1; i < ARGC; i++) {
            if (ARGV[i] !~ /=$/) continue
            name = substr(ARGV[i], 1, length(ARGV[i]) - 1)
            least = length(name) > 4 ? 3 : 2
            meant = ""
            for (k = 1; k <= count; k++) {
                d = distance(toupper(name), setting[k])
                if (d < least && d < length(setting[k]) - 1) { least = d; meant = setting[k] }
            }
            if (meant != "") print name "=" meant
        }
    }' "$@"
    exit
fi

if [ "$form" = name ]; then
    awk "$distance"'BEGIN {
        least = length(ARGV[1]) / 3 + 1
        for (i = 3; i < ARGC; i++) {
            d = distance(tolower(ARGV[1]), tolower(ARGV[i]))
            if (d < least) { least = d; meant = ARGV[i] }
        }
        if (meant != "") print meant
    }' "$@"
    exit
fi

# What people type out of habit.
advice='all = To run every chapter: make chapters
build = A program is built when it is needed: make chapter1
check = To check everything here: make test
clean = Everything generated is in the folder build: rm -r build
distclean = Everything generated is in the folder build: rm -r build
install = To install what the course needs: make setup. The course itself runs where it is: make chapter1
run = To run the first lesson: make chapter1
start = To run the first lesson: make chapter1
begin = To run the first lesson: make chapter1
tests = To check everything here: make test
exercise = What is asked stands in exercise.h of a chapter, and your answers in exercise.c: make grade1
list = What there is: make help
ls = What there is: make help
talk = To talk with the GPT of chapter 20: make sample
dataset = To bring data sets: make data
datasets = To bring data sets: make data'

strange=$1 unknown=$2
shift 2
export advice strange unknown
for folder in chapters/[0-9]*-*; do printf '%s\n' "${folder#chapters/}"; done | awk "$distance"'
function say(text) { print text | "cat >&2" }
function number_in(text) { sub(/^.*[^0-9]/, "", text); sub(/^0+/, "", text); return text }
# " 1 2 6 …": the numbers of a family
function numbers(verb,    k, list) {
    for (k = 1; k <= families; k++) if (family[k] ~ "^" verb "[0-9]+$") list = list " " number_in(family[k])
    return list
}
# The verb that takes a number and is nearest to the text, or nothing.
function verb_for(text,    k, d, least, meant) {
    if (text in synonym) return synonym[text]
    least = length(text) / 3 + 1
    for (k = 1; k <= verbs; k++) {
        d = distance(text, verb[k])
        if (d < least) { least = d; meant = verb[k] }
    }
    return meant
}
# "grade" and 7: what to type, or what there is
function with_number(name, number,    k) {
    for (k = 1; k <= families; k++) if (family[k] == name number) { say("Did you mean: make " name number); return }
    say(name ~ /chapter|weave|verify/ ? "There is no chapter " number " yet." : "Chapter " number " has no exercises yet.")
    say("There are: make " name "N, where N is one of" numbers(name))
}
# The number of a chapter that is called "10-cnn", "cnn", "linear_regression", chapters/10-cnn/cnn.c; or nothing
function chapter_called(text,    k, name) {
    sub(/^\.\//, "", text)
    if (sub(/^chapters\//, "", text)) sub(/\/.*/, "", text)
    gsub(/_/, "-", text)
    for (k = 1; k <= chapters; k++) {
        name = chapter[k]
        sub(/^[0-9]+-/, "", name)
        if (text == chapter[k] || text == name) return chapter[k] + 0
    }
    return ""
}
function nearest(text,    k, d, least, meant) {
    least = length(text) / 3 + 1
    for (k = 1; k <= candidates; k++) {
        d = distance(text, candidate[k])
        if (d < least) { least = d; meant = candidate[k] }
    }
    return meant
}
# goal is no target; next_number is what was typed behind it, if that is a number
function suggest(goal, next_number,    text, stem, number, meant) {
    text = tolower(goal)
    if (text in advice) { say(advice[text]); return }
    number = chapter_called(text)
    if (number != "") { say("Did you mean: make chapter" number); return }
    stem = text
    number = sub(/[-_. #]*[0-9]+$/, "", stem) ? number_in(text) : next_number
    if (number != "" && (stem == "" || (meant = verb_for(stem)) != "")) {
        with_number(stem == "" ? "chapter" : meant, number)
        return
    }
    meant = stem in synonym ? synonym[stem] : nearest(text)
    if (meant in target) say("Did you mean: make " meant)
    else if (numbers(meant) != "") say("Which chapter? Type make " meant "N, where N is one of" numbers(meant))
    else if (meant != "") say("Did you mean: make " meant)
}
BEGIN {
    count = split(ENVIRON["advice"], line, "\n")
    for (k = 1; k <= count; k++) { split(line[k], part, " = "); advice[part[1]] = part[2] }
    count = split("lesson ch run points test tests task answer answers", from, " ")
    split("chapter chapter chapter grade grade grade grade solution solution", to, " ")
    for (k = 1; k <= count; k++) synonym[from[k]] = to[k]
    for (i = 1; i < ARGC && ARGV[i] != "--"; i++) target[candidate[++candidates] = ARGV[i]]
    for (i++; i < ARGC; i++) {
        family[++families] = ARGV[i]
        name = ARGV[i]
        if (name ~ /^unit-/) candidate[++candidates] = name
        else if (sub(/[0-9]+$/, "", name) && !(name in seen)) { seen[name]; candidate[++candidates] = verb[++verbs] = name }
    }
    ARGC = 1
}
{ chapter[++chapters] = $0 }
END {
    count = split(ENVIRON["strange"], pair, " ")
    for (k = 1; k <= count; k++) {
        split(pair[k], part, "=")
        say("There is no setting " part[1] ". Did you mean: " part[2] "=…")
    }
    count = split(ENVIRON["unknown"], list, " ")
    for (k = 1; k <= count; k++) wrong[list[k]]
    goals = split(ENVIRON["COURSE_GOALS"], goal, " ")
    for (k = 1; k <= goals; k++) {
        if (!(goal[k] in wrong)) continue
        next_number = goal[k] !~ /[0-9]$/ && goal[k + 1] ~ /^[0-9]+$/ ? number_in(goal[k + 1]) : ""
        say("There is no \"" goal[k] (next_number == "" ? "" : " " goal[k + 1]) "\" to make.")
        suggest(goal[k], next_number)
        if (next_number != "") k++
    }
    say("make help lists what there is.")
}' "$@"
exit 2
