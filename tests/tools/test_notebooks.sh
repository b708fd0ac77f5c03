#!/bin/sh
# test_notebooks.sh BUILD [-v]: the Jupyter notebooks in BUILD/notebooks are valid, and their kernel gives the outputs of the
# pages, an edited cell another one, errors at their lines, and ends what is interrupted. How, stands in test_notebooks.py.
set -u
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
unset CDPATH
python=""
for name in python3 /usr/bin/python3; do
    [ -n "$python" ] || python=$("$name" -c 'import sys, ipykernel, nbformat, nbclient; print(sys.executable)' 2>/dev/null)
done
if [ -z "$python" ]; then
    echo "test-notebooks needs more than the course: apt-get install python3-ipykernel python3-nbformat python3-nbclient" >&2
    exit 1
fi
sh common/tools/kernel/jupyter.sh --install "$1/test-jupyter" || exit 1
JUPYTER_PATH=$(cd "$1/test-jupyter" && pwd)
export JUPYTER_PATH
exec "$python" tests/tools/test_notebooks.py "$1/notebooks" ${2-}
