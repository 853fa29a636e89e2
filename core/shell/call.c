/* Protected calls with a traceback. */
#include "call.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "interrupt.h"

/* Every error value becomes a text; strings get a traceback. */
static int message_handler(lua_State *L) {
    const char *message = lua_tostring(L, 1);
    if (message == NULL) {
        if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING)
            return 1;
        message = lua_pushfstring(L, "(error object is a %s value)",
                                  luaL_typename(L, 1));
    }
    luaL_traceback(L, L, message, 1);
    return 1;
}

/* Whether the message on top is Ctrl-C's own: a script may have caught that
 * and failed of something else. */
static bool says_interrupted(lua_State *L) {
    const char *message = lua_tostring(L, -1);
    return message != NULL && strstr(message, "interrupted") != NULL;
}

int call_run(Shell *shell, int args, int results) {
    lua_State *L = shell->L;
    int base = lua_gettop(L) - args;
    lua_pushcfunction(L, message_handler);
    lua_insert(L, base);
    interrupt_begin(L);
    int status = lua_pcall(L, args, results, base);
    bool fired = interrupt_end(L);
    lua_remove(L, base);
    shell->interrupted = fired && status != LUA_OK &&
                         (interrupt_is_sticky() || says_interrupted(L));
    return status;
}

void call_message(const Shell *shell, const char *message) {
    if (shell->prompting)
        fprintf(stderr, "%s\n", message);
    else
        fprintf(stderr, "%s: %s\n", shell->name, message);
    fflush(stderr);
}

/* Text without control codes but line ends and tabs: what a message quotes may
 * come from a file. */
static void put_safe(const char *text, size_t count) {
    for (const char *end = text + count; text < end; text++) {
        unsigned char byte = (unsigned char)*text;
        bool control = byte < ' ' && byte != '\n' && byte != '\t';
        /* C1 controls are U+0080 to U+009F */
        if (control || byte == 0x7F ||
            (byte == 0xC2 && ((unsigned char)text[1] & 0xE0) == 0x80))
            fprintf(stderr, "\\x%02X", byte);
        else
            fputc(byte, stderr);
    }
}

static bool holds(const char *line, size_t count, const char *word) {
    return word[0] != '\0' && memmem(line, count, word, strlen(word)) != NULL;
}

/* Whether a line of a traceback is about the shell and not the user's code:
 * where the chunk was called from, `error` itself, the module's functions. */
static bool is_own_frame(const Shell *shell, const char *line, size_t count) {
    return holds(line, count, "[C]: in ?") ||
           holds(line, count, "[C]: in function 'error'") ||
           holds(line, count, "(...tail calls...)") ||
           holds(line, count, shell->weftdir);
}

/* The message in red where it may be, then the frames of the user's code. */
static void print_error(const Shell *shell, const char *message) {
    static const char TRACE[] = "\nstack traceback:";
    const char *trace = strstr(message, TRACE);
    size_t length = trace != NULL ? (size_t)(trace - message) : strlen(message);
    bool headed = false;
    fputs(shell->colours ? "\033[31m" : "", stderr);
    put_safe(message, length);
    fputs(shell->colours ? "\033[0m\n" : "\n", stderr);
    const char *line = trace != NULL ? trace + sizeof TRACE - 1 : "";
    while (*line == '\n') {
        size_t count = strcspn(++line, "\n");
        if (!is_own_frame(shell, line, count)) {
            fputs(headed ? "" : TRACE + 1, stderr);
            fputs(headed ? "" : "\n", stderr);
            put_safe(line, count);
            fputc('\n', stderr);
            headed = true;
        }
        line += count;
    }
    fflush(stderr);
}

int call_report(Shell *shell, int status) {
    if (status == LUA_OK)
        return status;
    const char *message = lua_tostring(shell->L, -1);
    if (message == NULL)
        message = "(no message)";
    if (shell->interrupted && interrupt_is_sticky())
        fputs("interrupted\n", stderr);
    else if (shell->terminal)
        print_error(shell, message);
    else
        call_message(shell, message);
    lua_pop(shell->L, 1);
    return status;
}
