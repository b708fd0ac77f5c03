// live.js: what the pages that compute in the browser share: the files that came with the page, a module of WebAssembly with the
// system calls that it makes, and the figures.
"use strict"
const files = {} // filled by the scripts NAME.files.js, which live.sh writes: names and contents in base64

const content_of = (name) => Uint8Array.from(atob(files[name]), (letter) => letter.charCodeAt(0))
const element = (id) => document.getElementById(id)

// What a page says instead of computing.
const give_up = (why) => {
    element("live").hidden = true
    element("still").textContent = why
    element("still").hidden = false
}

// Whether the page can begin: its files are there, and the browser can.
const can_compute = (...names) => {
    if (names.some((name) => !files[name])) return false // the page says already what is missing
    // A module of one function with a vector in it
    const vectors = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]
    if (typeof WebAssembly !== "object" || !WebAssembly.validate(new Uint8Array(vectors))) {
        give_up("This browser has no WebAssembly, or none with vectors, so this page cannot compute. A newer one can; " +
            "Firefox, Chromium and Safari have it since 2023.")
        return false
    }
    element("still").hidden = true
    element("live").hidden = false
    return true
}

// The system of a module (WASI): arguments, a clock, files in memory that can be read, and write(descriptor, bytes) for what it
// prints. A function of its own, without anything from above: a worker gets its text.
const wasi_of = (files, args, write) => {
    const FINE = 0, BAD_DESCRIPTOR = 8, MISSING = 44, FOLDER = 3
    const open = new Map(), encoder = new TextEncoder()
    const strings = args.map((arg) => encoder.encode(arg + "\0"))
    const system = { memory: null }
    const view = () => new DataView(system.memory.buffer)
    const bytes = (at, size) => new Uint8Array(system.memory.buffer, at, size)
    const pieces = (at, count) => Array.from({ length: count }, (_, i) =>
        bytes(view().getUint32(at + 8 * i, true), view().getUint32(at + 8 * i + 4, true)))
    const kind_of = (descriptor) => (descriptor < FOLDER ? 2 : descriptor === FOLDER ? 3 : open.has(descriptor) ? 4 : 0)
    const calls = {
        args_sizes_get: (count, size) => {
            view().setUint32(count, strings.length, true)
            view().setUint32(size, strings.reduce((sum, s) => sum + s.length, 0), true)
            return FINE
        },
        args_get: (pointers, to) => {
            for (const [i, string] of strings.entries()) {
                view().setUint32(pointers + 4 * i, to, true)
                bytes(to, string.length).set(string)
                to += string.length
            }
            return FINE
        },
        environ_sizes_get: (count, size) => {
            view().setUint32(count, 0, true)
            view().setUint32(size, 0, true)
            return FINE
        },
        environ_get: () => FINE,
        clock_time_get: (clock, precision, to) => {
            view().setBigUint64(to, BigInt(Math.round(performance.now() * 1e6)), true)
            return FINE
        },
        fd_prestat_get: (descriptor, to) => {
            if (descriptor !== FOLDER) return BAD_DESCRIPTOR
            view().setUint32(to, 0, true)
            view().setUint32(to + 4, 1, true)
            return FINE
        },
        fd_prestat_dir_name: (descriptor, to) => {
            bytes(to, 1)[0] = 46 // "."
            return FINE
        },
        fd_fdstat_get: (descriptor, to) => {
            if (!kind_of(descriptor)) return BAD_DESCRIPTOR
            bytes(to, 24).fill(0)
            bytes(to, 1)[0] = kind_of(descriptor)
            bytes(to + 8, 16).fill(255) // everything is allowed
            return FINE
        },
        fd_fdstat_set_flags: () => FINE,
        fd_filestat_get: (descriptor, to) => {
            if (!kind_of(descriptor)) return BAD_DESCRIPTOR
            bytes(to, 64).fill(0)
            bytes(to + 16, 1)[0] = kind_of(descriptor)
            view().setBigUint64(to + 32, BigInt(open.get(descriptor)?.bytes.length ?? 0), true)
            return FINE
        },
        path_open: (folder, how, path, size, flags, rights, inherited, modes, to) => {
            const name = new TextDecoder().decode(bytes(path, size))
            if (!files[name]) return MISSING
            let descriptor = FOLDER + 1
            while (open.has(descriptor)) descriptor++
            open.set(descriptor, { bytes: files[name], at: 0 })
            view().setUint32(to, descriptor, true)
            return FINE
        },
        fd_read: (descriptor, at, count, to) => {
            const file = open.get(descriptor) ?? { bytes: [], at: 0 } // nothing comes from the keyboard
            let total = 0
            for (const room of pieces(at, count)) {
                const part = file.bytes.slice(file.at, file.at + room.length)
                room.set(part)
                file.at += part.length
                total += part.length
            }
            view().setUint32(to, total, true)
            return FINE
        },
        fd_seek: (descriptor, offset, from, to) => {
            const file = open.get(descriptor)
            if (!file) return BAD_DESCRIPTOR
            file.at = Number(offset) + [0, file.at, file.bytes.length][from]
            view().setBigUint64(to, BigInt(file.at), true)
            return FINE
        },
        fd_write: (descriptor, at, count, to) => {
            let total = 0
            for (const piece of pieces(at, count)) {
                write(descriptor, piece.slice())
                total += piece.length
            }
            view().setUint32(to, total, true)
            return FINE
        },
        fd_close: (descriptor) => (open.delete(descriptor) ? FINE : BAD_DESCRIPTOR),
        proc_exit: (status) => { throw { status } },
    }
    system.imports = { wasi_snapshot_preview1: calls }
    return system
}

