/* The line editor: libedit through its own interface. */
#include "line.h"

#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

enum { HISTORY_LINES = 1000 };

struct Line {
    EditLine *editor;
    History *history;
    const char *prompt; /* of the read under way */
};

static char *get_prompt(EditLine *editor) {
    Line *line = NULL;
    el_get(editor, EL_CLIENTDATA, &line);
    return (char *)line->prompt;
}

/* libedit needs to know which bytes make a character. */
static void use_utf8(void) {
    if (setlocale(LC_CTYPE, "") == NULL ||
        strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

Line *line_open(void) {
    use_utf8();
    Line *line = calloc(1, sizeof *line);
    if (line == NULL)
        return NULL;
    line->history = history_init();
    line->editor = el_init("weft", stdin, stdout, stderr);
    if (line->history == NULL || line->editor == NULL) {
        line_close(line);
        return NULL;
    }
    HistEvent event;
    history(line->history, &event, H_SETSIZE, HISTORY_LINES);
    history(line->history, &event, H_SETUNIQUE, 1);
    el_set(line->editor, EL_CLIENTDATA, line);
    el_set(line->editor, EL_PROMPT, get_prompt);
    el_set(line->editor, EL_HIST, history, line->history);
    el_set(line->editor, EL_EDITOR, "emacs");
    el_set(line->editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    /* Ctrl-Z and a new window size need libedit's own handlers */
    el_set(line->editor, EL_SIGNAL, 1);
    return line;
}

void line_close(Line *line) {
    if (line->editor != NULL)
        el_end(line->editor);
    if (line->history != NULL)
        history_end(line->history);
    free(line);
}

const char *line_read(Line *line, const char *prompt, size_t *length) {
    int count = 0;
    line->prompt = prompt;
    const char *text = el_gets(line->editor, &count);
    if (text == NULL || count <= 0)
        return NULL;
    *length = (size_t)count;
    if (text[count - 1] == '\n')
        *length -= 1;
    return text;
}

void line_remember(Line *line, const char *text) {
    HistEvent event;
    if (*text != '\0')
        history(line->history, &event, H_ENTER, text);
}
