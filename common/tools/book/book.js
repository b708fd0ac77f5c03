// book.js: what a page of the book does by itself: formulas, search, light and dark, the map. It works from the file system:
// nothing is fetched, and without it all of the text is there.
"use strict"
const one = (selector) => document.querySelector(selector)
const all = (selector) => [...document.querySelectorAll(selector)]

// ---- Formulas: pandoc leaves their TeX in .math -------------------------------------------------------------------

if (window.katex) {
    for (const place of all(".math")) {
        katex.render(place.textContent, place,
            { displayMode: place.classList.contains("display"), throwOnError: false, strict: false })
    }
}
// A formula in a line breaks at its relations; one that does not, and is wider than the column, moves by itself. One on a line of
// its own has the room that code has, if it needs it.
const findWide = () => {
    for (const place of all(".wide")) place.classList.remove("wide")
    const wide = all("main .math.inline").filter((place) =>
        place.getBoundingClientRect().right > place.closest("p, li, td, main").getBoundingClientRect().right + 1)
    const displayed = all("main > p > .math.display").filter((place) =>
        [...place.children].some((formula) => formula.scrollWidth > formula.clientWidth + 1))
    for (const place of [...wide, ...displayed]) place.classList.add("wide")
}
findWide()
addEventListener("resize", findWide)
if (document.fonts) document.fonts.ready.then(findWide)

// ---- Light and dark: as the system, or as the button says ---------------------------------------------------------

const themes = { "": "◐", light: "☀", dark: "☾" }
const button = one("#theme")
const showTheme = () => {
    const theme = document.documentElement.dataset.theme || ""
    button.textContent = themes[theme]
    button.title = button.ariaLabel = `Colours: ${theme || "as the system"}`
}
button.addEventListener("click", () => {
    const names = Object.keys(themes)
    const theme = names[(names.indexOf(document.documentElement.dataset.theme || "") + 1) % names.length]
    if (theme) document.documentElement.dataset.theme = theme
    else delete document.documentElement.dataset.theme
    try { localStorage.setItem("theme", theme) } catch { /* a browser may keep nothing of pages from files */ }
    showTheme()
})
showTheme()

// ---- Contents: the page's own entry is in sight -------------------------------------------------------------------

const entry = one("nav.contents a[aria-current]"), contents = one("nav.contents")
// Beside the text it is always open (page.html closes it where it is narrow, before anything is seen).
matchMedia("(min-width: 64rem)").addEventListener("change", (wide) => {
    one("nav.contents details").open = wide.matches
})
if (entry && getComputedStyle(contents).position === "sticky")
    contents.scrollTop = entry.offsetTop - contents.clientHeight / 3

// ---- Search -------------------------------------------------------------------------------------------------------
// The texts of all pages come as a script, search.js, once somebody is about to search. A word is found anywhere, also
// inside of others, so that Chinese, which has no blanks, needs no dictionary.

const field = one("#search"), results = one("#results"), top_ = document.body.dataset.top
let sections = null

const load = () => {
    if (one("script[data-index]")) return
    const script = document.createElement("script")
    script.src = top_ + "search.js"
    script.dataset.index = ""
    script.onload = () => {
        sections = bookIndex.flatMap(([page, title, parts]) => parts.map(([anchor, heading, text]) => ({
            address: top_ + page + (anchor && "#" + anchor), title, heading, text,
            small: text.toLowerCase(), head: (heading || title).toLowerCase(),
        })))
        if (field.value.trim()) search()
    }
    document.body.append(script)
}

const count = (text, word) => {
    let found = 0
    for (let at = text.indexOf(word); at >= 0 && found < 9; at = text.indexOf(word, at + word.length)) found++
    return found
}

// Where a section stands in the list: words in its heading count most, and just these most of all; 0 when one is
// missing.
const rank = (section, words) => {
    let sum = 0
    for (const word of words) {
        const inHead = section.head.includes(word), inText = count(section.small, word)
        if (!inHead && !inText) return 0
        sum += (inHead ? 12 : 0) + inText
    }
    return sum + (section.head === words.join(" ") ? 40 : 0)
}

