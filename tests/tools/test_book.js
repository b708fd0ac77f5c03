// test_book.js: looks at the pages of the web book as a browser shows them. test_book.sh writes the page that holds it, with
// the files of the book, their anchors and the pages to look at in window.test, and reads the report that it leaves.
//
// Each page is loaded in a frame of 390 pixels, which then becomes 1280 wide. One of them, faulty.html, has one fault of
// each kind: a check that does not find it there finds nothing anywhere, and fails.
"use strict"
const { pages, drawings, files, anchors, book, chapters, faulty } = window.test
const report = document.querySelector("#report")
const links = []
let passed = 0, faults = [], found = new Set(), current = ""

// check("what", place, []): an empty list of complaints is a check that passes.
const check = (what, complaints) => {
    if (current === faulty) {
        if (complaints.length) found.add(what)
        return
    }
    if (!complaints.length) {
        passed++
        return
    }
    const more = complaints.length > 4 ? ` … (${complaints.length})` : ""
    faults.push(`${current.slice(book.length)}: ${what}: ${complaints.slice(0, 4).join("; ")}${more}`)
}
const short = (element) => element.textContent.trim().replace(/\s+/g, " ").slice(0, 60)
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

const frame = document.createElement("iframe")
document.body.append(frame)
const load = async (page, width = 390) => {
    frame.style.width = `${width}px`
    await new Promise((resolve) => {
        frame.onload = resolve
        frame.src = page
    })
    const doc = frame.contentDocument
    for (const image of doc.images) image.loading = "eager"
    await doc.fonts.ready
    for (const image of doc.images) {
        if (!image.complete) await new Promise((resolve) => { image.onload = image.onerror = resolve })
    }
    return doc
}

// ---- What every page must have ------------------------------------------------------------------------------------

const too_wide = (doc) => {
    const room = doc.documentElement.clientWidth
    if (doc.documentElement.scrollWidth <= room) return []
    const wide = [...doc.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > room + 1 &&
        !e.closest("pre, .scroll, .katex-display, .math.inline.wide, .skip, .katex-mathml"))
    return [`${doc.documentElement.scrollWidth} pixels`, ...wide.map((e) => `<${e.tagName.toLowerCase()}> ${short(e)}`)]
}
// Nothing may be cut off either: formulas that neither break nor move by themselves.
const cut_off = (doc) => [...doc.querySelectorAll("main .math.inline:not(.wide)")].filter((e) => e.checkVisibility() &&
    !e.closest(".scroll, pre") && e.getBoundingClientRect().right > doc.documentElement.clientWidth).map(short)

const images = (doc) => [...doc.images].filter((i) => !i.naturalWidth).map((i) => i.getAttribute("src"))
const said = (figure) => figure.querySelector("figcaption")?.textContent.trim()
const texts = (doc) => [...[...doc.images].filter((i) => !i.alt.trim()).map((i) => i.getAttribute("src")),
    ...[...doc.querySelectorAll("main figure")].filter((figure) => !said(figure)).map((figure) => figure.id)]
const formulas = (doc) => [...doc.querySelectorAll(".math")]
    .filter((m) => !m.querySelector(".katex, math") || m.querySelector(".katex-error, merror")).map(short)
const fonts = (doc) => {
    const loaded = [...doc.fonts].some((font) => font.family.includes("KaTeX_Main") && font.status === "loaded")
    return loaded || !doc.querySelector("main .katex") ? [] : ["the fonts of formulas are not there"]
}
const remote = (doc) => [...doc.querySelectorAll("[src], link[href]")].map((e) => e.src || e.href)
    .filter((address) => !address.startsWith("file:"))
const unlinked = (doc, own) => {
    const walker = doc.createTreeWalker(doc.querySelector("main"), NodeFilter.SHOW_TEXT), named = []
    while (walker.nextNode()) {
        const text = walker.currentNode
        if (text.parentElement.closest("a, code, pre, h1, h2, h3, h4, svg, figcaption, summary, .math")) continue
        for (const [words, number] of text.data.matchAll(/\b[Cc]hapters? (\d+)\b(?!\.\d)/g)) {
            if (+number !== own && +number <= chapters) named.push(words)
        }
    }
    return named
}

