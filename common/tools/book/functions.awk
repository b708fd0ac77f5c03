# functions.awk: which chapter explains what common/ declares, as Markdown.
#
#   awk -f functions.awk CHAPTERS common/…/NAME.h… chapters/…/index.html…
#
# A function is a name that a header declares, or a macro "#define name(" in small letters; a name that ends in _at is what
# such a macro calls. The chapter that explains it is the first whose prose names it as code; else the first that calls it.
BEGIN { FS = "\t" }
FNR == 1 { file++ }
file == 1 { number[$2] = $1; title[$2] = $5; next }

# What a header says about a function: behind it on the line, or in the lines right above it
FILENAME ~ /\.h$/ {
    if (FNR == 1) { header[++headers] = FILENAME; above = open = "" }
    behind = ""
    if (match($0, /\/\/ .*/) && !/^\/\//) behind = substr($0, RSTART + 3)
    if (match($0, /\/\* .* \*\//)) behind = substr($0, RSTART + 3, RLENGTH - 6)
    if (open != "") { # the second line of a macro
        if (what[open] == "") what[open] = behind
        open = ""
        next
    }
    if (/^\/\/ ----/ || /^$/) { above = ""; next }
    if (/^\/\/ /) { above = above (above == "" ? "" : " ") substr($0, 4); next }
    name = ""
    if (match($0, /^#define [a-z][a-z0-9_]*\(/)) name = substr($0, 9, RLENGTH - 9)
    else if (/^[A-Za-z][A-Za-z0-9_ ]*[ *][a-z][a-z0-9_]*\(/ && !/^(typedef|return|struct|enum|else|if|for) /) {
        name = $0
        sub(/\(.*/, "", name)
        sub(/.*[ *]/, "", name)
    }
    if (name == "") { if (!/^ /) above = ""; next }
    is_place = sub(/_at$/, "", name) # what a macro calls
    if (what[name] == "") what[name] = behind != "" ? behind : above
    if (/\\$/) open = name
    above = ""
    if (is_place || name in home || name ~ /^(check|__)/) next
    home[name] = headers
    order[++names] = name
    next
}

FNR == 1 {
    folder = FILENAME
    sub(/\/index\.html$/, "", folder)
    sub(/.*\//, "", folder)
    section = heading = ""
    in_pre = 0
}
/^<h[23]/ {
    if (match($0, /id="[^"]*"/)) section = substr($0, RSTART + 4, RLENGTH - 5)
    heading = $0
    sub(/<span class="header-section-number">[^<]*<\/span> */, "", heading)
    gsub(/<[^>]*>/, "", heading)
    next
}
/<pre class="sourceCode/ { in_pre = 1 }
/<pre class="text/ { in_pre = 2 }
/<\/pre>/ { if (in_pre == 1) look_for_calls($0); in_pre = 0; next }
in_pre == 1 { look_for_calls($0); next }
in_pre || /aria-label="Contents"/ { next }
/<code>/ {
    rest = $0
    while (match(rest, /<code>[a-z][a-z0-9_]*(\([^<]*)?<\/code>/)) {
        name = substr(rest, RSTART + 6, RLENGTH - 13)
        rest = substr(rest, RSTART + RLENGTH)
        sub(/\(.*/, "", name)
        if (name in home && !(name in told)) { told[name] = folder "#" section; told_in[name] = heading }
    }
}
function look_for_calls(line,    word) {
    if (line !~ /\(/) return
    gsub(/<[^>]*>/, "", line)
    while (match(line, /[a-z][a-z0-9_]*\(/)) {
        word = substr(line, RSTART, RLENGTH - 1)
        line = substr(line, RSTART + RLENGTH)
        if (word in home && !(word in used)) { used[word] = folder "#" section; used_in[word] = heading }
    }
}

function link_to(where, heading,    part) {
    split(where, part, "#")
    return sprintf("[%s. %s%s](chapters/%s/index.html%s)", number[part[1]], title[part[1]], \
        heading == "" ? "" : ": " heading, part[1], part[2] == "" ? "" : "#" part[2])
}

# The first sentence, with nothing in it that Markdown would take for its own
function sentence(text) {
    if (match(text, /[.;] /)) text = substr(text, 1, RSTART - 1)
    sub(/[.:]$/, "", text)
    gsub(/[\\`*_<>|$\[\]~^]/, "\\\\&", text)
    return text
}

END {
    print "# Functions of `common/` · 函数索引\n"
    print "The library that the course builds, in the words of its headers, and for each function the chapter that explains"
    print "it: the first that speaks of it or, where none does, that uses it. What no chapter names works behind the others."
    for (h = 1; h <= headers; h++) {
        begun = 0
        for (i = 1; i <= names; i++) {
            name = order[i]
            if (home[name] != h || !(name in told || name in used)) continue
            if (!begun++) print "\n## `" header[h] "`\n\n| function | what it does | chapter |\n|---|---|---|"
            printf "| `%s` | %s | %s |\n", name, sentence(what[name]), \
                (name in told) ? link_to(told[name], told_in[name]) : link_to(used[name], used_in[name])
        }
    }
}
