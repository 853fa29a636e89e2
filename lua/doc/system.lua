-- The machine: files, programs, the terminal, progress.
return {
  name = "system",
  title = "The machine",
  text = [[
    weft.core is the C core as it is; weft.core.sys has what scripts need of
    the machine and the standard libraries lack. weft.version and
    weft.core.version (weft, lua, blas, lapack) are texts; weft.core.null
    stands for JSON's null in arrays.]],
  class = "progress",
  fields = {},
  {
    name = "weft.core.sys.write",
    summary = "Writes a file whole or not at all: a temporary, synced, "
      .. "renamed.",
    params = { { "path", "text" }, { "text", "text" } },
    returns = { { "true", "boolean" } },
    errors = "nil, message, code where it can't be written",
    example = [[
      assert(weft.core.sys.write("note.txt", "hello"))
      print(weft.core.sys.read("note.txt"))  --> hello
    ]],
    see = { "weft.core.sys.read" },
  },
  {
    name = "weft.core.sys.read",
    summary = "The bytes of a regular file.",
    params = { { "path", "text" } },
    returns = { { "text", "text" } },
    errors = "nil, message, code where it can't be read",
    example = [[
      print(select(3, weft.core.sys.read("not/there")))  --> io
    ]],
    see = { "weft.core.sys.write" },
  },
  {
    name = "weft.core.sys.mkdir",
    summary = "Makes a folder and the folders above it; one that is there is "
      .. "no failure.",
    params = { { "path", "text" } },
    returns = { { "true", "boolean" } },
    errors = "nil, message, code where it can't be made",
    example = [[
      print(weft.core.sys.mkdir("a/b/c"))  --> true
    ]],
    see = { "weft.core.sys.remove" },
  },
  {
    name = "weft.core.sys.remove",
    summary = "Removes a file or an empty folder.",
    params = { { "path", "text" } },
    returns = { { "true", "boolean" } },
    errors = "nil, message, code where it can't be removed",
    example = [[
      assert(weft.core.sys.write("gone.txt", ""))
      print(weft.core.sys.remove("gone.txt"))  --> true
    ]],
  },
  {
    name = "weft.core.sys.run",
    summary = "Runs a program, without a shell, to its end.",
    params = {
      { "argv", "texts", "the program and its arguments" },
      { "options?", "table" },
      { "options.cwd?", "text", "folder to run it in" },
      { "options.input?", "text", "its standard input" },
    },
    returns = { { "status", "integer" },
      { "output", "text", "standard output and error, the first MB" } },
    errors = "nil, message, code where it can't be started",
    example = [[
      print(weft.core.sys.run({ "cat" }, { input = "hello" }))  --> 0  hello
    ]],
  },
  {
    name = "weft.core.sys.isatty",
    summary = "Whether a descriptor is a terminal.",
    params = { { "fd", "integer", "0 input, 1 output, 2 errors" } },
    returns = { { "is", "boolean" } },
    example = [[
      print(type(weft.core.sys.isatty(1)))  --> boolean
    ]],
    see = { "weft.core.sys.columns" },
  },
  {
    name = "weft.core.sys.columns",
    summary = "Columns of the terminal behind a descriptor; 80 where there is "
      .. "none.",
    params = { { "fd", "integer" } },
    returns = { { "columns", "integer" } },
    example = [[
      print(weft.core.sys.columns(0) > 0)  --> true
    ]],
    see = { "weft.core.sys.window" },
  },
  {
    name = "weft.core.sys.window",
    summary = "The size of the terminal behind a descriptor.",
    params = { { "fd", "integer" } },
    returns = { { "rows", "integer" }, { "columns", "integer" },
      { "width", "integer", "px; 0 where it does not tell" },
      { "height", "integer", "px; 0 where it does not tell" } },
    errors = "nil where there is no terminal",
    example = [[
      print(weft.core.sys.window(999))  --> nil
    ]],
    see = { "weft.core.sys.columns" },
  },
  {
    name = "weft.core.sys.terminal_query",
    summary = "Writes to the terminal and waits for what it answers.",
    params = { { "text", "text", "an escape sequence" },
      { "seconds", "number", "0 to 10" } },
    returns = { { "answer", "text", "empty: nothing came" } },
    errors = "nil where there is no terminal that can be asked",
    example = [[
      local answer = weft.core.sys.terminal_query("\27[c", 0)
      assert(answer == nil or type(answer) == "string")
    ]],
  },
  {
    name = "weft.core.sys.time",
    summary = "Seconds of a clock that nobody sets.",
    returns = { { "seconds", "number" } },
    example = [[
      local start = weft.core.sys.time()
      print(weft.core.sys.time() >= start)  --> true
    ]],
    see = { "timeit" },
  },
  {
    name = "weft.core.sys.cpus",
    summary = "How many workers there are where nobody says.",
    returns = { { "n", "integer" } },
    example = [[
      print(weft.core.sys.cpus() >= 1)  --> true
    ]],
  },
  {
    name = "weft.core.sys.counts",
    summary = "What the process has done so far, over all threads: bytes "
      .. "`read` from tensors' files and `advised` to be read ahead; blocks "
      .. "of memory taken (`allocations`), their bytes now (`held`) and at "
      .. "most (`peak`).",
    params = { { "restart?", "boolean",
      "the peak of the next call is counted from here" } },
    returns = { { "counts", "table" } },
    example = [[
      local counts = weft.core.sys.counts(true)
      print(counts.peak >= counts.held)  --> true
    ]],
  },
  {
    name = "weft.core.sys.number",
    summary = "The shortest decimal that reads back as the same number.",
    params = { { "x", "number" } },
    returns = { { "text", "text" } },
    example = [[
      print(weft.core.sys.number(0.1 + 0.2))  --> 0.30000000000000004
    ]],
  },
  {
    name = "weft.core.sys.escape",
    summary = "Text with its control codes and broken UTF-8 shown escaped.",
    params = { { "text", "text" } },
    returns = { { "text", "text" } },
    example = [[
      print(weft.core.sys.escape("a\27[1m"))  --> a\x1B[1m
    ]],
  },
  {
    name = "weft.core.sys.crc32",
    summary = "The checksum that zip archives have.",
    params = { { "text", "text" } },
    returns = { { "sum", "integer" } },
    example = [[
      print(("%08x"):format(weft.core.sys.crc32("123456789")))  --> cbf43926
    ]],
  },
  {
    name = "weft.core.cache.folder",
    summary = "The folder that spectra and estimates are kept in: weft/spectra "
      .. "in XDG_CACHE_HOME, else in ~/.cache.",
    returns = { { "path", "text" } },
    errors = "nil, message, code where the environment tells none",
    example = [[
      print(weft.core.cache.folder():match "weft/spectra$")  --> weft/spectra
    ]],
    see = { "weft.spectra", "weft cache" },
  },
  {
    name = "weft.core.cache.most",
    summary = "How many bytes of spectra and estimates are kept: "
      .. "WEFT_CACHE_MAX, else 1 GiB. Those not used for longest go when the "
      .. "program ends.",
    returns = { { "bytes", "integer" } },
    errors = "nil, message, code where WEFT_CACHE_MAX is no number",
    example = [[
      print(math.type(weft.core.cache.most()))  --> integer
    ]],
    see = { "weft.core.cache.trim" },
  },
  {
    name = "weft.core.cache.list",
    summary = "All records of spectra and estimates, in no order.",
    returns = { { "records", "table", "{name, bytes, used (seconds since "
      .. "1970), path, size, mtime_ns, inode of the file}, or {damaged = true} "
      .. "in place of what is of the file" } },
    errors = "nil, message, code where the folder can't be read",
    example = [[
      print(#weft.core.cache.list() >= 0)  --> true
    ]],
    see = { "weft cache" },
  },
  {
    name = "weft.core.cache.clear",
    summary = "Removes records.",
    params = { { "days?", "number", "only those not used for so long; all "
      .. "where left out" } },
    returns = { { "records", "integer", "how many went" },
      { "bytes", "integer" } },
    errors = "nil, message, code where they can't be removed",
    example = [[
      print(weft.core.cache.clear(36500))  --> 0  0
    ]],
    see = { "weft cache", "weft.core.cache.trim" },
  },
  {
    name = "weft.core.cache.trim",
    summary = "Removes the records not used for longest, to nine tenths of a "
      .. "size, where they are larger.",
    params = { { "bytes", "integer" } },
    returns = { { "records", "integer", "how many are left" },
      { "bytes", "integer" } },
    errors = "nil, message, code where they can't be removed",
    example = [[
      print(weft.core.cache.trim(math.maxinteger) >= 0)  --> true
    ]],
    see = { "weft.core.cache.most" },
  },
  {
    name = "weft.progress", also = { "weft.core.progress" },
    summary = "Progress bars on standard error, drawn on a terminal alone; #p "
      .. "is how many are open.",
    params = { { "quiet?", "boolean" } },
    returns = { { "p", "progress" } },
    example = [[
      local p = weft.progress(true)
      p:open("Layers", 12)
      p:set(6)
      print(p)  --> progress, 1 bars open
      p:clear()
    ]],
    see = { "progress:open", "progress:set" },
  },
  {
    name = "progress:open",
    summary = "Opens a bar below those that are open.",
    params = { { "label", "text" }, { "total", "number", "at least 0" } },
    example = [[
      local p <close> = weft.progress(true)
      p:open("Heads", 72)
      print(#p)  --> 1
    ]],
    see = { "progress:set", "progress:close" },
  },
  {
    name = "progress:set",
    summary = "Says how much of a bar is done.",
    params = { { "done", "number", "at least 0" },
      { "level?", "subscript", "1 is the outermost bar; the innermost where "
        .. "left out" } },
    example = [[
      local p <close> = weft.progress(true)
      p:open("Heads", 72)
      p:set(36)
      assert(#p == 1)
    ]],
    see = { "progress:open" },
  },
  {
    name = "progress:close",
    summary = "Closes the innermost bar.",
    example = [[
      local p <close> = weft.progress(true)
      p:open("Heads", 72)
      p:close()
      print(#p)  --> 0
    ]],
    see = { "progress:clear" },
  },
  {
    name = "progress:clear",
    summary = "Closes all bars and clears their lines.",
    example = [[
      local p = weft.progress(true)
      p:open("Heads", 72)
      p:clear()
      print(#p)  --> 0
    ]],
    see = { "progress:close" },
  },
  {
    name = "weft.core.interrupted",
    summary = "Whether a caught error is a Ctrl-C on its way up, which wants "
      .. "to be raised again.",
    params = { { "err", "any" } },
    returns = { { "is", "boolean" } },
    example = [[
      print(weft.core.interrupted("interrupted!"),
        weft.core.interrupted("no such file"))  --> true  false
    ]],
  },
}
