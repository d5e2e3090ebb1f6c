#!/bin/sh
# Makes the virtual environment named by the first argument (.venv): the pinned dependencies, the development tools and
# the `zoetrope` command. POSIX sh. Safe to run again: when nothing changed since the last success, it does nothing.
set -eu
cd "$(dirname "$0")/.."

venv=${1:-.venv}
stamp=$venv/zoetrope-setup
cpu_index=https://download.pytorch.org/whl/cpu

say() { printf '%s\n' "$*" >&2; }
stop() {
    say "$*"
    exit 1
}

has_nvidia_driver() { command -v nvidia-smi >/dev/null 2>&1 || [ -e /proc/driver/nvidia/version ]; }

# What the environment was made from: the pins, the needs, this script, and where the folder lies (scripts in a virtual
# environment name their interpreter by its full path).
fingerprint() {
    pwd
    cksum constraints.txt pyproject.toml scripts/setup.sh
}

is_up_to_date() {
    [ -f "$stamp" ] && [ -x "$venv/bin/zoetrope" ] && "$venv/bin/python" -c '' 2>/dev/null &&
        [ "$(fingerprint)" = "$(cat "$stamp")" ]
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        command -v "$PYTHON" >/dev/null 2>&1 ||
            stop "PYTHON=$PYTHON can't be run: name a Python 3.11 or newer, for example PYTHON=python3.12."
        is_new_enough "$PYTHON" ||
            stop "PYTHON=$PYTHON is older than 3.11: name a newer one, for example PYTHON=python3.12."
        printf '%s\n' "$PYTHON"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11 python3.14 python; do
        if is_new_enough "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    stop "Zoetrope needs Python 3.11 or newer and found none: install one, or name it with PYTHON=/path/to/python3.12."
}

check_python() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        stop "This Python has no venv module: install it (Debian and Ubuntu: apt install python3-venv) and try again."
    case "$("$1" -c 'import platform; print(platform.system(), platform.machine())')" in
    "Darwin x86_64")
        stop "PyTorch no longer supports Macs with Intel processors (or an Intel Python on Apple silicon):" \
            "use Linux or an Apple silicon Mac with its own Python."
        ;;
    esac
}

pip_install() {
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check -c constraints.txt "$@"
}

# Without an NVIDIA driver the build for CPUs does the same and saves gigabytes. Where its index can't be reached, the
# build from the default index does as well.
install_cpu_torch() {
    [ "$(uname -s)" = Linux ] && ! has_nvidia_driver || return 0
    pip_install --retries 0 --timeout 5 --no-deps --index-url "$cpu_index" torch >/dev/null 2>&1 || true
}

main() {
    if is_up_to_date; then return; fi
    rm -f "$stamp"
    if ! is_new_enough "$venv/bin/python" || ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
        python=$(find_python)
        check_python "$python"
        say "Making $venv with $("$python" -V): this downloads much, once, and takes 2 GB of disk (with CUDA more)."
        "$python" -m venv --clear "$venv" || stop "$venv can't be made here: see the line above, then try again."
    else
        say "Bringing $venv up to date."
    fi
    install_cpu_torch
    pip_install --editable '.[dev]' ||
        stop "The dependencies could not be installed: see the lines above (is there a network?), then try again."
    fingerprint >"$stamp"
}

main
