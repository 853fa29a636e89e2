/* Damaged files: each of many edits of good ones is refused in one sentence,
 * or opens with every tensor inside its file. What crashes is found by the
 * sanitizers; the file is then still in the folder that is named first.
 *
 *     test_mutate [INPUTS [SEED]] */
#include "seeds.h"

static struct {
    uint64_t inputs, seed, state;
    uint64_t accepted, refused;
} run = {.inputs = 100000, .seed = 1};

/* splitmix64 */
static uint64_t draw(uint64_t below) {
    uint64_t z = run.state += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return (z ^ z >> 31) % below;
}

/* Values that sit on somebody's limit. */
static const uint64_t EDGES[] = {0,          1,          2,
                                 4,          8,          31,
                                 32,         33,         64,
                                 255,        256,        65535,
                                 65536,      0x7FFFFFFF, 0x80000000,
                                 0xFFFFFFFF, 1ULL << 32, 1ULL << 40,
                                 1ULL << 48, 1ULL << 53, 1ULL << 62,
                                 INT64_MAX,  1ULL << 63, UINT64_MAX,
                                 12,         13,         UINT64_MAX - 7};

static uint64_t edge(void) {
    uint64_t value = EDGES[draw(sizeof EDGES / sizeof *EDGES)];
    return draw(4) == 0 ? value - 1 : value;
}

/* Removes `gone` bytes at `at` and puts n others there. */
static void replace(Bytes *bytes, size_t at, size_t gone, const void *data,
                    size_t n) {
    if (bytes->n - gone + n > sizeof bytes->data)
        return;
    memmove(bytes->data + at + n, bytes->data + at + gone,
            bytes->n - at - gone);
    if (n > 0)
        memcpy(bytes->data + at, data, n);
    bytes->n = bytes->n - gone + n;
}

/* A binary field of 1, 2, 4 or 8 bytes gets a number on a limit. */
static void edit_field(Bytes *bytes, size_t at) {
    size_t n = (size_t)1 << draw(4);
    uint64_t value = edge();
    for (size_t i = 0; i < n && at + i < bytes->n; i++)
        bytes->data[at + i] = (uint8_t)(value >> (8 * i));
}

/* The next decimal number in the text gets another value. */
static void edit_number(Bytes *bytes, size_t at) {
    char text[40];
    while (at < bytes->n && (bytes->data[at] < '0' || bytes->data[at] > '9'))
        at++;
    size_t end = at;
    while (end < bytes->n && bytes->data[end] >= '0' && bytes->data[end] <= '9')
        end++;
    int n = snprintf(text, sizeof text, draw(8) == 0 ? "-%llu.5" : "%llu",
                     (unsigned long long)edge());
    replace(bytes, at, end - at, text, (size_t)n);
}

/* A piece of the grammar of one format where it does not belong. */
static void edit_token(Bytes *bytes, size_t at) {
    static const char *const TOKENS[] = {"{",
                                         "}",
                                         "[",
                                         "]",
                                         ",",
                                         ":",
                                         "\"",
                                         "\\",
                                         "\\u0000",
                                         "\\ud800",
                                         "null",
                                         "1e999",
                                         "-",
                                         " ",
                                         "\xEF\xBB\xBF",
                                         "\xFF",
                                         "\"dtype\":\"F4\",",
                                         "F64",
                                         "\"shape\":[0],",
                                         "\"data_offsets\":[0,0]",
                                         "__metadata__",
                                         "..",
                                         "/",
                                         "GGUF",
                                         "general.alignment",
                                         "s1",
                                         "model.safetensors",
                                         "split.count",
                                         "'descr':",
                                         "True",
                                         "(1,",
                                         ">i8",
                                         "PK\1\2",
                                         "PK\6\6",
                                         "ctorch\nHalfStorage\n",
                                         "h",
                                         "R",
                                         "tQ",
                                         "u."};
    const char *token = TOKENS[draw(sizeof TOKENS / sizeof *TOKENS)];
    size_t left = bytes->n - at, gone = draw(2) * strlen(token);
    replace(bytes, at, gone < left ? gone : left, token, strlen(token));
}

/* A piece of this file or another one, moved here. */
static void edit_splice(Bytes *bytes, size_t at, const Bytes *other) {
    uint8_t piece[64];
    size_t from = draw(other->n), n = 1 + draw(sizeof piece);
    n = n < other->n - from ? n : other->n - from;
    memcpy(piece, other->data + from, n);
    size_t left = bytes->n - at, gone = draw(2) * n;
    replace(bytes, at, gone < left ? gone : left, piece, n);
}

/* The length field of a safetensors file follows its header again, so that
 * damage is not all found there. */
static void mend_length(Bytes *bytes) {
    size_t end = bytes->n;
    while (end > 8 && bytes->data[end - 1] != '}')
        end--;
    for (size_t i = 0; i < 8 && end > 8; i++)
        bytes->data[i] = (uint8_t)((end - 8) >> (8 * i));
}

/* One to four edits. */
static void mutate(Bytes *bytes, const Bytes *other, bool safetensors) {
    for (uint64_t edits = 1 + draw(4); edits > 0 && bytes->n > 0; edits--) {
        size_t at = draw(bytes->n);
        switch (draw(8)) {
        case 0:
            bytes->data[at] ^= (uint8_t)(1 << draw(8));
            break;
        case 1:
            bytes->data[at] = (uint8_t)draw(256);
            break;
        case 2:
            bytes->n = draw(4) == 0 ? at : bytes->n;
            break;
        case 3:
            edit_field(bytes, at);
            break;
        case 4:
        case 5:
            edit_number(bytes, at);
            break;
        case 6:
            edit_token(bytes, at);
            break;
        default:
            edit_splice(bytes, at, other);
            break;
        }
    }
    if (safetensors && draw(4) != 0)
        mend_length(bytes);
}

