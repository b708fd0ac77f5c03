"""kernel.py: a small Jupyter kernel that compiles the cells of a chapter as make does, and runs them.

A C program cannot be run piece by piece, but it can be told piece by piece. The kernel keeps the cells that were executed, in
the order of the page, and with each one compiles what has been told so far:

- a cell of definitions prints nothing, unless the compiler has something to say about it;
- the cell that holds main runs the program. What a section prints appears under the cell that names it, as on the page, and
  the rest under main's own. A line "%args --seed 2" in that cell hands options to the program;
- a cell of statements, such as printf("%g\\n", 2.0f * 3);, is run at once, in a function of its own behind all definitions.

A cell takes the place of its earlier version: of the one with the same cellId, which most front ends send, and of any that the
compiler calls the previous definition of something in it. The commands are asked from make (kernel-commands), so that CC, ARCH
and MODE mean what they always do. It runs in the course's folder; jupyter.sh beside it tells Jupyter where it is.

Why not xeus-cling? Neither it nor cling is a Debian package, and both read C++, in which float *w = malloc(n); is an error,
with a clang of their own, and not with the compiler whose numbers are the book's. python3-ipykernel is packaged and speaks all
of Jupyter's protocol; here stands only what a cell means.
"""
import base64
import codecs
import html
import os
import pathlib
import re
import selectors
import shlex
import signal
import subprocess
import tempfile
import time

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

COURSE = pathlib.Path(__file__).resolve().parents[3]
MOST_CHARACTERS = 1_000_000  # that one run may print: more of it would stop the browser
MAIN = re.compile(r"^\s*int\s+main\s*\(", re.M)
ERROR = re.compile(r"^(?:(In\[\d+\]):(\d+):(\d+)|(?!In\[)\S+): (?:fatal )?error: ", re.M)
# gcc calls a type's name a declaration, too; that of a function, which may stand in another cell, has a "(" in its type.
EARLIER = re.compile(r"^(In\[\d+\]):\d+:\d+: note: previous (?:definition|declaration of .\w+. with type [^(\n]*$)", re.M)
COMMENT_OR_TITLE = re.compile(r'//[^\n]*|/\*.*?\*/|\bsection\s*\(\s*\w+\s*,\s*((?:"(?:\\.|[^"\\])*"\s*)+)\)', re.S)
# A program that writes into a pipe keeps some pages back; this lets each line go as it is printed.
LINE_BY_LINE = """
#include <stdio.h>
__attribute__((constructor)) static void print_line_by_line(void) { setvbuf(stdout, NULL, _IOLBF, 0); }
"""


class Failure(Exception):
    """What a cell may end with: a sentence, and what the compiler said."""


class Cell:
    def __init__(self, number, identity, text):
        self.name, self.identity, self.text, self.arguments = f"In[{number}]", identity, text, []  # as Jupyter names it
        if arguments := re.search(r"^%args\b(.*)$", text, re.M):
            self.arguments = shlex.split(arguments[1])
            self.text = text.replace(arguments[0], "", 1)
        self.holds_main = bool(MAIN.search(self.text))
        titles = [found[1] for found in COMMENT_OR_TITLE.finditer(text) if found[1]]
        self.titles = [re.sub(r"\\(.)", r"\1", "".join(re.findall(r'"((?:\\.|[^"\\])*)"', t))) for t in titles]
        self.printed = {}  # by the last run: title → lines


