/* Read, compile, run, print: with an editor, and Lua code of weft's own. */
#include "prompt.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "call.h"
#include "interrupt.h"
#include "line.h"
#include "places.h"
#include "script.h"

enum { MOST_RESULTS = 1000 };

typedef struct Prompt {
    Shell *shell;
    Line *editor;
    int module; /* stack index of weft.prompt; nil where it can't be had */
    int chunks; /* stack index of what was pasted and waits, or nil */
    lua_Integer next; /* of those chunks */
} Prompt;

typedef enum Input {
    INPUT_CHUNK,
    INPUT_QUIET, /* a chunk whose values are not shown */
    INPUT_HELP,  /* ?name */
    INPUT_WRONG,
    INPUT_DROPPED,
    INPUT_MORE,
    INPUT_END
} Input;

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

/* Pushes a function of weft.prompt; false, with nothing pushed, without it. */
static bool push_function(const Prompt *prompt, const char *name) {
    lua_State *L = prompt->shell->L;
    if (!lua_istable(L, prompt->module))
        return false;
    lua_getfield(L, prompt->module, name);
    return true;
}

/* ---- lines ---- */

const char *prompt_push(lua_State *L, bool first) {
    if (lua_getglobal(L, first ? "_PROMPT" : "_PROMPT2") == LUA_TNIL)
        lua_pushstring(L, first ? "> " : ">> ");
    else
        luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
    return lua_tostring(L, -1);
}

/* TAB */
static void complete(void *data, Line *line, const char *before) {
    const Prompt *prompt = data;
    lua_State *L = prompt->shell->L;
    if (!lua_checkstack(L, LUA_MINSTACK) || !push_function(prompt, "complete"))
        return;
    int top = lua_gettop(L);
    lua_pushstring(L, before);
    if (lua_pcall(L, 1, 2, 0) == LUA_OK) {
        if (lua_isstring(L, -2))
            line_insert(line, lua_tostring(L, -2));
        else if (lua_isstring(L, -1))
            line_list(line, lua_tostring(L, -1));
    }
    lua_settop(L, top - 1);
    (void)interrupt_end(L);
}

/* Pushes the next of the pasted chunks, if there is one. */
static bool push_waiting(Prompt *prompt) {
    lua_State *L = prompt->shell->L;
    if (!lua_istable(L, prompt->chunks))
        return false;
    if (lua_geti(L, prompt->chunks, prompt->next++) == LUA_TSTRING)
        return true;
    lua_pop(L, 1);
    lua_pushnil(L);
    lua_replace(L, prompt->chunks);
    return false;
}

/* Drops what was pasted behind a chunk that failed. */
static void forget_waiting(Prompt *prompt) {
    lua_pushnil(prompt->shell->L);
    lua_replace(prompt->shell->L, prompt->chunks);
}

/* Replaces the pasted text on top by the first of its chunks; the others wait.
 */
static void split_paste(Prompt *prompt) {
    lua_State *L = prompt->shell->L;
    if (!push_function(prompt, "chunks"))
        return;
    lua_pushvalue(L, -2);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_istable(L, -1)) {
        lua_replace(L, prompt->chunks);
        prompt->next = 1;
        if (push_waiting(prompt))
            lua_remove(L, -2);
    } else {
        lua_pop(L, 1);
    }
}

/* Pushes a line, or a pasted chunk; false, with nothing pushed, where none
 * comes. */
static bool push_line(Prompt *prompt, bool first) {
    lua_State *L = prompt->shell->L;
    size_t length = 0;
    bool pasted = false;
    if (first && push_waiting(prompt))
        return true;
    const char *shown = prompt_push(L, first);
    const char *text = line_read(prompt->editor, shown, &length, &pasted);
    lua_pop(L, 1);
    if (text == NULL)
        return false;
    lua_pushlstring(L, text, length);
    (void)interrupt_end(L); /* a signal between the prompt and the line */
    const char *line = lua_tostring(L, -1);
    /* an entry of the history may have several lines, as if it were pasted */
    bool several = first && strchr(line, '\n') != NULL;
    if (pasted || several)
        line_remember(prompt->editor, line);
    if (several)
        split_paste(prompt);
    return true;
}

