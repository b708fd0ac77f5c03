#!/bin/sh
# setup.sh: Gradescope runs this once, as root, when it makes the image: what the grader needs is installed, and it is built.
set -eu
if ! { command -v gcc && command -v make && command -v pkg-config && [ -e /usr/include/check.h ]; } >/dev/null; then
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends gcc libc6-dev make check pkg-config
fi
sh "$(dirname "$0")/grade.sh" --build
