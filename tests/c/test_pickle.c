/* The pickle interpreter: every opcode that is run, every one that is not, and
 * each way a pickle can be broken, with its exact message. */
#include "bytes.h"
#include "pickle.h"

/* A literal with NULs in it, and its length. */
#define P(text) (const uint8_t *)(text), sizeof(text) - 1

typedef struct Case {
    const uint8_t *bytes;
    size_t n;
    Status status;
    const char *message;
} Case;

static void refuse(const Case *one) {
    Pickle pickle = {.root = (const PickleValue *)one};
    Err err = {0};
    /* a copy of its own size, so that reading beyond it is seen */
    uint8_t *bytes = malloc(one->n + 1);
    assert_non_null(bytes);
    memmove(bytes, one->bytes, one->n);
    Status status = pickle_read(&pickle, bytes, one->n, &err);
    free(bytes);
    assert_string_equal(err.message, one->message);
    assert_int_equal(status, one->status);
    assert_ptr_equal(pickle.root, one);
    assert_int_equal(pickle_read(&pickle, one->bytes, one->n, NULL), status);
}

static void refuse_all(const Case *cases, size_t n) {
    for (size_t i = 0; i < n; i++)
        refuse(&cases[i]);
}

static Pickle accept(const uint8_t *bytes, size_t n) {
    Pickle pickle = {0};
    Err err = {0};
    Status status = pickle_read(&pickle, bytes, n, &err);
    if (status != STATUS_OK)
        print_error("%s\n", err.message);
    assert_int_equal(status, STATUS_OK);
    return pickle;
}

/* ---- values ---- */