const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\d.]+/g).slice(0, 3).map((c) => c / 255)
        .map((c) => (c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4))
    return .2126 * r + .7152 * g + .0722 * b
}
const is_clear = (colour) => /, 0\)$/.test(colour) || colour === "transparent"
const ground = (element, window) => {
    const rect = element.closest("svg a")?.querySelector("rect")
    if (rect) return window.getComputedStyle(rect).fill
    for (let e = element; e; e = e.parentElement) {
        const colour = window.getComputedStyle(e).backgroundColor
        if (!is_clear(colour)) return colour
    }
    return "rgb(255, 255, 255)"
}
const pale = (doc) => {
    const window = doc.defaultView, seen = new Set(), complaints = []
    const walker = doc.createTreeWalker(doc.body, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement
        if (!walker.currentNode.data.trim() || /^(SCRIPT|STYLE|ANNOTATION)$/i.test(element.tagName)) continue
        let key = ""
        for (let e = element, i = 0; e && i < 4; e = e.parentElement, i++) {
            key += `${e.tagName}.${e.getAttribute("class")} ${e.style.color} `
        }
        if (seen.has(key)) continue
        if (!element.checkVisibility() || element.closest(".katex-mathml, .skip")) continue
        seen.add(key)
        const style = window.getComputedStyle(element), size = parseFloat(style.fontSize)
        const ink = luminance(element.closest("svg") ? style.fill : style.color)
        const paper = luminance(ground(element, window))
        const ratio = (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05)
        const enough = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5
        if (ratio < enough) complaints.push(`${ratio.toFixed(2)} : 1 at "${short(element).slice(0, 30)}"`)
    }
    return complaints
}

const look_at = async (page) => {
    current = page
    let doc = await load(page)
    const own = doc.querySelector("h1 .number")?.textContent.match(/\d+/)?.[0]
    for (const link of doc.querySelectorAll("a[href]")) {
        links.push([page, new URL(link.getAttribute("href"), page).href])
    }
    check("wider than 390 pixels", too_wide(doc))
    check("cut off at 390 pixels", cut_off(doc))
    check("images that are not there", images(doc))
    check("figures without words", texts(doc))
    check("formulas that are not set", formulas(doc))
    check("fonts", fonts(doc))
    check("something of the network", remote(doc))
    check("chapters that are named and not linked", unlinked(doc, +own))
    const titles = doc.querySelectorAll("h1").length
    check("one title", titles === 1 && doc.title ? [] : [`${titles} titles`])
    frame.style.width = "1280px"
    const placed = () => doc.querySelector("nav [aria-current]")?.checkVisibility()
    for (let i = 0; i < 40 && !placed(); i++) await wait(50)
    if (!placed()) doc = await load(page, 1280) // the page was not told of its new width: time runs fast here
    check("wider than 1280 pixels", too_wide(doc))
    check("cut off at 1280 pixels", cut_off(doc))
    check("its place in the contents", placed() ? [] : ["none"])
    for (const details of doc.querySelectorAll("details")) details.open = true
    for (const theme of ["light", "dark"]) {
        doc.documentElement.dataset.theme = theme
        check(`contrast, ${theme}`, pale(doc))
    }
    if (own) {
        const numbers = [...doc.querySelectorAll("main figure")].map((f) => f.id)
        check("figures are numbered in turn", numbers.filter((id, i) => id !== `figure-${own}-${i + 1}`))
        const neighbours = doc.querySelectorAll(".neighbours a").length
        check("a part and neighbours", doc.querySelector("p.part") && neighbours === 2 ? [] : ["missing"])
        const answers = [...doc.querySelectorAll("main summary")].filter((s) => s.textContent === "Answer")
        check("five questions and more, with answers", answers.length >= 5 ? [] : [`${answers.length}`])
    }
    await single[page.slice(book.length)]?.(doc)
}

