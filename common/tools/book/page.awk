# page.awk: what pandoc made of a page → a page of the book.
#
#   awk -v folder=01-linear-regression -v top=../../ -v terms=FILE -v live=FILE -f page.awk CHAPTERS FIGURES PAGE.html
#
# CHAPTERS and FIGURES are book.sh's lists. Links to pages on the forge become links to the book's, a picture and its caption
# a figure, "Figure 1.2" a link to it, the contents those of the whole book; the chapter gets its part, its number and its
# neighbours. Terms get anchors, and a line each in FILE: English, Chinese, folder, anchor.
BEGIN {
    FS = "\t"
    while ((getline row <live) > 0) { # the pages that compute: their chapters and titles
        split(row, field, "\t")
        live_folder[++lives] = field[1]
        live_title[lives] = live_of[field[1]] = field[2]
    }
}

FILENAME == ARGV[1] {
    count++
    number[count] = $1; folder_of[count] = $2; part[count] = $3; parts[count] = $4; title[count] = $5
    if ($2 == folder) here = count
    next
}
FILENAME == ARGV[2] {
    figure_folder[$2] = $1; figure_file[$2] = $3; width[$2] = $4; height[$2] = $5; what[$2] = $6
    next
}

function page_of(i) { return top "chapters/" folder_of[i] "/index.html" }

# ---- Contents and neighbours ---------------------------------------------------------------------------------------

function entry(href, text, current) {
    return "<li><a href=\"" href "\"" (current ? " aria-current=\"page\"" : "") ">" text "</a>"
}

function print_contents(    i) {
    print "<ul class=\"chapters\">"
    print entry(top "index.html", "Overview · 总览", folder == "index") "</li>"
    for (i = 1; i <= count; i++) {
        if (part[i] != part[i - 1])
            print (i > 1 ? "</ul></li>\n" : "") "<li><span class=\"part\">" part[i] " · " parts[i] "</span><ul>"
        print entry(page_of(i), "<span class=\"number\">" number[i] "</span> " title[i], i == here)
        if (i == here && sections) print "<ul class=\"sections\">\n" sections "</ul>"
        print "</li>"
    }
    if (count) print "</ul></li>"
    if (lives) print "<li><span class=\"part\">Live · 动手试试</span><ul>"
    for (i = 1; i <= lives; i++) print entry(top "live/" live_folder[i] ".html", live_title[i], folder == "live-" live_folder[i]) "</li>"
    if (lives) print "</ul></li>"
    print "<li><span class=\"part\">To look up</span><ul>"
    print entry(top "glossary.html", "Glossary · 词汇表", folder == "glossary") "</li>"
    print entry(top "notation.html", "Notation · 符号", folder == "notation") "</li>"
    print entry(top "functions.html", "Functions · 函数索引", folder == "functions") "</li>"
    print "</ul></li>\n</ul>"
}

function neighbour(rel, i, before, after) {
    printf "<a rel=\"%s\" href=\"%s\">%s%s. %s%s</a>\n", rel, page_of(i), before, number[i], title[i], after
}

function print_neighbours() {
    print "<nav class=\"neighbours\" aria-label=\"Neighbouring chapters\">"
    if (here > 1) neighbour("prev", here - 1, "← ", "")
    else print "<a rel=\"prev\" href=\"" top "index.html\">← Overview · 总览</a>"
    if (here < count) neighbour("next", here + 1, "", " →")
    else print "<a rel=\"next\" href=\"" top "glossary.html\">Glossary · 词汇表 →</a>"
    print "</nav>"
}

# ---- Prose ---------------------------------------------------------------------------------------------------------

# "Figure 1.2" → a link
function link_figures(text,    done, words, n, href) {
    done = ""
    while (match(text, /Figure [0-9A-Z]+\.[0-9]+/)) {
        words = substr(text, RSTART, RLENGTH)
        n = substr(words, 8)
        done = done substr(text, 1, RSTART - 1)
        text = substr(text, RSTART + RLENGTH)
        if (n in figure_file) {
            href = (figure_folder[n] == folder ? "" : top "chapters/" figure_folder[n] "/index.html") "#" anchor(n)
            words = "<a href=\"" href "\">" words "</a>"
        }
        done = done words
    }
    return done text
}

# What stands outside of tags, and outside of links, code, formulas and headings
function prose(line,    done, before, tag) {
    if (line !~ /Figure [0-9A-Z]/) return line
    done = ""
    closed = 0
    while (match(line, /<[^>]*>/)) {
        before = substr(line, 1, RSTART - 1)
        tag = substr(line, RSTART, RLENGTH)
        line = substr(line, RSTART + RLENGTH)
        done = done (closed ? before : link_figures(before)) tag
        if (tag ~ /^<(a|code|span|summary|h[1-6])[ >]/) closed++
        if (tag ~ /^<\/(a|code|span|summary|h[1-6])>/) closed--
    }
    return done (closed ? line : link_figures(line))
}

function slug(text) {
    gsub(/<[^>]*>/, "", text)
    text = tolower(text)
    gsub(/[^a-z0-9]+/, "-", text)
    gsub(/^-|-$/, "", text)
    return "term-" text
}

function anchor(n) {
    sub(/\./, "-", n)
    return "figure-" n
}

