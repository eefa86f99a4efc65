#compdef verify
# Completion of `verify` for zsh, printed by `verify completions zsh`.
#
# Runs nothing but the `verify` that PATH finds. Zsh quotes what it inserts.

_verify() {
    local line value help shown
    local -a whole whole_shown open open_shown home home_shown
    for line in "${(@f)$(command verify __complete zsh "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        value=${line%%$'\t'*}
        help=${line#*$'\t'}
        [[ -n $value ]] || continue
        shown=$value
        [[ -n $help ]] && shown="${(r:24:)value}  $help"
        (( ${#value} > 24 )) && shown="$value  $help"
        shown=${shown[1,COLUMNS-2]}
        if [[ $value == '~/'* && -z $QIPREFIX ]]; then
            home+=("~/${(q)value[3,-1]}")
            home_shown+=("$shown")
        elif [[ $value == *[=:/] ]]; then
            open+=("$value")
            open_shown+=("$shown")
        else
            whole+=("$value")
            whole_shown+=("$shown")
        fi
    done
    local found=1
    (( $#whole )) && compadd -V verify -l -d whole_shown -a whole && found=0
    (( $#open )) && compadd -V verify -l -S '' -d open_shown -a open && found=0
    (( $#home )) && compadd -V verify -l -Q -S '' -d home_shown -a home && found=0
    return found
}

if [[ $funcstack[1] == _verify ]]; then
    _verify "$@"
else
    compdef _verify verify
fi
