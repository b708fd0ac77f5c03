# signatures.awk: reads the functions that exercise.h asks for. It comes before a program that defines read_task():
#
#   awk -f tests/exercises/signatures.awk -f tests/exercises/stub.awk chapters/01-linear-regression/exercise.h
#
# A function is declared below the comment "// TASK 1.2 …", from the left margin on:
#
#     void regression_gradient(/* out */ Matrix gradient, Matrix x, Matrix w, Matrix y);
#
# It returns void, int or float. Arguments are Matrix, int, float and const char *. A Matrix is only read, unless it is an
# /* out */, which receives something, or an /* in/out */, which also holds something before. A test may take 2 seconds of
# processor time in the grader; a line "// Time: 5 s" of the comment gives it others. When read_task() is called:
#
#   task     1.2
#   seconds  2
#   result   void
#   fn       regression_gradient
#   count    of the arguments; for each: kind[i] (in, out, int, float or string), name[i], type[i]

function fail(message) {
    print FILENAME ":" FNR ": " message > "/dev/stderr"
    failed = 1
    exit 1
}

function read_argument(text, i) {
    kind[i] = ""
    if (match(text, /\/\*.*\*\//)) {
        kind[i] = substr(text, RSTART + 2, RLENGTH - 4)
        gsub(/ /, "", kind[i])
        if (kind[i] !~ /^(out|in\/out)$/) fail("/* out */ or /* in/out */, not /*" substr(text, RSTART + 2, RLENGTH - 4) "*/")
        kind[i] = "out"
        text = substr(text, 1, RSTART - 1) substr(text, RSTART + RLENGTH)
    }
    gsub(/^ +| +$/, "", text)
    if (!match(text, /[A-Za-z_][A-Za-z_0-9]*$/) || RSTART == 1) fail("an argument is a type and a name, not: " text)
    name[i] = substr(text, RSTART)
    type[i] = substr(text, 1, RSTART - 1)
    sub(/ +$/, "", type[i])
    if (type[i] == "Matrix") kind[i] = kind[i] == "" ? "in" : kind[i]
    else if (kind[i] != "") fail("a " type[i] " is a copy: only what a Matrix holds can be changed")
    else if (type[i] == "int" || type[i] == "float") kind[i] = type[i]
    else if (type[i] == "const char *") kind[i] = "string"
    else fail("arguments are Matrix, int, float and const char *, not " type[i])
}

function read_signature(text,    open_, part, i) {
    gsub(/[ \t]*\n[ \t]*/, " ", text)
    open_ = index(text, "(")
    if (!match(text, /^(void|int|float) [a-z][A-Za-z_0-9]*\(/) || text !~ /\)$/)
        fail("a function returns void, int or float, and is declared as in: float loss(Matrix x, int n);")
    result = substr(text, 1, index(text, " ") - 1)
    fn = substr(text, length(result) + 2, open_ - length(result) - 2)
    count = split(substr(text, open_ + 1, length(text) - open_ - 1), part, /,/)
    for (i = 1; i <= count; i++) read_argument(part[i], i)
}

# "Matrix x, int n"
function parameters(    i, list) {
    for (i = 1; i <= count; i++) list = list (i > 1 ? ", " : "") type[i] (type[i] ~ /\*$/ ? "" : " ") name[i]
    return list
}

FILENAME ~ /exercise\.h$/ && /^\/\/ TASK [0-9]+\.[0-9]+ / {
    if (task != "") fail("TASK " task " has no function above here")
    task = $3
    seconds = 2
}
FILENAME ~ /exercise\.h$/ && /^\/\/ Time: / {
    if (task == "" || $3 !~ /^[0-9]+$/ || $4 !~ /^s[.,]?$/) fail("a task's time is said so: // Time: 5 s")
    seconds = $3
}
FILENAME ~ /exercise\.h$/ && task != "" && /^[a-z]/ { declaring = 1; signature = "" }
declaring { signature = signature (signature == "" ? "" : "\n") $0 }
declaring && /;[ \t]*$/ {
    declaring = 0
    sub(/;[ \t]*$/, "", signature)
    read_signature(signature)
    read_task()
    task = ""
}

END { if (!failed && task != "") fail("TASK " task " has no function") }
