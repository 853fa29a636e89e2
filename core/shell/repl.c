/* Read, compile as an expression or a statement, call, print. */
#include "repl.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "about.h"
#include "call.h"
#include "prompt.h"

typedef struct Repl {
    Shell *shell;
    char *buffer; /* the last line */
    size_t size;
} Repl;

typedef enum Input { INPUT_CHUNK, INPUT_WRONG, INPUT_END } Input;

/* A box in the registry frees the reader, whatever is raised. */
static int repl_free(lua_State *L) {
    Repl *repl = lua_touserdata(L, 1);
    free(repl->buffer);
    repl->buffer = NULL;
    return 0;
}

/* Pushes the box. */
static Repl *repl_new(Shell *shell) {
    lua_State *L = shell->L;
    Repl *repl = lua_newuserdatauv(L, sizeof *repl, 0);
    *repl = (Repl){.shell = shell};
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, repl_free);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, repl_free);
    lua_setfield(L, -2, "__close");
    lua_setmetatable(L, -2);
    return repl;
}

/* One line without its newline, or NULL. It is echoed, so that what is written
 * reads like a session. */
static const char *read_line(Repl *repl, const char *prompt, size_t *length) {
    fputs(prompt, stdout);
    fflush(stdout);
    ssize_t count = getline(&repl->buffer, &repl->size, stdin);
    if (count < 0)
        return NULL;
    if (count > 0 && repl->buffer[count - 1] == '\n')
        repl->buffer[--count] = '\0';
    puts(repl->buffer);
    fflush(stdout);
    *length = (size_t)count;
    return repl->buffer;
}

/* Prompts and pushes a line; false, with nothing pushed, where none comes. */
static bool push_line(Repl *repl, bool first) {
    lua_State *L = repl->shell->L;
    size_t length = 0;
    const char *prompt = prompt_push(L, first);
    const char *text = read_line(repl, prompt, &length);
    lua_pop(L, 1);
    if (text == NULL)
        return false;
    lua_pushlstring(L, text, length);
    const char *line = lua_tostring(L, -1);
    if (first && line[0] == '=') {
        lua_pushfstring(L, "return %s", line + 1);
        lua_remove(L, -2);
    }
    return true;
}

/* Replaces the line on top by the function "return line", if that compiles. */
static bool compile_expression(lua_State *L) {
    const char *code = lua_pushfstring(L, "return %s;", lua_tostring(L, -1));
    if (luaL_loadbuffer(L, code, strlen(code), "=stdin") == LUA_OK) {
        lua_replace(L, -3);
        lua_pop(L, 1);
        return true;
    }
    lua_pop(L, 2);
    return false;
}

/* Replaces the line on top by a function, or by a message (INPUT_WRONG);
 * takes more lines while the statement is not complete. */
static Input compile_statement(Repl *repl) {
    lua_State *L = repl->shell->L;
    for (;;) {
        size_t length;
        const char *code = lua_tolstring(L, -1, &length);
        int status = luaL_loadbuffer(L, code, length, "=stdin");
        if (!prompt_incomplete(L, status) || !push_line(repl, false)) {
            lua_remove(L, -2);
            return status == LUA_OK ? INPUT_CHUNK : INPUT_WRONG;
        }
        lua_remove(L, -2); /* the message */
        lua_pushliteral(L, "\n");
        lua_insert(L, -2);
        lua_concat(L, 3);
    }
}

/* Leaves a function (INPUT_CHUNK) or a message (INPUT_WRONG) on the stack. */
static Input read_chunk(Repl *repl) {
    lua_State *L = repl->shell->L;
    if (!push_line(repl, true))
        return INPUT_END;
    return compile_expression(L) ? INPUT_CHUNK : compile_statement(repl);
}

/* Prints the values above `base` through the global print. */
static void print_results(Shell *shell, int base) {
    lua_State *L = shell->L;
    int count = lua_gettop(L) - base;
    if (count == 0)
        return;
    luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
    lua_getglobal(L, "print");
    lua_insert(L, base + 1);
    int status = lua_pcall(L, count, 0, 0);
    if (status != LUA_OK)
        call_message(shell, lua_pushfstring(L, "error calling 'print' (%s)",
                                            lua_tostring(L, -1)));
}

/* lua's loop. */
static void run_plain(Shell *shell) {
    lua_State *L = shell->L;
    Repl *repl = repl_new(shell);
    int base = lua_gettop(L);
    for (Input input; (input = read_chunk(repl)) != INPUT_END;) {
        int status = LUA_ERRSYNTAX;
        if (input == INPUT_CHUNK)
            status = call_run(shell, 0, LUA_MULTRET);
        if (call_report(shell, status) == LUA_OK)
            print_results(shell, base);
        lua_settop(L, base);
    }
    putchar('\n');
    fflush(stdout);
    lua_toclose(L, base);
}

bool repl_on_terminal(void) {
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

void repl_run(Shell *shell) {
    lua_settop(shell->L, 0);
    if (repl_on_terminal()) {
        if (!shell->greeted)
            about_greeting();
        prompt_run(shell);
    } else {
        if (!shell->greeted)
            about_banner();
        shell->prompting = true;
        run_plain(shell);
        shell->prompting = false;
    }
    shell->interrupted = false;
    lua_settop(shell->L, 0);
}