class CourseKernel(Kernel):
    implementation, implementation_version = "gentle-walk", "1"
    banner = "C, compiled as the chapters of A Gentle Walk into Deep Learning are"
    language_info = {"name": "c", "file_extension": ".c", "mimetype": "text/x-csrc", "codemirror_mode": "text/x-csrc"}

    def __init__(self, **options):
        super().__init__(**options)
        self.cells, self.last, self.commands = [], None, None
        # Printed and not yet shown: under main, and the cells whose display changes; and when something was shown last.
        self.waiting, self.changed, self.shown = "", set(), 0.0
        self.scratch = tempfile.TemporaryDirectory(prefix="gentle-walk-")
        self.folder, self.figures = self.scratch.name, os.path.join(self.scratch.name, "figures")
        os.mkdir(self.figures)
        # Under make jupyter, a make of its own is called.
        self.environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        self.environment["LC_ALL"] = "C.UTF-8"

    # ---- What Jupyter asks and is told ---------------------------------------------------------------------------------------

    def do_execute(self, code, silent, store_history=True, user_expressions=None, allow_stdin=False):
        identity = self.get_parent().get("metadata", {}).get("cellId")
        try:
            if code.strip():
                self.execute(Cell(self.execution_count, identity, code))
        except (Failure, KeyboardInterrupt, ValueError) as failure:  # ValueError: a quotation mark of %args is not closed
            name, said = "Error", failure.args
            if isinstance(failure, KeyboardInterrupt):
                name, said = "Interrupted", ["what was running has been stopped"]
            content = {"ename": name, "evalue": said[0], "traceback": [*said[1:], f"{name}: {said[0]}"]}
            self.send_response(self.iopub_socket, "error", content)
            return {"status": "error", "execution_count": self.execution_count, **content}
        return {"status": "ok", "execution_count": self.execution_count, "payload": [], "user_expressions": {}}

    def stream(self, name, text):
        if text:
            self.send_response(self.iopub_socket, "stream", {"name": name, "text": text})

    def display(self, data, cell=None, message="display_data"):
        transient = {"display_id": f"{self.folder} {cell.name}"} if cell else {}
        self.send_response(self.iopub_socket, message, {"data": data, "metadata": {}, "transient": transient})

    # ---- A cell --------------------------------------------------------------------------------------------------------------

    def execute(self, cell):
        if self.commands is None:
            self.commands = self.ask_make()
        pathlib.Path(self.folder, cell.name).write_text(cell.text + "\n")  # from here the compiler shows lines
        old = [i for i, c in enumerate(self.cells) if cell.identity and c.identity == cell.identity]
        others = [c for i, c in enumerate(self.cells) if i not in old]
        # Where its earlier version was; or else behind the cell that was executed before it.
        place = old[0] if old else others.index(self.last) + 1 if self.last in others else len(others)
        cells = others[:place] + [cell] + others[place:]
        said = self.compile(cells[:cells.index(cell) + 1], cell)
        while earlier := self.earlier(said, cells, cell):
            cells.remove(cell)
            cells[cells.index(earlier)] = cell
            said = self.compile(cells[:cells.index(cell) + 1], cell)
        if ERROR.search(said):
            self.execute_statements(cell, others, said)
            return
        whole = self.compile(cells, cell)
        while earlier := self.earlier(whole, cells, cell):  # further down
            cells.remove(earlier)
            whole = self.compile(cells, cell)
        self.cells, self.last = cells, cell
        self.stream("stderr", said)
        if cell.holds_main:
            self.execute_main(cell)
        elif ERROR.search(whole):
            self.stream("stderr", f"{whole}With this, a cell that was executed before no longer compiles.\n")
        elif cell.titles:
            self.display({"text/plain": "What this prints appears here when the cell of main is executed."}, cell)

    def earlier(self, said, cells, cell):
        """The other cell, when the compiler complains that one and this define the same"""
        for note in EARLIER.finditer(said):
            pair = {note[1], *[error[0] for error in ERROR.findall(said, 0, note.start())[-1:]]}
            if cell.name in pair and len(pair) == 2:
                return next((c for c in cells if c.name in pair and c is not cell), None)
        return None

    def execute_main(self, cell):
        program = self.build(self.cells, cell, after=LINE_BY_LINE)
        lesson = any("lesson_begin" in c.text for c in self.cells)
        self.run([program, *cell.arguments, *(["--figures", self.figures] if lesson else [])], self.cells)

    def execute_statements(self, cell, others, said):
        """Tries the cell as the body of a function. If that fails too, the reading that came further was meant."""
        around = {"before": "#define main static main_of_the_chapter\n", "after": "return 0;\n}\n",
                  "between": f"#undef main\n{LINE_BY_LINE}int main(void)\n{{"}
        body = self.compile([*others, cell], cell, **around)
        if ERROR.search(body):
            first = [[int(n or 0) for n in ERROR.search(s).groups()[1:]] for s in (said, body)]
            said = (body if first[1] > first[0] else said).rstrip()
            unknown = re.search("undeclared|implicit|unknown type", said)
            raise Failure("has the cell that defines this been executed?" if unknown else "it does not compile", said)
        self.stream("stderr", body)
        self.run([self.build([*others, cell], cell, **around)], [])

    # ---- The compiler --------------------------------------------------------------------------------------------------------

    def ask_make(self):
        lines = []
        status = self.pump(["make", "-s", "--no-print-directory", "kernel-commands"], lines.append)
        if status != 0 or len(lines) != 3:
            raise Failure("make kernel-commands does not say how a chapter is compiled", "".join(lines))
        return [line.strip() for line in lines]

    def call(self, command):
        """A command of the shell: its exit status, and what it says, where cells have their names alone"""
        done = subprocess.run(command, shell=True, cwd=COURSE, env=self.environment, capture_output=True, encoding="utf-8",
                              errors="replace")
        return done.returncode, done.stderr.replace(self.folder + "/", "")

    def compile(self, cells, cell, options="-fsyntax-only", before="", between="", after=""):
        """What the compiler says: of this cell all, of the others errors alone. Main uses all others, and so it stands last."""
        text = before
        for c in sorted(cells, key=lambda c: (bool(between) and c is cell, c.holds_main)):
            own = c is cell
            text += f'{between if own else ""}\n# 1 "{self.folder}/{c.name}"{"" if own else " 3"}\n{c.text}\n'
        path, names = os.path.join(self.folder, "program.c"), f"-fmacro-prefix-map={self.folder}/="
        pathlib.Path(path).write_text(f'{text}# 1 "kernel.py"\n{after}' if after else text)
        # What is unused now may be used by the next cell. The last two warnings make statements look like definitions.
        options += " -Wno-error -Wno-unused -Werror=implicit-int -Werror=implicit-function-declaration"
        return self.call(f"{self.commands[0]} {shlex.quote(names)} {options} {shlex.quote(path)}")[1]

    def build(self, cells, cell, **around):
        program = os.path.join(self.folder, "program")
        object_file = shlex.quote(program + ".o")
        said = self.compile(cells, cell, f"-c -o {object_file}", **around)
        if ERROR.search(said):
            raise Failure("the program does not compile", said.rstrip())
        status, said = self.call(f"{self.commands[1]} {object_file} {self.commands[2]} -o {shlex.quote(program)}")
        if status != 0:
            raise Failure("the program cannot be linked", said.rstrip())
        return program

    # ---- The program ---------------------------------------------------------------------------------------------------------

    def run(self, command, cells):
        """Runs a program; what a section prints is shown under the one of these cells that names it."""
        homes = {title: c for c in cells for title in c.titles if not c.holds_main}
        for cell in cells:
            cell.printed = {}
        home, title, size = None, "", 0

        def take(line):
            nonlocal home, title, size
            size += len(line)
            if size > MOST_CHARACTERS:
                raise Failure(f"more than {MOST_CHARACTERS} characters were printed; the program has been stopped")
            begins = line.startswith("── ")
            if begins:
                title = line[3:].rstrip("\n").rstrip("─").rstrip(" ")
                home = homes.get(title)
            if home:  # on the page, a title is shown where a cell has several
                home.printed[title] = home.printed.get(title, "") + ("" if begins and len(home.titles) == 1 else line)
                self.changed.add(home)
            elif line.startswith("figure: "):
                self.renew(at_once=True)
                self.display(self.picture(line.rstrip("\n"))[0])
            else:
                self.waiting += line

        try:
            status = self.pump(command, take, self.renew)
        finally:
            self.renew(at_once=True)
        if status < 0:  # the number of a signal
            name = f"{signal.strsignal(-status)} ({signal.Signals(-status).name})"
            raise Failure(f"the program ended with {name}; make jupyter MODE=asan says more about such an end")
        if status > 0:
            raise Failure(f"the program ended with exit status {status}")

    def pump(self, command, take, pause=lambda: None):
        """Runs a command, hands on each line that it prints, shows its errors as they come. Returns the exit status."""
        process = subprocess.Popen(command, cwd=COURSE, env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            decoders = {s: codecs.getincrementaldecoder("utf-8")("replace") for s in (process.stdout, process.stderr)}
            rest = ""
            with selectors.DefaultSelector() as streams:
                for stream in decoders:
                    streams.register(stream, selectors.EVENT_READ)
                while streams.get_map():
                    for key, _ in streams.select(0.1):
                        data = os.read(key.fd, 65536)
                        text = decoders[key.fileobj].decode(data, final=not data)
                        if not data:
                            streams.unregister(key.fileobj)
                        if key.fileobj is process.stderr:
                            self.stream("stderr", text)
                        else:
                            *lines, rest = (rest + text).split("\n")
                            for line in lines:
                                take(line + "\n")
                    pause()
            if rest:
                take(rest)
            return process.wait()
        finally:
            process.terminate()  # unless it has ended; mpirun takes its processes along
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def renew(self, at_once=False):
        """Shows what is new, ten times a second; a section grows by lines, and each time all of it is sent."""
        if time.monotonic() - self.shown < 0.1 and not at_once:
            return
        self.stream("stdout", self.waiting)
        for cell in self.changed:
            # The texts as they are on the page, without blank lines at both ends, and between them the lines "figure: …"
            split = [p for title in cell.titles for p in re.split(r"^(figure: .*)\n", cell.printed.get(title, ""), flags=re.M)]
            pieces = [p for p in (re.sub(r"\A(?:[ \t]*\n)+|(?:\n[ \t]*)+\Z", "", p) for p in split) if p]
            page = [self.picture(p)[1] if p.startswith("figure: ") else f"<pre>{html.escape(p)}</pre>" for p in pieces]
            self.display({"text/plain": "\n\n".join(pieces), "text/html": "\n".join(page)}, cell, "update_display_data")
        self.waiting, self.changed, self.shown = "", set(), time.monotonic()

    def picture(self, line):
        """Of "figure: bowl.png — caption": what Jupyter shows, and the same as HTML"""
        name, _, caption = line[len("figure: "):].partition(" — ")
        kind, words = "image/svg+xml" if name.endswith(".svg") else "image/png", html.escape(caption or name)
        try:
            data = pathlib.Path(self.figures, os.path.basename(name)).read_bytes()
        except OSError:  # a machine without gnuplot draws none
            return {"text/plain": line}, f"<p><em>{words}</em></p>"
        coded = base64.b64encode(data).decode()
        shown = {kind: data.decode() if kind == "image/svg+xml" else coded, "text/plain": line}
        return shown, f'<img alt="{words}" src="data:{kind};base64,{coded}"><p><em>{words}</em></p>'


if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=CourseKernel)
