/* A pickle's stack machine, as much of it as a state dict needs.
 *
 * (Python's pickletools.py says what each opcode does.) Every opcode takes its
 * argument from the bytes and its operands from the stack; values live in one
 * arena, so that a list in two places is one list. What a pickle can make is
 * bounded by its own length, by a budget and by the stack's size. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cursor.h"
#include "pickle_machine.h"

enum { STACK_MOST = 1 << 22, MEMO_MOST = 1 << 23, PROTOCOL_MOST = 5 };

/* ---- the machine ---- */

Status machine_refuse(const Machine *machine, Status status, Err *err,
                      const char *format, ...) {
    char text[768];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_set(err, status, "opcode %s at byte %zu: %s", machine->op_name,
                   machine->op_at, text);
}

Status machine_bytes(Machine *machine, uint64_t n, const uint8_t **out,
                     Err *err) {
    size_t left = machine->n - machine->at;
    if (n > left)
        return machine_refuse(
            machine, STATUS_FORMAT, err,
            "its argument takes %" PRIu64 " bytes, %zu are left", n, left);
    *out = machine->bytes + machine->at;
    machine->at += (size_t)n;
    return STATUS_OK;
}

Status machine_number(Machine *machine, size_t n, uint64_t *out, Err *err) {
    const uint8_t *bytes = NULL;
    Status status = machine_bytes(machine, n, &bytes, err);
    if (status == STATUS_OK)
        *out = little_endian(bytes, n);
    return status;
}

Status machine_make(Machine *machine, size_t n, void **out, Err *err) {
    if (n > PICKLE_TREE_MOST - machine->used)
        return machine_refuse(machine, STATUS_FORMAT, err,
                              "what the pickle makes takes more than %d bytes",
                              PICKLE_TREE_MOST);
    void *made = arena_take(machine->arena, n, 8, err);
    if (made == NULL)
        return STATUS_NOMEM;
    machine->used += n;
    *out = made;
    return STATUS_OK;
}

/* Room for one more pointer, at most `most` of them. */
static Status grow(const Machine *machine, PickleValue ***array, size_t *room,
                   size_t count, size_t most, const char *what, Err *err) {
    if (count < *room)
        return STATUS_OK;
    if (count == most)
        return machine_refuse(machine, STATUS_FORMAT, err,
                              "more than %zu values %s", most, what);
    size_t more = *room == 0 ? 256 : *room * 2;
    void *larger = mem_resize(*array, count, more, sizeof **array, err);
    if (larger == NULL)
        return STATUS_NOMEM;
    *array = larger;
    *room = more;
    return STATUS_OK;
}

Status machine_push(Machine *machine, PickleValue *value, Err *err) {
    Status status = grow(machine, &machine->stack, &machine->stack_room,
                         machine->depth, STACK_MOST, "on the stack", err);
    if (status == STATUS_OK)
        machine->stack[machine->depth++] = value;
    return status;
}

Status machine_push_new(Machine *machine, PickleValue value, Err *err) {
    void *made = NULL;
    Status status = machine_make(machine, sizeof value, &made, err);
    if (status != STATUS_OK)
        return status;
    memcpy(made, &value, sizeof value);
    return machine_push(machine, made, err);
}

Status machine_look(const Machine *machine, size_t down, PickleValue **out,
                    Err *err) {
    if (machine->depth <= down ||
        machine->stack[machine->depth - 1 - down]->kind == PICKLE_MARK)
        return machine_refuse(machine, STATUS_FORMAT, err,
                              "the stack holds %zu values, expected %zu", down,
                              down + 1);
    *out = machine->stack[machine->depth - 1 - down];
    return STATUS_OK;
}

/* The place right above the topmost mark. */
static Status find_mark(const Machine *machine, size_t *first, Err *err) {
    size_t at = machine->depth;
    while (at > 0 && machine->stack[at - 1]->kind != PICKLE_MARK)
        at--;
    if (at == 0)
        return machine_refuse(machine, STATUS_FORMAT, err,
                              "no mark on the stack");
    *first = at;
    return STATUS_OK;
}

/* Adds n values to a container. */
static Status add_items(Machine *machine, PickleValue *container,
                        PickleValue **values, size_t n, Err *err) {
    size_t want = container->items.n + n;
    if (want > container->items.room) {
        size_t room = (size_t)container->items.room * 2;
        room = room < want ? want : room;
        void *larger = NULL;
        Status status =
            machine_make(machine, room * sizeof *values, &larger, err);
        if (status != STATUS_OK)
            return status;
        if (container->items.n > 0)
            memcpy(larger, container->items.at,
                   container->items.n * sizeof *values);
        container->items.at = larger;
        container->items.room = (uint32_t)room;
    }
    if (n > 0)
        memcpy(container->items.at + container->items.n, values,
               n * sizeof *values);
    container->items.n = (uint32_t)want;
    return STATUS_OK;
}

