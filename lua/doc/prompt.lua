-- What the prompt adds to Lua.
return {
  name = "prompt",
  title = "At the prompt",
  text = [[
    `weft` alone, on a terminal, is a prompt. Expressions print themselves,
    all their values; a ; at the end keeps quiet; a statement goes on over
    lines until it is complete, and a pasted block is one chunk. ans is the
    last value. ?name is help "name". TAB completes names, fields, methods,
    files and weights; Ctrl-R searches the history; Ctrl-C stops what runs,
    Ctrl-D leaves. $XDG_CONFIG_HOME/weft/init.lua runs at the start (not
    with -E). Colours come only on a terminal, where NO_COLOR is unset or
    empty and TERM is not dumb.]],
  {
    name = "help",
    summary = "Prints what there is to say of a value or a name.",
    params = {
      { "topic?", "any", "a function, a tensor, a model …, or a name" },
    },
    example = [[
      help("tensor:get")  --> t:get(i...) -> x
    ]],
    see = { "apropos" },
  },
  {
    name = "apropos",
    summary = "Prints the functions whose name or summary holds a word.",
    params = { { "word", "text" } },
    example = [[
      apropos("effective_rank")  --> kernel:effective_rank
    ]],
    see = { "help" },
  },
  {
    name = "who",
    summary = "Lists the variables with their shape, dtype and bytes.",
    example = [[
      t = weft.zeros(2, 3)
      who()  --> t
    ]],
    see = { "show" },
  },
  {
    name = "timeit",
    summary = "Prints how long a function takes.",
    params = { { "fn", "function" },
      { "n?", "integer", "runs; as many as half a second holds" } },
    returns = { { "seconds", "number", "of the fastest run" } },
    example = [[
      timeit(function() return 1 + 1 end)
    ]],
    see = { "weft.core.sys.time" },
  },
  {
    name = "show",
    summary = "Prints a value as the prompt does.",
    params = { { "value", "any" }, { "options?", "table" },
      { "options.rows?", "integer", "lines at most" },
      { "options.depth?", "integer", "of nested tables" },
      { "options.width?", "integer", "columns" } },
    example = [[
      show({ 1, 2, x = { 3 } })
    ]],
    see = { "who" },
  },
}
