# search.awk: what search looks through, as a script: from the file system a page can load one, and fetch nothing.
#
#   awk -f search.awk CHAPTERS PAGE.html…
#
# bookIndex = [[page, its title, [[anchor, heading, text], …]], …]: a page is cut at its headings. Formulas are there in
# TeX, code as it is.
BEGIN {
    FS = "\t"
    print "window.bookIndex = ["
}
FNR == 1 { file++ }
file == 1 { number[$2] = $1; title[$2] = $5; next }
FNR == 1 {
    leave_page()
    page = FILENAME
    folder = page
    if (page ~ /\/chapters\/[^\/]*\/index\.html$/) {
        sub(/.*\/chapters\//, "chapters/", page)
        sub(/\/index\.html$/, "", folder)
        sub(/.*\//, "", folder)
        name = number[folder] ". " title[folder]
    } else {
        sub(/.*\//, "", page)
        name = ""
    }
    in_main = 0
}
/^<main/ { in_main = 1; text = anchor = heading = ""; sections = 0; next }
/^<\/main>/ { in_main = 0 }
/^<nav class="neighbours"/ { in_main = 0 }
!in_main { next }
/^<h[1-3]/ {
    if (name == "" && /^<h1/) name = words($0)
    if (/^<h1/ && !sections) { heading = ""; next }
    leave_section()
    anchor = ""
    if (match($0, /id="[^"]*"/)) anchor = substr($0, RSTART + 4, RLENGTH - 5)
    heading = words($0)
    next
}
/^<p class="(run|part)">/ { next }
/^<td id="term-/ { # of the glossary each term by itself
    leave_section()
    match($0, /id="[^"]*"/)
    anchor = substr($0, RSTART + 4, RLENGTH - 5)
    heading = words($0)
    next
}
{ text = text " " words($0) }

function words(line) {
    gsub(/<span class="header-section-number">[^<]*<\/span>/, "", line)
    gsub(/<\/(td|th|li|p|h[1-6]|summary|figcaption)>/, " ", line)
    gsub(/<[^>]*>/, "", line)
    gsub(/&lt;/, "<", line)
    gsub(/&gt;/, ">", line)
    gsub(/&quot;/, "\"", line)
    gsub(/&#39;/, "'", line)
    gsub(/&nbsp;/, " ", line)
    gsub(/&amp;/, "\\&", line)
    gsub(/^[ \t]+|[ \t]+$/, "", line)
    return line
}
function quoted(line,    part, n, i, done) {
    gsub(/\\/, "&&", line)
    gsub(/[ \t]+/, " ", line)
    n = split(line, part, "\"")
    done = part[1]
    for (i = 2; i <= n; i++) done = done "\\\"" part[i]
    return "\"" done "\""
}
function leave_section() {
    if (text !~ /[^ ]/ && heading == "") return
    found = found (sections++ ? ",\n" : "") "[" quoted(anchor) "," quoted(heading) "," quoted(text) "]"
    text = ""
}
function leave_page() {
    if (page == "") return
    leave_section()
    print "[" quoted(page) "," quoted(name) ",[" found "]],"
    found = ""
}
END {
    leave_page()
    print "]"
}
