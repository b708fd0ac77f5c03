"""test_notebooks.py FOLDER: see test_notebooks.sh, which calls it. Prints "N passed, N failed"."""
import json
import pathlib
import re
import sys
import time

import nbclient
import nbformat
from jupyter_client.manager import start_new_kernel

EXECUTED = ["01-linear-regression", "05-descent-and-randomness", "07-autograd"]  # without data sets, and in seconds
passed, failed = 0, 0


def expect(what, holds, got=""):
    global passed, failed
    passed, failed = passed + bool(holds), failed + (not holds)
    if "-v" in sys.argv:
        print(f"{time.monotonic() - begun:6.1f} s  {'ok' if holds else 'NO'}  {what}", flush=True)
    if not holds:
        print(f"FAILED: {what}{': got ' if got != '' else ''}{got}", flush=True)


# ---- The files ---------------------------------------------------------------------------------------------------------------

def check_file(path):
    notebook = json.loads(path.read_text())
    try:
        nbformat.validate(notebook, version=4, version_minor=5)
        problem = ""
    except (nbformat.ValidationError, KeyError) as error:
        problem = str(error)[:300]
    ids = [cell.get("id") for cell in notebook["cells"]]
    page = pathlib.Path("chapters", path.stem, "README.md").read_text()
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    pictures = sum(kind.startswith("image/") for output in outputs for kind in output.get("data", {}))
    expect(f"{path.name} is what nbformat's schema says", not problem, problem)
    expect(f"{path.name} gives each cell its id", len(set(ids)) == len(ids) and None not in ids)
    expect(f"{path.name} names the kernel", notebook["metadata"]["kernelspec"]["name"] == "gentle-walk")
    expect(f"{path.name} has all figures of its page", pictures == len(re.findall(r"^!\[Figure ", page, re.M)), pictures)


# ---- Whole chapters ----------------------------------------------------------------------------------------------------------

def words(output):
    """What stands in one output, as the page has it: text, or a figure with its caption"""
    data = output.get("data", {})
    if output.output_type == "stream":
        return output.text if output.name == "stdout" else ""
    if any(kind.startswith("image/") for kind in data):
        return re.sub(r"^(Figure [\d.]+ |figure: [\w.-]+ — )", "", data["text/plain"])
    return "" if "text/markdown" in data else re.sub(r"^figure: [\w.-]+ — ", "", data["text/plain"], flags=re.M)


def all_words(cell):
    texts = [re.sub(r"\A(?:[ \t]*\n)+|(?:\n[ \t]*)+\Z", "", words(output)) for output in cell.get("outputs", [])]
    return "\n\n".join(filter(None, texts))


def check_chapter(path):
    written = nbformat.read(path, as_version=4)
    executed = nbformat.read(path, as_version=4)
    for cell in executed.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    nbclient.NotebookClient(executed, startup_timeout=600, timeout=1800, kernel_name="gentle-walk").execute()
    for there, here in zip(written.cells, executed.cells):
        if all_words(there) != all_words(here):
            expect(f"{path.name}, {there.id}: the page's output", False, f"\n{all_words(here)}\nand not\n{all_words(there)}")
            return
    outputs = ([str(output.get("data", "")) for cell in notebook.cells for output in cell.get("outputs", [])]
               for notebook in (executed, written))
    pictures, expected = (re.findall("data:image/[a-z+]+;base64,|'image/[a-z+]+'", " ".join(texts)) for texts in outputs)
    expect(f"{path.name}: {sum(bool(all_words(c)) for c in executed.cells)} cells print what the page says", True)
    expect(f"{path.name}: its figures are shown", len(pictures) == len(expected) > 0, f"{len(pictures)} of {len(expected)}")


# ---- One cell after the other ------------------------------------------------------------------------------------------------

