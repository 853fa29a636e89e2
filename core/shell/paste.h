/* Bracketed paste: the terminal marks what is pasted, so that it can be told
 * from what is typed. */
#ifndef WEFT_PASTE_H
#define WEFT_PASTE_H

#include <histedit.h>

/* How the marks begin, and how the terminal is asked for them. */
#define PASTE_BEGIN "\\e[200~"
#define PASTE_ASK "\033[?2004h"
#define PASTE_ASK_NO_MORE "\033[?2004l"

/* What follows PASTE_BEGIN up to the mark at its end, with line ends as \n and
 * without control codes. Creates (free); NULL: no memory. */
char *paste_read(EditLine *editor);

#endif