/* ---- chunks ---- */

bool prompt_incomplete(lua_State *L, int status) {
    static const char MARK[] = "<eof>";
    size_t length, mark = sizeof MARK - 1;
    if (status != LUA_ERRSYNTAX)
        return false;
    const char *message = lua_tolstring(L, -1, &length);
    return length >= mark && strcmp(message + length - mark, MARK) == 0;
}

/* Pushes what "return TEXT" followed by `end` compiles to. The variable to be
 * closed keeps a call from being a tail call, which would take the chunk's line
 * out of error messages. */
static int load_expression(lua_State *L, const char *text, const char *end) {
    const char *code =
        lua_pushfstring(L, "local _weft <close> = nil return %s%s", text, end);
    int status = luaL_loadbuffer(L, code, strlen(code), "=stdin");
    lua_remove(L, -2);
    return status;
}

/* Whether the statement's message is about the text's very first word: then
 * it is no statement at all, and what is wrong with the expression is what
 * the user wants to know. */
static bool is_no_statement(const char *message, const char *text) {
    const char *mark = strstr(message, "unexpected symbol near '");
    if (mark == NULL)
        return false;
    mark += strlen("unexpected symbol near '");
    size_t length = strcspn(mark, "'");
    return strncmp(text + strspn(text, " \t\n"), mark, length) == 0;
}

/* Pushes a function or a message for the text at the top, which stays. */
static Input compile(lua_State *L) {
    const char *text = lua_tostring(L, -1);
    text += *text == '=' ? 1 : 0;
    int status = load_expression(L, text, "");
    if (status == LUA_OK) {
        /* one more semicolon is wrong where there is one at the end */
        bool quiet = load_expression(L, text, "\n;") != LUA_OK;
        lua_pop(L, 1);
        return quiet ? INPUT_QUIET : INPUT_CHUNK;
    }
    bool more = prompt_incomplete(L, status);
    status = luaL_loadbuffer(L, text, strlen(text), "=stdin");
    if (status == LUA_OK || !is_no_statement(lua_tostring(L, -1), text))
        lua_remove(L, -2);
    else
        lua_pop(L, 1);
    if (status == LUA_OK)
        return INPUT_CHUNK;
    return more || prompt_incomplete(L, status) ? INPUT_MORE : INPUT_WRONG;
}

/* Reads until a chunk is complete, and remembers it. Leaves a function, a
 * message (INPUT_WRONG) or a name (INPUT_HELP) on the stack. */
static Input read_chunk(Prompt *prompt) {
    lua_State *L = prompt->shell->L;
    if (!push_line(prompt, true))
        return interrupt_end(L) ? INPUT_DROPPED : INPUT_END;
    /* what has parts has been remembered as a whole */
    bool part = lua_istable(L, prompt->chunks);
    Input input = INPUT_HELP;
    const char *text = lua_tostring(L, -1);
    if (*text == '?') {
        lua_pushstring(L, text + 1);
    } else {
        while ((input = compile(L)) == INPUT_MORE) {
            if (!push_line(prompt, false)) {
                input = interrupt_end(L) ? INPUT_DROPPED : INPUT_WRONG;
                break;
            }
            lua_remove(L, -2); /* the message */
            lua_pushliteral(L, "\n");
            lua_insert(L, -2);
            lua_concat(L, 3);
        }
    }
    if (!part && input != INPUT_DROPPED)
        line_remember(prompt->editor, lua_tostring(L, -2));
    lua_remove(L, -2);
    return input;
}

/* ---- running ---- */

/* Calls what is on top with `args` arguments, and reports. */
static bool call(Prompt *prompt, int args, int results) {
    return call_report(prompt->shell, call_run(prompt->shell, args, results)) ==
           LUA_OK;
}

