"""The shells' own parts: each asks `windlass __complete` and shows what it prints."""

from __future__ import annotations

BASH = r"""# bash completion for windlass
_windlass() {
    local line=${COMP_LINE:0:COMP_POINT} word current head directive
    local -a words found
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    current=${words[-1]}
    mapfile -t found < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
    COMPREPLY=()
    ((${#found[@]})) || return 0
    directive=${found[-1]#:}
    unset 'found[-1]'
    # readline replaces only what follows the last character that breaks words
    head=${current%"${current##*[=:]}"}
    for word in "${found[@]}"; do
        word=${word%%$'\t'*}
        [[ $word == "$current"* ]] && COMPREPLY+=("${word#"$head"}")
    done
    ((directive & 2)) && compopt -o nospace 2>/dev/null
    ((directive & 4)) || compopt -o default -o bashdefault 2>/dev/null
    return 0
}
complete -F _windlass windlass
"""

ZSH = r"""#compdef windlass
_windlass() {
    local line name directive
    local -a found candidates suffix
    found=("${(@f)$(${words[1]} __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    (( ${#found} )) || return 1
    directive=${found[-1]#:}
    found[-1]=()
    for line in $found; do
        name=${${line%%$'\t'*}//:/\\:}
        [[ $line == *$'\t'* ]] && name+=":${line#*$'\t'}"
        candidates+=("$name")
    done
    (( directive & 2 )) && suffix=(-S '')
    (( ${#candidates} )) && _describe -t windlass windlass candidates $suffix
    (( directive & 4 )) || _files
}
if [[ $funcstack[1] == _windlass ]]; then
    _windlass "$@"
else
    compdef _windlass windlass
fi
"""

FISH = r"""# fish completion for windlass
function __windlass_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    set -l found ($program __complete $words "$current" 2>/dev/null)
    test (count $found) -gt 0; or return
    set -l directive (string sub -s 2 -- $found[-1])
    set -e found[-1]
    for line in $found
        echo $line
    end
    if not math "bitand($directive, 4)" | string match -q 4
        __fish_complete_path "$current"
    end
end
complete -c windlass -f -k -a '(__windlass_complete)'
"""

SCRIPTS = {"bash": BASH, "fish": FISH, "zsh": ZSH}
