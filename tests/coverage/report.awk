# Reads gcov's annotated sources, of which those in core/ that end in .c count.
#
# A refusal is a statement that calls one of the functions below. It must have
# been executed, and of "if (a || b) return err_set(…)" both a and b must have
# led to it and away from it. Conditions that ask only whether the step before
# went well are left to the tests that make the n-th allocation or read fail.
BEGIN {
    refusal = "[^a-z_](err_set|refuse|refused|unexpected|machine_refuse|" \
        "path_fail|closed|key_twice)\\("
}

function finish() {
    if (source == "")
        return
    printf "%-24s lines %4d of %4d  branches %4d of %4d  refusals %3d of %3d\n",
        source, lines_hit, lines, branches_hit, branches,
        refusals - refusals_missed, refusals
    total_lines += lines; total_lines_hit += lines_hit
    total_branches += branches; total_branches_hit += branches_hit
    total_refusals += refusals; total_missed += refusals_missed
}

function begin_file(name) {
    finish()
    source = name ~ /^core\/[a-z0-9_]*\.c$/ ? name : ""
    lines = lines_hit = branches = branches_hit = 0
    refusals = refusals_missed = 0
    begin_statement()
}

function begin_statement() {
    is_refusal = missed = 0
    first = 0
    condition = whole = ""
}

function complain(number, what) {
    list[++listed] = source ":" number ": " what
}

# At the end of a statement: was it a refusal, and was it provoked?
function end_statement() {
    if (is_refusal) {
        refusals++
        if (missed) {
            refusals_missed++
            complain(first, "never provoked: " text)
        } else if (condition != "" && whole ~ /\|\|/) {
            refusals_missed++
            complain(first, condition)
        }
    }
    begin_statement()
}

$1 == "-" && $2 == "0" {
    next
}

/^ *-: *0:Source:/ {
    sub(/.*:Source:/, "")
    begin_file($0)
    next
}

source == "" {
    next
}

# a line of the source: COUNT:NUMBER:TEXT
/^ *([0-9]+\*?|-|#####|=====): *[1-9][0-9]*:/ {
    split($0, part, ":")
    count = part[1]
    gsub(/ /, "", count)
    number = part[2] + 0
    line = $0
    sub(/^[^:]*:[^:]*:/, "", line)
    if (pending) {
        end_statement()
        pending = 0
    }
    if (count != "-") {
        lines++
        lines_hit += count + 0 > 0
    }
    whole = whole line
    if (first == 0 && line ~ /[^ ]/)
        first = number
    if (line ~ refusal && line !~ /^(static )?[A-Z][A-Za-z]* \*?[a-z_0-9]*\(/) {
        is_refusal = 1
        text = line
        sub(/^ */, "", text)
        missed = missed || count == "#####"
        here = 1
    } else {
        here = 0
    }
    # statements end here; the head of a block belongs to what it guards
    if (line ~ /;[^"]*$/ || line ~ /}$/ || line ~ /\*\/$/ || line ~ /^ *\/\*/)
        pending = 1
    else if (line ~ /{$/ && line !~ /(if|else).*{$/)
        pending = 1
    next
}

/^branch/ {
    branches++
    if (/taken 0|never executed/) {
        if (!/never executed/ && line ~ /(if|\|\||&&)/ &&
            line !~ /status ==/)
            condition = "a condition never decides: " line
    } else {
        branches_hit++
    }
    next
}

/^call.*never executed/ {
    if (here)
        missed = 1
    next
}

END {
    finish()
    printf "%-24s lines %4.1f %%         branches %4.1f %%         ",
        "in all", 100 * total_lines_hit / total_lines,
        100 * total_branches_hit / total_branches
    printf "refusals %d of %d\n", total_refusals - total_missed, total_refusals
    for (i = 1; i <= listed; i++)
        print list[i]
    exit listed > 0
}
