# stub.awk: makes the unsolved exercise.c of a chapter from its exercise.h: for each task its function, not written yet.
#
#   awk -f tests/exercises/stub.awk chapters/01-linear-regression/exercise.h > exercise.c

NR == 1 {
    title = $0 # "// Exercises of chapter 1, linear regression: what each task takes …"
    sub(/: what each .*/, "", title)
    chapter = title
    gsub(/[^0-9]*/, "", chapter)
    print title "."
    print "// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler"
    print "// quiet. `make grade" chapter "` tells how far you are, `make hint" chapter "` helps."
    print "#include \"exercise.h\""
}

/^\/\/ TASK [0-9]+\.[0-9]+ / { task = $3 }

task != "" && /^[a-z]/ { signature = ""; reading = 1 }
reading { signature = signature (signature == "" ? "" : "\n") $0 }
reading && /;[ \t]*$/ {
    reading = 0
    sub(/;[ \t]*$/, "", signature)
    print "\n// TASK " task "\n" signature "\n{"

    list = signature
    gsub(/\n */, " ", list)
    sub(/^[^(]*\(/, "", list)
    sub(/\)[^)]*$/, "", list)
    count = split(list, part, /, */)
    line = "   "
    for (i = 1; i <= count; i++) {
        name = part[i]
        sub(/.*[ *]/, "", name)
        piece = " (void)" name (i < count ? "," : ";")
        if (length(line piece) > 100) {
            sub(/,$/, ";", line)
            print line
            line = "   "
        }
        line = line piece
    }
    print line
    print "    NOT_WRITTEN(\"" task "\");"
    if (signature !~ /^void /) print "    return " (signature ~ /^float /  ? "0.0f" : "0") ";"
    print "}"
    task = ""
}
