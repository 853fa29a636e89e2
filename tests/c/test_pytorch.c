/* PyTorch's checkpoints: what torch.save wrote, against what torch gives; and
 * archives built by hand, each with one thing wrong. */
#include "zip_bytes.h"

#include "values.h"

#define GOLDEN "tests/golden/torch/"

/* ---- written by torch ---- */

static void check_golden(const char *name, const char *key, size_t more) {
    char path[100];
    JsonTree tree = parse(GOLDEN "expected.json");
    const Json *expected = json_member(tree.root, key);
    snprintf(path, sizeof path, GOLDEN "%s", name);
    Checkpoint *c = open_good(path);
    assert_string_equal(checkpoint_format(c), "pytorch");
    assert_int_equal(checkpoint_count(c), json_size(expected) + more);
    check_all(c, expected);
    assert_int_equal(checkpoint_note_count(c), 0);
    checkpoint_release(c);
    json_release(&tree);
}

static void test_golden(void **state) {
    (void)state;
    check_golden("state.pt", "state", 0);
    check_golden("deflated.pt", "deflated", 0);
    check_golden("protocol4.pt", "protocol4", 0);
    check_golden("bare.pt", "bare", 0);
    check_golden("trainer.pt", "trainer", 0);
    check_golden("strides.pt", "strides", 4);
}

/* State dicts keep their order, tied tensors their bytes; a slice of rows and
 * a transposed matrix are views of one storage. */
static void test_state(void **state) {
    (void)state;
    Checkpoint *c = open_good(GOLDEN "state.pt");
    assert_string_equal(checkpoint_entry(c, 0)->name, "f32");
    assert_string_equal(checkpoint_entry(c, 20)->name, "cube");
    const Entry *whole = checkpoint_find(c, "whole");
    const Entry *turned = checkpoint_find(c, "turned");
    assert_int_equal(whole->offset, checkpoint_find(c, "tied")->offset);
    assert_int_equal(whole->offset, turned->offset);
    assert_true(turned->transposed && !whole->transposed);
    assert_string_equal(entry_shape(turned), "[6, 4]");
    assert_int_equal(whole->offset + 24, checkpoint_find(c, "rows")->offset);
    checkpoint_release(c);
}

static void test_strides(void **state) {
    static const struct {
        const char *name, *strides;
    } REFUSED[] = {
        {"columns", "[6, 1]"},
        {"repeated", "[0, 1]"},
        {"permuted", "[2, 6, 1]"},
        {"single", "[6, 1]"},
    };
    (void)state;
    Checkpoint *c = open_good(GOLDEN "strides.pt");
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        Tensor tensor;
        Err err;
        char message[200];
        const Entry *entry = checkpoint_find(c, REFUSED[i].name);
        assert_non_null(entry);
        assert_int_equal(checkpoint_tensor(entry, &tensor, &err),
                         STATUS_UNSUPPORTED);
        snprintf(message, sizeof message,
                 "tensor '%s': strides %s, only row-major order and a "
                 "transposed matrix are read",
                 REFUSED[i].name, REFUSED[i].strides);
        assert_string_equal(err.message, message);
    }
    checkpoint_release(c);
}

/* What is no state dict, and the forms before the zip. */
static void test_other_pickles(void **state) {
    (void)state;
    expect_at("module", GOLDEN "module.pt", STATUS_UNSUPPORTED,
              GOLDEN "module.pt",
              "data.pkl: opcode GLOBAL at byte 2: the global "
              "'torch.nn.modules.linear.Linear' is none that a state dict "
              "needs");
    expect_at("legacy", GOLDEN "legacy.pt", STATUS_UNSUPPORTED,
              GOLDEN "legacy.pt",
              "written as torch before 1.6 did, expected its zip form: "
              "convert it with torch.save(torch.load(FILE, "
              "weights_only=True), NEW)");
    Bytes tar = {.n = 0};
    put_text(&tar, "storages");
    put_zeros(&tar, 249);
    put_text(&tar, "ustar");
    put_zeros(&tar, 250);
    const char *path = write_bytes("old.whatever", &tar);
    expect_at("tar", path, STATUS_UNSUPPORTED, path,
              "a tar archive, as torch before 0.1.10 wrote, expected its zip "
              "form: where you trust it, convert it with "
              "torch.save(torch.load(FILE, weights_only=False), NEW)");
    expect("text", write_text("x.bin", "hello"),
           "no checkpoint of PyTorch: it does not begin as a zip archive does");
    expect("empty", write_text("x.pt", ""),
           "no checkpoint of PyTorch: it does not begin as a zip archive does");
    expect("cut", write_text("x.pth", "PK\3\4"),
           "no zip archive, or one cut short: no end record");
    expect("pickle", write_text("x.ckpt", "\x80\2}."),
           "no checkpoint of PyTorch: it does not begin as a zip archive does");
}

