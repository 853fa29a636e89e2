std = "lua54"
max_line_length = 80
-- at the prompt and in scripts that weft runs the module is there already
files["examples"] = { read_globals = { "weft" } }
files["tests/lua"] = { std = "+busted", read_globals = { "weft" } }
