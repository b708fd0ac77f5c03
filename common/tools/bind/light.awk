# light.awk: an SVG without what it says for dark pages, "@media … (prefers-color-scheme: dark) { … }". In an EPUB an image is
# asked what the system likes and not on what page it lies.
{ text = text $0 "\n" }
END {
    while (match(text, /@media[^{}]*\(prefers-color-scheme: *dark\)[^{}]*\{/)) {
        before = substr(text, 1, RSTART - 1)
        rest = substr(text, RSTART + RLENGTH)
        depth = 1
        for (at = 1; depth && at <= length(rest); at++) {
            letter = substr(rest, at, 1)
            depth += (letter == "{") - (letter == "}")
        }
        text = before substr(rest, at)
    }
    printf "%s", text
}