/* ---- built by hand ---- */

/* A pickle of the pieces that a state dict is made of. */
#define START "\x80\2"
#define STORAGE(key, class, count)                                             \
    "(U\7storagectorch\n" class "Storage\nU\1" key "U\3cpuK" count "tQ"
#define V2 "ctorch._utils\n_rebuild_tensor_v2\n"
/* six floats as [2, 3] */
#define TENSOR                                                                 \
    V2 "(" STORAGE("0", "Float", "\6") "K\0K\2K\3\x86K\3K\1\x86\x89)tR"

/* An archive "m" of this pickle and a storage of `bytes` bytes. */
static void make_archive(Archive *zip, const void *pickle, size_t n,
                         size_t bytes) {
    static const uint8_t ZEROS[256];
    *zip = (Archive){.count = 0};
    put_stored(zip, "m/data.pkl", pickle, n);
    put_stored(zip, "m/byteorder", "little", 6);
    put_stored(zip, "m/data/0", ZEROS, bytes);
    put_directory(zip);
}

#define P(text) (text), sizeof(text) - 1

static void refuse(const char *id, const char *pickle, size_t n,
                   const char *message) {
    Archive zip;
    make_archive(&zip, pickle, n, 24);
    expect(id, write_bytes("bad.pt", &zip.bytes), message);
}

static Checkpoint *accept(const char *pickle, size_t n) {
    Archive zip;
    make_archive(&zip, pickle, n, 24);
    return open_good(write_bytes("good.pt", &zip.bytes));
}

static void check_names(const char *pickle, size_t n, const char *expected) {
    char names[300] = "";
    Checkpoint *c = accept(pickle, n);
    for (size_t i = 0; i < checkpoint_count(c); i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? " " : "",
                 checkpoint_entry(c, i)->name);
    }
    assert_string_equal(names, expected);
    checkpoint_release(c);
}

static void test_names(void **state) {
    (void)state;
    check_names(P(START "}U\1a" TENSOR "s."), "a");
    check_names(P(START "}."), "");
    check_names(P(START "}U\5epochK\3s."), "");
    check_names(P(START TENSOR "."), "tensor");
    check_names(P(START "]" TENSOR "a" TENSOR "a."), "0 1");
    check_names(P(START "}(U\1a}U\1b" TENSOR "sK\7" TENSOR "u."), "a.b 7");
    check_names(P(START "}(U\1x}J\xFF\xFF\xFF\xFF" TENSOR "s\x88N\x85u."),
                "x.-1");
    /* a wrapper's key goes, unless tensors lie beside it */
    check_names(P(START "}(U\5epochK\3U\5model}U\1a" TENSOR "su."), "a");
    check_names(
        P(START "}(U\5model}U\1a" TENSOR "sU\nstate_dict}U\1b" TENSOR "su."),
        "model.a b");
    check_names(P(START "}(U\5model}U\1a" TENSOR "sU\1b" TENSOR "u."),
                "model.a b");
    check_names(P(START "}(U\5modelK\1U\6module}U\1a" TENSOR "su."), "a");
}

static void test_bad_values(void **state) {
    (void)state;
    refuse("number", P(START "K\1."),
           "data.pkl: no tensors, expected a dict of them");
    refuse("global", P(START "ctorch\nFloatStorage\n."),
           "data.pkl: no tensors, expected a dict of them");
    refuse("storage", P(START STORAGE("0", "Float", "\6") "."),
           "data.pkl: no tensors, expected a dict of them");
    refuse("pickle", P(START "}"),
           "data.pkl: the pickle ends at byte 3 without STOP");
    refuse("twice", P(START "}(U\1a" TENSOR "U\1a" TENSOR "u."),
           "tensor 'a': the name stands twice");
    refuse("itself", P(START "]q\0h\0a."),
           "containers nested more than 16 deep");
    refuse("NUL", P(START "}U\2a\0" TENSOR "s."), "a NUL in a name below ''");
    refuse("NUL below", P(START "}U\1a}U\2b\0" TENSOR "ss."),
           "a NUL in a name below 'a'");
}

