# edit.awk: makes whole exercise files of the wrong answers of a chapter, each the solution with one entry of wrong.txt applied.
#
#   awk -v folder=FOLDER -f edit.awk chapters/01-…/solution.c chapters/01-…/wrong.txt
#                     writes FOLDER/1.2-wrong-sign.c and its like; prints, for each, its name and the tasks that must fail
#   awk -v only=1.2-wrong-sign -f edit.awk …                              prints that file
#
# An entry of wrong.txt is a line that says which task must fail, a name and why it is wrong, and then the edit, as diff writes it:
#
#     1.2 wrong-sign (and therefore 1.3): target minus prediction: points downhill.
#             float error = error_of(x, w, y, i);
#     -        for (int j = 0; j < x.cols; j++) gradient.data[j] += AT(x, i, j) * error;
#     +        for (int j = 0; j < x.cols; j++) gradient.data[j] -= AT(x, i, j) * error;
#
# Lines with - go, lines with + come, lines with a blank stay. Those with - or a blank must stand in the solution exactly so
# (but for a comment at their end) and exactly once: between the task's "// TASK 1.2" and the next task's, or else in the whole
# file. A line @@ starts another place.
# An entry with + alone is a whole function, which takes the place of the solution's function of that name; helpers before it
# move with it. Functions whose tasks use this one and fail with it are named as "and therefore". Lines with # are comments.

function fail(text) {
    print FILENAME ":" place ": " (name == "" ? "" : name ": ") text > "/dev/stderr"
    failed = 1
    exit 1
}

function code(line,    at) {
    at = match(line, / *\/\/ /)
    return at > 1 ? substr(line, 1, at - 1) : line
}

# Where the lines old[1 … olds] begin within text[from … to]: a line number; 0: nowhere; -1: in more than one place
function found_in(from, to,    at, i, where) {
    for (at = from; at + olds - 1 <= to; at++) {
        for (i = 1; i <= olds && code(text[at + i - 1]) == code(old[i]); i++);
        if (i <= olds) continue
        if (where) return -1
        where = at
    }
    return where + 0
}

# Puts now[1 … nows] in the place of count lines from text[at] on. same[i]: now[i] is the line that is there, with its comment.
function replace(at, count,    i) {
    for (i = 1; i <= nows; i++) if (i in same) now[i] = text[at + same[i] - 1]
    split("", same)
    for (i = at + count; i <= lines; i++) rest[i] = text[i]
    for (i = 1; i <= nows; i++) text[at + i - 1] = now[i]
    for (i = at + count; i <= lines; i++) text[i + nows - count] = rest[i]
    lines += nows - count
}

function is_task(line, t) { return index(line, "// TASK " t) == 1 && substr(line, length("// TASK " t) + 1) !~ /^[0-9]/ }

function apply_hunk(    first, last, at) {
    for (first = 1; first <= lines && !is_task(text[first], task); first++);
    if (first > lines) fail("there is no \"// TASK " task "\" in " solution)
    for (last = first; last < lines && text[last + 1] !~ /^\/\/ TASK /; last++);
    at = found_in(first, last)
    if (at == 0) at = found_in(1, lines)
    if (at == 0) fail("the lines that are to be replaced are not in " solution ": " old[1])
    if (at < 0) fail("the lines that are to be replaced are there more than once; give a line before or after them: " old[1])
    replace(at, olds)
}

function starts_function(line) { return line ~ /^[A-Za-z_][A-Za-z_0-9 *]*\(/ && line !~ /;[ \t]*$/ }
function ends_function(line) { return line ~ /}[ \t]*$/ && (line ~ /^}/ || line ~ /^[A-Za-z_].*\).*[{]/) }
function name_in(line) {
    match(line, /[A-Za-z_0-9]+\(/)
    return substr(line, RSTART, RLENGTH - 1)
}

# now[]: whole functions
function apply_functions(    i, k, all, piece, wanted, replaced) {
    all = nows
    for (i = 1; i <= all; i++) piece[i] = now[i]
    nows = 0
    for (i = 1; i <= all; i++) {
        now[++nows] = piece[i]
        if (starts_function(piece[i])) wanted = name_in(piece[i])
        if (!ends_function(piece[i])) continue
        for (k = 1; k <= lines && !(starts_function(text[k]) && name_in(text[k]) == wanted); k++);
        if (k > lines) continue # a helper
        for (olds = 1; k + olds - 1 < lines && !ends_function(text[k + olds - 1]); olds++);
        replace(k, olds)
        replaced++
        nows = 0
    }
    if (!replaced) fail("neither lines with - nor a function of " solution)
}

function finish_hunk() {
    if (!olds && !nows) fail("no edit")
    if (removed || kept) apply_hunk()
    else apply_functions()
    olds = nows = removed = kept = 0
}

function finish_entry(    i) {
    if (name == "") return
    finish_hunk()
    if (only == "") {
        print name, task (also == "" ? "" : " " also)
        for (i = 1; i <= lines; i++) print text[i] > (folder "/" name ".c")
        close(folder "/" name ".c")
    } else if (name == only) {
        for (i = 1; i <= lines; i++) print text[i]
        shown = 1
    }
    name = ""
}

FNR == NR {
    solution = FILENAME
    original[FNR] = $0
    originals = FNR
    next
}

/^#/ || /^[ \t]*$/ { next }

/^[0-9]/ {
    finish_entry()
    place = FNR
    if (!match($0, /^[0-9]+\.[0-9]+ [a-z0-9-]+( \(and therefore( [0-9]+\.[0-9]+)+\))?: ./))
        fail("an entry begins \"1.2 wrong-sign: why\" or \"1.2 wrong-sign (and therefore 1.3): why\"")
    task = $1
    also = substr($0, 1, RLENGTH - 3)
    name = task "-" $2
    sub(/:$/, "", name)
    if (!sub(/^[^(]*\(and therefore /, "", also)) also = ""
    sub(/\)$/, "", also)
    if (name in seen) fail("there is another of this name")
    seen[name] = 1
    lines = originals
    for (i = 1; i <= lines; i++) text[i] = original[i]
    next
}

name == "" { place = FNR; fail("an edit before the first entry") }
/^@@$/ { finish_hunk(); next }
/^-/ { old[++olds] = substr($0, 2); removed++; next }
/^\+/ { now[++nows] = substr($0, 2); next }
/^ / { old[++olds] = now[++nows] = substr($0, 2); same[nows] = olds; kept++; next }
{ place = FNR; name = ""; fail("a line begins with a task, -, +, a blank, @@ or #: " $0) }

END {
    if (failed) exit 1
    finish_entry()
    if (failed) exit 1
    if (only != "" && !shown) {
        print FILENAME ": there is no " only > "/dev/stderr"
        exit 1
    }
}
