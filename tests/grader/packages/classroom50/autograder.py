"""Classroom 50 runs this in the student's checkout: grade.sh, beside this file, grades, and result.json is what it found."""
import pathlib
import shutil
import subprocess
import sys

here = pathlib.Path(__file__).resolve().parent
reports = here / "reports"
status = subprocess.run(["sh", str(here / "grade.sh"), ".", str(reports)]).returncode
if status != 0:  # the grader's own problem: an error, and neither 0 nor all points
    sys.exit(status)
shutil.copy(reports / "classroom50.json", "result.json")
shutil.copy(reports / "report.md", "release-body.md")
