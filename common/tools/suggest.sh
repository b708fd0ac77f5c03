#!/bin/sh
# suggest.sh: what may have been meant. The Makefile calls it, from the course's folder.
#
#     suggest.sh settings NAME… -- SETTING…                   prints those names that are nearly a setting, with it
#     suggest.sh name NAME -- OTHER…                          prints the OTHER that is nearest to a function's NAME, if near
#     suggest.sh goals STRANGE UNKNOWN TARGET… -- FAMILY…     tells whoever typed COURSE_GOALS (in the environment) what to
#                                                             type, on standard error; exit status 2
#
# STRANGE is what the first form has printed, UNKNOWN those of the goals that are no targets, in one word each. A FAMILY is
# a target with a number at its end (chapter1), or unit-name. A variable of the Makefile is a setting, too; COURSE_SETTINGS
# (in the environment) has those that can be typed.
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
build compile = A program is built when it is needed: make chapter1
check tests = To check everything here: make test
clean distclean clear uninstall = Everything generated is in the folder build: rm -r build
install init deps dependencies requirements = To install what the course needs: make setup. The course itself runs where it is: make chapter1
run start begin go demo = To run the first lesson: make chapter1
exercise exercise.c exercise.h = What is asked stands in exercise.h of a chapter, and your answers in exercise.c: make grade1
list ls usage man options targets = What there is: make help
talk ask = To talk with the bot of chapter 29: make chat
generate continue = To let the GPT of chapter 20 go on: make sample
dataset datasets download fetch = To bring data sets: make data
status = How far you are: make progress
docs doc html pdf web website = For the web book: make book
notebook ipynb lab kernel = To open the chapters as notebooks: make jupyter
unit units = To run one test program: make unit-NAME, for tests/unit/test_NAME.c'

