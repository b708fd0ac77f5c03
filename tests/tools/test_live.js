// test_live.js: moves the controls of the pages that compute and compares what they show with what the native programs print.
// test_live.sh writes the page that holds it, with window.expected, and reads the report from the console.
"use strict"
let passed = 0
const faults = []
const check = (what, holds, shown = "") => {
    if (holds) passed++
    else faults.push(`FAIL: ${what}${shown === "" ? "" : `: ${shown}`}`)
}
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const until = async (holds, seconds = 120) => {
    for (const end = performance.now() + 1000 * seconds; performance.now() < end && !holds();) await wait(20)
    return holds()
}
const digest = (numbers) => {
    let hash = 2166136261
    for (const byte of new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)) hash = Math.imul(hash ^ byte, 16777619)
    return hash >>> 0
}

const frame = document.createElement("iframe")
frame.style.height = "900px"
document.body.append(frame)
const load = async (name) => {
    frame.style.width = "390px"
    await new Promise((resolve) => {
        frame.onload = resolve
        frame.src = `${expected.book}/live/${name}.html`
    })
    const doc = frame.contentDocument
    check(`${name}: begins`, await until(() => doc.documentElement.dataset.live === "ready" || !doc.getElementById("still").hidden) &&
        doc.getElementById("still").hidden, doc.getElementById("still").textContent)
    return doc
}
const fits = async (doc, name) => {
    for (const width of [390, 1280]) {
        frame.style.width = `${width}px`
        await wait(100)
        const { scrollWidth, clientWidth } = doc.documentElement
        check(`${name}: not wider than ${width} pixels`, scrollWidth <= clientWidth, `${scrollWidth} > ${clientWidth}`)
    }
    const unnamed = [...doc.querySelectorAll("#live input, #live select")].filter((control) => !control.labels.length)
    check(`${name}: every control has a label`, !unnamed.length, unnamed.map((control) => control.id).join(" "))
}
const set = (doc, id, value) => {
    const control = doc.getElementById(id)
    control.value = value
    control.dispatchEvent(new Event("input", { bubbles: true }))
}
// What the page says where the browser has no WebAssembly
const without = (doc, name, files) => {
    frame.contentWindow.eval(`WebAssembly = undefined; can_compute(${files.map((file) => `"${file}"`)})`)
    const said = doc.getElementById("still")
    check(`${name}: says what is missing`, !said.hidden && doc.getElementById("live").hidden && /no WebAssembly/.test(said.textContent))
}

const descent = async () => {
    const name = "01-linear-regression", doc = await load(name), { live_exports: c, live_numbers: numbers } = frame.contentWindow
    check("the map has the native bits", digest(numbers(c.live_map(-1.4, 1.4, -1.4, 1), 81 * 81)) === expected.map)
    for (const [i, weights] of [2, 10].entries()) {
        check(`the limit of ${weights} weights has the native bits`, c.live_limit(weights) === expected.limits[i], c.live_limit(weights))
    }
    const lines = []
    set(doc, "seed", 7)
    for (const way of expected.ways) {
        set(doc, "people", way.people)
        set(doc, "steps", way.steps)
        set(doc, "percent", way.percent)
        const said = doc.getElementById("said").textContent
        check("the sentence is the native one", said === way.said, said)
        lines.push(said.trim())
        const found = [c.live_way(0), c.live_way(1), c.live_losses()].map((at) => digest(numbers(at, way.steps + 1)))
        check(`${said}: the way has the native bits`, String(found) === String(way.digests))
        const above = way.percent > 100
        check(`${said}: the page says whether it diverges`, doc.getElementById("bowl").classList.contains("diverges") === above &&
            doc.getElementById("rate-is").textContent.includes(above ? "it diverges" : "it converges"))
    }
    const rate = doc.getElementById("rate"), rates = new Map()
    for (let i = 0; i <= +rate.max; i++) {
        set(doc, "rate", i)
        const said = doc.getElementById("said-of-ten").textContent
        lines.push(said)
        rates.set(said, digest(numbers(c.live_losses(), 201)))
    }
    for (const { said, digest } of expected.rates) {
        check(`${said}: shown, with the native bits`, rates.get(said) === digest)
    }
    check("the chapter's page has lines of it", expected.lines.length >= 8, expected.lines.length)
    for (const line of expected.lines) check(`as on the chapter's page: ${line}`, lines.includes(line))
    await fits(doc, name)
    without(doc, name, ["descent.wasm"])
}

const bytes_of = (base64) => new TextDecoder().decode(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)))
const gpt = async () => {
    const name = "20-tiny-gpt", doc = await load(name), written = doc.getElementById("written"), state = doc.getElementById("state")
    const ended = () => doc.getElementById("stop").disabled
    for (const { prompt, text, ...settings } of expected.texts) {
        for (const [id, value] of Object.entries(settings)) set(doc, id, value)
        set(doc, "prompt", bytes_of(prompt))
        let pieces = 0
        const watch = new MutationObserver(() => pieces++)
        watch.observe(written, { childList: true })
        doc.getElementById("live").requestSubmit()
        const case_ = `"${bytes_of(prompt)}" ${JSON.stringify(settings)}`
        check(`${case_}: ends`, await until(ended))
        check(`${case_}: the native text`, written.textContent === bytes_of(text), `${written.textContent.slice(0, 80)} … ${state.textContent}`)
        check(`${case_}: it came token by token`, pieces > 3, `${pieces} pieces`)
        check(`${case_}: says how fast`, /^\d+ tokens, \d+ a second$/.test(state.textContent), state.textContent)
        watch.disconnect()
    }
    set(doc, "tokens", 2000)
    doc.getElementById("live").requestSubmit()
    await until(() => written.textContent.length > 20)
    doc.getElementById("stop").click()
    const length = written.textContent.length
    await wait(300)
    check("stop stops", state.textContent === "stopped" && ended() && written.textContent.length === length && length < 4000)
    await fits(doc, name)
    without(doc, name, ["gpt.wasm", "model"])
}

const main = async () => {
    await descent()
    await gpt()
    for (const fault of faults) console.log(`REPORT ${fault}`)
    console.log(`REPORT ${passed} passed, ${faults.length} failed`)
}
main().catch((error) => console.log(`REPORT FAIL: ${error.stack.replace(/\s+/g, " ")}\nREPORT ${passed} passed, ${faults.length + 1} failed`))
