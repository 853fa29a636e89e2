rockspec_format = "3.0"
package = "weft"
version = "scm-1"
source = {
  -- `luarocks make` builds the clone that this file lies in
  url = "git+file://.",
}
description = {
  summary = "A shell for looking into the weights of transformers",
  detailed = [[
A C core that reads checkpoints and computes spectra of their weights and
attention heads, bound into Lua 5.4, with stock commands for whole reports.]],
  license = "MIT",
}
supported_platforms = { "linux" }
dependencies = {
  "lua ~> 5.4",
  "argparse",
  "luafilesystem",
}
external_dependencies = {
  CBLAS = { header = "cblas.h", library = "openblas" },
  LAPACKE = { header = "lapacke.h", library = "lapacke" },
  CJSON = { header = "cjson/cJSON.h", library = "cjson" },
  ZLIB = { header = "zlib.h", library = "z" },
  EDIT = { header = "histedit.h", library = "edit" },
}
build = {
  type = "make",
  build_target = "build",
  install_target = "install",
  install_variables = {
    PREFIX = "$(PREFIX)",
    BINDIR = "$(BINDIR)",
    MODULEDIR = "$(LIBDIR)",
  },
}
