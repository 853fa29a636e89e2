/* Read, compile as an expression or a statement, call, print. */
#include "repl.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "interrupt.h"
#include "line.h"

typedef struct Repl {
    Shell *shell;
    Line *editor; /* NULL off a terminal */
    char *buffer; /* the last line, off a terminal */
    size_t size;
} Repl;

typedef enum Input { INPUT_CHUNK, INPUT_WRONG, INPUT_DROPPED, INPUT_END } Input;

/* A box in the registry frees the reader, whatever is raised. */
static int repl_free(lua_State *L) {
    Repl *repl = lua_touserdata(L, 1);
    if (repl->editor != NULL)
        line_close(repl->editor);
    free(repl->buffer);
    repl->editor = NULL;
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
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
        interrupt_make_sticky(L);
        repl->editor = line_open();
    }
    return repl;
}

/* Pushes the text of _PROMPT or _PROMPT2. */
static const char *push_prompt(lua_State *L, bool first) {
    if (lua_getglobal(L, first ? "_PROMPT" : "_PROMPT2") == LUA_TNIL)
        lua_pushstring(L, first ? "> " : ">> ");
    else
        luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
    return lua_tostring(L, -1);
}

/* One line without its newline, or NULL. Off a terminal it is echoed, so that
 * what is written reads like a session. */
static const char *read_line(Repl *repl, const char *prompt, size_t *length) {
    if (repl->editor != NULL)
        return line_read(repl->editor, prompt, length);
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
    const char *prompt = push_prompt(L, first);
    const char *text = read_line(repl, prompt, &length);
    lua_pop(L, 1);
    if (text == NULL)
        return false;
    lua_pushlstring(L, text, length);
    const char *line = lua_tostring(L, -1);
    if (repl->editor != NULL) {
        line_remember(repl->editor, line);
        (void)interrupt_end(L); /* a signal between the prompt and the line */
    }
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

/* Whether the message on top is about a chunk that ended too early. */
static bool is_incomplete(lua_State *L, int status) {
    static const char MARK[] = "<eof>";
    size_t length, mark = sizeof MARK - 1;
    if (status != LUA_ERRSYNTAX)
        return false;
    const char *message = lua_tolstring(L, -1, &length);
    return length >= mark && strcmp(message + length - mark, MARK) == 0;
}

/* Replaces the line on top by a function, or by a message (INPUT_WRONG);
 * takes more lines while the statement is not complete. */
static Input compile_statement(Repl *repl) {
    lua_State *L = repl->shell->L;
    for (;;) {
        size_t length;
        const char *code = lua_tolstring(L, -1, &length);
        int status = luaL_loadbuffer(L, code, length, "=stdin");
        if (!is_incomplete(L, status) || !push_line(repl, false)) {
            lua_remove(L, -2);
            if (status != LUA_OK && repl->editor != NULL && interrupt_end(L))
                return INPUT_DROPPED;
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
        return repl->editor != NULL && interrupt_end(L) ? INPUT_DROPPED
                                                        : INPUT_END;
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
    if (interrupt_is_sticky() && interrupt_end(L))
        call_message(shell, "interrupted");
    else if (status != LUA_OK)
        call_message(shell, lua_pushfstring(L, "error calling 'print' (%s)",
                                            lua_tostring(L, -1)));
}

void repl_run(Shell *shell) {
    lua_State *L = shell->L;
    lua_settop(L, 0);
    Repl *repl = repl_new(shell);
    int base = lua_gettop(L);
    shell->prompting = true;
    for (Input input; (input = read_chunk(repl)) != INPUT_END;) {
        int status = LUA_ERRSYNTAX;
        if (input == INPUT_CHUNK)
            status = call_run(shell, 0, LUA_MULTRET);
        else
            shell->interrupted = input == INPUT_DROPPED;
        if (status == LUA_OK)
            print_results(shell, base);
        else if (input == INPUT_DROPPED)
            putchar('\n');
        else
            (void)call_report(shell, status);
        lua_settop(L, base);
    }
    putchar('\n');
    fflush(stdout);
    shell->prompting = false;
    shell->interrupted = false;
    lua_toclose(L, base);
    lua_settop(L, 0);
}