static void test_long_name(void **state) {
    (void)state;
    Bytes pickle = {.n = 0};
    put(&pickle, P(START "}U\1x}M\xFF\xFF"));
    pickle.n -= 3;
    put_text(&pickle, "X");
    put_number(&pickle, 1022, 4);
    memset(pickle.data + pickle.n, 'n', 1022);
    pickle.n += 1022;
    put(&pickle, P(TENSOR "ss."));
    refuse("long", (const char *)pickle.data, pickle.n,
           "a name of more than 1023 bytes begins with 'x'");
}

/* A list that holds one list ten times, and so on: more than can be walked. */
static void test_lattice(void **state) {
    (void)state;
    Bytes pickle = {.n = 0};
    put(&pickle, P(START "]q\0"));
    for (unsigned level = 1; level < 12; level++) {
        put_text(&pickle, "](");
        for (int i = 0; i < 10; i++) {
            put_text(&pickle, "h");
            put_number(&pickle, level - 1, 1);
        }
        put_text(&pickle, "eq");
        put_number(&pickle, level, 1);
    }
    for (int i = 0; i < 11; i++)
        put_text(&pickle, "\x86");
    put_text(&pickle, ".");
    refuse("lattice", (const char *)pickle.data, pickle.n,
           "more than 4194304 values");
}

/* ---- tensors and their storages ---- */

#define ONE(pickle) P(START "}U\1a" pickle "s.")

static void test_bad_tensors(void **state) {
    (void)state;
    refuse("no member",
           ONE(V2 "(" STORAGE("7", "Float", "\6") "K\0K\2\x85K\1\x85\x89)tR"),
           "tensor 'a': its storage 'm/data/7' is no member of the archive");
    refuse("few bytes",
           ONE(V2 "(" STORAGE("0", "Float", "\7") "K\0K\2\x85K\1\x85\x89)tR"),
           "tensor 'a': its storage 'm/data/0' has 24 bytes, 7 elements of "
           "F32 were expected");
    refuse("other dtype",
           ONE(V2 "(" STORAGE("0", "Half", "\6") "K\0K\2\x85K\1\x85\x89)tR"),
           "tensor 'a': its storage 'm/data/0' has 24 bytes, 6 elements of "
           "F16 were expected");
    refuse("behind",
           ONE(V2 "(" STORAGE("0", "Float",
                              "\6") "K\1K\2K\3\x86K\3K\1\x86\x89)tR"),
           "tensor 'a': it ends behind the 6 elements of its storage");
    refuse("offset",
           ONE(V2 "(" STORAGE(
               "0", "Float",
               "\6") "\x8A\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7FK\2\x85K\1\x85"
                     "\x89)tR"),
           "tensor 'a': it ends behind the 6 elements of its storage");
    refuse("overflow",
           ONE(V2 "(" STORAGE(
               "0", "Float",
               "\6") "K\0\x8A\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x85"
                     "\x8A\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x85\x89)tR"),
           "tensor 'a': it ends behind the 6 elements of its storage");
    refuse("sum",
           ONE(V2 "(" STORAGE(
               "0", "Float",
               "\6") "\x8A\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7FK\3\x85"
                     "\x8A\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x85\x89)tR"),
           "tensor 'a': it ends behind the 6 elements of its storage");
    refuse("count",
           P(START "}U\1a" V2 "((U\7storagectorch\nDoubleStorage\nU\1"
                   "0U\3cpu\x8A\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7FtQ"
                   "K\0K\2\x85K\1\x85\x89)tRs."),
           "tensor 'a': its storage 'm/data/0' has 24 bytes, "
           "9223372036854775807 elements of F64 were expected");
}

/* Without elements no stride and no offset is wrong. */
static void test_empty(void **state) {
    (void)state;
    Checkpoint *c = accept(ONE(V2 "(" STORAGE(
        "0", "Float", "\6") "\x8A\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"
                            "K\0M\xFF\xFF\x86K\7K\5\x86\x89)tR"));
    assert_string_equal(entry_shape(checkpoint_entry(c, 0)), "[0, 65535]");
    assert_null(checkpoint_entry(c, 0)->refusal);
    checkpoint_release(c);
}

static void test_long_key(void **state) {
    (void)state;
    Bytes pickle = {.n = 0};
    put(&pickle, P(START "}U\1a" V2 "((U\7storagectorch\nFloatStorage\nX"));
    put_number(&pickle, 1024, 4);
    memset(pickle.data + pickle.n, '0', 1024);
    pickle.n += 1024;
    put(&pickle, P("U\3cpuK\6tQK\0K\2\x85K\1\x85\x89)tRs."));
    refuse("key", (const char *)pickle.data, pickle.n,
           "tensor 'a': a storage's key of 1024 bytes, expected at most 1023");
}

