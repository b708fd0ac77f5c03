# cover.awk: the first page of the book, as Markdown.
#
#   awk -f cover.awk CHAPTERS FIGURES README.md chapters/…/README.md
#
# CHAPTERS and FIGURES are book.sh's lists. The opening words are README.md's. What a chapter stands on is told by its own
# first words: the chapters that the sentence "You need …" names or, where there is none, those that it names at all. The
# map shows each chapter below the ones that it stands on, and leaves out a line where others lead the same way.
BEGIN { FS = "\t" }
FNR == 1 { file++ }

file == 1 {
    count++
    number[count] = $1; folder[count] = $2; part[count] = $3; parts[count] = $4; title[count] = $5
    chapter[$1] = count
    next
}
file == 2 {
    figure[$1 "/" $3] = $0
    if (!($1 in shown) || $6 == "image" && shown[$1] !~ /\timage$/) shown[$1] = $0
    next
}
file == 3 {
    # A figure that stands there stands for its chapter; else an image, else the first figure.
    if (match($0, /\(figures\/[^)]*\)/)) {
        name = substr($0, RSTART + 9, RLENGTH - 10)
        if (name in figure) shown[substr(name, 1, index(name, "/") - 1)] = figure[name]
    }
    if (/^### /) subtitle = substr($0, 5)
    if (/^```/) told = 1
    if (subtitle && !told && !/^###/) opening = opening $0 "\n"
    next
}
FNR == 1 {
    current = file - 3
    intro = ""
    state = 0
}
state < 2 {
    if (/^# /) { state = 1; paragraph = 0; next }
    if (state == 1 && (/^## / || /^```/)) { state = 2; next }
    if (!state) next
    if (/^$/) { paragraph++; next }
    if (paragraph == 2) first[current] = first[current] $0 " "
    if (paragraph >= 2) words[current] = words[current] $0 " "
}

function escaped(text) {
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    gsub(/>/, "\\&gt;", text)
    return text
}