/* Shows the values above `base` and the time that they took. */
static void show_results(Prompt *prompt, int base, bool quiet, double seconds) {
    lua_State *L = prompt->shell->L;
    int count = lua_gettop(L) - base;
    if (count > MOST_RESULTS) {
        fprintf(stderr, "%d of %d values:\n", MOST_RESULTS, count);
        lua_settop(L, base + MOST_RESULTS);
        count = MOST_RESULTS;
    }
    luaL_checkstack(L, LUA_MINSTACK, "no room for the results");
    if (push_function(prompt, "results")) {
        lua_pushboolean(L, quiet);
        lua_pushnumber(L, seconds);
        lua_rotate(L, base + 1, 3);
        (void)call(prompt, count + 2, 0);
    } else if (count > 0 && !quiet) {
        lua_getglobal(L, "print");
        lua_insert(L, base + 1);
        (void)call(prompt, count, 0);
    }
}

/* Runs the chunk, or shows the help, on top of the stack. */
static bool run(Prompt *prompt, Input input) {
    lua_State *L = prompt->shell->L;
    int base = lua_gettop(L) - 1;
    if (input == INPUT_HELP) {
        if (!push_function(prompt, "help"))
            return false;
        lua_insert(L, -2);
        return call(prompt, 1, 0);
    }
    double start = now();
    if (!call(prompt, 0, LUA_MULTRET))
        return false;
    show_results(prompt, base, input == INPUT_QUIET, now() - start);
    return !prompt->shell->interrupted;
}

/* ---- start and end ---- */

/* Pushes weft.prompt, started, or nil after telling why not. */
static void push_module(Shell *shell) {
    lua_State *L = shell->L;
    lua_getglobal(L, "require");
    lua_pushliteral(L, "weft.prompt");
    if (call_report(shell, call_run(shell, 1, 1)) != LUA_OK) {
        lua_pushnil(L);
        return;
    }
    lua_getfield(L, -1, "start");
    if (call_report(shell, call_run(shell, 0, 1)) == LUA_OK) {
        shell->colours = lua_toboolean(L, -1);
        lua_pop(L, 1);
    }
}

/* The user's own file; an error in it is told, and that is all. */
static void run_config(Shell *shell) {
    char path[PATH_MAX];
    if (!shell->no_env && places_config(path, "init.lua") &&
        access(path, F_OK) == 0)
        (void)script_file(shell, path);
}

/* A box frees the editor, whatever is raised. */
static int prompt_free(lua_State *L) {
    Prompt *prompt = lua_touserdata(L, 1);
    if (prompt->editor != NULL)
        line_close(prompt->editor);
    prompt->editor = NULL;
    return 0;
}

/* Pushes the box, and two values that it refers to. */
static Prompt *prompt_new(Shell *shell) {
    lua_State *L = shell->L;
    Prompt *prompt = lua_newuserdatauv(L, sizeof *prompt, 0);
    *prompt = (Prompt){.shell = shell};
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, prompt_free);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, prompt_free);
    lua_setfield(L, -2, "__close");
    lua_setmetatable(L, -2);
    lua_toclose(L, -1);
    push_module(shell);
    prompt->module = lua_gettop(L);
    lua_pushnil(L);
    prompt->chunks = lua_gettop(L);
    return prompt;
}

void prompt_run(Shell *shell) {
    lua_State *L = shell->L;
    interrupt_make_sticky(L);
    Prompt *prompt = prompt_new(shell);
    run_config(shell);
    prompt->editor = line_open(complete, prompt);
    if (prompt->editor == NULL)
        luaL_error(L, "not enough memory");
    int base = lua_gettop(L);
    shell->prompting = shell->terminal = true;
    for (Input input; (input = read_chunk(prompt)) != INPUT_END;) {
        bool done = false;
        if (input == INPUT_DROPPED)
            putchar('\n');
        else if (input == INPUT_WRONG) {
            shell->interrupted = false;
            (void)call_report(shell, LUA_ERRSYNTAX);
        } else
            done = run(prompt, input);
        if (!done)
            forget_waiting(prompt);
        lua_settop(L, base);
    }
    putchar('\n');
    fflush(stdout);
    shell->prompting = shell->terminal = false;
    lua_settop(L, 0);
}