// ---- Figures --------------------------------------------------------------------------------------------------------

const svg = (kind, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", kind)
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
    if (text !== undefined) made.textContent = text
    return made
}

// A figure with axes: low and high of x and y, on a logarithmic scale where `logarithmic` says so. Returns where numbers are.
const axes = (figure, { x, y, logarithmic = "", names }) => {
    const width = 560, height = figure.viewBox.baseVal.height, left = 58, right = 10, top = 10, bottom = 44
    const scale = (axis, [low, high], from, to) => {
        const f = logarithmic.includes(axis) ? Math.log10 : (number) => number
        return (number) => from + (to - from) * (f(number) - f(low)) / (f(high) - f(low))
    }
    const at_x = scale("x", x, left, width - right), at_y = scale("y", y, height - bottom, top)
    const ticks = (axis, [low, high]) => {
        if (logarithmic.includes(axis)) {
            const powers = [], step = Math.max(1, Math.ceil((Math.log10(high) - Math.log10(low)) / 6))
            const fine = high / low < 30 ? [1, 2, 5] : [1]
            for (let p = Math.floor(Math.log10(low)); p <= Math.log10(high); p += step) for (const m of fine) powers.push(m * 10 ** p)
            return powers.filter((t) => t >= low * .999 && t <= high * 1.001)
        }
        const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough))
        const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough)
        return Array.from({ length: 20 }, (_, i) => (Math.ceil(low / step) + i) * step).filter((t) => t <= high + 1e-9)
    }
    const label = (number) => (Math.abs(number) >= 1e5 || (number && Math.abs(number) < 1e-3)
        ? number.toExponential(0).replace("e+", "e") : String(+number.toPrecision(4)))
    figure.replaceChildren(svg("rect", { x: left, y: top, width: width - left - right, height: height - top - bottom, class: "frame" }))
    for (const t of ticks("x", x)) {
        figure.append(svg("path", { d: `M${at_x(t)} ${height - bottom}v5`, class: "tick" }),
            svg("text", { x: at_x(t), y: height - bottom + 19, "text-anchor": "middle" }, label(t)))
    }
    for (const t of ticks("y", y)) {
        figure.append(svg("path", { d: `M${left} ${at_y(t)}h-5`, class: "tick" }),
            svg("text", { x: left - 8, y: at_y(t) + 4, "text-anchor": "end" }, label(t)))
    }
    figure.append(svg("text", { x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, names[0]),
        svg("text", { transform: `translate(13 ${(top + height - bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, names[1]))
    const inside = svg("svg", { x: left, y: top, width: width - left - right, height: height - top - bottom,
        viewBox: `${left} ${top} ${width - left - right} ${height - top - bottom}` })
    figure.append(inside)
    return { at_x, at_y, inside }
}

// A line through points; far outside of the figure it ends, for what comes behind is farther still.
const line = (points) => {
    const end = points.findIndex(([x, y]) => !(Math.abs(x) < 1e5 && Math.abs(y) < 1e5))
    return points.slice(0, end < 0 ? undefined : end + 1)
        .map(([x, y], i) => `${i ? "L" : "M"}${Math.max(-1e5, Math.min(1e5, x || 0)).toFixed(1)} ${Math.max(-1e5, Math.min(1e5, y || 0)).toFixed(1)}`)
        .join("")
}