/* Replaces all from place `first` on by a container of it. */
static Status collect(Machine *machine, PickleKind kind, size_t first,
                      Err *err) {
    PickleValue container = {.kind = kind};
    /* an empty container may come before the stack's first block */
    PickleValue **values =
        machine->stack == NULL ? NULL : machine->stack + first;
    Status status =
        add_items(machine, &container, values, machine->depth - first, err);
    machine->depth = first;
    return status == STATUS_OK ? machine_push_new(machine, container, err)
                               : status;
}

/* ---- plain values ---- */

static Status op_proto(Machine *machine, Err *err) {
    uint64_t version;
    Status status = machine_number(machine, 1, &version, err);
    if (status == STATUS_OK && version > PROTOCOL_MOST)
        status = machine_refuse(machine, STATUS_UNSUPPORTED, err,
                                "version %" PRIu64 ", expected at most %d",
                                version, PROTOCOL_MOST);
    return status;
}

static Status op_frame(Machine *machine, Err *err) {
    uint64_t length;
    Status status = machine_number(machine, 8, &length, err);
    if (status == STATUS_OK && length > machine->n - machine->at)
        status = machine_refuse(machine, STATUS_FORMAT, err,
                                "a frame of %" PRIu64 " bytes, %zu are left",
                                length, machine->n - machine->at);
    return status;
}

static Status op_stop(Machine *machine, Err *err) {
    PickleValue *top = NULL;
    Status status = machine_look(machine, 0, &top, err);
    if (status == STATUS_OK && machine->depth != 1)
        status = machine_refuse(machine, STATUS_FORMAT, err,
                                "the stack holds %zu values, expected 1",
                                machine->depth);
    machine->stopped = true;
    return status;
}

static Status op_mark(Machine *machine, Err *err) {
    static PickleValue mark = {.kind = PICKLE_MARK};
    return machine_push(machine, &mark, err);
}

static Status op_none(Machine *machine, Err *err) {
    static PickleValue none = {.kind = PICKLE_NONE};
    return machine_push(machine, &none, err);
}

static Status op_true(Machine *machine, Err *err) {
    static PickleValue yes = {.kind = PICKLE_BOOL, .integer = 1};
    return machine_push(machine, &yes, err);
}

static Status op_false(Machine *machine, Err *err) {
    static PickleValue no = {.kind = PICKLE_BOOL, .integer = 0};
    return machine_push(machine, &no, err);
}

/* A state dict says the same few sizes over and over: they are made once. */
static Status push_integer(Machine *machine, int64_t value, Err *err) {
    PickleValue **known =
        &machine->integers[(uint64_t)value % MACHINE_INTEGERS];
    if (*known != NULL && (*known)->integer == value)
        return machine_push(machine, *known, err);
    Status status = machine_push_new(
        machine, (PickleValue){.kind = PICKLE_INTEGER, .integer = value}, err);
    if (status == STATUS_OK)
        *known = machine->stack[machine->depth - 1];
    return status;
}

/* n bytes in two's complement, or without a sign. */
static Status integer(Machine *machine, size_t n, bool has_sign, Err *err) {
    uint64_t bits = 0;
    Status status = machine_number(machine, n, &bits, err);
    if (status != STATUS_OK)
        return status;
    if (has_sign && n > 0) {
        uint64_t sign = (uint64_t)1 << (8 * n - 1);
        bits = (bits ^ sign) - sign;
    }
    return push_integer(machine, (int64_t)bits, err);
}

static Status op_binint(Machine *machine, Err *err) {
    return integer(machine, 4, true, err);
}

static Status op_binint1(Machine *machine, Err *err) {
    return integer(machine, 1, false, err);
}

static Status op_binint2(Machine *machine, Err *err) {
    return integer(machine, 2, false, err);
}

static Status op_long1(Machine *machine, Err *err) {
    uint64_t n;
    Status status = machine_number(machine, 1, &n, err);
    if (status == STATUS_OK && n > 8)
        status = machine_refuse(
            machine, STATUS_UNSUPPORTED, err,
            "an integer of %" PRIu64 " bytes, expected at most 8", n);
    return status == STATUS_OK ? integer(machine, (size_t)n, true, err)
                               : status;
}