// ---- Figures that are SVG -----------------------------------------------------------------------------------------
// Each is looked at by itself. What its style sheet makes of it on a dark page is found by applying the rules: all of them
// are colours by attribute, for dark.

const kinds_of_dark = (doc) => [...doc.styleSheets].flatMap((sheet) => [...sheet.cssRules])
    .filter((rule) => rule.media?.mediaText.includes("prefers-color-scheme: dark")).flatMap((rule) => [...rule.cssRules])
const to_rgb = (hex) => `rgb(${[1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).join(", ")})`
const inherited = (element, name) => element.closest(`[${name}]`)
const colour_in = (element, name, rules) => {
    const holder = inherited(element, name), value = holder?.getAttribute(name)
    if (!value?.startsWith("#")) return null
    const rule = rules.findLast((rule) => rule.style[name] && holder.matches(rule.selectorText))
    return rule ? rule.style[name] : to_rgb(value)
}
const apart = (a, b) => (Math.max(luminance(a), luminance(b)) + .05) / (Math.min(luminance(a), luminance(b)) + .05)
// The numbers in cells are on the cells' colours; the grid is meant to be faint, and the paper is no line.
const is_own = (value) => /^#(212121|fefefe|e8e8e8|ffffff)$/.test(value)
const look_at_drawing = async (address) => {
    if (!address.endsWith("faulty.svg")) current = address
    await new Promise((resolve) => {
        frame.onload = resolve
        frame.src = address
    })
    const doc = frame.contentDocument, svg = doc.documentElement, rules = kinds_of_dark(doc)
    const words = [...doc.querySelectorAll("text")]
    const named = svg.getAttribute("role") === "img" && svg.querySelector(":scope > title")?.textContent.trim()
    check("figures for dark pages", rules.length ? [] : ["no colours for dark"])
    check("figures that have a title", named ? [] : ["none"])
    check("figures without ids", [...doc.querySelectorAll("[id]")].map((e) => e.id))
    check("figures in fonts that there are", /sans-serif/.test(svg.getAttribute("font-family")) ? [] : ["no other font"])
    check("figures of at most 150 kB", svg.outerHTML.length > 150000 ? [`${svg.outerHTML.length} bytes`] : [])
    check("figures that have words", words.some((e) => e.textContent.trim()) ? [] : ["none"])
    const wide = words.map((e) => e.getBoundingClientRect()).filter((b) => b.left < -1 || b.top < -1 ||
        b.right > svg.width.baseVal.value + 1 || b.bottom > svg.height.baseVal.value + 1)
    check("words that are cut off", wide.map((b) => `${b.left.toFixed()} … ${b.right.toFixed()}`))
    for (const dark of [false, true]) {
        const used = dark ? rules : [], pale = new Set()
        const paper = colour_in(svg.querySelector("path, rect"), "fill", used) ?? "rgb(255, 255, 255)"
        const see = (element, name, least) => {
            const colour = colour_in(element, name, used)
            if (!colour || is_own(inherited(element, name).getAttribute(name)) || apart(colour, paper) >= least) return
            pale.add(`${inherited(element, name).getAttribute(name)}: ${apart(colour, paper).toFixed(2)} : 1`)
        }
        for (const element of words) see(element, "fill", 4.5)
        if (dark) for (const element of doc.querySelectorAll("path[stroke]")) see(element, "stroke", 3)
        if (dark) for (const element of doc.querySelectorAll("circle")) see(element, "fill", 3)
        check(`contrast in figures, ${dark ? "dark" : "light"}`, [...pale])
    }
}

// ---- Single pages -------------------------------------------------------------------------------------------------

