#!/bin/sh
# jupyter.sh: opens the notebooks in Jupyter, with the kernel that compiles their cells as make does (kernel.py).
#
#     jupyter.sh --install FOLDER         writes FOLDER/kernels/gentle-walk/kernel.json, and nothing elsewhere
#     jupyter.sh FOLDER NOTEBOOKS         the same, and opens the folder of the notebooks: make jupyter
#
# Jupyter finds the kernel because JUPYTER_PATH names FOLDER. The python3 that runs it is the first that has ipykernel.
set -u
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
unset CDPATH
only=no
[ "$1" != --install ] || { only=yes; shift; }

python=""
for name in python3 /usr/bin/python3; do
    [ -n "$python" ] || python=$("$name" -c 'import sys, ipykernel; print(sys.executable)' 2>/dev/null)
done
if [ -z "$python" ]; then
    echo "The kernel of the notebooks needs ipykernel: sudo apt-get install python3-ipykernel jupyter-notebook" >&2
    exit 1
fi
kernel=$(cd "$(dirname "$0")" && pwd)/kernel.py
mkdir -p "$1/kernels/gentle-walk" && folder=$(cd "$1" && pwd) || exit 1
"$python" - "$python" "$kernel" >"$folder/kernels/gentle-walk/kernel.json" <<'END' || exit 1
import json, sys
python, kernel = sys.argv[1:]
argv = [python, "-Xfrozen_modules=off", kernel, "-f", "{connection_file}"]  # without it, Python 3.11 warns of its debugger
json.dump({"argv": argv, "display_name": "C, as the chapters", "language": "c"}, sys.stdout)
END
[ "$only" = no ] || exit 0

export JUPYTER_PATH="$folder${JUPYTER_PATH:+:$JUPYTER_PATH}"
echo "The kernel is $folder/kernels/gentle-walk. VS Code finds it when you start it so: JUPYTER_PATH=$folder code $2" >&2
for front in lab notebook; do
    ! command -v "jupyter-$front" >/dev/null 2>&1 || exec jupyter "$front" "$2"
done
echo "To open $2 in a browser: sudo apt-get install jupyter-notebook" >&2
exit 1
