# Sourced by ./windlass and ./check.

# Set $python to the first interpreter that is new enough and really starts (a pyenv shim may not);
# fail with one line that names the package to install.
find_python() {
    for python in "${PYTHON:-}" python3.13 python3.12 python3.11 python3 python3.14; do
        [ -n "$python" ] || continue
        "$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && return 0
    done
    if found=$(python3 --version 2>&1); then
        echo "windlass: needs Python 3.11 or newer and found $found; on Debian or Ubuntu: apt-get install python3.11 python3.11-venv" >&2
    else
        echo "windlass: needs Python 3.11 or newer and found none; on Debian or Ubuntu: apt-get install python3 python3-venv" >&2
    fi
    return 1
}
