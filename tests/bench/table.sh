#!/bin/sh
# table.sh: the table of speeds in Markdown, made of the lines that `make bench PEERS=1 JSON=file` leaves in a file.
#
#     sh tests/bench/table.sh FILE [ROW…]     without rows: each speed of which a share of the limit or of the memory's bandwidth,
#                                             or a peer, is known
#
# Of each row stands there what it did on two threads, or on one where it uses no more. The rows of the matrix product become
# one, from the lowest to the highest of its counted shapes. A ratio says how many times as fast as the peer we are, the best
# blocks of both sides in the same run.
set -u
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
file=$1
shift
[ -r "$file" ] || { echo "table.sh: cannot read $file: make bench PEERS=1 JSON=$file makes it" >&2; exit 1; }
LC_ALL=C ROWS="$*" awk '
    # The value of a key in a line of flat JSON, as bench.c writes it: no text has a quotation mark or a backslash.
    function value(key, at, text) {
        at = index($0, "\"" key "\": ")
        if (!at) return ""
        text = substr($0, at + length(key) + 4)
        if (substr(text, 1, 1) == "\"") { text = substr(text, 2); sub(/".*/, "", text) }
        else sub(/[,}].*/, "", text)
        return text
    }
    function number(x,  text) { # three digits that count, thousands apart
        if (x >= 1e6) return sprintf("%.3g M", x / 1e6)
        if (x >= 1e3) { text = sprintf("%.3g", x); text = sprintf("%d", text + 0); return substr(text, 1, length(text) - 3) " " substr(text, length(text) - 2) }
        return x >= 100 ? sprintf("%.0f", x) : sprintf("%.3g", x)
    }
    function speed(x, metric) {
        if (metric == "seconds") return x < 1e-3 ? number(1e6 * x) " µs" : x < 1 ? number(1e3 * x) " ms" : number(x) " s"
        if (metric == "gflops") return number(x) " GF/s"
        if (metric == "gbytes_per_s") return number(x) " GB/s"
        if (metric == "mb_per_s") return number(x) " MB/s"
        if (metric ~ /_per_s$/) { sub(/_per_s$/, "", metric); return number(x) " " metric "/s" }
        return number(x) " " metric
    }
    function times(x) { return x >= 10 ? sprintf("%.0f", x) : sprintf("%.2f", x) }

    { program = value("program"); name = value("name"); metric = value("metric"); threads = value("threads") + 0 }
    program == "" || value("after") != "" || threads > 2 || value("counted") == "false" { next }
    {
        own = name
        peer = ""
        if ((at = index(name, ":"))) { own = substr(name, 1, at - 1); peer = substr(name, at + 1) }
        if (program == "gemm" && metric == "gflops") { family = "gemm"; one = own } else { family = own; one = "" }
        row = family SUBSEP metric
        if (metric == "bandwidth") { bandwidth[own, threads] = value("value"); next }
        if (!(row in place)) { place[row] = ++rows; order[rows] = row; named[row] = family; unit[row] = metric }
        if (threads > most[row]) most[row] = threads
        x = value("value") + 0
    }
    peer == "" {
        measured[row, threads, ++shapes[row, threads]] = x
        if ((share = value("share")) != "") limit[row, threads] = share
        machine = value("cpu"); compiler = value("compiler"); commit = value("commit"); bits = value("vector_bits"); arch = value("arch")
        if (commit != "" && !((commit) in seen)) { seen[commit]; commits = commits (commits == "" ? "" : ", ") commit }
        next
    }
    {
        version = value("version")
        sub(/,.*/, "", version)
        if (match(version, /^[^ ]+ [^ ]+ /)) version = substr(version, 1, RLENGTH - 1) # without its configuration
        if (version == "" || index(version, peer) != 1) version = peer
        key = row SUBSEP threads SUBSEP version
        if (!(key in count)) { peers[row, threads, ++known[row, threads]] = version; low[key] = high[key] = value("ratio") + 0 }
        count[key]++
        ratio = value("ratio") + 0
        if (ratio < low[key]) low[key] = ratio
        if (ratio > high[key]) high[key] = ratio
    }
    END {
        if (!rows) { print "table.sh: no line of a benchmark in this file" > "/dev/stderr"; exit 1 }
        chosen = split(ENVIRON["ROWS"], wanted, " ")
        for (i = 1; i <= chosen; i++) wants[wanted[i]]
        print "| row | on 2 threads | of the limit | times as fast as |"
        print "|---|---|---|---|"
        for (r = 1; r <= rows; r++) {
            row = order[r]
            t = most[row]
            if (chosen ? !(named[row] in wants) : !known[row, t] && !((row, t) in limit) && !((named[row], t) in bandwidth)) continue
            printed[named[row]]
            n = shapes[row, t]
            lowest = highest = measured[row, t, 1]
            for (i = 2; i <= n; i++) {
                if (measured[row, t, i] < lowest) lowest = measured[row, t, i]
                if (measured[row, t, i] > highest) highest = measured[row, t, i]
            }
            text = n > 1 ? number(lowest) " to " speed(highest, unit[row]) : speed(lowest, unit[row])
            if (t == 1) text = text " (1 thread)"
            against = ""
            for (i = 1; i <= known[row, t]; i++) {
                key = row SUBSEP t SUBSEP peers[row, t, i]
                against = against (against == "" ? "" : "; ") peers[row, t, i] ": " times(low[key])
                if (count[key] > 1) against = against " to " times(high[key])
            }
            share = (row, t) in limit ? sprintf("%.0f %%", 100 * limit[row, t]) : "–"
            if ((named[row], t) in bandwidth) share = sprintf("%.0f %% of the bandwidth", 100 * bandwidth[named[row], t])
            printf "| %s%s | %s | %s | %s |\n", named[row], (n > 1 ? ", " n " shapes" : ""), text,
                share, (against == "" ? "–" : against)
        }
        for (i = 1; i <= chosen; i++) if (!(wanted[i] in printed)) { print "table.sh: no row " wanted[i] " in this file" > "/dev/stderr"; failed = 1 }
        printf "\nMeasured on %s, vectors of %s bits (ARCH=%s), with %s%s.\n", machine, bits, arch, compiler, (commits == "" ? "" : ", at commit " commits)
        exit failed
    }' "$file"