class Session:
    """A kernel, and what its cells show: stdout, stderr, displays by their id, the last error"""

    def __init__(self):
        self.manager, self.client = start_new_kernel(startup_timeout=600, kernel_name="gentle-walk")
        self.displays = {}

    def run(self, code, identity=None, interrupt_at=None):
        message = self.client.session.msg("execute_request", {"code": code, "silent": False, "store_history": True,
                                          "user_expressions": {}, "allow_stdin": False, "stop_on_error": False},
                                          metadata={"cellId": identity} if identity else {})
        self.client.shell_channel.send(message)
        self.out, self.err, self.error, self.data = "", "", None, []
        while True:
            got = self.client.get_iopub_msg(timeout=900)
            content, kind = got["content"], got["msg_type"]
            if got["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if kind == "stream":
                self.out += content["text"] if content["name"] == "stdout" else ""
                self.err += content["text"] if content["name"] == "stderr" else ""
            elif kind in ("display_data", "update_display_data"):
                self.data.append(content["data"])
                self.displays[content["transient"].get("display_id")] = content["data"]
            elif kind == "error":
                self.error = "\n".join(content["traceback"])
            elif kind == "status" and content["execution_state"] == "idle":
                return self
            if interrupt_at and interrupt_at in self.out:
                interrupt_at = None
                self.manager.interrupt_kernel()

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel()


def check_cells(s):
    s.run('#include <stdio.h>\n#include <stdlib.h>\n\nenum { STEPS = 3, RATE = 2 };', "includes")
    expect("definitions print nothing", (s.out, s.err, s.error, s.data) == ("", "", None, []), (s.out, s.err, s.error))
    s.run("typedef struct {\n    float x;\n} Point;\n\nstatic float twice(float x) { return RATE * x; }", "twice")
    expect("nor do those that nothing uses yet", (s.out, s.err, s.error) == ("", "", None), (s.err, s.error))
    s.run('printf("%g\\n", (double)twice(2.5f));')
    expect("a cell of statements is run", (s.out, s.err, s.error) == ("5\n", "", None), (s.out, s.err, s.error))
    s.run('int main(int argc, char **argv)\n{\n    printf("%g %d %s\\n", (double)twice(4), argc, argv[argc - 1]);\n}\n'
          '%args --seed "2 3"', "main")
    expect("main's cell runs the program, with its options", (s.out, s.error) == ("8 3 2 3\n", None), (s.out, s.err, s.error))
    s.run("static float twice(float x) { return 10 * x; }\n\ntypedef struct {\n    float x;\n} Point;", "twice")
    expect("an edited cell takes its own place", (s.err, s.error) == ("", None), (s.err, s.error))
    s.run('printf("%g\\n", (double)twice(2.5f));')
    expect("and what is run later uses it", s.out == "25\n", (s.out, s.error))
    s.run("typedef struct {\n    float x, y;\n} Point;\nstatic float twice(float x) { return 100 * x; }")
    s.run('printf("%g\\n", (double)twice(2.5f));')
    expect("without a cellId, what it defines says which cell it replaces", s.out == "250\n", (s.out, s.error))
    refused = s.run("static float twice(float x) { return 2 * w; }", "twice").error
    s.run('printf("%g\\n", (double)twice(1));')
    expect("what does not compile replaces nothing", refused and s.out == "100\n", (refused, s.out))
    s.run("static float half(float x)\n{\n    float y = x / 2;\n    return y + z;\n}", "half")
    expect("an error has its cell's line, and the compiler's words", re.search(r"^In\[\d+\]:4:16: error: .z. undeclared|"
           r"^In\[\d+\]:4:16: error: use of undeclared identifier 'z'", s.error or "", re.M), s.error)
    expect("and shows that line", "    return y + z;" in (s.error or ""), s.error)
    s.run('printf("%g\\n", 1.0);\nprintf("%g\\n", q);')
    expect("so has one among statements", re.search(r"^In\[\d+\]:2:16: error: ", s.error or "", re.M), s.error)
    s.run("static int open(void)\n{\n    return 1;\n", "open")
    expect("a brace that is missing is told, before other cells too", s.error and "In[" in s.error, s.error)
    s.run("// A comparison of two kinds\nstatic int less(unsigned a, int b) { return a < b; }", "warned")
    expect("a warning is shown, at its line", not s.error and re.search(r"^In\[\d+\]:2:\d+: warning: ", s.err, re.M), s.err)
    s.run('printf("%d\\n", less(1, 2));')
    expect("and not again with other cells", (s.out, s.err) == ("1\n", ""), (s.out, s.err))
    s.run("static float twice(float x, float y) { return x * y; }", "twice")
    expect("a cell that breaks another says so", not s.error and "no longer compiles" in s.err, (s.err, s.error))
    s.run("static float twice(float x) { return 2 * x; }", "twice")
    s.run('fflush(stdout);\nprintf("so far\\n");\n*(volatile int *)0 = 1;')
    expect("a crash is told, behind what was printed", s.out == "so far\n" and "SIGSEGV" in (s.error or ""), (s.out, s.error))
    s.run('fprintf(stderr, "to complain\\n");\nexit(3);')
    expect("so is an exit status", s.err == "to complain\n" and "exit status 3" in (s.error or ""), (s.err, s.error))
    s.run('for (;;) printf("again and again\\n");')
    expect("what prints for ever is stopped", "the program has been stopped" in (s.error or ""), s.error)
    s.run("#include <unistd.h>")
    begun = time.monotonic()
    s.run('printf("%d\\n", (int)getpid());\nsleep(100);', interrupt_at="\n")
    expect("an interrupt ends the program", "Interrupted" in (s.error or "") and time.monotonic() - begun < 60, s.error)
    expect("which is gone", s.out.strip() and not pathlib.Path("/proc", s.out.strip()).exists(), s.out)
    s.run('printf("still here\\n");')
    expect("and not the kernel, which knows what it was told", s.out == "still here\n", (s.out, s.error))


def check_sections(s):
    s.run('#include "lesson/lesson.h"\n#include "lesson/plot/plot.h"')
    s.run('// section(lesson, "Not this")\nstatic void one(Lesson *lesson)\n{\n    section(lesson, "One");\n'
          '    printf("\\n  1\\n\\n");\n}')
    place = list(s.displays)[-1]
    s.run('static void two(Lesson *lesson)\n{\n    section(lesson, "Two" " \\"halves\\"");\n    printf("2 < 3\\n");\n'
          '    section(lesson, "Three");\n    printf("figure: none.svg — None\\n3\\n");\n}')
    s.run('int main(int argc, char **argv)\n{\n    Lesson *lesson = lesson_begin(argc, argv, "01-x", "X");\n    one(lesson);\n'
          '    two(lesson);\n    claim(lesson, argc == 9, "nine arguments");\n    return lesson_end(lesson);\n}')
    shown = list(s.displays.values())[-2:]
    expect("what a section prints stands under its cell", s.displays[place]["text/plain"] == "  1", s.displays)
    expect("with titles where a cell has several", re.fullmatch(
        '── Two "halves" ─+\n\n2 < 3\n\n── Three ─+\n\nfigure: none.svg — None\n\n3\n✗ nine arguments\n\n'
        '0 of 1 claim holds.', shown[1]["text/plain"]), shown[1]["text/plain"])
    expect("and as HTML", "2 &lt; 3</pre>" in shown[1]["text/html"], shown[1]["text/html"])
    expect("a claim that fails is an error, and has its cell's line", "exit status 1" in (s.error or "") and
           re.search(r"In\[\d+\]:6\b", s.err), (s.error, s.err))
    expect("the rest stands under main", "Chapter 1: X" in s.out and "──" not in s.out, s.out)


begun = time.monotonic()
for notebook in sorted(pathlib.Path(sys.argv[1]).glob("*.ipynb")):
    check_file(notebook)
session = Session()
check_cells(session)
check_sections(session)
session.end()
for name in EXECUTED:
    check_chapter(pathlib.Path(sys.argv[1], name + ".ipynb"))
print(f"notebooks: {time.monotonic() - begun:.0f} s")
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
