# Completion of `verify` for bash, printed by `verify completions bash`.
#
# Runs nothing but the `verify` that PATH finds, with the words of the line as they were typed.
# Bash breaks words at `:` and `=`, and replaces only what stands behind the break: the words are put
# together again, and what stands before the break is taken off what comes back.

_verify() {
    local line=${COMP_LINE:0:COMP_POINT} gap word current='' head='' value rest count=0 i
    local -a words
    words=()
    COMPREPLY=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        gap=${line%%[![:space:]]*}
        line=${line#"$gap"}
        word=${COMP_WORDS[i]}
        ((i == COMP_CWORD)) && word=$line
        line=${line#"$word"}
        if [[ -n $gap || $count -eq 0 ]]; then
            head=''
            words[count]=$word
            count=$((count + 1))
        else
            head=${words[count - 1]}
            words[count - 1]=$head$word
        fi
        current=$word
    done
    if [[ -n $current && -z ${current//[=:]/} ]]; then
        head=$head$current
        current=''
    fi
    # A quote in the middle of a word: what bash would replace is anybody's guess.
    [[ ${current:1} == *[\'\"]* && $current != [\'\"]* ]] && return 0
    while IFS=$'\t' read -r value rest; do
        [[ $value == "$head"?* ]] || continue
        value=${value:${#head}}
        case $current in
            \'*) [[ $value == *\'* ]] && continue ;;
            \"*) [[ $value == *[\$\`\"\\!]* ]] && continue ;;
            '~/'*) printf -v value '~/%q' "${value:2}" ;;
            *) printf -v value %q "$value" ;;
        esac
        COMPREPLY[${#COMPREPLY[@]}]=$value
    done < <(command verify __complete bash "${words[@]}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=:/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
    return 0
}

complete -o nosort -F _verify verify 2>/dev/null || complete -F _verify verify
