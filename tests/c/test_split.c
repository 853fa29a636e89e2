/* A GGUF in parts: any of them opens all, and each must say what its name
 * says. */
#include "gguf_bytes.h"

/* One part with a F32 [1] tensor, and what its keys say. */
typedef struct Part {
    const char *name, *tensor;
    int number, count, tensors;
} Part;

static void write_part(const Part *part) {
    Bytes bytes;
    char path[200];
    put_start(&bytes, 3, 1, part->count < 0 ? 1 : 4);
    put_key(&bytes, "general.alignment", U32);
    put_number(&bytes, 8, 4);
    if (part->count >= 0) {
        put_key(&bytes, "split.no", U16);
        put_number(&bytes, (uint64_t)part->number, 2);
        put_key(&bytes, "split.count", U16);
        put_number(&bytes, (uint64_t)part->count, 2);
        put_key(&bytes, "split.tensors.count", I32);
        put_number(&bytes, (uint64_t)part->tensors, 4);
    }
    put_info(&bytes, part->tensor, 1, (uint64_t[]){1}, T_F32, 0);
    put_padding(&bytes, 8);
    put_zeros(&bytes, 8);
    snprintf(path, sizeof path, "split/%s", part->name);
    write_bytes(path, &bytes);
}

#define ONE "m-00001-of-00003.gguf"
#define TWO "m-00002-of-00003.gguf"
#define THREE "m-00003-of-00003.gguf"

/* A folder of three good parts, of which `part`, unless it is NULL, is put
 * over the one of its name. */
static void make_split(const Part *part) {
    static const Part GOOD[] = {
        {ONE, "a", 0, 3, 3}, {TWO, "b", 1, 3, 3}, {THREE, "c", 2, 3, 3}};
    remove_tree(in_folder("split"));
    assert_int_equal(mkdir(in_folder("split"), 0700), 0);
    for (size_t i = 0; i < 3; i++)
        write_part(&GOOD[i]);
    if (part != NULL)
        write_part(part);
}

static void check_all_parts(const char *path) {
    Checkpoint *c = open_good(path);
    assert_string_equal(checkpoint_format(c), "gguf");
    assert_int_equal(checkpoint_count(c), 3);
    assert_string_equal(checkpoint_entry(c, 0)->name, "a");
    assert_string_equal(checkpoint_entry(c, 2)->name, "c");
    assert_string_equal(file_path(checkpoint_entry(c, 1)->file),
                        in_folder("split/" TWO));
    assert_int_equal(checkpoint_find_meta(c, "split.no")->integer, 0);
    assert_int_equal(checkpoint_note_count(c), 0);
    checkpoint_release(c);
}

static void test_good(void **state) {
    (void)state;
    make_split(NULL);
    check_all_parts(in_folder("split/" ONE));
    check_all_parts(in_folder("split/" TWO));
    check_all_parts(in_folder("split/" THREE));
    check_all_parts(in_folder("split"));
}

static void test_bad(void **state) {
    static const struct {
        Part part;
        const char *file, *message;
    } CASES[] = {
        {{TWO, "b", 2, 3, 3}, TWO, "split.no is 2, the file's name says 1"},
        {{TWO, "b", 1, 4, 3}, TWO, "split.count is 4, the file's name says 3"},
        {{TWO, "b", 0, -1, 0}, TWO, "split.count is 0, the file's name says 3"},
        {{THREE, "c", 2, 3, 4},
         THREE,
         "split.tensors.count is 4, the 3 parts have 3 tensors"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char where[300];
        make_split(&CASES[i].part);
        snprintf(where, sizeof where, "split/%s", CASES[i].file);
        expect_at("bad", in_folder("split"), STATUS_FORMAT, in_folder(where),
                  CASES[i].message);
    }
    char message[600];
    make_split(&(Part){THREE, "a", 2, 3, 3});
    snprintf(message, sizeof message, "tensor 'a': the name stands in %s too",
             in_folder("split/" ONE));
    expect_at("twice", in_folder("split"), STATUS_FORMAT,
              in_folder("split/" THREE), message);
}

static void test_missing(void **state) {
    (void)state;
    make_split(NULL);
    unlink(in_folder("split/" TWO));
    expect_at("missing", in_folder("split/" ONE), STATUS_IO,
              in_folder("split/" TWO),
              "cannot open: No such file or directory");
    expect_at("missing", in_folder("split"), STATUS_IO, in_folder("split/" TWO),
              "cannot open: No such file or directory");
    make_split(NULL);
    assert_int_equal(truncate(in_folder("split/" THREE), 3), 0);
    expect_at("cut", in_folder("split/" ONE), STATUS_FORMAT,
              in_folder("split/" THREE),
              "the magic at byte 0 takes 4 bytes, 3 are left");
    expect_at("cut itself", in_folder("split/" THREE), STATUS_FORMAT,
              in_folder("split/" THREE),
              "the magic at byte 0 takes 4 bytes, 3 are left");
}

/* A name that only looks so, and a part by another name. */
static void test_other_names(void **state) {
    (void)state;
    static const char *const WHOLE[] = {
        "m-00001-of-00003.gguf",
        "m-00000-of-00003.gguf",
        "m-00004-of-00003.gguf",
        "m-0000x-of-00003.gguf",
        "m-00001-of-0000x.gguf",
        "m-00001_of-00003.gguf",
        "m_00001-of-00003.gguf",
        "m-00001-to-00003.gguf",
        "m.gguf",
    };
    for (size_t i = 0; i < sizeof WHOLE / sizeof *WHOLE; i++) {
        remove_tree(in_folder("split"));
        assert_int_equal(mkdir(in_folder("split"), 0700), 0);
        write_part(&(Part){WHOLE[i], "a", 0, -1, 0});
        Checkpoint *c = open_good(in_folder("split"));
        assert_int_equal(checkpoint_count(c), 1);
        assert_int_equal(checkpoint_note_count(c), 0);
        checkpoint_release(c);
    }
    write_part(&(Part){"m.gguf", "a", 0, 3, 3});
    Checkpoint *c = open_good(in_folder("split"));
    assert_int_equal(checkpoint_note_count(c), 1);
    assert_string_equal(checkpoint_note(c, 0),
                        "one of 3 parts of a model: the other parts' tensors "
                        "are not here");
    checkpoint_release(c);
}

/* Two models in a folder. */
static void test_two(void **state) {
    (void)state;
    make_split(NULL);
    write_part(&(Part){"n-00001-of-00003.gguf", "a", 0, 3, 3});
    expect_at("two", in_folder("split"), STATUS_IO, in_folder("split"),
              "no model.safetensors, no pytorch_model.bin and no index of "
              "either in this folder, there is " ONE ", " TWO ", " THREE
              ", n-00001-of-00003.gguf");
    make_split(NULL);
    write_part(&(Part){"m-00001-of-00002.gguf", "a", 0, 2, 3});
    expect_at("counts", in_folder("split"), STATUS_IO, in_folder("split"),
              "no model.safetensors, no pytorch_model.bin and no index of "
              "either in this folder, there is m-00001-of-00002.gguf, " ONE
              ", " TWO ", " THREE);
}

static void test_allocations(void **state) {
    (void)state;
    make_split(NULL);
    assert_true(fail_each_allocation(in_folder("split")) > 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),    cmocka_unit_test(test_bad),
        cmocka_unit_test(test_missing), cmocka_unit_test(test_other_names),
        cmocka_unit_test(test_two),     cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
