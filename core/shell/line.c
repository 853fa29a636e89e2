/* The line editor: libedit through its own interface. */
#include "line.h"

#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "past.h"
#include "paste.h"

struct Line {
    EditLine *editor;
    History *history; /* libedit's copy of what past holds */
    Past *past;
    LineComplete *complete;
    void *data;
    const char *prompt; /* of the read under way */
    char *pasted;       /* several lines, until the next read */
    bool inserted;      /* by the completion under way */
    bool marks;         /* the terminal can mark what is pasted */
};

static Line *line_of(EditLine *editor) {
    Line *line = NULL;
    el_get(editor, EL_CLIENTDATA, &line);
    return line;
}

static char *get_prompt(EditLine *editor) {
    return (char *)line_of(editor)->prompt;
}

/* libedit needs to know which bytes make a character. */
static void use_utf8(void) {
    if (setlocale(LC_CTYPE, "") == NULL ||
        strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

/* ---- keys ---- */

/* The line before the cursor, `more`, and the `rest` bytes behind the cursor.
 * Creates (free); NULL: no memory. */
static char *line_with(const LineInfo *info, const char *more, size_t rest) {
    char *text = NULL;
    int before = (int)(info->cursor - info->buffer);
    return asprintf(&text, "%.*s%s%.*s", before, info->buffer, more, (int)rest,
                    info->cursor) < 0
               ? NULL
               : text;
}

/* TAB */
static unsigned char on_tab(EditLine *editor, wint_t key) {
    Line *line = line_of(editor);
    const LineInfo *info = el_line(editor);
    char *before = line_with(info, "", 0);
    (void)key;
    if (before == NULL)
        return CC_ERROR;
    line->inserted = false;
    line->complete(line->data, line, before);
    free(before);
    return line->inserted ? CC_REFRESH : CC_NORM;
}

/* One line goes in as if it were typed, several are a chunk of their own with
 * what was typed before and after the cursor. */
static unsigned char on_paste(EditLine *editor, wint_t key) {
    Line *line = line_of(editor);
    char *text = paste_read(editor);
    (void)key;
    if (text == NULL)
        return CC_ERROR;
    if (strchr(text, '\n') == NULL) {
        int failed = *text != '\0' ? el_insertstr(editor, text) : 0;
        free(text);
        return failed ? CC_ERROR : CC_REFRESH;
    }
    const LineInfo *info = el_line(editor);
    line->pasted =
        line_with(info, text, (size_t)(info->lastchar - info->cursor));
    printf("%s%s", text, text[strlen(text) - 1] == '\n' ? "" : "\n");
    free(text);
    return CC_NEWLINE;
}

void line_insert(Line *line, const char *text) {
    line->inserted = el_insertstr(line->editor, text) == 0;
}

void line_list(Line *line, const char *list) {
    printf("\n%s\n", list);
    el_set(line->editor, EL_REFRESH);
}

/* ---- history ---- */

/* libedit's own list drops neighbours alone, so that it is made anew where an
 * older entry went. */
static void copy_past(Line *line) {
    HistEvent event;
    history(line->history, &event, H_CLEAR);
    for (size_t i = 0; i < past_count(line->past); i++)
        history(line->history, &event, H_ENTER, past_entry(line->past, i));
}

void line_remember(Line *line, const char *text) {
    if (past_add(line->past, text))
        copy_past(line);
}

/* ---- opening and reading ---- */

static void bind_keys(Line *line) {
    EditLine *editor = line->editor;
    el_set(editor, EL_EDITOR, "emacs");
    el_set(editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_set(editor, EL_ADDFN, "weft-complete", "Complete a name", on_tab);
    el_set(editor, EL_BIND, "^I", "weft-complete", NULL);
    el_set(editor, EL_ADDFN, "weft-paste", "Take pasted lines", on_paste);
    el_set(editor, EL_BIND, PASTE_BEGIN, "weft-paste", NULL);
    el_set(editor, EL_BIND, "\\e[1;5C", "em-next-word", NULL);
    el_set(editor, EL_BIND, "\\e[1;5D", "ed-prev-word", NULL);
}

Line *line_open(LineComplete *complete, void *data) {
    use_utf8();
    Line *line = calloc(1, sizeof *line);
    if (line == NULL)
        return NULL;
    line->complete = complete;
    line->data = data;
    line->past = past_open();
    line->history = history_init();
    line->editor = el_init("weft", stdin, stdout, stderr);
    if (line->past == NULL || line->history == NULL || line->editor == NULL) {
        line_close(line);
        return NULL;
    }
    HistEvent event;
    history(line->history, &event, H_SETSIZE, PAST_ENTRIES);
    copy_past(line);
    el_set(line->editor, EL_CLIENTDATA, line);
    el_set(line->editor, EL_PROMPT, get_prompt);
    el_set(line->editor, EL_HIST, history, line->history);
    bind_keys(line);
    /* Ctrl-Z and a new window size need libedit's own handlers */
    el_set(line->editor, EL_SIGNAL, 1);
    const char *terminal = getenv("TERM");
    line->marks = terminal != NULL && strcmp(terminal, "dumb") != 0;
    return line;
}

void line_close(Line *line) {
    if (line->editor != NULL)
        el_end(line->editor);
    if (line->history != NULL)
        history_end(line->history);
    if (line->past != NULL)
        past_close(line->past);
    free(line->pasted);
    free(line);
}

const char *line_read(Line *line, const char *prompt, size_t *length,
                      bool *pasted) {
    int count = 0;
    free(line->pasted);
    line->pasted = NULL;
    line->prompt = prompt;
    if (line->marks)
        fputs(PASTE_ASK, stdout);
    const char *text = el_gets(line->editor, &count);
    if (line->marks)
        fputs(PASTE_ASK_NO_MORE, stdout);
    fflush(stdout);
    *pasted = line->pasted != NULL;
    if (*pasted) {
        *length = strlen(line->pasted);
        while (*length > 0 && line->pasted[*length - 1] == '\n')
            *length -= 1;
        return line->pasted;
    }
    if (text == NULL || count <= 0)
        return NULL;
    *length = (size_t)count;
    if (text[count - 1] == '\n')
        *length -= 1;
    return text;
}
