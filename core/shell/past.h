/* What was typed before, in this session and in those before it.
 *
 * The file is XDG_STATE_HOME/weft/history (~/.local/state where that is
 * unset): a line an entry, the newlines of an entry written as \n and
 * backslashes as \\. Each entry is appended when it is made, so that nothing
 * is lost and two prompts at once both keep theirs; at the start and at the
 * end the file is written anew without duplicates and cut to its bound.
 * Without a file that can be written entries last as long as the session. */
#ifndef WEFT_PAST_H
#define WEFT_PAST_H

#include <stdbool.h>
#include <stddef.h>

enum { PAST_ENTRIES = 10000 };

typedef struct Past Past;

/* The entries of the file; NULL where there is no memory. Creates:
 * past_close, which settles the file. */
Past *past_open(void);
void past_close(Past *past);

/* Adds a text as the newest entry; an older equal one goes away. False where
 * nothing changed: it was the newest already, is blank or too long. */
bool past_add(Past *past, const char *text);

/* Entries, the oldest at 0. Borrows. */
size_t past_count(const Past *past);
const char *past_entry(const Past *past, size_t i);

#endif
