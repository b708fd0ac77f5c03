# stub.awk: makes the unsolved exercise.c of a chapter from its exercise.h: for each task its function, not written yet.
#
#   awk -f tests/exercises/signatures.awk -f tests/exercises/stub.awk chapters/01-linear-regression/exercise.h > exercise.c

FNR == 1 {
    title = $0 # "// Exercises of chapter 1, linear regression: what each task takes …"
    sub(/: what each .*/, "", title)
    chapter = title
    gsub(/[^0-9]*/, "", chapter)
    print title "."
    print "// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler"
    print "// quiet. `make grade" chapter "` tells how far you are, `make hint" chapter "` helps."
    print "#include \"exercise.h\""
    print "#include \"matrix/own_words.h\" // add, copy, sum, scale … are free for your functions; without this line, the library\047s"
}

# Words on as many lines as they need, each with a blank before it; the next lines are indented by so many blanks.
function fill_lines(line, words, n, most, indent,    i) {
    for (i = 1; i <= n; i++) {
        if (length(line " " words[i]) > most) {
            sub(/,$/, line ~ /^ *\(void\)/ ? ";" : ",", line)
            print line
            line = sprintf("%" indent "s", "")
        }
        line = line " " words[i]
    }
    print line
}

function read_task(    i, words, line) {
    print "\n// TASK " task
    line = result " " fn "(" type[1] (type[1] ~ /\*$/ ? "" : " ") name[1] (count > 1 ? "," : ")")
    for (i = 2; i <= count; i++) words[i - 1] = type[i] (type[i] ~ /\*$/ ? "" : " ") name[i] (i < count ? "," : ")")
    fill_lines(line, words, count - 1, 110, length(result " " fn))
    print "{"
    for (i = 1; i <= count; i++) words[i] = "(void)" name[i] (i < count ? "," : ";")
    fill_lines("   ", words, count, 100, 3)
    print "    NOT_WRITTEN(\"" task "\");"
    if (result != "void") print "    return " (result == "float"  ? "0.0f" : "0") ";"
    print "}"
}

END { if (failed) exit 1 }
