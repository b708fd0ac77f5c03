# together.awk: makes one C file of many versions of a chapter's solution, to be compiled once and run by variants.c.
#
#   awk -f tests/exercises/signatures.awk -f together.awk chapters/01-…/exercise.h chapters/01-…/solution.c FOLDER/*.c
#
# Of each version only the functions that differ from the solution are written, and those that call one of them, under
# names of their own: v7_regression_loss is that of the seventh. (Where something else differs than functions, all of it.) The
# functions of exercise.h call those of the version whose number `variant` holds; 0 is the solution itself. What the compiler
# complains of bears the name of the version's file.

function read_task() {
    tasks++
    asked[tasks] = fn
    calls = calls result " " fn "(" parameters() ")\n{\n    " (result == "void" ? "" : "return ") "variants[variant]." fn "("
    for (i = 1; i <= count; i++) calls = calls (i > 1 ? ", " : "") name[i]
    calls = calls ");\n}\n"
}

# ---- Reading a version: its functions, and what stands between them ------------------------------------------------------

# A word that this version declares.
function declare(word) {
    if (word == "" || (version, word) in declared) return
    declared[version, word] = 1
    words[version, ++word_count[version]] = word
}

# What a line at the left margin declares: a variable, "} Type;", enum { CONSTANTS }.
function declare_line(line,    part, i, n) {
    if (match(line, /^} *[A-Za-z_][A-Za-z_0-9]*;/)) {
        gsub(/[} ;]/, "", line)
        declare(line)
    } else if (line ~ /^(typedef )?enum/ || in_enum) {
        in_enum = line !~ /}/
        sub(/^[^{]*[{]/, "", line)
        sub(/}.*/, "", line)
        n = split(line, part, /,/)
        for (i = 1; i <= n; i++) if (match(part[i], /[A-Za-z_][A-Za-z_0-9]*/)) declare(substr(part[i], RSTART, RLENGTH))
    } else if (match(line, /^[A-Za-z_][A-Za-z_0-9 *]*[[(=;]/)) {
        line = substr(line, 1, RLENGTH - 1)
        sub(/ *$/, "", line)
        if (match(line, /[A-Za-z_0-9]+$/) && RSTART > 1) declare(substr(line, RSTART))
    }
}

FILENAME ~ /exercise\.h$/ { next }

FNR == 1 {
    title[version = ++versions] = FILENAME
    sub(/.*\//, "", title[version])
    in_enum = 0
}
/^#include/ {
    if (!($0 in included)) includes = includes $0 "\n"
    included[$0] = 1
    next
}
inside == "" && /^[A-Za-z_][A-Za-z_0-9 *]*\(/ && !/;[ \t]*$/ {
    match($0, /[A-Za-z_0-9]+\(/)
    inside = substr($0, RSTART, RLENGTH - 1)
    declare(inside)
    functions[version, ++function_count[version]] = inside
    start[version, inside] = FNR
}
inside != "" {
    body[version, inside] = body[version, inside] $0 "\n"
    if (/}[ \t]*$/ && (/^}/ || /^[A-Za-z_].*\).*[{]/)) inside = ""
    next
}
/^[A-Za-z}]/ || in_enum { declare_line($0) }
/^# *define/ { macro = $2; sub(/\(.*/, "", macro); macros[version] = macros[version] "#undef " macro "\n" }
!/^ *(\/\/.*)?$/ { between[version] = between[version] "# " FNR " \"" title[version] "\"\n" $0 "\n" }

# ---- What differs from the solution, which is version 1 -----------------------------------------------------------------

function without_place(text) {
    gsub(/# [0-9]+ "[^\n]*"\n/, "", text)
    return text
}

function uses(text, word,    at, rest) {
    for (rest = text; at = index(rest, word); rest = substr(rest, at + length(word)))
        if (substr(" " rest, at, 1) !~ /[A-Za-z_0-9]/ && substr(rest, at + length(word), 1) !~ /[A-Za-z_0-9]/) return 1
    return 0
}

# own[word]: the version has a `word` of its own
function find_own(v,    all, i, k, f, more) {
    split("", own)
    all = v == 1 || without_place(between[v]) != without_place(between[1]) || macros[v] != ""
    for (i = 1; all && i <= word_count[v]; i++) own[words[v, i]] = 1
    for (i = 1; i <= function_count[v]; i++)
        if (body[v, functions[v, i]] != body[1, functions[v, i]]) own[functions[v, i]] = 1
    for (more = 1; more;) {
        more = 0
        for (i = 1; i <= function_count[v]; i++)
            for (k = 1; k <= function_count[v] && !((f = functions[v, i]) in own); k++)
                if (functions[v, k] in own && uses(body[v, f], functions[v, k])) more = own[f] = 1
    }
    return all
}

function write_version(v,    all, i, word) {
    all = find_own(v)
    print ""
    for (i = 1; i <= word_count[v]; i++) {
        word = words[v, i]
        print "#define " word " v" (word in own ? v - 1 : 0) "_" word
    }
    if (all) printf "%s", between[v]
    for (i = 1; i <= function_count[v]; i++) {
        word = functions[v, i]
        if (word in own) printf "# %d \"%s\"\n%s", start[v, word], title[v], body[v, word]
    }
    if (all) printf "%s", macros[v]
    for (i = 1; i <= word_count[v]; i++) print "#undef " words[v, i]
    for (i = 1; i <= tasks; i++) row = row (i > 1 ? ", " : "    {") "v" (asked[i] in own ? v - 1 : 0) "_" asked[i]
    row = row "},\n"
}

END {
    if (failed) exit 1
    printf "%s", includes
    for (v = 1; v <= versions; v++) write_version(v)
    print "\n# 1 \"together\"\nstatic const struct {"
    for (i = 1; i <= tasks; i++) print "    __typeof__(" asked[i] ") *" asked[i] ";"
    print "} variants[] = {\n" row "};"
    print "extern const int variant_count;\nconst int variant_count = " versions ";"
    print "extern const char *const variant_names[];\nconst char *const variant_names[] = {"
    for (v = 1; v <= versions; v++) print "    \"" substr(title[v], 1, length(title[v]) - 2) "\","
    print "};\nextern int variant;\nint variant;\n" calls
}