/* A double, most significant byte first. */
static Status op_binfloat(Machine *machine, Err *err) {
    const uint8_t *bytes = NULL;
    Status status = machine_bytes(machine, 8, &bytes, err);
    if (status != STATUS_OK)
        return status;
    uint64_t bits = 0;
    PickleValue value = {.kind = PICKLE_REAL};
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | bytes[i];
    memcpy(&value.real, &bits, sizeof bits);
    return machine_push_new(machine, value, err);
}

/* A text behind a length of `width` bytes. */
static Status text(Machine *machine, size_t width, Err *err) {
    uint64_t n = 0;
    const uint8_t *bytes = NULL;
    Status status = machine_number(machine, width, &n, err);
    if (status == STATUS_OK)
        status = machine_bytes(machine, n, &bytes, err);
    if (status != STATUS_OK)
        return status;
    PickleValue value = {.kind = PICKLE_TEXT};
    value.text.bytes = (const char *)bytes;
    value.text.n = (uint32_t)n;
    return machine_push_new(machine, value, err);
}

static Status op_text1(Machine *machine, Err *err) {
    return text(machine, 1, err);
}

static Status op_text4(Machine *machine, Err *err) {
    return text(machine, 4, err);
}

static Status op_text8(Machine *machine, Err *err) {
    return text(machine, 8, err);
}

/* ---- containers ---- */

static Status op_empty_tuple(Machine *machine, Err *err) {
    return collect(machine, PICKLE_TUPLE, machine->depth, err);
}

static Status op_empty_list(Machine *machine, Err *err) {
    return collect(machine, PICKLE_LIST, machine->depth, err);
}

static Status op_empty_dict(Machine *machine, Err *err) {
    return collect(machine, PICKLE_DICT, machine->depth, err);
}

static Status collect_marked(Machine *machine, PickleKind kind, Err *err) {
    size_t first = 0;
    Status status = find_mark(machine, &first, err);
    if (status == STATUS_OK && kind == PICKLE_DICT &&
        (machine->depth - first) % 2 != 0)
        status = machine_refuse(machine, STATUS_FORMAT, err,
                                "a key without a value");
    if (status == STATUS_OK)
        status = collect(machine, kind, first, err);
    if (status == STATUS_OK) { /* the mark goes */
        machine->stack[first - 1] = machine->stack[first];
        machine->depth--;
    }
    return status;
}

static Status op_tuple(Machine *machine, Err *err) {
    return collect_marked(machine, PICKLE_TUPLE, err);
}

static Status op_list(Machine *machine, Err *err) {
    return collect_marked(machine, PICKLE_LIST, err);
}

static Status op_dict(Machine *machine, Err *err) {
    return collect_marked(machine, PICKLE_DICT, err);
}

/* A tuple of the n topmost values. */
static Status tuple(Machine *machine, size_t n, Err *err) {
    PickleValue *value;
    for (size_t i = 0; i < n; i++) {
        Status status = machine_look(machine, i, &value, err);
        if (status != STATUS_OK)
            return status;
    }
    return collect(machine, PICKLE_TUPLE, machine->depth - n, err);
}

static Status op_tuple1(Machine *machine, Err *err) {
    return tuple(machine, 1, err);
}

static Status op_tuple2(Machine *machine, Err *err) {
    return tuple(machine, 2, err);
}

static Status op_tuple3(Machine *machine, Err *err) {
    return tuple(machine, 3, err);
}

/* Moves all from place `first` on into the container right below `gap` more
 * values. */
static Status extend(Machine *machine, PickleKind kind, size_t first,
                     size_t gap, Err *err) {
    size_t n = machine->depth - first;
    if (first <= gap || machine->stack[first - gap - 1]->kind != kind)
        return machine_refuse(machine, STATUS_FORMAT, err,
                              "no %s to put things in",
                              kind == PICKLE_DICT ? "dict" : "list");
    if (kind == PICKLE_DICT && n % 2 != 0)
        return machine_refuse(machine, STATUS_FORMAT, err,
                              "a key without a value");
    Status status = add_items(machine, machine->stack[first - gap - 1],
                              machine->stack + first, n, err);
    machine->depth = first - gap;
    return status;
}

static Status extend_marked(Machine *machine, PickleKind kind, Err *err) {
    size_t first = 0;
    Status status = find_mark(machine, &first, err);
    return status == STATUS_OK ? extend(machine, kind, first, 1, err) : status;
}

