/* The names that a pickle may import and call, and the records they make. */
#include <inttypes.h>
#include <string.h>

#include "pickle_machine.h"

enum { SHOWN = 256 };

/* ---- what may be imported ---- */

typedef enum Act {
    ACT_ORDERED_DICT,
    ACT_TENSOR_V2,
    ACT_TENSOR_V3,
    ACT_PARAMETER,
    ACT_STORAGE, /* a storage's class: of elements of `dtype` */
    ACT_BYTES,   /* a storage's class: of bytes, whose dtype the tensor says */
    ACT_DTYPE    /* a dtype by itself */
} Act;

typedef struct PickleGlobal {
    const char *module, *name;
    Act act;
    Dtype dtype;
} PickleGlobal;

static const PickleGlobal GLOBALS[] = {
    {"collections", "OrderedDict", ACT_ORDERED_DICT, DTYPE_COUNT},
    {"torch._utils", "_rebuild_tensor_v2", ACT_TENSOR_V2, DTYPE_COUNT},
    {"torch._utils", "_rebuild_tensor_v3", ACT_TENSOR_V3, DTYPE_COUNT},
    {"torch._utils", "_rebuild_parameter", ACT_PARAMETER, DTYPE_COUNT},
    {"torch", "DoubleStorage", ACT_STORAGE, DTYPE_F64},
    {"torch", "FloatStorage", ACT_STORAGE, DTYPE_F32},
    {"torch", "HalfStorage", ACT_STORAGE, DTYPE_F16},
    {"torch", "BFloat16Storage", ACT_STORAGE, DTYPE_BF16},
    {"torch", "LongStorage", ACT_STORAGE, DTYPE_I64},
    {"torch", "IntStorage", ACT_STORAGE, DTYPE_I32},
    {"torch", "ShortStorage", ACT_STORAGE, DTYPE_I16},
    {"torch", "CharStorage", ACT_STORAGE, DTYPE_I8},
    {"torch", "ByteStorage", ACT_STORAGE, DTYPE_U8},
    {"torch", "BoolStorage", ACT_STORAGE, DTYPE_BOOL},
    {"torch", "ComplexFloatStorage", ACT_STORAGE, DTYPE_C64},
    {"torch.storage", "UntypedStorage", ACT_BYTES, DTYPE_U8},
    {"torch", "float8_e4m3fn", ACT_DTYPE, DTYPE_F8_E4M3},
    {"torch", "float8_e5m2", ACT_DTYPE, DTYPE_F8_E5M2},
    {"torch", "float8_e4m3fnuz", ACT_DTYPE, DTYPE_F8_E4M3FNUZ},
    {"torch", "float8_e5m2fnuz", ACT_DTYPE, DTYPE_F8_E5M2FNUZ},
    {"torch", "float8_e8m0fnu", ACT_DTYPE, DTYPE_F8_E8M0},
    {"torch", "uint16", ACT_DTYPE, DTYPE_U16},
    {"torch", "uint32", ACT_DTYPE, DTYPE_U32},
    {"torch", "uint64", ACT_DTYPE, DTYPE_U64},
};

/* ---- globals, and what they make ---- */

/* A text that need not end in a NUL, for messages. */
static char *show(char *out, size_t size, const char *bytes, size_t n) {
    char copy[64];
    size_t most = n < sizeof copy - 1 ? n : sizeof copy - 1;
    memcpy(copy, bytes, most);
    copy[most] = '\0';
    return text_escape(out, size, copy);
}

static bool same(const char *word, const char *bytes, size_t n) {
    return strlen(word) == n && memcmp(word, bytes, n) == 0;
}

static Status push_global(Machine *machine, const char *module, size_t m,
                          const char *name, size_t n, Err *err) {
    char one[SHOWN], other[SHOWN];
    for (size_t i = 0; i < sizeof GLOBALS / sizeof *GLOBALS; i++)
        if (same(GLOBALS[i].module, module, m) &&
            same(GLOBALS[i].name, name, n))
            return machine_push_new(
                machine,
                (PickleValue){.kind = PICKLE_GLOBAL, .global = &GLOBALS[i]},
                err);
    return machine_refuse(machine, STATUS_UNSUPPORTED, err,
                          "the global '%s.%s' is none that a state dict needs",
                          show(one, sizeof one, module, m),
                          show(other, sizeof other, name, n));
}