const marked = (text, words) => {
    const place = document.createElement("span"), small = text.toLowerCase()
    let at = 0
    while (at < text.length) {
        let next = text.length, length = 0
        for (const word of words) {
            const found = small.indexOf(word, at)
            if (found < 0 || found > next || (found === next && word.length <= length)) continue
            next = found
            length = word.length
        }
        place.append(text.slice(at, next))
        if (length) {
            const mark = document.createElement("mark")
            mark.textContent = text.slice(next, next + length)
            place.append(mark)
        }
        at = next + length
    }
    return place
}

const search = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean)
    results.hidden = !words.length
    results.replaceChildren()
    if (!words.length || !sections) return
    const found = sections.map((section) => ({ section, rank: rank(section, words) })).filter((f) => f.rank)
        .sort((a, b) => b.rank - a.rank)
    const summary = document.createElement("p"), list = document.createElement("ol")
    summary.setAttribute("role", "status")
    summary.textContent = found.length ? `${found.length} found · 找到 ${found.length} 处` : "Nothing found · 没有找到"
    for (const { section } of found.slice(0, 40)) {
        const [item, link, head, text] = ["li", "a", "b", "small"].map((name) => document.createElement(name))
        link.href = section.address
        head.append(marked(section.title + (section.heading ? ": " + section.heading : ""), words))
        const places = words.map((word) => section.small.indexOf(word)).filter((place) => place >= 0)
        let at = places.length ? Math.max(0, Math.min(...places) - 60) : 0
        if (at) at += Math.max(0, section.text.slice(at, at + 20).indexOf(" ") + 1) // from the beginning of a word
        text.append(at ? "… " : "", marked(section.text.slice(at, at + 190), words), " …")
        link.append(head, text)
        item.append(link)
        list.append(item)
    }
    results.append(summary, list)
}

const close = () => {
    results.hidden = true
    field.blur()
}
field.addEventListener("focus", load)
field.addEventListener("input", () => {
    load()
    search()
})
field.form.addEventListener("submit", (event) => {
    event.preventDefault()
    one("#results a")?.click()
})
results.addEventListener("click", (event) => { if (event.target.closest("a")) close() })
document.addEventListener("click", (event) => {
    if (!event.target.closest("#results, .search")) results.hidden = true
})
document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close()
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !/^(INPUT|TEXTAREA)$/.test(event.target.tagName)) {
        event.preventDefault()
        field.focus()
    }
})

// ---- The map: who points at a chapter sees what it stands on ------------------------------------------------------

const map = one(".map svg")
if (map) {
    const chapters = new Map(all(".map a").map((link) => [link.dataset.number, link]))
    const needed = (number, known) => {
        if (known.has(number) || !chapters.has(number)) return known
        known.add(number)
        for (const below of chapters.get(number).dataset.needs.split(" ")) needed(below, known)
        return known
    }
    const choose = (link) => {
        const known = link ? needed(link.dataset.number, new Set()) : new Set()
        map.classList.toggle("chosen", Boolean(link))
        for (const [number, box] of chapters) box.classList.toggle("needed", known.has(number))
        for (const path of all(".map path")) path.classList.toggle("needed", known.has(path.dataset.to))
    }
    for (const link of chapters.values()) {
        link.addEventListener("pointerenter", () => choose(link))
        link.addEventListener("pointerleave", () => choose(null))
        link.addEventListener("focus", () => choose(link))
        link.addEventListener("blur", () => choose(null))
    }
}

// ---- Paper: what is folded is printed too -------------------------------------------------------------------------

let folded = []
addEventListener("beforeprint", () => {
    folded = all("main details:not([open])")
    for (const fold of folded) fold.open = true
})
addEventListener("afterprint", () => { for (const fold of folded) fold.open = false })
