# bind.awk: a page of the web book → its text in a book that is one file.
#
#   awk -v form=epub -f bind.awk PAGES FORMULAS PAGE.html      FORMULAS: lines of "key TAB MathML" (bind.sh)
#   awk -v form=pdf  -f bind.awk PAGES /dev/null PAGE.html
#
# PAGES is what pages.awk wrote. Links lead to where the page is now: in an EPUB another file, in a PDF an anchor with the
# page's name in front; those to files that do not come along, such as a chapter's program, become words. Chinese says that
# it is Chinese. Nothing can be unfolded on paper: the answers to questions go behind the chapter, so that they are not read
# with the question, with a link there and back; code that the web page folds stands where it belongs.
BEGIN { FS = "\t" }
FNR == 1 { file = FILENAME == ARGV[1] ? 1 : FILENAME == ARGV[2] ? 2 : 3 }
file == 1 {
    name_of[$1] = $2
    part_of[$1] = $3
    next
}
file == 2 {
    formula[$1] = $2
    next
}
FNR == 1 {
    path = FILENAME
    while (!(path in name_of) && sub(/^[^\/]*\//, "", path)) { }
    if (!(path in name_of)) {
        printf "bind.sh: %s is not in the contents of the book\n", FILENAME >"/dev/stderr"
        exit 1
    }
    own = name_of[path]
    folder = path
    sub(/[^\/]*$/, "", folder)
    deeper = form == "pdf" && part_of[path] != "" # below the heading of its part
}

# ---- Addresses -------------------------------------------------------------------------------------------------------

# "../02-x/index.html" → "chapters/02-x/index.html"
function in_book(address) {
    address = folder address
    while (match(address, /[^\/]+\/\.\.\//)) address = substr(address, 1, RSTART - 1) substr(address, RSTART + RLENGTH)
    return address
}
function anchor(page_name, id) { return form == "pdf" ? page_name (id == "" ? "" : "." id) : id }

# Where a link leads now; "" when that does not come along.
function target(address,    id, at) {
    if (address ~ /^[a-z]+:/) return address
    id = ""
    if (at = index(address, "#")) {
        id = substr(address, at + 1)
        address = substr(address, 1, at - 1)
    }
    address = address == "" ? path : in_book(address)
    if (!(address in name_of)) return ""
    if (form == "pdf") return "#" anchor(name_of[address], id)
    return (name_of[address] == own && id != "" ? "" : name_of[address] ".xhtml") (id == "" ? "" : "#" id)
}

# ---- What stands in a line -------------------------------------------------------------------------------------------

function chinese(text,    done) {
    done = ""
    while (match(text, /([\343-\351][\200-\277][\200-\277]|\357\274[\200-\277])+/)) {
        done = done substr(text, 1, RSTART - 1) "<span " ZH ">" substr(text, RSTART, RLENGTH) "</span>"
        text = substr(text, RSTART + RLENGTH)
    }
    return done text
}
BEGIN { ZH = form == "epub" ? "lang=\"zh\" xml:lang=\"zh\"" : "lang=\"zh\"" }

# The attribute's value, and the tag with another one
function value(tag, key,    text) {
    if (!match(tag, " " key "=\"[^\"]*\"")) return ""
    text = substr(tag, RSTART + length(key) + 3, RLENGTH - length(key) - 4)
    return text
}
function with(tag, key, text) {
    if (!match(tag, " " key "=\"[^\"]*\"")) return tag
    return substr(tag, 1, RSTART - 1) (text == "" ? "" : " " key "=\"" text "\"") substr(tag, RSTART + RLENGTH)
}

function tag_of(tag,    address) {
    if (tag ~ / id="/) tag = with(tag, "id", anchor(own, value(tag, "id")))
    if (tag ~ /^<a[ >]/) {
        tag = with(with(tag, "tabindex", ""), "aria-hidden", "")
        if (tag ~ / href="/) {
            address = target(value(tag, "href"))
            if (address == "") { dead = 1; return "" }
            tag = with(tag, "href", address)
        }
        if (form == "epub" && in_svg) sub(/ href=/, " xlink:href=", tag)
    }
    if (tag == "</a>" && dead) { dead = 0; return "" }
    if (tag ~ /^<img /) {
        tag = with(with(tag, "loading", ""), "src", in_book(value(tag, "src")))
        if (tag !~ /\/>$/) sub(/>$/, "/>", tag)
    }
    if (tag == "<br>") return "<br/>"
    if (form == "epub") {
        if (tag ~ / lang="zh"/) sub(/ lang="zh"/, " " ZH, tag)
        if (tag ~ /^<svg /) sub(/^<svg /, "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" ", tag)
        if (in_svg) {
            gsub(/ (data-[a-z]*|role)="[^"]*"/, "", tag)
            if (tag ~ /^<a /) sub(/ aria-label=/, " xlink:title=", tag)
        }
    }
    return tag
}
function line_of(line,    done, before, tag) {
    if (line !~ /[\343-\351]|\357\274|<a[ >]| id="|<img |<br>|<\/?svg|<path | lang="/) return line
    done = ""
    while (match(line, /<[^>]*>/)) {
        before = substr(line, 1, RSTART - 1)
        tag = substr(line, RSTART, RLENGTH)
        line = substr(line, RSTART + RLENGTH)
        if (tag ~ /^<svg /) in_svg = 1
        done = done (in_svg ? before : chinese(before)) tag_of(tag)
        if (tag == "</svg>") in_svg = 0
    }
    return done (in_svg ? line : chinese(line))
}

# TeX → MathML; a formula may go on in the next lines.
function formulas_of(line,    done, display, rest, at, key) {
    done = ""
    while (match(line, /<span class="math (inline|display)">/)) {
        display = substr(line, RSTART + 18, 1) == "d"
        rest = substr(line, RSTART + RLENGTH)
        at = index(rest, "</span>")
        if (!at) { held = done line; return 0 }
        key = (display ? "display " : "inline ") substr(rest, 1, at - 1)
        gsub(/\n/, " ", key)
        if (!(key in formula)) printf "bind.sh: %s: no MathML for %s\n", path, key >"/dev/stderr"
        done = done substr(line, 1, RSTART - 1) formula[key]
        line = substr(rest, at + 7)
    }
    held = ""
    whole = done line
    return 1
}

# ---- Line by line ----------------------------------------------------------------------------------------------------

function put(text) {
    if (answering) answers = answers text "\n"
    else print text
}

/^<main/ { in_main = 1; next }
/^<\/main>/ {
    in_main = 0
    if (answers != "") {
        printf "<%s class=\"h2 answers\" id=\"%s\">Answers</%s>\n", level(2), anchor(own, "answers"), level(2)
        printf "%s", answers
    }
}
!in_main { next }
/^<nav class="neighbours"/ { in_nav = 1 }
in_nav { if (/^<\/nav>/) in_nav = 0; next }
function level(n) { return "h" (n + (deeper ? 1 : 0)) }

{
    if (held != "") $0 = held "\n" $0
    if (form == "epub" && /<span class="math/) {
        if (!formulas_of($0)) next
        $0 = whole
    }
}
/^<pre|<pre / { in_pre = 1 }
!in_pre && /<h[1-6]/ {
    if (match($0, /<h[1-6]/)) {
        n = substr($0, RSTART + 2, 1) + 0
        if (n == 2) {
            section = $0
            gsub(/<span class="header-section-number">[^<]*<\/span> *|<\/?h2[^>]*>/, "", section)
        }
        sub(/<h[1-6]/, "<" level(n) " class=\"h" n "\"")
        sub(/<\/h[1-6]>/, "</" level(n) ">")
    }
}
!in_pre && match($0, /^<p><strong>[0-9]+\.<\/strong>/) { question = $0; sub(/^<p><strong>/, "", question); question = question + 0 }

/<details/ {
    folds++
    if (/<summary>Answer<\/summary>/) {
        id = ++asked
        here = anchor(own, "question-" id)
        there = anchor(own, "answer-" id)
        print "<p class=\"to-answer\"><a id=\"" here "\" href=\"#" there "\">Answer</a></p>"
        answering = 1
        if (section != answered) answers = answers "<" level(3) " class=\"h3\">" section "</" level(3) ">\n"
        answered = section
        answers = answers "<div class=\"answer\" id=\"" there "\"><p class=\"of\"><a href=\"#" here "\">" question ".</a></p>\n"
        next
    }
    sub(/<details[^>]*><summary>/, "<div class=\"folded\"><p class=\"what\">")
    sub(/<\/summary>/, "</p>")
}
/<\/details>/ {
    folds--
    if (answering) put("</div>")
    else print "</div>"
    answering = 0
    next
}
{ put(line_of($0)) }
/<\/pre>/ { in_pre = 0 }
