# Completion of `verify` for fish, printed by `verify completions fish`.
#
# Runs nothing but the `verify` that PATH finds. Fish quotes what it inserts.

function __verify_complete
    set -l before (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    command verify __complete fish $before "$current" 2>/dev/null
end

complete --command verify --no-files --keep-order --arguments '(__verify_complete)'
