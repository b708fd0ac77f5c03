// print.js: sets the formulas of the page that Chromium prints, and makes what is wider than the paper fit. The sheet gives
// the page the paper's width, so what is measured here is what is printed. When all is done the page gets its title, which
// bind.sh looks for in the PDF.
"use strict"
const all = (selector) => [...document.querySelectorAll(selector)]
for (const place of all(".math")) {
    katex.render(place.textContent, place, {
        displayMode: place.classList.contains("display"), output: "html", strict: false,
    })
}
document.fonts.ready.then(() => {
    // Read first, write later: the layout is made once and not at each formula.
    const wide = []
    for (const box of all(".katex-display")) {
        const content = box.querySelector(".katex-html")
        const parts = [...content.children].map((part) => part.getBoundingClientRect())
        const width = Math.max(...parts.map((r) => r.right)) - Math.min(...parts.map((r) => r.left))
        if (width > box.clientWidth + 1) wide.push([box, Math.max(.5, (box.clientWidth - 2) / width)])
    }
    for (const box of all(".scroll")) {
        const table = box.firstElementChild
        if (table.offsetWidth > box.clientWidth + 1) wide.push([box, Math.max(.5, box.clientWidth / table.offsetWidth - .01)])
    }
    for (const [box, scale] of wide) {
        if (scale === .5) console.error(`too wide for the paper: ${box.textContent.slice(0, 80)}`)
        box.style.fontSize = `${parseFloat(getComputedStyle(box).fontSize) * scale}px`
    }
    document.title = document.body.dataset.title
})