/* A line of the pickle, without its end. */
static Status take_line(Machine *machine, const char **out, size_t *n,
                        Err *err) {
    const uint8_t *first = machine->bytes + machine->at;
    const uint8_t *end = memchr(first, '\n', machine->n - machine->at);
    if (end == NULL)
        return machine_refuse(machine, STATUS_FORMAT, err,
                              "a line without an end");
    *out = (const char *)first;
    *n = (size_t)(end - first);
    machine->at += *n + 1;
    return STATUS_OK;
}

Status pickle_global(Machine *machine, Err *err) {
    const char *module = NULL, *name = NULL;
    size_t m = 0, n = 0;
    Status status = take_line(machine, &module, &m, err);
    if (status == STATUS_OK)
        status = take_line(machine, &name, &n, err);
    return status == STATUS_OK ? push_global(machine, module, m, name, n, err)
                               : status;
}

Status pickle_stack_global(Machine *machine, Err *err) {
    PickleValue *module = NULL, *name = NULL;
    Status status = machine_look(machine, 0, &name, err);
    if (status == STATUS_OK)
        status = machine_look(machine, 1, &module, err);
    if (status != STATUS_OK)
        return status;
    if (module->kind != PICKLE_TEXT || name->kind != PICKLE_TEXT)
        return machine_refuse(machine, STATUS_FORMAT, err,
                              "names that are no texts");
    machine->depth -= 2;
    return push_global(machine, module->text.bytes, module->text.n,
                       name->text.bytes, name->text.n, err);
}

static bool is_text(const PickleValue *value, const char *word) {
    return value->kind == PICKLE_TEXT &&
           same(word, value->text.bytes, value->text.n);
}

/* ('storage', its class, key, device, elements) */
Status pickle_persistent(Machine *machine, Err *err) {
    PickleValue *id;
    Status status = machine_look(machine, 0, &id, err);
    if (status != STATUS_OK)
        return status;
    PickleValue *const *at = id->items.at;
    if (id->kind != PICKLE_TUPLE || id->items.n != 5 ||
        !is_text(at[0], "storage") || at[1]->kind != PICKLE_GLOBAL ||
        (at[1]->global->act != ACT_STORAGE &&
         at[1]->global->act != ACT_BYTES) ||
        at[2]->kind != PICKLE_TEXT || at[4]->kind != PICKLE_INTEGER ||
        at[4]->integer < 0)
        return machine_refuse(machine, STATUS_FORMAT, err,
                              "expected ('storage', class, key, device, size)");
    PickleValue storage = {.kind = PICKLE_STORAGE};
    storage.dtype = at[1]->global->dtype;
    storage.storage.key = at[2];
    storage.storage.count = (uint64_t)at[4]->integer;
    machine->depth--;
    return machine_push_new(machine, storage, err);
}

/* A tuple of sizes that are not negative. */
static Status take_sizes(Machine *machine, const PickleValue *list,
                         int64_t *out, int *n, const char *what, Err *err) {
    if (list->kind != PICKLE_TUPLE)
        return machine_refuse(machine, STATUS_FORMAT, err, "%s is no tuple",
                              what);
    if (list->items.n > TENSOR_AXES)
        return machine_refuse(machine, STATUS_UNSUPPORTED, err,
                              "%s has %" PRIu32 " axes, at most %d are read",
                              what, list->items.n, TENSOR_AXES);
    for (size_t i = 0; i < list->items.n; i++) {
        const PickleValue *size = list->items.at[i];
        if (size->kind != PICKLE_INTEGER || size->integer < 0)
            return machine_refuse(machine, STATUS_FORMAT, err,
                                  "%s[%zu] is no integer of 0 or more", what,
                                  i);
        out[i] = size->integer;
    }
    *n = (int)list->items.n;
    return STATUS_OK;
}

/* A tensor and its sizes as they are read. */
typedef struct Draft {
    PickleTensor tensor;
    int64_t shape[TENSOR_AXES], stride[TENSOR_AXES];
} Draft;

