# whole.awk: makes a whole exercise file of a wrong answer: the solution, with the functions of the wrong file in the place
# of its own. What stands before a function in the wrong file (helpers of its own) moves with it.
#
#   awk -f whole.awk chapters/01-linear-regression/solution.c tests/exercises/wrong/01/1.2-wrong-sign.c > exercise.c
#
# A function starts at the left margin and ends with a brace at the left margin, or on its first line.

FNR == 1 { file++ }

/^[A-Za-z_][A-Za-z_0-9 *]*\(/ && !/;[ \t]*$/ && !inside {
    match($0, /[A-Za-z_0-9]+\(/)
    name = substr($0, RSTART, RLENGTH - 1)
    inside = 1
    if (file == 1) first[name] = FNR
}
{ ended = inside && /}[ \t]*$/ && (/^}/ || /^[A-Za-z_].*\).*{/) }

file == 1 {
    line[FNR] = $0
    lines = FNR
    if (ended) last[name] = FNR
}
file == 2 && /^#include/ { includes = includes $0 "\n" }
file == 2 && /^\/\/ / && !inside && text == "" { about = about $0 "\n" }
file == 2 && !/^#include/ && !(/^\/\/ / && !inside && text == "") { text = text $0 "\n" }
file == 2 && ended && (name in first) {
    sub(/^\n+/, "", text)
    instead[first[name]] = text
    until[first[name]] = last[name]
    replaced++
    text = ""
}
ended { inside = 0 }

END {
    if (!replaced) {
        print FILENAME ": no function of the solution is in it" > "/dev/stderr"
        exit 1
    }
    printf "%s%s", about, includes
    for (i = 1; i <= lines; i++) {
        if (!(i in instead)) { print line[i]; continue }
        printf "%s", instead[i]
        i = until[i]
    }
}
