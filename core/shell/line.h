/* Lines from a terminal, edited, with the history of this session. */
#ifndef WEFT_LINE_H
#define WEFT_LINE_H

#include <stddef.h>

typedef struct Line Line;

/* An editor on standard input and output; NULL where there is no memory.
 * Creates: line_close. */
Line *line_open(void);
void line_close(Line *line);

/* Shows the prompt and reads a line, without its newline. The text is valid
 * until the next call. NULL at the end of input and after Ctrl-C, which the
 * interrupt's flag tells apart. */
const char *line_read(Line *line, const char *prompt, size_t *length);

/* Adds a line to the history. */
void line_remember(Line *line, const char *text);

#endif