strange=$1 unknown=$2
shift 2
export advice strange unknown
for folder in chapters/[0-9]*-*; do printf '%s\n' "${folder#chapters/}"; done | awk "$distance"'
function say(text) { print text | "cat >&2" }
# The first number in a text, without zeros before it
function number_in(text) {
    if (!match(text, /[0-9]+/)) return ""
    text = substr(text, RSTART, RLENGTH)
    while (text ~ /^0./) text = substr(text, 2)
    return text
}
# " 1 2 6 …": the numbers of a family
function numbers(verb,    k, list) {
    for (k = 1; k <= families; k++) if (family[k] ~ "^" verb "[0-9]+$") list = list " " number_in(family[k])
    return list
}
# The one of a list that is nearest to the text, or begins with these letters, if they are enough, or that it begins with;
# or nothing.
function nearest(text, list, count, enough,    k, d, least, meant) {
    least = length(text) / 4 + 1
    for (k = 1; k <= count; k++) {
        d = distance(text, list[k])
        if (d < least) { least = d; meant = list[k] }
    }
    for (k = 1; k <= count && meant == ""; k++)
        if (index(list[k], text) == 1 && length(text) >= enough) meant = list[k]
    for (k = 1; k <= count && meant == ""; k++)
        if (index(text, list[k]) == 1 && length(list[k]) > 3) meant = list[k]
    return meant
}
# The verb that takes a number and is meant by the text, or nothing.
function verb_for(text) { return text in synonym ? synonym[text] : nearest(text, verb, verbs, 1) }
# "grade" and 7: what to type, or what there is
function with_number(name, number,    k) {
    last_verb = name
    last_number = number
    for (k = 1; k <= families; k++) if (family[k] == name number) { say("Did you mean: make " name number); return }
    say(name ~ /chapter|weave|verify/ ? "There is no chapter " number " yet." : "Chapter " number " has no exercises yet.")
    say("There are: make " name "N, where N is one of" numbers(name))
}
# The number of a chapter that is called "10-cnn", "cnn", "linear_regression", "linear", chapters/10-cnn/cnn.c; or nothing
function chapter_called(text,    k, name, some, number) {
    sub(/^\.\//, "", text)
    if (sub(/^chapters\//, "", text)) sub(/\/.*/, "", text)
    gsub(/_/, "-", text)
    for (k = 1; k <= chapters; k++) {
        name = chapter[k]
        sub(/^[0-9]+-/, "", name)
        if (text == chapter[k] || text == name) return chapter[k] + 0
        if (index("-" name "-", "-" text "-")) { some++; number = chapter[k] + 0 }
    }
    return some == 1 && length(text) > 2 ? number : ""
}
# goal is no target; next_number is what was typed behind it, if that is a number
function suggest(goal, next_number,    text, stem, number, meant, i) {
    text = tolower(goal)
    if (next_number == "" && text in advice) { say(advice[text]); return }
    if (text in target) { say("Did you mean: make " text); return }
    for (i = 1; i <= families; i++) # chaptera
        if (tolower(family[i]) == text) { say("Did you mean: make " family[i]); return }
    number = chapter_called(text)
    if (number != "") { with_number(text ~ /\/(exercise|solution)\.[ch]$/ ? "grade" : "chapter", number); return }
    stem = text
    number = sub(/[0-9].*$/, "", stem) ? number_in(text) : next_number
    if (number != "" || stem ~ /^[a-z]/) sub(/[^a-z]+$/, "", stem)
    if (stem == "" && last_verb != "") {
        if (last_number != "" && last_number != number && last_verb ~ /hint|solution/)
            say("Did you mean: make " last_verb last_number " TASK=" number)
        else
            with_number(last_verb, number)
        return
    }
    if (number == "" && ENVIRON["CHAPTER"] ~ /^[0-9]+$/) number = number_in(ENVIRON["CHAPTER"])
    if (number != "" && (stem == "" || (meant = verb_for(stem)) != "")) {
        with_number(stem == "" ? "chapter" : meant, number)
        return
    }
    sub(/[nx]+$/, "", stem) # gradeN
    meant = stem in synonym ? synonym[stem] : stem in seen ? stem : nearest(text, candidate, candidates, 3)
    if (meant in target) say("Did you mean: make " meant)
    else if (numbers(meant) != "") say("Which chapter? Type make " meant "N, where N is one of" numbers(meant))
    else if (meant != "") say("Did you mean: make " meant)
    else if (last_goal in takes) say("Did you mean: make " last_goal " " takes[last_goal] "=" goal)
}
function synonyms(verb, words,    k, count, word) {
    count = split(words, word, " ")
    for (k = 1; k <= count; k++) synonym[word[k]] = verb
}
# Whether goal k is a setting with its value behind it: TASK 2
function is_setting(k) {
    return k < goals && !(tolower(goal[k]) in seen) &&
           (goal[k] in setting || (k > 1 && toupper(goal[k]) in setting && !(goal[k] in target)))
}
BEGIN {
    count = split(ENVIRON["advice"], line, "\n")
    for (k = 1; k <= count; k++) {
        split(line[k], part, " = ")
        words = split(part[1], word, " ")
        for (i = 1; i <= words; i++) advice[word[i]] = part[2]
    }
    count = split(ENVIRON["COURSE_SETTINGS"], name_of, " ")
    for (k = 1; k <= count; k++) setting[name_of[k]]
    count = split("data DATA bench NAME fuzz NAME sample PROMPT chat PROMPT handout OUT grade-class DIR grade-one FILE", name_of, " ")
    for (k = 1; k <= count; k += 2) takes[name_of[k]] = name_of[k + 1]
    synonyms("chapter", "lesson ch run")
    synonyms("grade", "points test tests task check score mark marks submit grading exercise exercises ex homework")
    synonyms("solution", "answer answers solve")
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
        if (is_setting(k)) {
            say("Did you mean: " toupper(goal[k]) "=" goal[k + 1])
            k++
            continue
        }
        if (!(goal[k] in wrong)) {
            last_goal = goal[k]
            last_verb = goal[k]
            last_number = sub(/[0-9]+$/, "", last_verb) ? number_in(goal[k]) : ""
            if (numbers(last_verb) == "") last_verb = last_verb in synonym ? synonym[last_verb] : ""
            continue
        }
        next_number = goal[k] !~ /[0-9]$/ && goal[k + 1] ~ /^[0-9]+$/ ? number_in(goal[k + 1]) : ""
        say("There is no \"" goal[k] (next_number == "" ? "" : " " goal[k + 1]) "\" to make.")
        suggest(goal[k], next_number)
        if (next_number != "") k++
    }
    say("make help lists what there is.")
}' "$@"
exit 2
