/* The one global of weft: a flag that Ctrl-C sets and long C loops poll.
 *
 * core.so and the program are linked apart, so that the program's handler
 * can't name the flag: luaopen_weft_core stores its address in the registry,
 * as a light userdata (a `volatile sig_atomic_t *`) under the key
 * "weft.cancel". The program looks it up once the module is loaded, and its
 * SIGINT handler sets that flag to 1. A C loop that sees it lowers it and
 * raises "interrupted!": one Ctrl-C is one error, and what is to be raised
 * again and again is the program's own. Under a stock interpreter nobody sets
 * it. */
#ifndef WEFT_CANCEL_H
#define WEFT_CANCEL_H

#include <signal.h>
#include <stdbool.h>

#define CANCEL_KEY "weft.cancel"

extern volatile sig_atomic_t cancel_flag;

bool cancel_requested(void);
void cancel_set(void);
void cancel_clear(void);

/* Whether a pool job's cancel word is set, which another thread does; the word
 * NULL never is. */
bool cancel_seen(const volatile int *word);

#endif