/* ---- the archive ---- */

static void test_archive(void **state) {
    (void)state;
    static const char PICKLE[] = START "}.";
    Archive zip = {.count = 0};
    put_stored(&zip, "m/version", "3", 1);
    put_stored(&zip, "m/deep/data.pkl", P(PICKLE));
    put_directory(&zip);
    expect("no pickle", write_bytes("x.pt", &zip.bytes),
           "a zip archive without the member data.pkl, which torch.save "
           "writes");
    zip = (Archive){.count = 0};
    put_stored(&zip, "m/byteorder", "big", 3);
    put_stored(&zip, "m/data.pkl", P(PICKLE));
    put_directory(&zip);
    const char *path = write_bytes("x.pt", &zip.bytes);
    expect_at("big", path, STATUS_UNSUPPORTED, path,
              "member 'byteorder' does not say 'little', the only byte order "
              "that is read");
    zip = (Archive){.count = 0};
    put_stored(&zip, "m/byteorder", "middle", 6);
    put_stored(&zip, "m/data.pkl", P(PICKLE));
    put_directory(&zip);
    path = write_bytes("x.pt", &zip.bytes);
    expect_at("middle", path, STATUS_UNSUPPORTED, path,
              "member 'byteorder' does not say 'little', the only byte order "
              "that is read");
    make_archive(&zip, P(PICKLE), 24);
    patch(&zip, zip.members[0].data + 2, 1, ')');
    expect("CRC", write_bytes("x.pt", &zip.bytes),
           "member 'm/data.pkl': CRC-32 is 57092f6d, the directory says "
           "89deb73d");
    zip = (Archive){.count = 0};
    put_stored(&zip, "data.pkl", P(PICKLE));
    put_directory(&zip);
    /* known by its first member, whatever the file is called */
    Checkpoint *c = open_good(write_bytes("x.whatever", &zip.bytes));
    assert_string_equal(checkpoint_format(c), "pytorch");
    assert_int_equal(checkpoint_count(c), 0);
    checkpoint_release(c);
}

/* ---- folders ---- */

#define INDEX "pytorch_model.bin.index.json"

static void write_shard(const char *path, const char *name) {
    Bytes pickle = {.n = 0};
    Archive zip;
    put(&pickle, P(START "}U"));
    put_number(&pickle, strlen(name), 1);
    put_text(&pickle, name);
    put(&pickle, P(TENSOR "s."));
    make_archive(&zip, pickle.data, pickle.n, 24);
    write_bytes(path, &zip.bytes);
}

static void test_folders(void **state) {
    (void)state;
    assert_int_equal(mkdir(in_folder("model"), 0700), 0);
    write_shard("model/pytorch_model.bin", "whole");
    Checkpoint *c = open_good(in_folder("model"));
    assert_string_equal(checkpoint_entry(c, 0)->name, "whole");
    checkpoint_release(c);
    write_shard("model/p1.bin", "a");
    write_shard("model/p2.bin", "b");
    write_text("model/" INDEX,
               "{\"weight_map\":{\"b\":\"p2.bin\",\"a\":\"p1.bin\"}}");
    c = open_good(in_folder("model"));
    assert_string_equal(checkpoint_format(c), "pytorch");
    assert_int_equal(checkpoint_count(c), 2);
    assert_int_equal(checkpoint_note_count(c), 1);
    assert_string_equal(checkpoint_note(c, 0),
                        "pytorch_model.bin is not read: " INDEX
                        " stands beside it and does not list it");
    checkpoint_release(c);
    write_text("model/" INDEX,
               "{\"weight_map\":{\"a\":\"p2.bin\",\"b\":\"p1.bin\"}}");
    expect_at("wrong", in_folder("model"), STATUS_FORMAT,
              in_folder("model/p1.bin"),
              "tensor 'b' is missing, " INDEX " lists it here");
    /* safetensors win */
    Bytes bytes = {.n = 0};
    put_safetensors(&bytes, "{}", 0);
    write_bytes("model/model.safetensors", &bytes);
    c = open_good(in_folder("model"));
    assert_string_equal(checkpoint_format(c), "safetensors");
    checkpoint_release(c);
}

static void test_allocations(void **state) {
    (void)state;
    assert_true(fail_each_allocation(GOLDEN "protocol4.pt") > 15);
    assert_true(fail_each_allocation(GOLDEN "deflated.pt") > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_strides),
        cmocka_unit_test(test_other_pickles),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_lattice),
        cmocka_unit_test(test_bad_tensors),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_long_key),
        cmocka_unit_test(test_archive),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
