# formulas.awk: every formula of the web book once, so that one run of pandoc turns all of them into MathML.
#
#   awk -f formulas.awk PAGE.html… >LIST.native        (pandoc's own form: a paragraph for each)
#   awk -v list=FILE -f formulas.awk PAGE.html…        also writes FILE, a line for each: its key in bind.awk
# pandoc's reader of TeX knows \big as a size and not \bigl, \bigr. A paragraph is a line: no formula has a comment that ends with its line.
function quoted(tex) {
    gsub(/\\bigl|\\bigr/, "\\big", tex)
    gsub(/\\Bigl|\\Bigr/, "\\Big", tex)
    gsub(/\\biggl|\\biggr/, "\\bigg", tex)
    gsub(/\\Biggl|\\Biggr/, "\\Bigg", tex)
    # and writes \mathrm as a style of letters, which browsers no longer heed
    while (match(tex, /\\mathrm *\{[A-Za-z]+\}/)) tex = substr(tex, 1, RSTART) "text" substr(tex, RSTART + 7)
    gsub(/\\/, "&&", tex)
    gsub(/"/, "\\\"", tex)
    gsub(/\n/, " ", tex)
    return "\"" tex "\""
}
function add(display, tex,    key) {
    key = (display ? "display" : "inline") " " tex
    gsub(/\n/, " ", key)
    if (key in seen) return
    seen[key]
    gsub(/&lt;/, "<", tex)
    gsub(/&gt;/, ">", tex)
    gsub(/&quot;/, "\"", tex)
    gsub(/&#39;/, "'", tex)
    gsub(/&amp;/, "\\&", tex)
    print (count++ ? "," : "[") "Para [Math " (display ? "DisplayMath " : "InlineMath ") quoted(tex) "]"
    if (list) print key >list
}
# A formula may go on in the next lines.
{
    line = open != "" ? open "\n" $0 : $0
    open = ""
    while (match(line, /<span class="math (inline|display)">/)) {
        display = substr(line, RSTART + 18, 1) == "d"
        start = substr(line, RSTART)
        rest = substr(line, RSTART + RLENGTH)
        at = index(rest, "</span>")
        if (!at) { open = start; next }
        add(display, substr(rest, 1, at - 1))
        line = substr(rest, at + 7)
    }
}
END { print count ? "]" : "[]" }