/* Every tensor can be asked for its first element. */
static void read_tensors(const Checkpoint *checkpoint) {
    for (size_t i = 0; i < checkpoint_count(checkpoint); i++) {
        Tensor tensor;
        const int64_t first[TENSOR_AXES] = {0};
        double value;
        Status status =
            checkpoint_tensor(checkpoint_entry(checkpoint, i), &tensor, NULL);
        if (status != STATUS_OK)
            continue;
        if (tensor_count(&tensor) > 0)
            status = tensor_get(&tensor, first, &value, NULL);
        tensor_release(&tensor);
        assert_int_not_equal(status, STATUS_IO);
    }
}

static void open_one(const char *path, const char *blamed) {
    Checkpoint *checkpoint = NULL;
    Err err = {0};
    Status status = checkpoint_open(&checkpoint, path, &err);
    if (status != STATUS_OK) {
        if (strncmp(err.message, blamed, strlen(blamed)) != 0 ||
            strstr(err.message, ": ") == NULL || checkpoint != NULL)
            fail_msg("status %d, %s", status, err.message);
        run.refused++;
        return;
    }
    check_entries(checkpoint);
    read_tensors(checkpoint);
    checkpoint_release(checkpoint);
    run.accepted++;
}

/* PICKLE is the pickle of a checkpoint whose other bytes are good, so that
 * not all damage is found by the archive's checksums. */
enum { GGUF, PART, SAFETENSORS, INDEX, NPY, NPZ, TORCH, PICKLE, SEEDS };

/* The file that a damaged seed becomes, the path that is then opened, and what
 * a message begins with where that is not the path. */
static const struct {
    const char *file, *path, *blamed;
} PLACES[SEEDS] = {
    [GGUF] = {"one", "one", NULL},
    [PART] = {"m-00002-of-00002.gguf", "m-00002-of-00002.gguf", "m-0000"},
    [SAFETENSORS] = {"two", "two", NULL},
    [INDEX] = {"model/model.safetensors.index.json", "model", NULL},
    [NPY] = {"three.npy", "three.npy", NULL},
    [NPZ] = {"four.npz", "four.npz", NULL},
    [TORCH] = {"five.bin", "five.bin", NULL},
    [PICKLE] = {"six.bin", "six.bin", NULL},
};

static void make_seeds(Bytes *seeds) {
    seed_gguf(&seeds[GGUF]);
    seed_part(&seeds[PART], 2);
    seed_safetensors(&seeds[SAFETENSORS]);
    seed_index(&seeds[INDEX]);
    seed_npy(&seeds[NPY]);
    seed_npz(&seeds[NPZ]);
    seed_torch(&seeds[TORCH]);
    seed_pickle(&seeds[PICKLE]);
    Bytes first;
    seed_part(&first, 1);
    write_bytes("m-00001-of-00002.gguf", &first);
    assert_int_equal(mkdir(in_folder("model"), 0700), 0);
    write_bytes("model/s1", &seeds[SAFETENSORS]);
}

static void write_and_open(uint64_t kind, const Bytes *bytes) {
    char path[200], blamed[200];
    const char *begin = PLACES[kind].blamed;
    if (kind == PICKLE) {
        Bytes whole = {.n = 0};
        wrap_pickle(&whole, bytes->data, bytes->n);
        write_bytes(PLACES[kind].file, &whole);
    } else {
        write_bytes(PLACES[kind].file, bytes);
    }
    snprintf(path, sizeof path, "%s", in_folder(PLACES[kind].path));
    snprintf(blamed, sizeof blamed, "%s",
             begin == NULL ? path : in_folder(begin));
    open_one(path, blamed);
}

static void test_damage(void **state) {
    (void)state;
    static Bytes seeds[SEEDS];
    make_seeds(seeds);
    for (uint64_t kind = 0; kind < SEEDS; kind++)
        write_and_open(kind, &seeds[kind]);
    assert_int_equal(run.accepted, SEEDS);
    print_message("%s: %llu inputs, seed %llu\n", folder(),
                  (unsigned long long)run.inputs, (unsigned long long)run.seed);
    for (uint64_t i = 0; i < run.inputs; i++) {
        run.state = run.seed + i * 0x2545F4914F6CDD1D;
        uint64_t kind = draw(SEEDS);
        Bytes bytes = seeds[kind];
        mutate(&bytes, &seeds[draw(SEEDS)], kind == SAFETENSORS);
        write_and_open(kind, &bytes);
    }
    print_message("%llu refused, %llu opened\n",
                  (unsigned long long)run.refused,
                  (unsigned long long)run.accepted);
    /* edits that are all harmless, or all fatal, would test nothing */
    assert_true(run.inputs < 1000 || (run.accepted > run.inputs / 100 &&
                                      run.refused > run.inputs / 2));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_damage)};
    run.inputs = argc > 1 ? strtoull(argv[1], NULL, 10) : run.inputs;
    run.seed = argc > 2 ? strtoull(argv[2], NULL, 10) : run.seed;
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
