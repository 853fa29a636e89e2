/* What the two halves of the pickle interpreter share: its machine. */
#ifndef WEFT_PICKLE_MACHINE_H
#define WEFT_PICKLE_MACHINE_H

#include "pickle.h"

enum { MACHINE_INTEGERS = 256 };

typedef struct Machine {
    const uint8_t *bytes;
    size_t at, n;
    size_t op_at;        /* of the opcode under way */
    const char *op_name; /* its name */
    Arena *arena;
    size_t used; /* bytes of the arena */
    PickleValue **stack, **memo;
    size_t depth, stack_room, memos, memo_room;
    PickleValue *integers[MACHINE_INTEGERS]; /* one of each remainder */
    bool stopped;
} Machine;

/* Fails with "opcode NAME at byte N: what". */
Status machine_refuse(const Machine *machine, Status status, Err *err,
                      const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The next n bytes of the pickle, and an unsigned number of n <= 8 bytes. */
CHECKED Status machine_bytes(Machine *machine, uint64_t n, const uint8_t **out,
                             Err *err);
CHECKED Status machine_number(Machine *machine, size_t n, uint64_t *out,
                              Err *err);

/* Memory for what the pickle makes, within the budget; *out is untouched on
 * failure. Views: dies with the arena. */
CHECKED Status machine_make(Machine *machine, size_t n, void **out, Err *err);

/* Pushes a value, or a copy of one that is new. */
CHECKED Status machine_push(Machine *machine, PickleValue *value, Err *err);
CHECKED Status machine_push_new(Machine *machine, PickleValue value, Err *err);

/* The value `down` below the top, which is no mark. */
CHECKED Status machine_look(const Machine *machine, size_t down,
                            PickleValue **out, Err *err);

/* The opcodes that name something outside the pickle, and those that call it
 * or set its attributes. */
Status pickle_global(Machine *machine, Err *err);
Status pickle_stack_global(Machine *machine, Err *err);
Status pickle_persistent(Machine *machine, Err *err);
Status pickle_reduce(Machine *machine, Err *err);
Status pickle_build(Machine *machine, Err *err);

#endif
