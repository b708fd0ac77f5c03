# glossary.awk: the terms of all chapters with their Chinese names, their definitions and their places, as Markdown.
#
#   awk -f glossary.awk CHAPTERS glossary.txt TERMS…
#
# TERMS are what page.awk wrote, in the order of the chapters: English, Chinese, folder, anchor. A term's place is where it
# stands first; the same English with another Chinese name is another term. glossary.txt has a line for each,
# "english | 中文 | what it is".
BEGIN { FS = "\t" }
FNR == 1 { file++ }
file == 1 { number[$2] = $1; title[$2] = $5; next }
file == 2 {
    if (/^#/ || /^ *$/) next
    split($0, field, / \| /)
    definition[tolower(field[1]) "\t" field[2]] = field[3]
    next
}

# Small, where the chapter has a capital only because a sentence begins; names keep theirs.
BEGIN {
    names = "^(Adam|Bellman|Bode|Cholesky|Fourier|Fr|Gaussian|Gini|Goodhart|Gram|Huber|Kalman|Mahalanobis|Markov|" \
        "Metropolis|Nyquist|Swin|Thompson|Transformer|Zipf)"
}
function small(term) {
    if (term ~ names || substr(term, 2, 1) !~ /[a-z]/) return term
    return tolower(substr(term, 1, 1)) substr(term, 2)
}

{
    gsub(/<[^>]*>/, "", $1)
    key = tolower($1) "\t" $2
    if (key in seen) next
    seen[key]
    if (!(key in definition))
        printf "book.sh: the term \"%s | %s\" has no definition in common/tools/book/glossary.txt\n", \
            tolower($1), $2 >"/dev/stderr"
    for (i = ++count; i > 1 && key < keys[i - 1]; i--) { keys[i] = keys[i - 1]; rows[i] = rows[i - 1] }
    keys[i] = key
    rows[i] = sprintf("| %s | %s | %s | [%s. %s](chapters/%s/index.html#%s) |", small($1), $2, definition[key], \
        number[$3], title[$3], $3, $4)
}

END {
    print "# Glossary · 词汇表\n"
    printf "The %d terms of the course in English and Chinese, what each means, and where it stands first.\n\n", count
    print "| term | 中文 | what it is | first in |\n|---|---|---|---|"
    for (i = 1; i <= count; i++) print rows[i]
}