static void test_numbers(void **state) {
    static const struct {
        const uint8_t *bytes;
        size_t n;
        PickleKind kind;
        int64_t value;
    } CASES[] = {
        {P("K\xFF."), PICKLE_INTEGER, 255},
        {P("M\x01\xFF."), PICKLE_INTEGER, 0xFF01},
        {P("J\xFE\xFF\xFF\xFF."), PICKLE_INTEGER, -2},
        {P("J\xFF\xFF\xFF\x7F."), PICKLE_INTEGER, INT32_MAX},
        {P("\x8A\0."), PICKLE_INTEGER, 0},
        {P("\x8A\1\x80."), PICKLE_INTEGER, -128},
        {P("\x8A\x05\0\0\0\0\1."), PICKLE_INTEGER, (int64_t)1 << 32},
        {P("\x8A\x08\0\0\0\0\0\0\0\x80."), PICKLE_INTEGER, INT64_MIN},
        {P("\x88."), PICKLE_BOOL, 1},
        {P("\x89."), PICKLE_BOOL, 0},
        {P("\x80\x02N."), PICKLE_NONE, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Pickle pickle = accept(CASES[i].bytes, CASES[i].n);
        assert_int_equal(pickle.root->kind, CASES[i].kind);
        if (CASES[i].kind != PICKLE_NONE)
            assert_true(pickle.root->integer == CASES[i].value);
        pickle_release(&pickle);
    }
    Pickle pickle = accept(P("G\xBF\xF8\0\0\0\0\0\0."));
    assert_int_equal(pickle.root->kind, PICKLE_REAL);
    assert_true(pickle.root->real == -1.5);
    pickle_release(&pickle);
}

static void test_texts(void **state) {
    static const struct {
        const uint8_t *bytes;
        size_t n;
    } CASES[] = {
        {P("U\2ab.")},
        {P("\x8C\2ab.")},
        {P("X\2\0\0\0ab.")},
        {P("T\2\0\0\0ab.")},
        {P("\x8D\2\0\0\0\0\0\0\0ab.")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Pickle pickle = accept(CASES[i].bytes, CASES[i].n);
        assert_int_equal(pickle.root->kind, PICKLE_TEXT);
        assert_int_equal(pickle.root->text.n, 2);
        assert_memory_equal(pickle.root->text.bytes, "ab", 2);
        pickle_release(&pickle);
    }
}

/* The integers that a container holds, as text. */
static void check_items(const uint8_t *bytes, size_t n, PickleKind kind,
                        const char *expected) {
    char text[200] = "";
    Pickle pickle = accept(bytes, n);
    assert_int_equal(pickle.root->kind, kind);
    for (size_t i = 0; i < pickle.root->items.n; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%lld", i > 0 ? " " : "",
                 (long long)pickle.root->items.at[i]->integer);
    }
    assert_string_equal(text, expected);
    pickle_release(&pickle);
}

static void test_containers(void **state) {
    (void)state;
    check_items(P(")."), PICKLE_TUPLE, "");
    check_items(P("K\1\x85."), PICKLE_TUPLE, "1");
    check_items(P("K\1K\2\x86."), PICKLE_TUPLE, "1 2");
    check_items(P("K\1K\2K\3\x87."), PICKLE_TUPLE, "1 2 3");
    check_items(P("(K\1K\2K\3K\4t."), PICKLE_TUPLE, "1 2 3 4");
    check_items(P("(t."), PICKLE_TUPLE, "");
    check_items(P("]."), PICKLE_LIST, "");
    check_items(P("(K\1K\2l."), PICKLE_LIST, "1 2");
    check_items(P("]K\1aK\2a."), PICKLE_LIST, "1 2");
    check_items(P("](K\1K\2e(K\3e(e."), PICKLE_LIST, "1 2 3");
    check_items(P("}."), PICKLE_DICT, "");
    check_items(P("(K\1K\2d."), PICKLE_DICT, "1 2");
    check_items(P("}K\1K\2s."), PICKLE_DICT, "1 2");
    check_items(P("}(K\1K\2K\3K\4u."), PICKLE_DICT, "1 2 3 4");
    check_items(P("ccollections\nOrderedDict\n)R."), PICKLE_DICT, "");
    check_items(P("ccollections\nOrderedDict\n)R}K\1K\2sb."), PICKLE_DICT, "");
}

/* One list in two places is one list, and it may hold itself. */
static void test_memo(void **state) {
    (void)state;
    check_items(P("]q\0K\1q\1ah\1a."), PICKLE_LIST, "1 1");
    check_items(P("]\x94K\1\x94"
                  "ah\1a."),
                PICKLE_LIST, "1 1");
    check_items(P("]r\0\0\0\0K\1r\1\0\0\0aj\1\0\0\0a."), PICKLE_LIST, "1 1");
    check_items(P("K\7q\0K\1q\0h\0\x87."), PICKLE_TUPLE, "7 1 1");
    Pickle pickle = accept(P("]q\0h\0a."));
    assert_int_equal(pickle.root->items.n, 1);
    assert_ptr_equal(pickle.root->items.at[0], pickle.root);
    pickle_release(&pickle);
}

/* ---- records ---- */

#define STORAGE                                                                \
    "(U\7storagectorch\nFloatStorage\nU\1"                                     \
    "0U\3cpuK\6tQ"
#define V2 "ctorch._utils\n_rebuild_tensor_v2\n"
#define TENSOR V2 "(" STORAGE "K\1K\2K\3\x86K\3K\1\x86\x89)tR"

static void check_tensor(const uint8_t *bytes, size_t n, Dtype dtype,
                         Dtype storage) {
    Pickle pickle = accept(bytes, n);
    assert_int_equal(pickle.root->kind, PICKLE_TENSOR);
    const PickleTensor *tensor = pickle.root->tensor;
    assert_int_equal(tensor->dtype, dtype);
    assert_int_equal(tensor->offset, 1);
    assert_int_equal(tensor->axes, 2);
    assert_true(tensor->shape[0] == 2 && tensor->shape[1] == 3);
    assert_true(tensor->stride[0] == 3 && tensor->stride[1] == 1);
    assert_int_equal(tensor->storage->kind, PICKLE_STORAGE);
    assert_int_equal(tensor->storage->dtype, storage);
    assert_int_equal(tensor->storage->storage.count, 6);
    assert_memory_equal(tensor->storage->storage.key->text.bytes, "0", 1);
    pickle_release(&pickle);
}

static void test_tensors(void **state) {
    (void)state;
    check_tensor(P(TENSOR "."), DTYPE_F32, DTYPE_F32);
    check_tensor(P("ctorch._utils\n_rebuild_parameter\n" TENSOR "\x88)\x87R."),
                 DTYPE_F32, DTYPE_F32);
    check_tensor(P("\x8C\x0Ctorch._utils\x8C\x12_rebuild_tensor_v2\x93("
                   "(U\7storage\x8C\5torch\x8C\x0BHalfStorage\x93U\1"
                   "0U\3cpuK\6tQK\1K\2K\3\x86K\3K\1\x86\x89)tR."),
                 DTYPE_F16, DTYPE_F16);
    check_tensor(P("ctorch._utils\n_rebuild_tensor_v3\n((U\7storagectorch."
                   "storage\nUntypedStorage\nU\1"
                   "0U\3cpuK\6tQK\1K\2K\3\x86K\3K\1\x86\x89)ctorch\n"
                   "float8_e5m2\ntR."),
                 DTYPE_F8_E5M2, DTYPE_U8);
}

static void test_storages(void **state) {
    static const struct {
        const char *name;
        Dtype dtype;
    } STORAGES[] = {
        {"DoubleStorage", DTYPE_F64},       {"FloatStorage", DTYPE_F32},
        {"HalfStorage", DTYPE_F16},         {"BFloat16Storage", DTYPE_BF16},
        {"LongStorage", DTYPE_I64},         {"IntStorage", DTYPE_I32},
        {"ShortStorage", DTYPE_I16},        {"CharStorage", DTYPE_I8},
        {"ByteStorage", DTYPE_U8},          {"BoolStorage", DTYPE_BOOL},
        {"ComplexFloatStorage", DTYPE_C64},
    };
    (void)state;
    for (size_t i = 0; i < sizeof STORAGES / sizeof *STORAGES; i++) {
        Bytes bytes = {.n = 0};
        put_text(&bytes, "(U\7storagectorch\n");
        put_text(&bytes, STORAGES[i].name);
        put_text(&bytes, "\nU\1xU\3cpuK\2tQ.");
        Pickle pickle = accept(bytes.data, bytes.n);
        assert_int_equal(pickle.root->kind, PICKLE_STORAGE);
        assert_int_equal(pickle.root->dtype, STORAGES[i].dtype);
        pickle_release(&pickle);
    }
}

/* ---- what is refused ---- */

static void test_globals(void **state) {
    static const Case CASES[] = {
        {P("cos\nsystem\n(U\2lstR."), STATUS_UNSUPPORTED,
         "opcode GLOBAL at byte 0: the global 'os.system' is none that a "
         "state dict needs"},
        {P("\x80\2cbuiltins\neval\n."), STATUS_UNSUPPORTED,
         "opcode GLOBAL at byte 2: the global 'builtins.eval' is none that a "
         "state dict needs"},
        {P("c\x1B[2J\nx\n."), STATUS_UNSUPPORTED,
         "opcode GLOBAL at byte 0: the global '\\x1B[2J.x' is none that a "
         "state dict needs"},
        {P("ctorch\nfloatstorage\n."), STATUS_UNSUPPORTED,
         "opcode GLOBAL at byte 0: the global 'torch.floatstorage' is none "
         "that a state dict needs"},
        {P("ccollections\nOrderedDicts\n."), STATUS_UNSUPPORTED,
         "opcode GLOBAL at byte 0: the global 'collections.OrderedDicts' is "
         "none that a state dict needs"},
        {P("\x8C\2os\x8C\6system\x93."), STATUS_UNSUPPORTED,
         "opcode STACK_GLOBAL at byte 12: the global 'os.system' is none that "
         "a state dict needs"},
        {P("K\1\x8C\6system\x93."), STATUS_FORMAT,
         "opcode STACK_GLOBAL at byte 10: names that are no texts"},
        {P("\x8C\6systemK\1\x93."), STATUS_FORMAT,
         "opcode STACK_GLOBAL at byte 10: names that are no texts"},
        {P("\x8C\6system\x93."), STATUS_FORMAT,
         "opcode STACK_GLOBAL at byte 8: the stack holds 1 values, expected "
         "2"},
        {P("\x93."), STATUS_FORMAT,
         "opcode STACK_GLOBAL at byte 0: the stack holds 0 values, expected "
         "1"},
        {P("cos\nsystem"), STATUS_FORMAT,
         "opcode GLOBAL at byte 0: a line without an end"},
        {P("cos\n"), STATUS_FORMAT,
         "opcode GLOBAL at byte 0: a line without an end"},
        {P("cos"), STATUS_FORMAT,
         "opcode GLOBAL at byte 0: a line without an end"},
    };
    (void)state;
    refuse_all(CASES, sizeof CASES / sizeof *CASES);
}

static void test_opcodes(void **state) {
    static const struct {
        uint8_t byte;
        const char *name;
    } OPCODES[] = {
        {'0', "POP"},
        {'1', "POP_MARK"},
        {'2', "DUP"},
        {'B', "BINBYTES"},
        {'C', "SHORT_BINBYTES"},
        {'F', "FLOAT"},
        {'I', "INT"},
        {'L', "LONG"},
        {'P', "PERSID"},
        {'S', "STRING"},
        {'V', "UNICODE"},
        {'g', "GET"},
        {'i', "INST"},
        {'o', "OBJ"},
        {'p', "PUT"},
        {0x81, "NEWOBJ"},
        {0x82, "EXT1"},
        {0x83, "EXT2"},
        {0x84, "EXT4"},
        {0x8B, "LONG4"},
        {0x8E, "BINBYTES8"},
        {0x8F, "EMPTY_SET"},
        {0x90, "ADDITEMS"},
        {0x91, "FROZENSET"},
        {0x92, "NEWOBJ_EX"},
        {0x96, "BYTEARRAY8"},
        {0x97, "NEXT_BUFFER"},
        {0x98, "READONLY_BUFFER"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof OPCODES / sizeof *OPCODES; i++) {
        char message[200];
        uint8_t bytes[] = {'N', OPCODES[i].byte, '.'};
        snprintf(message, sizeof message,
                 "opcode %s (0x%02x) at byte 1 is none that a state dict needs",
                 OPCODES[i].name, OPCODES[i].byte);
        refuse(&(Case){bytes, 3, STATUS_UNSUPPORTED, message});
    }
    refuse(&(Case){P("\xFF"), STATUS_FORMAT, "0xff at byte 0 is no opcode"});
    refuse(&(Case){P("N\0."), STATUS_FORMAT, "0x00 at byte 1 is no opcode"});
}

static void test_structure(void **state) {
    static const Case CASES[] = {
        {P(""), STATUS_FORMAT, "the pickle ends at byte 0 without STOP"},
        {P("N"), STATUS_FORMAT, "the pickle ends at byte 1 without STOP"},
        {P("."), STATUS_FORMAT,
         "opcode STOP at byte 0: the stack holds 0 values, expected 1"},
        {P("NN."), STATUS_FORMAT,
         "opcode STOP at byte 2: the stack holds 2 values, expected 1"},
        {P("(."), STATUS_FORMAT,
         "opcode STOP at byte 1: the stack holds 0 values, expected 1"},
        {P("N.N."), STATUS_FORMAT, "2 bytes after STOP at byte 1"},
        {P("\x80\6N."), STATUS_UNSUPPORTED,
         "opcode PROTO at byte 0: version 6, expected at most 5"},
        {P("\x80"), STATUS_FORMAT,
         "opcode PROTO at byte 0: its argument takes 1 bytes, 0 are left"},
        {P("\x95\3\0\0\0\0\0\0\0N."), STATUS_FORMAT,
         "opcode FRAME at byte 0: a frame of 3 bytes, 2 are left"},
        {P("J\1\2."), STATUS_FORMAT,
         "opcode BININT at byte 0: its argument takes 4 bytes, 3 are left"},
        {P("G."), STATUS_FORMAT,
         "opcode BINFLOAT at byte 0: its argument takes 8 bytes, 1 are left"},
        {P("X\xFF\xFF\xFF\xFF"
           "a"),
         STATUS_FORMAT,
         "opcode BINUNICODE at byte 0: its argument takes 4294967295 bytes, 1 "
         "are left"},
        {P("\x8D\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF."), STATUS_FORMAT,
         "opcode BINUNICODE8 at byte 0: its argument takes "
         "18446744073709551615 bytes, 1 are left"},
        {P("\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19."),
         STATUS_UNSUPPORTED,
         "opcode LONG1 at byte 0: an integer of 10 bytes, expected at most 8"},
        {P("t."), STATUS_FORMAT,
         "opcode TUPLE at byte 0: no mark on the "
         "stack"},
        {P("(Nd."), STATUS_FORMAT,
         "opcode DICT at byte 2: a key without a "
         "value"},
        {P("}(Nu."), STATUS_FORMAT,
         "opcode SETITEMS at byte 3: a key without a value"},
        {P("](NNu."), STATUS_FORMAT,
         "opcode SETITEMS at byte 4: no dict to put things in"},
        {P("(NNu."), STATUS_FORMAT,
         "opcode SETITEMS at byte 3: no dict to put things in"},
        {P("}(Ne."), STATUS_FORMAT,
         "opcode APPENDS at byte 3: no list to put things in"},
        {P("}Na."), STATUS_FORMAT,
         "opcode APPEND at byte 2: no list to put things in"},
        {P("]NNs."), STATUS_FORMAT,
         "opcode SETITEM at byte 3: no dict to put things in"},
        {P("NNs."), STATUS_FORMAT,
         "opcode SETITEM at byte 2: the stack holds 2 values, expected 3"},
        {P("}(NNs."), STATUS_FORMAT,
         "opcode SETITEM at byte 4: the stack holds 2 values, expected 3"},
        {P("Na."), STATUS_FORMAT,
         "opcode APPEND at byte 1: the stack holds 1 values, expected 2"},
        {P("N\x86."), STATUS_FORMAT,
         "opcode TUPLE2 at byte 1: the stack holds 1 values, expected 2"},
        {P("q\0."), STATUS_FORMAT,
         "opcode BINPUT at byte 0: the stack holds 0 values, expected 1"},
        {P("(q\0."), STATUS_FORMAT,
         "opcode BINPUT at byte 1: the stack holds 0 values, expected 1"},
        {P("Nq\1."), STATUS_FORMAT,
         "opcode BINPUT at byte 1: memo 1, expected at most 0"},
        {P("Nr\xFF\xFF\xFF\xFF."), STATUS_FORMAT,
         "opcode LONG_BINPUT at byte 1: memo 4294967295, expected at most 0"},
        {P("h\0."), STATUS_FORMAT,
         "opcode BINGET at byte 0: memo 0, there "
         "are 0"},
        {P("Nq\0j\1\0\0\0."), STATUS_FORMAT,
         "opcode LONG_BINGET at byte 3: memo 1, there are 1"},
    };
    (void)state;
    refuse_all(CASES, sizeof CASES / sizeof *CASES);
}

#define STORED "ctorch\nFloatStorage\n"
#define PERSISTENT "expected ('storage', class, key, device, size)"

static void test_bad_storages(void **state) {
    static const Case CASES[] = {
        {P("Q."), STATUS_FORMAT,
         "opcode BINPERSID at byte 0: the stack holds 0 values, expected 1"},
        {P("NQ."), STATUS_FORMAT, "opcode BINPERSID at byte 1: " PERSISTENT},
        {P("(U\7storage" STORED "U\1"
           "0U\3cputQ."),
         STATUS_FORMAT, "opcode BINPERSID at byte 39: " PERSISTENT},
        {P("(U\7storagf" STORED "U\1"
           "0U\3cpuK\6tQ."),
         STATUS_FORMAT, "opcode BINPERSID at byte 41: " PERSISTENT},
        {P("(U\7storageNU\1"
           "0U\3cpuK\6tQ."),
         STATUS_FORMAT, "opcode BINPERSID at byte 22: " PERSISTENT},
        {P("(U\7storageccollections\nOrderedDict\nU\1"
           "0U\3cpuK\6tQ."),
         STATUS_FORMAT, "opcode BINPERSID at byte 46: " PERSISTENT},
        {P("(U\7storage" STORED "K\1U\3cpuK\6tQ."), STATUS_FORMAT,
         "opcode BINPERSID at byte 40: " PERSISTENT},
        {P("(U\7storage" STORED "U\1"
           "0U\3cpuNtQ."),
         STATUS_FORMAT, "opcode BINPERSID at byte 40: " PERSISTENT},
        {P("(U\7storage" STORED "U\1"
           "0U\3cpuJ\xFF\xFF\xFF\xFFtQ."),
         STATUS_FORMAT, "opcode BINPERSID at byte 44: " PERSISTENT},
    };
    (void)state;
    refuse_all(CASES, sizeof CASES / sizeof *CASES);
}

#define EXPECTS " expects (storage, offset, shape, strides, …)"

static void test_bad_calls(void **state) {
    static const Case CASES[] = {
        {P("NR."), STATUS_FORMAT,
         "opcode REDUCE at byte 1: the stack holds 1 values, expected 2"},
        {P("NNR."), STATUS_FORMAT,
         "opcode REDUCE at byte 2: expected a global and a tuple"},
        {P(STORED "NR."), STATUS_FORMAT,
         "opcode REDUCE at byte 21: expected a global and a tuple"},
        {P("ccollections\nOrderedDict\nN\x85R."), STATUS_UNSUPPORTED,
         "opcode REDUCE at byte 27: 'collections.OrderedDict' is called in no "
         "way that a state dict needs"},
        {P(STORED ")R."), STATUS_UNSUPPORTED,
         "opcode REDUCE at byte 21: 'torch.FloatStorage' is called in no way "
         "that a state dict needs"},
        {P("ctorch\nuint16\n)R."), STATUS_UNSUPPORTED,
         "opcode REDUCE at byte 15: 'torch.uint16' is called in no way that a "
         "state dict needs"},
        {P("ctorch.storage\nUntypedStorage\n)R."), STATUS_UNSUPPORTED,
         "opcode REDUCE at byte 31: 'torch.storage.UntypedStorage' is called "
         "in no way that a state dict needs"},
        {P("ctorch._utils\n_rebuild_parameter\n)R."), STATUS_UNSUPPORTED,
         "opcode REDUCE at byte 34: 'torch._utils._rebuild_parameter' is "
         "called in no way that a state dict needs"},
        {P("ctorch._utils\n_rebuild_parameter\nN\x85R."), STATUS_UNSUPPORTED,
         "opcode REDUCE at byte 35: 'torch._utils._rebuild_parameter' is "
         "called in no way that a state dict needs"},
        {P(V2 ")R."), STATUS_FORMAT,
         "opcode REDUCE at byte 34: _rebuild_tensor_v2" EXPECTS},
        {P(V2 "(NK\1K\2\x85K\1\x85\x89)tR."), STATUS_FORMAT,
         "opcode REDUCE at byte 46: _rebuild_tensor_v2" EXPECTS},
        {P(V2 "(" STORAGE "NK\2\x85K\1\x85\x89)tR."), STATUS_FORMAT,
         "opcode REDUCE at byte 86: _rebuild_tensor_v2" EXPECTS},
        {P(V2 "(" STORAGE "J\xFF\xFF\xFF\xFFK\2\x85K\1\x85\x89)tR."),
         STATUS_FORMAT, "opcode REDUCE at byte 90: _rebuild_tensor_v2" EXPECTS},
        {P("ctorch._utils\n_rebuild_tensor_v3\n(" STORAGE
           "K\1K\2\x85K\1\x85\x89)tR."),
         STATUS_FORMAT, "opcode REDUCE at byte 87: _rebuild_tensor_v3" EXPECTS},
        {P("ctorch._utils\n_rebuild_tensor_v3\n(" STORAGE
           "K\1K\2\x85K\1\x85\x89)" STORED "tR."),
         STATUS_FORMAT,
         "opcode REDUCE at byte 107: _rebuild_tensor_v3" EXPECTS},
        {P("ctorch._utils\n_rebuild_tensor_v3\n(" STORAGE
           "K\1K\2\x85K\1\x85\x89)NtR."),
         STATUS_FORMAT, "opcode REDUCE at byte 88: _rebuild_tensor_v3" EXPECTS},
        {P(V2 "(" STORAGE "K\1K\2K\1\x85\x89)tR."), STATUS_FORMAT,
         "opcode REDUCE at byte 86: shape is no tuple"},
        {P(V2 "(" STORAGE "K\1K\2\x85K\1\x89)tR."), STATUS_FORMAT,
         "opcode REDUCE at byte 86: strides is no tuple"},
        {P(V2 "(" STORAGE "K\1N\x85K\1\x85\x89)tR."), STATUS_FORMAT,
         "opcode REDUCE at byte 86: shape[0] is no integer of 0 or more"},
        {P(V2 "(" STORAGE "K\1K\2\x85\x8A\1\xFF\x85\x89)tR."), STATUS_FORMAT,
         "opcode REDUCE at byte 88: strides[0] is no integer of 0 or more"},
        {P(V2 "(" STORAGE "K\1K\2\x85K\1K\1\x86\x89)tR."), STATUS_FORMAT,
         "opcode REDUCE at byte 89: 2 strides of 1 axes"},
        {P(V2 "(" STORAGE "K\1(K\1K\1K\1K\1K\1K\1K\1K\1K\1tK\1\x85\x89)tR."),
         STATUS_UNSUPPORTED,
         "opcode REDUCE at byte 104: shape has 9 axes, at most 8 are read"},
        {P("}}b."), STATUS_UNSUPPORTED,
         "opcode BUILD at byte 2: expected an OrderedDict's attributes"},
        {P("N}b."), STATUS_UNSUPPORTED,
         "opcode BUILD at byte 2: expected an OrderedDict's attributes"},
        {P("ccollections\nOrderedDict\n)RNb."), STATUS_UNSUPPORTED,
         "opcode BUILD at byte 28: expected an OrderedDict's attributes"},
    };
    (void)state;
    refuse_all(CASES, sizeof CASES / sizeof *CASES);
}

/* ---- bounds ---- */

/* Megabytes of one opcode end at a bound, not in memory. */
static void test_bounds(void **state) {
    static const struct {
        uint8_t byte;
        size_t n;
        const char *message;
    } CASES[] = {
        {'N', (1 << 22) + 1,
         "opcode NONE at byte 4194304: more than 4194304 values on the stack"},
        {0x94, (1 << 23) + 1,
         "opcode MEMOIZE at byte 8388609: more than 8388608 values in the "
         "memo"},
    };
    (void)state;
    uint8_t *bytes = malloc(1 << 24);
    assert_non_null(bytes);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bytes[0] = 'N';
        memset(bytes + 1, CASES[i].byte, (1 << 24) - 1);
        Pickle pickle;
        Err err;
        assert_int_equal(pickle_read(&pickle, bytes, 1 << 24, &err),
                         STATUS_FORMAT);
        assert_string_equal(err.message, CASES[i].message);
    }
    Err large;
    assert_int_equal(pickle_read(&(Pickle){0}, bytes, PICKLE_MOST + 1, &large),
                     STATUS_FORMAT);
    assert_string_equal(large.message, "a pickle of 67108865 bytes, expected "
                                       "at most 67108864");
    /* lists that are put into a list: three bytes each, and much memory */
    bytes[0] = ']';
    for (size_t i = 1; i + 1 < 1 << 24; i += 2)
        memcpy(bytes + i, "]a", 2);
    Pickle pickle;
    Err err;
    assert_int_equal(pickle_read(&pickle, bytes, 1 << 24, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, ": what the pickle makes takes more "
                                        "than 268435456 bytes"));
    free(bytes);
}

static void test_allocations(void **state) {
    (void)state;
    for (long n = 1;; n++) {
        Pickle pickle;
        Err err = {0};
        fail_alloc_at(n);
        Status status = pickle_read(&pickle,
                                    P("}(U\1a" TENSOR "q\0U\1b"
                                      "h\0u."),
                                    &err);
        bool hit = fail_alloc_hit() != 0;
        fail_alloc_at(0);
        if (status == STATUS_OK) {
            assert_false(hit);
            pickle_release(&pickle);
            assert_true(n > 3);
            return;
        }
        assert_true(hit);
        assert_int_equal(status, STATUS_NOMEM);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),     cmocka_unit_test(test_texts),
        cmocka_unit_test(test_containers),  cmocka_unit_test(test_memo),
        cmocka_unit_test(test_tensors),     cmocka_unit_test(test_storages),
        cmocka_unit_test(test_globals),     cmocka_unit_test(test_opcodes),
        cmocka_unit_test(test_structure),   cmocka_unit_test(test_bad_storages),
        cmocka_unit_test(test_bad_calls),   cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