/* Moves the n topmost values into the container below them. */
static Status extend_by(Machine *machine, PickleKind kind, size_t n, Err *err) {
    PickleValue *value;
    for (size_t i = 0; i <= n; i++) {
        Status status = machine_look(machine, i, &value, err);
        if (status != STATUS_OK)
            return status;
    }
    return extend(machine, kind, machine->depth - n, 0, err);
}

static Status op_append(Machine *machine, Err *err) {
    return extend_by(machine, PICKLE_LIST, 1, err);
}

static Status op_appends(Machine *machine, Err *err) {
    return extend_marked(machine, PICKLE_LIST, err);
}

static Status op_setitem(Machine *machine, Err *err) {
    return extend_by(machine, PICKLE_DICT, 2, err);
}

static Status op_setitems(Machine *machine, Err *err) {
    return extend_marked(machine, PICKLE_DICT, err);
}

/* ---- the memo ---- */

/* Python numbers its memos as they come, so a slot is new or the next. */
static Status memo_put(Machine *machine, uint64_t slot, Err *err) {
    PickleValue *top = NULL;
    Status status = machine_look(machine, 0, &top, err);
    if (status == STATUS_OK && slot > machine->memos)
        status = machine_refuse(machine, STATUS_FORMAT, err,
                                "memo %" PRIu64 ", expected at most %zu", slot,
                                machine->memos);
    if (status == STATUS_OK && slot == machine->memos)
        status = grow(machine, &machine->memo, &machine->memo_room,
                      machine->memos, MEMO_MOST, "in the memo", err);
    if (status != STATUS_OK)
        return status;
    machine->memo[slot] = top;
    machine->memos += slot == machine->memos;
    return STATUS_OK;
}

static Status memo_get(Machine *machine, uint64_t slot, Err *err) {
    if (slot >= machine->memos)
        return machine_refuse(machine, STATUS_FORMAT, err,
                              "memo %" PRIu64 ", there are %zu", slot,
                              machine->memos);
    return machine_push(machine, machine->memo[slot], err);
}

static Status op_memoize(Machine *machine, Err *err) {
    return memo_put(machine, machine->memos, err);
}

static Status op_binput(Machine *machine, Err *err) {
    uint64_t slot;
    Status status = machine_number(machine, 1, &slot, err);
    return status == STATUS_OK ? memo_put(machine, slot, err) : status;
}

static Status op_long_binput(Machine *machine, Err *err) {
    uint64_t slot;
    Status status = machine_number(machine, 4, &slot, err);
    return status == STATUS_OK ? memo_put(machine, slot, err) : status;
}

static Status op_binget(Machine *machine, Err *err) {
    uint64_t slot;
    Status status = machine_number(machine, 1, &slot, err);
    return status == STATUS_OK ? memo_get(machine, slot, err) : status;
}

static Status op_long_binget(Machine *machine, Err *err) {
    uint64_t slot;
    Status status = machine_number(machine, 4, &slot, err);
    return status == STATUS_OK ? memo_get(machine, slot, err) : status;
}

/* ---- the opcodes ---- */

typedef struct Opcode {
    const char *name;
    Status (*run)(Machine *machine, Err *err); /* NULL: refused */
} Opcode;