# Markdown → HTML: words, and links to chapters
function plain(text,    done, words, address) {
    text = escaped(text)
    gsub(/[*`$]/, "", text)
    done = ""
    while (match(text, /\[[^\]]*\]\([^)]*\)/)) {
        words = address = substr(text, RSTART, RLENGTH)
        sub(/^\[/, "", words)
        sub(/\].*/, "", words)
        sub(/.*\]\(\.\.\//, "", address)
        sub(/\/README.*/, "", address)
        done = done substr(text, 1, RSTART - 1) "<a href=\"chapters/" address "/index.html\">" words "</a>"
        text = substr(text, RSTART + RLENGTH)
    }
    text = done text
    sub(/ +$/, "", text)
    return text
}

# The first sentences, until there are enough of them
function teaser(text,    taken, at) {
    taken = ""
    text = text " "
    while (length(taken) < 70 && match(text, /[.?!] /)) {
        taken = taken substr(text, 1, RSTART + 1)
        text = substr(text, RSTART + 2)
    }
    return plain(taken)
}

function read_needs(i,    text, n) {
    text = words[i]
    while (match(text, /\]\(\.\.\/([0-9]+|[A-Z])-[^)]*\)/)) { # the address has dots
        n = substr(text, RSTART + 5)
        sub(/-.*/, "", n)
        text = substr(text, 1, RSTART - 1) "{" n "}" substr(text, RSTART + RLENGTH)
    }
    if (match(text, /You need /)) {
        text = substr(text, RSTART)
        if (match(text, /\. /)) text = substr(text, 1, RSTART)
    }
    while (match(text, /\{[0-9A-Z]+\}/)) {
        n = substr(text, RSTART + 1, RLENGTH - 2)
        sub(/^0/, "", n)
        text = substr(text, RSTART + RLENGTH)
        if (n in chapter && chapter[n] < i) needs[i, chapter[n]]
    }
}

# ---- The map ---------------------------------------------------------------------------------------------------------
# Rows from above: a chapter stands one row below the lowest that it needs. A line that passes through rows has a place of
# its own in each of them, like a narrow box, so that it runs behind no chapter: these are the points behind count.

# depth[i], and drawn[i, j] where a line leads from chapter j down to i: none where others lead the same way
function read_depths(    i, j, k) {
    for (i = 1; i <= count; i++) {
        depth[i] = 0
        for (j = 1; j < i; j++) {
            if (!((i, j) in needs)) continue
            above[i, j]
            for (k = 1; k < j; k++) if ((j, k) in above) above[i, k]
            if (depth[j] >= depth[i]) depth[i] = depth[j] + 1
        }
        if (depth[i] > deepest) deepest = depth[i]
    }
    for (i = 1; i <= count; i++)
        for (j = 1; j < i; j++) {
            if (!((i, j) in needs)) continue
            drawn[i, j]
            for (k = j + 1; k < i; k++) if ((i, k) in needs && (k, j) in above) delete drawn[i, j]
        }
}

# The points of each line, way[i, j] = "j point … i", and who is joined with whom from row to row
function add_points(    i, j, row, last) {
    points = count
    for (i = 1; i <= count; i++) half[i] = BOX_WIDTH / 2
    for (i = 1; i <= count; i++)
        for (j = 1; j < i; j++) {
            if (!((i, j) in drawn)) continue
            way[i, j] = last = j
            for (row = depth[j] + 1; row < depth[i]; row++) {
                points++
                depth[points] = row
                half[points] = 4
                joined[last] = joined[last] " " points
                joined[points] = last
                last = points
                way[i, j] = way[i, j] " " points
            }
            joined[last] = joined[last] " " i
            joined[i] = joined[i] " " last
            way[i, j] = way[i, j] " " i
        }
    for (i = 1; i <= points; i++) ranked[depth[i], ++size_of[depth[i]]] = i
    for (row = 0; row <= deepest; row++)
        for (i = 1; i <= size_of[row]; i++) x[ranked[row, i]] = WIDTH * (i - 0.5) / size_of[row]
}

# Puts the points of a row near the middle of those that they are joined with: above (-1), below (1), or both (0).
function arrange(row, side,    i, j, n, m, k, sum, name, list, wish, low, high, gap) {
    n = size_of[row]
    for (i = 1; i <= n; i++) {
        name = ranked[row, i]
        m = split(joined[name], list, " ")
        sum = k = 0
        for (j = 1; j <= m; j++)
            if (!side || (depth[list[j]] - row) * side > 0) { sum += x[list[j]]; k++ }
        wish[name] = k ? sum / k : x[name]
    }
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && wish[ranked[row, j - 1]] > wish[ranked[row, j]]; j--) {
            name = ranked[row, j]; ranked[row, j] = ranked[row, j - 1]; ranked[row, j - 1] = name
        }
    # Once as far to the left as the wishes allow, once to the right; between the two nothing overlaps either.
    for (i = 1; i <= n; i++) {
        name = ranked[row, i]
        gap = i > 1 ? half[name] + half[ranked[row, i - 1]] + GAP : 0
        low[i] = i > 1 && wish[name] < low[i - 1] + gap ? low[i - 1] + gap : wish[name]
        if (low[i] < half[name]) low[i] = half[name]
    }
    for (i = n; i >= 1; i--) {
        name = ranked[row, i]
        gap = i < n ? half[name] + half[ranked[row, i + 1]] + GAP : 0
        if (low[i] > WIDTH - half[name]) low[i] = WIDTH - half[name]
        if (i < n && low[i] > low[i + 1] - gap) low[i] = low[i + 1] - gap
        high[i] = i < n && wish[name] > high[i + 1] - gap ? high[i + 1] - gap : wish[name]
        if (high[i] > WIDTH - half[name]) high[i] = WIDTH - half[name]
    }
    for (i = 1; i <= n; i++) {
        name = ranked[row, i]
        gap = i > 1 ? half[name] + half[ranked[row, i - 1]] + GAP : half[name]
        if (i == 1 && high[i] < gap) high[i] = gap
        if (i > 1 && high[i] < high[i - 1] + gap) high[i] = high[i - 1] + gap
    }
    for (i = 1; i <= n; i++) x[ranked[row, i]] = (low[i] + high[i]) / 2
}

function place(    turn, row, i) {
    read_depths()
    add_points()
    for (turn = 1; turn <= 6; turn++) {
        for (row = 1; row <= deepest; row++) arrange(row, -1)
        for (row = deepest - 1; row >= 0; row--) arrange(row, 1)
    }
    for (turn = 1; turn <= 3; turn++)
        for (row = 0; row <= deepest; row++) arrange(row, 0)
    for (i = 1; i <= points; i++) y[i] = depth[i] * PITCH + BOX_HEIGHT / 2 + 2
}

# A curve from the foot of each point to the head of the next, straight through the row of a point that is no chapter
function curve(points_of,    p, n, k, from, to, bend, text) {
    n = split(points_of, p, " ")
    text = sprintf("M%.1f %.1f", x[p[1]], y[p[1]] + BOX_HEIGHT / 2)
    for (k = 2; k <= n; k++) {
        from = y[p[k - 1]] + BOX_HEIGHT / 2
        to = y[p[k]] - BOX_HEIGHT / 2
        bend = (to - from) / 2
        text = text sprintf("C%.1f %.1f %.1f %.1f %.1f %.1f", x[p[k - 1]], from + bend, x[p[k]], to - bend, x[p[k]], to)
        if (k < n) text = text sprintf("V%.1f", y[p[k]] + BOX_HEIGHT / 2)
    }
    return text
}

function list_of(i,    j, text) {
    text = ""
    for (j = 1; j < i; j++) if ((i, j) in needs) text = text (text ? " " : "") number[j]
    return text
}

function print_box(i,    n, w, lines, line, j, label) {
    n = split(title[i], w, " ")
    lines = 1
    line[1] = ""
    for (j = 1; j <= n; j++) {
        if (line[lines] != "" && length(line[lines] " " w[j]) > 16) line[++lines] = ""
        line[lines] = line[lines] (line[lines] == "" ? "" : " ") w[j]
    }
    printf "<a class=\"part-%s\" href=\"chapters/%s/index.html\" data-number=\"%s\" data-needs=\"%s\"", \
        part[i], folder[i], number[i], list_of(i)
    printf " aria-label=\"%s %s: %s\">", number[i] ~ /[A-Z]/ ? "Appendix" : "Chapter", number[i], escaped(title[i])
    printf "<rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%d\" rx=\"7\"/>", \
        x[i] - BOX_WIDTH / 2, y[i] - BOX_HEIGHT / 2, BOX_WIDTH, BOX_HEIGHT
    printf "<text class=\"large\" x=\"%.1f\" y=\"%.1f\">%s</text>", x[i], y[i], number[i]
    printf "<text class=\"number\" x=\"%.1f\" y=\"%.1f\">%s</text>", x[i], y[i] - 6.5 * lines, number[i]
    for (j = 1; j <= lines; j++)
        printf "<text x=\"%.1f\" y=\"%.1f\">%s</text>", x[i], y[i] - 6.5 * lines + 13 * j, escaped(line[j])
    print "</a>"
}

function print_map(    i, j) {
    WIDTH = 760; BOX_WIDTH = 102; BOX_HEIGHT = 62; GAP = 6; PITCH = 102
    place()
    print "<figure class=\"map\">"
    printf "<svg viewBox=\"0 0 %d %d\" role=\"group\" aria-label=\"What stands on what\">\n", \
        WIDTH, deepest * PITCH + BOX_HEIGHT + 4
    for (i = 1; i <= count; i++)
        for (j = 1; j < i; j++)
            if ((i, j) in drawn) printf "<path data-to=\"%d\" d=\"%s\"/>\n", number[i], curve(way[i, j])
    for (i = 1; i <= count; i++) print_box(i)
    print "</svg>"
    print "<figcaption>What stands on what: a chapter needs those above it that lines lead to.<br>"
    for (i = 1; i <= count; i++)
        if (part[i] != part[i - 1]) printf "<span class=\"swatch part-%s\">%s</span> %s\n", part[i], part[i], escaped(parts[i])
    print "</figcaption>"
    print "</figure>\n"
}

# ---- The cards -----------------------------------------------------------------------------------------------------

function print_card(i,    j, stands, f) {
    stands = ""
    for (j = 1; j < i; j++)
        if ((i, j) in needs)
            stands = stands sprintf("%s<a href=\"chapters/%s/index.html\" title=\"%s\">%s</a>", \
                stands ? ", " : "", folder[j], escaped(title[j]), number[j])
    printf "<li class=\"part-%s\">", part[i]
    printf "<a class=\"picture\" href=\"chapters/%s/index.html\" tabindex=\"-1\" aria-hidden=\"true\">", folder[i]
    if (split(shown[folder[i]], f, "\t"))
        printf "<img class=\"%s\" loading=\"lazy\" src=\"figures/%s/%s\" width=\"%d\" height=\"%d\" alt=\"Figure %s\">", \
            f[6], f[1], f[3], f[4], f[5], f[2]
    printf "</a><div><h3><a href=\"chapters/%s/index.html\"><span class=\"number\">%s</span> %s</a></h3>", \
        folder[i], number[i], escaped(title[i])
    printf "<p>%s</p>", teaser(first[i])
    printf "<p class=\"needs\">%s</p></div></li>\n", stands ? "stands on " stands : "stands on no other chapter"
}

END {
    print "# A Gentle Walk into Deep Learning, in C\n"
    if (subtitle) print "<p class=\"subtitle\" lang=\"zh\">" subtitle "</p>\n"
    print opening
    for (i = 1; i <= count; i++) read_needs(i)
    print "## The map · 地图\n"
    print_map()
    print "## The chapters · 章节\n"
    for (i = 1; i <= count; i++) {
        if (part[i] != part[i - 1]) {
            if (i > 1) print "</ul>\n"
            print "### " (part[i] == "Appendix" ? "" : "Part ") part[i] " · " parts[i] "\n\n<ul class=\"cards\">"
        }
        print_card(i)
    }
    print "</ul>\n"
    print "## To look up · 查阅\n"
    print "- [Glossary · 词汇表](glossary.html): the terms in English and Chinese, and what they mean."
    print "- [Notation · 符号](notation.html): the letters of the formulas."
    print "- [Functions of `common/` · 函数索引](functions.html): which chapter explains what the library does."
}
