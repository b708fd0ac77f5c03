# edit.awk: prints a chapter's source with the edit of one entry of tests/claims/NN.txt made in it.
#
#   awk -v entry=NAME -f edit.awk tests/claims/NN.txt chapters/NN-name/name.c
#
# "- " and "+ " before each line of the old text and of the new one; an entry may hold several such pairs. Old text stands in the
# source exactly once, or the edit is refused. "skip: f g" takes the calls of f and g out of main.

function refuse(what) { printf "%s: %s: %s\n", ARGV[1], entry, what >"/dev/stderr"; refused = 1; exit 1 }

function replace(old, new,    at, rest) {
    at = index(source, old)
    if (!at) refuse("this text is not in " ARGV[2] ": " old)
    rest = substr(source, at + length(old))
    if (index(rest, old)) refuse("this text is in " ARGV[2] " more than once: " old)
    source = substr(source, 1, at - 1) new rest
}

function leave_out(name,    lines, count, i, found, kept) {
    count = split(source, lines, "\n")
    for (i = 1; i <= count; i++) {
        if (in_main && index(lines[i], "    " name "(") == 1 && lines[i] ~ /;$/) {
            found++
            continue
        }
        if (lines[i] ~ /^int main\(/) in_main = 1
        kept = kept (i > 1 ? "\n" : "") lines[i]
    }
    in_main = 0
    if (found != 1) refuse("main calls " name " on " found + 0 " lines of its own")
    source = kept
}

FNR == NR && /^== / { inside = substr($0, 4) == entry; seen += inside }
FNR == NR && inside && /^skip: / { skipped = skipped substr($0, 6) }
FNR == NR && inside && /^[-+] / {
    sign = substr($0, 1, 1)
    if (sign == "-" && last != "-") edits++
    if (sign == "-") old[edits] = old[edits] (last == "-" ? "\n" : "") substr($0, 3)
    if (sign == "+") new[edits] = new[edits] (last == "+" ? "\n" : "") substr($0, 3)
    last = sign
}
FNR != NR { source = source $0 "\n" }

END {
    if (refused) exit 1
    if (seen != 1) refuse("there are " seen + 0 " entries of this name")
    if (!edits) refuse("there is no edit")
    for (i = 1; i <= edits; i++) replace(old[i], new[i])
    count = split(skipped, names, " ")
    for (i = 1; i <= count; i++) leave_out(names[i])
    printf "%s", source
}
