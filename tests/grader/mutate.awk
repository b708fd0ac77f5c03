# mutate.awk: writes copies of a C file, each with one operator or number changed, and prints "name: the
# changed line".
#
#   awk -v folder=/tmp/mutants -f mutate.awk solution.c
#
# The files are laid out by clang-format, so a binary operator has blanks around it. Comments are left alone.

BEGIN {
    add(" < ", " <= "); add(" <= ", " < "); add(" > ", " >= "); add(" >= ", " > ")
    add(" + ", " - "); add(" - ", " + "); add(" * ", " / "); add(" / ", " * ")
    add(" += ", " -= "); add(" -= ", " += "); add(" == ", " != "); add(" != ", " == ")
    add(" && ", " || "); add(" || ", " && "); add("= 0;", "= 1;"); add("= 1;", "= 2;")
    add("0.0f", "1.0f"); add("1.0f", "2.0f"); add("2.0f", "3.0f"); add("0.5f", "0.25f"); add("2.0 ", "1.0 ")
    add("-rate", "rate"); add("_tn(", "_nt("); add("_nt(", "_tn("); add("_add(", "("); add(" - 1]", "]")
}

function add(a, b) { from[++n] = a; to[n] = b }

{ line[NR] = $0 }

END {
    for (l = 1; l <= NR; l++) {
        code = line[l]
        sub(/\/\/.*/, "", code)
        if (code ~ /^#/) continue
        for (m = 1; m <= n; m++)
            for (at = 1; (found = index(substr(code, at), from[m])); at += found)
                write_mutant(l, at + found - 1, m)
    }
}

function write_mutant(l, place, m,    name, changed, i) {
    name = sprintf("m%04d", ++made)
    changed = substr(line[l], 1, place - 1) to[m] substr(line[l], place + length(from[m]))
    for (i = 1; i <= NR; i++) print (i == l ? changed : line[i]) > (folder "/" name ".c")
    close(folder "/" name ".c")
    sub(/^ */, "", changed)
    sub(/ *\/\/.*/, "", changed)
    print name ": " changed
}
