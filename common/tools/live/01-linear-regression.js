// 01-linear-regression.js: chapter 1's descent, computed by descent.c as the reader moves the sliders.
"use strict"
const WINDOW = { x: [-1.4, 1.4], y: [-1.4, 1] }, SIDE = 81 // chapter 1's figure
const LEVELS = [.48, .5, .55, .65, .8, 1, 1.5, 2, 3, 4]
// Rates that the second slider goes through: the chapter's are among them.
const RATES = [.001, .002, .003, .005, .007, .01, .015, .02, .03, .04, .05, .07, .1, .15, .2, .25, .3, .35, .4, .42, .44, .46, .47,
    .48, .49, .5, .51, .52, .53, .54, .56]

// The lines of equal height: through each cell of the grid that a level crosses, between the two sides where it does; a cell
// that it crosses on all four has two.
const contours = (map, at_x, at_y) => LEVELS.map((level) => {
    const lines = []
    for (let i = 0; i + 1 < SIDE; i++) {
        for (let j = 0; j + 1 < SIDE; j++) {
            const corners = [[i, j], [i, j + 1], [i + 1, j + 1], [i + 1, j]], crossed = []
            for (let k = 0; k < 4; k++) {
                const [a, b] = [corners[k], corners[(k + 1) % 4]], [from, to] = [map[a[0] * SIDE + a[1]], map[b[0] * SIDE + b[1]]]
                if ((from < level) === (to < level)) continue
                const part = (level - from) / (to - from)
                crossed.push([a[1] + part * (b[1] - a[1]), a[0] + part * (b[0] - a[0])])
            }
            for (let k = 0; k + 1 < crossed.length; k += 2) lines.push([crossed[k], crossed[k + 1]])
        }
    }
    const place = ([j, i]) => `${at_x(WINDOW.x[0] + (WINDOW.x[1] - WINDOW.x[0]) * j / (SIDE - 1)).toFixed(1)} ` +
        at_y(WINDOW.y[0] + (WINDOW.y[1] - WINDOW.y[0]) * i / (SIDE - 1)).toFixed(1)
    return lines.map(([a, b]) => `M${place(a)}L${place(b)}`).join("")
})

