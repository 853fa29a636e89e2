/* Threads that leave signals to the one that runs Lua. */
#ifndef WEFT_THREAD_H
#define WEFT_THREAD_H

#include <pthread.h>

/* Starts run(argument) with all signals blocked but faults. Gives what
 * pthread_create does: 0, or an error number. */
int thread_start(pthread_t *out, void *(*run)(void *), void *argument);

#endif
