# together.awk: makes one C file of many versions of a chapter's solution, to be compiled once and run by variants.c.
#
#   awk -f tests/exercises/signatures.awk -f together.awk chapters/01-…/exercise.h FOLDER/*.c
#
# Each version's functions, types and constants get names of their own: v7_regression_loss is that of the seventh. The functions
# of exercise.h call those of the version whose number `variant` holds. What the compiler complains of bears the name of the
# version's file.

function read_task() {
    functions++
    member[functions] = fn
    calls = calls result " " fn "(" parameters() ")\n{\n    " (result == "void" ? "" : "return ") "variants[variant]." fn "("
    for (i = 1; i <= count; i++) calls = calls (i > 1 ? ", " : "") name[i]
    calls = calls ");\n}\n"
}

# A name that this version alone may use.
function own(word) {
    if (word == "" || (version, word) in owned) return
    owned[version, word] = 1
    names[version, ++named[version]] = word
}

# The names that a line at the left margin declares: functions, variables, "} Type;", enum { CONSTANTS }.
function own_names(line,    part, i, n) {
    if (match(line, /^} *[A-Za-z_][A-Za-z_0-9]*;/)) {
        gsub(/[} ;]/, "", line)
        own(line)
    } else if (line ~ /^(typedef )?enum/ || in_enum) {
        in_enum = line !~ /}/
        sub(/^[^{]*{/, "", line)
        sub(/}.*/, "", line)
        n = split(line, part, /,/)
        for (i = 1; i <= n; i++) if (match(part[i], /[A-Za-z_][A-Za-z_0-9]*/)) own(substr(part[i], RSTART, RLENGTH))
    } else if (match(line, /^[A-Za-z_][A-Za-z_0-9 *]*[[(=;]/)) {
        line = substr(line, 1, RLENGTH - 1)
        sub(/ *$/, "", line)
        if (match(line, /[A-Za-z_0-9]+$/) && RSTART > 1) own(substr(line, RSTART))
    }
}

FILENAME ~ /exercise\.h$/ { next }

FNR == 1 {
    version++
    file = FILENAME
    sub(/.*\//, "", file)
    title[version] = file
    in_enum = 0
}
/^#include/ {
    if (!($0 in included)) includes = includes $0 "\n"
    included[$0] = 1
    $0 = ""
}
/^[A-Za-z}]/ || in_enum { own_names($0) }
/^# *define/ { macro = $2; sub(/\(.*/, "", macro); macros[version] = macros[version] "#undef " macro "\n" }
{ text[version] = text[version] $0 "\n" }

END {
    if (failed) exit 1
    printf "%s", includes
    for (v = 1; v <= version; v++) {
        print ""
        for (i = 1; i <= named[v]; i++) print "#define " names[v, i] " v" v "_" names[v, i]
        printf "# 1 \"%s\"\n%s%s", title[v], text[v], macros[v]
        for (i = 1; i <= named[v]; i++) print "#undef " names[v, i]
    }
    print "\n# 1 \"together\"\nstatic const struct {"
    for (i = 1; i <= functions; i++) print "    __typeof__(" member[i] ") *" member[i] ";"
    print "} variants[] = {"
    for (v = 1; v <= version; v++) {
        line = ""
        for (i = 1; i <= functions; i++) line = line (i > 1 ? ", " : "") "v" v "_" member[i]
        print "    {" line "},"
    }
    print "};\nextern const int variant_count;\nconst int variant_count = " version ";"
    print "extern const char *const variant_names[];\nconst char *const variant_names[] = {"
    for (v = 1; v <= version; v++) print "    \"" substr(title[v], 1, length(title[v]) - 2) "\","
    print "};\nextern int variant;\nint variant;\n" calls
}