static const Opcode OPCODES[256] = {
    ['('] = {"MARK", op_mark},
    ['.'] = {"STOP", op_stop},
    [')'] = {"EMPTY_TUPLE", op_empty_tuple},
    [']'] = {"EMPTY_LIST", op_empty_list},
    ['}'] = {"EMPTY_DICT", op_empty_dict},
    ['t'] = {"TUPLE", op_tuple},
    ['l'] = {"LIST", op_list},
    ['d'] = {"DICT", op_dict},
    [0x85] = {"TUPLE1", op_tuple1},
    [0x86] = {"TUPLE2", op_tuple2},
    [0x87] = {"TUPLE3", op_tuple3},
    ['a'] = {"APPEND", op_append},
    ['e'] = {"APPENDS", op_appends},
    ['s'] = {"SETITEM", op_setitem},
    ['u'] = {"SETITEMS", op_setitems},
    ['N'] = {"NONE", op_none},
    [0x88] = {"NEWTRUE", op_true},
    [0x89] = {"NEWFALSE", op_false},
    ['J'] = {"BININT", op_binint},
    ['K'] = {"BININT1", op_binint1},
    ['M'] = {"BININT2", op_binint2},
    [0x8A] = {"LONG1", op_long1},
    ['G'] = {"BINFLOAT", op_binfloat},
    ['T'] = {"BINSTRING", op_text4},
    ['U'] = {"SHORT_BINSTRING", op_text1},
    ['X'] = {"BINUNICODE", op_text4},
    [0x8C] = {"SHORT_BINUNICODE", op_text1},
    [0x8D] = {"BINUNICODE8", op_text8},
    ['q'] = {"BINPUT", op_binput},
    ['r'] = {"LONG_BINPUT", op_long_binput},
    [0x94] = {"MEMOIZE", op_memoize},
    ['h'] = {"BINGET", op_binget},
    ['j'] = {"LONG_BINGET", op_long_binget},
    ['c'] = {"GLOBAL", pickle_global},
    [0x93] = {"STACK_GLOBAL", pickle_stack_global},
    ['Q'] = {"BINPERSID", pickle_persistent},
    ['R'] = {"REDUCE", pickle_reduce},
    ['b'] = {"BUILD", pickle_build},
    [0x80] = {"PROTO", op_proto},
    [0x95] = {"FRAME", op_frame},
    /* what no state dict needs */
    ['0'] = {"POP", NULL},
    ['1'] = {"POP_MARK", NULL},
    ['2'] = {"DUP", NULL},
    ['B'] = {"BINBYTES", NULL},
    ['C'] = {"SHORT_BINBYTES", NULL},
    ['F'] = {"FLOAT", NULL},
    ['I'] = {"INT", NULL},
    ['L'] = {"LONG", NULL},
    ['P'] = {"PERSID", NULL},
    ['S'] = {"STRING", NULL},
    ['V'] = {"UNICODE", NULL},
    ['g'] = {"GET", NULL},
    ['i'] = {"INST", NULL},
    ['o'] = {"OBJ", NULL},
    ['p'] = {"PUT", NULL},
    [0x81] = {"NEWOBJ", NULL},
    [0x82] = {"EXT1", NULL},
    [0x83] = {"EXT2", NULL},
    [0x84] = {"EXT4", NULL},
    [0x8B] = {"LONG4", NULL},
    [0x8E] = {"BINBYTES8", NULL},
    [0x8F] = {"EMPTY_SET", NULL},
    [0x90] = {"ADDITEMS", NULL},
    [0x91] = {"FROZENSET", NULL},
    [0x92] = {"NEWOBJ_EX", NULL},
    [0x96] = {"BYTEARRAY8", NULL},
    [0x97] = {"NEXT_BUFFER", NULL},
    [0x98] = {"READONLY_BUFFER", NULL},
};

static Status step(Machine *machine, Err *err) {
    if (machine->at == machine->n)
        return err_set(err, STATUS_FORMAT,
                       "the pickle ends at byte %zu without STOP", machine->n);
    uint8_t byte = machine->bytes[machine->at];
    const Opcode *opcode = &OPCODES[byte];
    machine->op_at = machine->at++;
    machine->op_name = opcode->name;
    if (opcode->name == NULL)
        return err_set(err, STATUS_FORMAT, "0x%02x at byte %zu is no opcode",
                       byte, machine->op_at);
    if (opcode->run == NULL)
        return err_set(err, STATUS_UNSUPPORTED,
                       "opcode %s (0x%02x) at byte %zu is none that a state "
                       "dict needs",
                       opcode->name, byte, machine->op_at);
    return opcode->run(machine, err);
}

Status pickle_read(Pickle *out, const uint8_t *bytes, size_t n, Err *err) {
    if (n > PICKLE_MOST)
        return err_set(err, STATUS_FORMAT,
                       "a pickle of %zu bytes, expected at most %d", n,
                       PICKLE_MOST);
    Pickle pickle = {0};
    Machine machine = {.bytes = bytes, .n = n, .arena = &pickle.arena};
    Status status = STATUS_OK;
    while (status == STATUS_OK && !machine.stopped)
        status = step(&machine, err);
    if (status == STATUS_OK && machine.at < n)
        status = err_set(err, STATUS_FORMAT, "%zu bytes after STOP at byte %zu",
                         n - machine.at, machine.op_at);
    if (status == STATUS_OK)
        pickle.root = machine.stack[0];
    mem_free(machine.stack);
    mem_free(machine.memo);
    if (status == STATUS_OK)
        *out = pickle;
    else
        pickle_release(&pickle);
    return status;
}

void pickle_release(Pickle *pickle) {
    arena_release(&pickle->arena);
    *pickle = (Pickle){0};
}
