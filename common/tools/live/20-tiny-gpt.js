// 20-tiny-gpt.js: chapter 20's GPT goes on with what the reader types. The program is common/tools/sample.c, as `make sample` runs it, in
// a worker, so that the page stays awake; what it prints is shown as it comes.
"use strict"

// In the worker.
const work = async ({ data: { program, files, args } }) => {
    let problem = ""
    const system = wasi_of(files, args, (descriptor, bytes) => {
        if (descriptor === 1) postMessage({ bytes })
        else problem += new TextDecoder().decode(bytes)
    })
    try {
        const { instance } = await WebAssembly.instantiate(program, system.imports)
        system.memory = instance.exports.memory
        instance.exports._start()
        postMessage({ end: 0 })
    } catch (error) {
        postMessage({ end: error.status ?? 1, problem: problem || String(error.message ?? "") })
    }
}

const begin = () => {
    const program = content_of("gpt.wasm"), model = content_of("model")
    const form = element("live"), written = element("written"), state = element("state"), stop = element("stop")
    const source = `"use strict"; const wasi_of = ${wasi_of}; onmessage = ${work}`
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }))
    let worker = null

    const end = (words) => {
        worker?.terminate()
        worker = null
        stop.disabled = true
        state.textContent = words
    }
    const settings = ["temperature", "top-k", "top-p", "tokens", "seed"]
    const quoted = (words) => `'${words.replace(/'/g, "'\\''").replace(/\$/g, "$$$$")}'`
    const go_on = () => {
        end("")
        const prompt = element("prompt").value, decoder = new TextDecoder()
        const args = ["sample", "--model", "model", ...settings.flatMap((name) => [`--${name}`, element(name).value]), "--", prompt]
        const tokens = +element("tokens").value, start = performance.now()
        element("command").textContent = `make sample PROMPT=${quoted(prompt)} ` +
            settings.map((name) => `${name.toUpperCase().replace("-", "_")}=${element(name).value}`).join(" ")
        written.textContent = ""
        state.textContent = "writing …"
        stop.disabled = false
        try {
            worker = new Worker(address)
        } catch (error) {
            end(`This browser starts no worker for a page that is a file (${error.message}): take another one.`)
            return
        }
        worker.onerror = (event) => end(`The worker cannot run: ${event.message}`)
        worker.onmessage = ({ data }) => {
            if (data.bytes) {
                written.textContent += decoder.decode(data.bytes, { stream: true })
            } else if (data.end) {
                end(data.problem)
            } else {
                const seconds = (performance.now() - start) / 1000
                end(`${tokens} tokens, ${Math.round(tokens / seconds)} a second`)
            }
        }
        worker.postMessage({ program, files: { model }, args })
    }
    form.addEventListener("submit", (event) => {
        event.preventDefault()
        go_on()
    })
    stop.addEventListener("click", () => end("stopped"))
    document.documentElement.dataset.live = "ready"
}
if (can_compute("gpt.wasm", "model")) begin()
