-- Runs busted under the interpreter that runs this file, options as busted's.
require "busted.runner" { standalone = false }