const look_at_cover = (doc) => {
    const of = (selector) => new Set([...doc.querySelectorAll(selector)].map((a) => a.getAttribute("href"))).size
    check("every chapter is on the map", of(".map a") === chapters ? [] : [`${of(".map a")} of ${chapters}`])
    check("the map has arrows", doc.querySelectorAll(".map path").length >= chapters / 2 ? [] : ["too few"])
    check("every chapter has its card", of(".cards h3 a") === chapters ? [] : [`${of(".cards h3 a")} of ${chapters}`])
    const pictures = doc.querySelectorAll(".cards img").length
    check("every card has its picture", pictures === chapters ? [] : [`${pictures}`])
}
const look_at_glossary = (doc) => {
    const terms = [...doc.querySelectorAll("main tbody tr")]
    check("terms", terms.length > 300 ? [] : [`${terms.length}`])
    const empty = (row) => [...row.cells].some((cell) => !cell.textContent.trim())
    check("terms without a definition", terms.filter(empty).map(short))
}
const look_at_functions = (doc) => {
    const functions = [...doc.querySelectorAll("main tbody tr")]
    check("functions", functions.length > 100 ? [] : [`${functions.length}`])
    check("functions without a chapter", functions.filter((row) => !row.querySelector("a[href]")).map(short))
}

const search = async (doc, words) => {
    const field = doc.querySelector("#search")
    doc.querySelector("#results").replaceChildren()
    field.focus()
    field.value = words
    field.dispatchEvent(new Event("input", { bubbles: true }))
    for (let i = 0; i < 100 && !doc.querySelector("#results a, #results [role=status]"); i++) await wait(50)
    return [...doc.querySelectorAll("#results a")]
}
const look_at_search = async (doc) => {
    const expected = [["softmax", "02-logistic-regression"], ["梯度", "01-linear-regression"], ["KV cache", "20-tiny-gpt"],
        ["matmul_tn", "01-linear-regression"], ["注意力", "16-attention"]]
    frame.style.width = "390px"
    for (const [words, folder] of expected) {
        const found = await search(doc, words), right = found.some((link) => link.href.includes(folder))
        check(`search finds ${words}`, right ? [] : [`not in ${folder}, but in ${found.length} places`])
        check(`search shows ${words}`, found.length && found.every((a) => a.querySelector("mark")) ? [] : ["unmarked"])
        check("results are not wider than the page", too_wide(doc))
        for (const link of found) links.push([current, link.href])
    }
    const found = await search(doc, "xyzzy")
    check("search finds nothing where there is nothing", found.length ? ["something"] : [])
}
const single = {
    "index.html": async (doc) => {
        look_at_cover(doc)
        await look_at_search(doc)
    },
    "glossary.html": look_at_glossary,
    "functions.html": look_at_functions,
    "chapters/16-attention/index.html": look_at_search,
}

const look_at_links = () => {
    const broken = new Map()
    for (const [page, address] of links) {
        if (!address.startsWith("file:")) continue
        const [file, anchor] = decodeURI(address).split("#")
        if (files.has(file) && (!anchor || anchors.has(`${file}#${anchor}`))) continue
        broken.set(page, [...(broken.get(page) ?? []), address.slice(book.length)])
    }
    for (const page of pages) {
        current = page
        check("links that lead nowhere", broken.get(page) ?? [])
    }
}

// What the checks must find on the page of faults
const kinds = ["wider than 390 pixels", "wider than 1280 pixels", "images that are not there", "figures without words",
    "formulas that are not set", "something of the network", "chapters that are named and not linked", "one title",
    "its place in the contents", "contrast, light", "contrast, dark", "links that lead nowhere", "figures for dark pages",
    "figures that have a title", "figures without ids", "figures in fonts that there are", "words that are cut off",
    "contrast in figures, light", "contrast in figures, dark"]

const main = async () => {
    for (const page of pages) await look_at(page)
    look_at_links()
    for (const drawing of drawings) await look_at_drawing(drawing)
    current = faulty
    if (pages.includes(faulty)) await look_at_drawing(faulty.replace("html", "svg"))
    for (const kind of pages.includes(faulty) ? kinds : []) {
        if (found.has(kind)) passed++
        else faults.push(`the page of faults: "${kind}" is not found there`)
    }
    report.textContent = [...faults.map((f) => "FAIL: " + f), `${passed} passed, ${faults.length} failed`].join("\n")
}
main().catch((error) => { report.textContent = `FAIL: ${error.stack}\n${passed} passed, ${faults.length + 1} failed` })
