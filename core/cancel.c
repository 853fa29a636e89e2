/* The cancel flag. */
#include "cancel.h"

volatile sig_atomic_t cancel_flag;

bool cancel_requested(void) {
    return cancel_flag != 0;
}

void cancel_set(void) {
    cancel_flag = 1;
}

void cancel_clear(void) {
    cancel_flag = 0;
}

bool cancel_seen(const volatile int *word) {
    return word != NULL && __atomic_load_n(word, __ATOMIC_RELAXED) != 0;
}
