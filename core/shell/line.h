/* Lines from a terminal: edited, completed, remembered. */
#ifndef WEFT_LINE_H
#define WEFT_LINE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Line Line;

/* TAB was pressed after the text `before`: the function may call line_insert
 * and line_list. */
typedef void LineComplete(void *data, Line *line, const char *before);

/* An editor on standard input and output; NULL where there is no memory.
 * Creates: line_close. */
Line *line_open(LineComplete *complete, void *data);
void line_close(Line *line);

/* Shows the prompt and reads a line, without its newline; or, where several
 * lines were pasted at once, all of them with what was typed around them, and
 * sets *pasted. An entry of the history may have several lines too. The text is
 * valid until the next call. NULL at the end of input and after Ctrl-C, which
 * the interrupt's flag tells apart. */
const char *line_read(Line *line, const char *prompt, size_t *length,
                      bool *pasted);

/* Adds a text of one line or more to the history. */
void line_remember(Line *line, const char *text);

/* For LineComplete: puts a text in at the cursor. */
void line_insert(Line *line, const char *text);
/* For LineComplete: prints a list under the line, which is shown again. */
void line_list(Line *line, const char *list);

#endif