const begin = async () => {
    const system = wasi_of({ "datasets/diabetes.csv": content_of("datasets/diabetes.csv") }, ["descent"], (descriptor, bytes) => {
        if (descriptor === 2) console.error(new TextDecoder().decode(bytes))
    })
    const { instance } = await WebAssembly.instantiate(content_of("descent.wasm"), system.imports)
    const c = instance.exports
    system.memory = c.memory
    c._initialize()
    c.live_begin()
    const numbers = (at, count) => new Float32Array(c.memory.buffer, at, count).slice()
    const text = (at) => {
        const bytes = new Uint8Array(c.memory.buffer, at)
        return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)))
    }
    window.live_numbers = numbers // for the tests
    window.live_exports = c

    // ---- Two weights, seen from above
    const figure = element("bowl"), percent = element("percent"), steps = element("steps"), people = element("people")
    const start = [element("start-1"), element("start-2")], seed = element("seed")
    const { at_x, at_y, inside } = axes(figure, { ...WINDOW, names: ["weight of s1", "weight of s2"] })
    const map = numbers(c.live_map(...WINDOW.x, ...WINDOW.y), SIDE * SIDE)
    for (const d of contours(map, at_x, at_y)) inside.append(svg("path", { d, class: "contour" }))
    const way = svg("path", { class: "way" }), dots = svg("g", { class: "dots" })
    inside.append(way, dots)

    const draw_losses = (losses) => {
        const finite = losses.filter((loss) => loss < Infinity), high = Math.max(1, ...finite)
        const plot = axes(element("losses"), { x: [0, losses.length - 1], y: [Math.min(.45, ...finite) * .98, high * 1.05],
            logarithmic: "y", names: ["step", "loss"] })
        plot.inside.append(svg("path", { class: "way", d: line([...losses].map((loss, step) => [plot.at_x(step), plot.at_y(loss)])) }))
    }
    const descend = () => {
        const fraction = +percent.value / 100, count = +steps.value, from = start.map((slider) => +slider.value)
        element("said").textContent = text(c.live_descend(fraction, count, +people.value, +seed.value, ...from))
        const points = [0, 1].map((which) => numbers(c.live_way(which), count + 1))
        const placed = [...points[0]].map((x, i) => [at_x(x), at_y(points[1][i])])
        way.setAttribute("d", line(placed))
        dots.replaceChildren(...placed.filter(([x, y]) => Math.abs(x) < 2000 && Math.abs(y) < 2000)
            .map(([x, y], i) => svg("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: i ? 2.6 : 5 })))
        draw_losses(numbers(c.live_losses(), count + 1))
        const limit = c.live_limit(2), factor = Math.abs(1 - 2 * fraction)
        const diverges = fraction > 1
        figure.classList.toggle("diverges", diverges)
        element("rate-is").textContent = `η = ${(fraction * limit).toFixed(4)}; the limit, 2/λ, is ${limit.toFixed(4)}. ` +
            `Across the valley a step multiplies the distance by ${factor.toFixed(2)}: ` + (diverges ? "above 1, it diverges."
            : fraction === 1 ? "exactly 1, it leaps from wall to wall for ever." : "below 1, it converges.") +
            (+people.value ? " That is the prediction for all at once: a few people have a limit of their own in each step." : "")
        for (const [slider, unit] of [[percent, " % of the limit"], [steps, ""], [start[0], ""], [start[1], ""]]) {
            slider.nextElementSibling.textContent = slider.value + unit
        }
        seed.disabled = !+people.value
    }
    for (const control of [percent, steps, people, seed, ...start]) control.addEventListener("input", descend)
    for (const button of document.querySelectorAll("button[data-percent]")) {
        button.addEventListener("click", () => {
            Object.assign(percent, { value: button.dataset.percent })
            Object.assign(steps, { value: 24 })
            Object.assign(people, { value: 0 })
            Object.assign(start[0], { value: -.9 })
            Object.assign(start[1], { value: -.5 })
            descend()
        })
    }
    figure.addEventListener("pointerdown", (event) => { // begin where it was clicked
        const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(figure.getScreenCTM().inverse())
        const back = (at, [low, high], number) => low + (high - low) * (number - at(low)) / (at(high) - at(low))
        start[0].value = back(at_x, WINDOW.x, place.x)
        start[1].value = back(at_y, WINDOW.y, place.y)
        descend()
    })
    people.options[0].textContent = `all ${c.live_people()}`

    // ---- All ten weights
    const rate = element("rate"), BOOK = [.003, .03, .3, .48, .52]
    rate.max = RATES.length - 1
    rate.value = RATES.indexOf(.3)
    const histories = BOOK.map((r) => (c.live_rate(r), numbers(c.live_losses(), 201)))
    const descend_ten = () => {
        const value = RATES[+rate.value], limit = c.live_limit(10)
        element("said-of-ten").textContent = text(c.live_rate(value))
        rate.nextElementSibling.textContent = value.toFixed(3)
        rate.setAttribute("aria-valuetext", value.toFixed(3))
        element("limit-is").textContent = `The limit, 2/λ, is ${limit.toFixed(4)}: ` +
            (value > limit ? "this rate is above it, and the loss grows without end." : "this rate is below it.")
        const plot = axes(element("ten"), { x: [1, 200], y: [.2, 2], logarithmic: "xy", names: ["step of gradient descent", "loss"] })
        const draw = (history, kind) => plot.inside.append(svg("path", { class: kind,
            d: line([...history].slice(1).map((loss, i) => [plot.at_x(i + 1), plot.at_y(loss)])) }))
        for (const history of histories) draw(history, "contour")
        draw(numbers(c.live_losses(), 201), "way")
        element("ten").classList.toggle("diverges", value > limit)
    }
    rate.addEventListener("input", descend_ten)
    descend()
    descend_ten()
    document.documentElement.dataset.live = "ready"
}
if (can_compute("descent.wasm", "datasets/diabetes.csv")) begin().catch((error) => {
    give_up("Something went wrong: " + (error.message ?? "the program ended"))
    console.error(error)
})