# <strong>gradient descent</strong> (梯度下降; Cauchy 1847) gets an anchor the first time.
function mark_terms(line,    done, english, rest, chinese, names, i, id) {
    done = ""
    while (match(line, /<strong>[^<]*(<span class="math inline">[^<]*<\/span>)?<\/strong> \(/)) {
        english = substr(line, RSTART + 8, RLENGTH - 8 - 11)
        rest = substr(line, RSTART + RLENGTH)
        chinese = rest
        sub(/\).*/, "", chinese)
        names = split(chinese, name, /[,;] /)
        for (i = 1; i <= names && name[i] !~ /[\344-\351]/; i++) { }
        id = slug(english)
        if (i <= names && !(id in marked)) {
            marked[id]
            done = done substr(line, 1, RSTART - 1) "<strong class=\"term\" id=\"" id "\">" english "</strong> ("
            print english "\t" name[i] "\t" folder "\t" id >terms
        } else {
            done = done substr(line, 1, RSTART + RLENGTH - 1)
        }
        line = rest
    }
    return done line
}

# ---- Line by line --------------------------------------------------------------------------------------------------

# pandoc counts the sections of a chapter of the appendix as those of a chapter 1.
FILENAME == ARGV[3] && FNR == 1 { lettered = here && number[here] ~ /[A-Z]/ }
lettered { gsub(/<span class="(toc|header)-section-number">1/, "&\t"); gsub(/1\t/, number[here]) }

/^<!-- contents -->$/ { in_contents = 1; next }
/^<!-- end of contents -->$/ { in_contents = 0; print_contents(); next }
in_contents {
    if (match($0, /<a href="#[^"]*"/)) { # the first is the title of the page
        link = substr($0, RSTART)
        sub(/<\/a>.*/, "</a>", link)
        sub(/ id="[^"]*"/, "", link)
        if (titled++) sections = sections "<li>" link "</li>\n"
    }
    next
}

/^<!-- Generated from/ { next }

# Some versions of pandoc put sections around headings, with the headings' anchors: these go back.
/^<section id="[^"]*"[^>]*>$/ {
    match($0, /id="[^"]*"/)
    section_id = substr($0, RSTART, RLENGTH)
    inside++
    next
}
inside && /^<\/section>$/ { inside--; next }
section_id && /^<h[1-6]/ {
    if (!/^<h[1-6][^>]* id="/) sub(/^<h[1-6]/, "& " section_id)
    section_id = ""
}

/<pre/ { in_pre = 1; is_text = /<pre class="text"/ }
in_pre {
    gsub(/<a href="#cb[0-9]+-[0-9]+"[^>]*><\/a>/, "")
    gsub(/ id="cb[0-9]+(-[0-9]+)?"/, "")
    if (is_text) { # what a run found to be true
        sub(/^✓/, "<span class=\"holds\">✓</span>")
        sub(/<code>✓/, "<code><span class=\"holds\">✓</span>")
    }
    if (/<\/pre>/) in_pre = 0
    print
    next
}

here && /^<h1/ {
    match($0, /id="[^"]*"/)
    id = substr($0, RSTART, RLENGTH)
    words = $0
    sub(/^<h1[^>]*>(<span class="header-section-number">[^<]*<\/span> *)?/, "", words)
    print "<p class=\"part\">" (lettered ? "" : "Part ") part[here] " · " parts[here] "</p>"
    print "<h1 " id "><span class=\"number\">" (lettered ? "Appendix " : "Chapter ") number[here] "</span> " words
    if (folder in live_of)
        print "<p class=\"try\"><a href=\"" top "live/" folder ".html\">In your browser: " live_of[folder] " →</a></p>"
    below_title = 1
    next
}
below_title && /^<p>/ { sub(/^<p>/, "<p class=\"run\">"); below_title = 0 }

# A picture waits for its caption.
/^<p><img src="[^"]*figures\/[^"]*"/ {
    picture = $0
    next
}
picture && /^$/ { next }
picture {
    held = picture
    picture = ""
    sub(/^<p>/, "", held)
    sub(/<\/p>$/, "", held)
    n = held
    if (match(held, /alt="Figure [0-9A-Z]+\.[0-9]+/)) n = substr(held, RSTART + 12, RLENGTH - 12)
    if (n in width && width[n] > 0)
        sub(/<img /, "&class=\"" what[n] "\" loading=\"lazy\" width=\"" width[n] "\" height=\"" height[n] "\" ", held)
    print "<figure id=\"" anchor(n) "\">" held
    if (/^<p><strong>Figure/) {
        sub(/^<p>/, "<figcaption>")
        sub(/<\/p>$/, "</figcaption>")
        print $0 "</figure>"
        next
    }
    print "</figure>"
}

# The foot of a page on the forge; the book has its own.
here && /^<hr ?\/?>$/ { rule = $0; next }
rule && /^$/ { next }
rule {
    held = rule
    rule = ""
    if (/>contents<\/a>/) next
    print held
}
/^<\/main>$/ && here { print_neighbours() }

# The glossary's terms have anchors too.
folder == "glossary" && after_row && /^<td>/ {
    id = slug($0)
    if (marked[id]++) id = id "-" marked[id]
    sub(/^<td>/, "<td id=\"" id "\">")
}
{ after_row = /^<tr/ }

{
    gsub(/href="\.\.\/\.\.\/README\.md"/, "href=\"" top "index.html\"")
    if (/README\.md/) $0 = to_book($0)
    if (/<table/) sub(/<table/, "<div class=\"scroll\"><table")
    if (/<\/table>/) sub(/<\/table>/, "</table></div>")
    print prose(mark_terms($0))
}

# href="../02-…/README.md#x" → href="../02-…/index.html#x"
function to_book(line,    done, link) {
    done = ""
    while (match(line, /href="[^":]*README\.md["#]/)) {
        link = substr(line, RSTART, RLENGTH)
        sub(/README\.md/, "index.html", link)
        done = done substr(line, 1, RSTART - 1) link
        line = substr(line, RSTART + RLENGTH)
    }
    return done line
}
