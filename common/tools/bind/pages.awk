# pages.awk: the pages of the web book in their order, from the contents of its first page.
#
#   awk -f pages.awk BOOK/index.html
#
# A line for each: its path in the book, its name, the part, number and title; the title as HTML has it. Those that compute in the
# browser, live/, are left out.
BEGIN { OFS = "\t" }
/^<nav class="contents"/ { inside = 1 }
/^<\/nav>/ { inside = 0 }
!inside { next }
match($0, /<span class="part">.*<\/span>/) { part = substr($0, RSTART + 19, RLENGTH - 26) }
match($0, /<a href="[^"#]*\.html"[^>]*>.*<\/a>/) {
    path = title = substr($0, RSTART + 9, RLENGTH - 13)
    sub(/".*/, "", path)
    sub(/^[^>]*>/, "", title)
    number = ""
    if (match(title, /^<span class="number">[^<]*<\/span> */)) {
        number = title
        title = substr(title, RLENGTH + 1)
        sub(/^<span class="number">/, "", number)
        sub(/<.*/, "", number)
    }
    name = path
    sub(/\/index\.html$/, "", name)
    sub(/\.html$/, "", name)
    sub(/.*\//, "", name)
    if (path !~ /^live\//) print path, name == "index" ? "overview" : name, part, number, title
}