/* (storage, offset, shape, strides, requires_grad, hooks[, dtype …]) */
static Status take_tensor(Machine *machine, const PickleGlobal *global,
                          const PickleValue *args, Draft *out, Err *err) {
    bool v3 = global->act == ACT_TENSOR_V3;
    PickleValue *const *at = args->items.at;
    if (args->items.n < (v3 ? 7 : 6) || at[0]->kind != PICKLE_STORAGE ||
        at[1]->kind != PICKLE_INTEGER || at[1]->integer < 0 ||
        (v3 &&
         (at[6]->kind != PICKLE_GLOBAL || at[6]->global->act != ACT_DTYPE)))
        return machine_refuse(machine, STATUS_FORMAT, err,
                              "%s expects (storage, offset, shape, strides, …)",
                              global->name);
    int strides = 0;
    PickleTensor *tensor = &out->tensor;
    tensor->storage = at[0];
    tensor->offset = (uint64_t)at[1]->integer;
    tensor->dtype = v3 ? at[6]->global->dtype : at[0]->dtype;
    Status status =
        take_sizes(machine, at[2], out->shape, &tensor->axes, "shape", err);
    if (status == STATUS_OK)
        status =
            take_sizes(machine, at[3], out->stride, &strides, "strides", err);
    if (status == STATUS_OK && strides != tensor->axes)
        status = machine_refuse(machine, STATUS_FORMAT, err,
                                "%d strides of %d axes", strides, tensor->axes);
    return status;
}

/* The tensor, with no more sizes than it has axes behind it. */
static Status push_tensor(Machine *machine, const PickleGlobal *global,
                          const PickleValue *args, Err *err) {
    Draft draft = {0};
    void *kept = NULL;
    Status status = take_tensor(machine, global, args, &draft, err);
    size_t bytes = (size_t)draft.tensor.axes * sizeof draft.shape[0];
    if (status == STATUS_OK)
        status =
            machine_make(machine, sizeof draft.tensor + 2 * bytes, &kept, err);
    if (status != STATUS_OK)
        return status;
    int64_t *sizes = (int64_t *)((PickleTensor *)kept + 1);
    draft.tensor.shape = sizes;
    draft.tensor.stride = sizes + draft.tensor.axes;
    memcpy(kept, &draft.tensor, sizeof draft.tensor);
    if (bytes > 0) {
        memcpy(sizes, draft.shape, bytes);
        memcpy(sizes + draft.tensor.axes, draft.stride, bytes);
    }
    return machine_push_new(
        machine, (PickleValue){.kind = PICKLE_TENSOR, .tensor = kept}, err);
}

/* A call, of which only those that make records are carried out. */
Status pickle_reduce(Machine *machine, Err *err) {
    PickleValue *args = NULL, *callee = NULL;
    Status status = machine_look(machine, 0, &args, err);
    if (status == STATUS_OK)
        status = machine_look(machine, 1, &callee, err);
    if (status != STATUS_OK)
        return status;
    if (callee->kind != PICKLE_GLOBAL || args->kind != PICKLE_TUPLE)
        return machine_refuse(machine, STATUS_FORMAT, err,
                              "expected a global and a tuple");
    machine->depth -= 2;
    const PickleGlobal *global = callee->global;
    switch (global->act) {
    case ACT_ORDERED_DICT:
        if (args->items.n > 0)
            break;
        return machine_push_new(
            machine, (PickleValue){.kind = PICKLE_DICT, .ordered = true}, err);
    case ACT_TENSOR_V2:
    case ACT_TENSOR_V3:
        return push_tensor(machine, global, args, err);
    case ACT_PARAMETER:
        if (args->items.n == 0 || args->items.at[0]->kind != PICKLE_TENSOR)
            break;
        return machine_push(machine, args->items.at[0], err);
    case ACT_STORAGE:
    case ACT_BYTES:
    case ACT_DTYPE:
        break;
    }
    return machine_refuse(machine, STATUS_UNSUPPORTED, err,
                          "'%s.%s' is called in no way that a state dict needs",
                          global->module, global->name);
}

/* An OrderedDict's attributes (a state dict's _metadata) say nothing of its
 * tensors. */
Status pickle_build(Machine *machine, Err *err) {
    PickleValue *state = NULL, *object = NULL;
    Status status = machine_look(machine, 0, &state, err);
    if (status == STATUS_OK)
        status = machine_look(machine, 1, &object, err);
    if (status == STATUS_OK && (object->kind != PICKLE_DICT ||
                                !object->ordered || state->kind != PICKLE_DICT))
        status = machine_refuse(machine, STATUS_UNSUPPORTED, err,
                                "expected an OrderedDict's attributes");
    if (status == STATUS_OK)
        machine->depth--;
    return status;
}
