/* Opening folders, indexes and odd paths; the directory that readers fill.
 *
 * I1 test_shard_names, I2 test_broken_shards, I3 test_wrong_shard, I4
 * test_two_shards and test_unlisted, I5 test_stray, I6 test_links, I7
 * test_bad_index; S27 test_odd_paths, test_no_rights, test_folders and
 * test_content_decides. */
#include "bytes.h"

#include <errno.h>
#include <sys/syscall.h>

#define INDEX "model.safetensors.index.json"

/* Takes the place of the C library's: the n-th read from now on fails. */
static long read_countdown;

ssize_t pread(int fd, void *dst, size_t n, off_t offset) {
    if (read_countdown > 0 && --read_countdown == 0) {
        errno = EIO;
        return -1;
    }
    return syscall(SYS_pread64, fd, dst, n, offset);
}

/* One F32 [1] tensor a name; names are separated by spaces. */
static void put_shard(Bytes *bytes, const char *names) {
    char header[600] = "{", copy[200];
    size_t n = 1, count = 0;
    bytes->n = 0;
    snprintf(copy, sizeof copy, "%s", names);
    for (char *name = strtok(copy, " "); name != NULL;
         name = strtok(NULL, " "), count++)
        n += (size_t)snprintf(header + n, sizeof header - n,
                              "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[1],"
                              "\"data_offsets\":[%zu,%zu]}",
                              count > 0 ? "," : "", name, 4 * count,
                              4 * count + 4);
    snprintf(header + n, sizeof header - n, "}");
    put_safetensors(bytes, header, 4 * count);
}

/* NAME/FILE in the test's folder. */
static const char *within(const char *name, const char *file) {
    char both[200];
    snprintf(both, sizeof both, "%s/%s", name, file);
    return in_folder(both);
}

static void write_shard(const char *name, const char *file,
                        const char *tensors) {
    Bytes bytes;
    char both[200];
    put_shard(&bytes, tensors);
    snprintf(both, sizeof both, "%s/%s", name, file);
    write_bytes(both, &bytes);
}

/* A model folder with an index that holds this weight_map, and shards s1 of
 * tensors a and b, s2 of c. Returns its path. */
static const char *make_model(const char *name, const char *map) {
    char both[200], text[600];
    const char *path = in_folder(name);
    remove_tree(path);
    assert_int_equal(mkdir(path, 0700), 0);
    write_shard(name, "s1", "a b");
    write_shard(name, "s2", "c");
    snprintf(both, sizeof both, "%s/" INDEX, name);
    snprintf(text, sizeof text, "{\"metadata\":{},\"weight_map\":%s}", map);
    write_text(both, text);
    return path;
}

#define MAP "{\"a\":\"s1\",\"c\":\"s2\",\"b\":\"s1\"}"

static void test_index(void **state) {
    (void)state;
    Checkpoint *c = open_good(make_model("index", MAP));
    assert_int_equal(checkpoint_count(c), 3);
    assert_string_equal(checkpoint_entry(c, 0)->name, "a");
    assert_string_equal(checkpoint_entry(c, 1)->name, "b");
    assert_string_equal(checkpoint_entry(c, 2)->name, "c");
    assert_string_equal(file_path(checkpoint_find(c, "c")->file),
                        within("index", "s2"));
    assert_int_equal(checkpoint_note_count(c), 0);
    checkpoint_release(c);
}

static void test_shard_names(void **state) {
    (void)state;
    static const struct {
        const char *value, *shown;
    } NAMES[] = {
        {"../../x", "../../x"}, {"/etc/passwd", "/etc/passwd"},
        {"a/b", "a/b"},         {"", ""},
        {"..", ".."},           {".", "."},
        {"-e", "-e"},           {"a\\\\b", "a\\b"},
        {"../s1", "../s1"},     {"\\u001b/", "\\x1B/"},
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char map[100], message[200];
        snprintf(map, sizeof map, "{\"a\":\"%s\"}", NAMES[i].value);
        snprintf(message, sizeof message,
                 "weight_map: tensor 'a' is in '%s', expected a plain file "
                 "name",
                 NAMES[i].shown);
        const char *path = make_model("names", map);
        expect_at("I1", path, STATUS_FORMAT, within("names", INDEX), message);
    }
    expect_at("I1 NUL", make_model("names", "{\"a\":\"s1\\u0000\"}"),
              STATUS_FORMAT, within("names", INDEX),
              "byte 38: \\u0000, a NUL, in a string");
}

static void test_broken_shards(void **state) {
    (void)state;
    const char *path = make_model("broken", MAP);
    const char *shard = within("broken", "s2");
    assert_int_equal(truncate(shard, 62), 0);
    expect_at("I2 truncated", path, STATUS_FORMAT, shard,
              "tensor 'c': bytes 62 to 66, but the file ends at byte 62 (4 "
              "missing)");
    unlink(shard);
    expect_at("I2 missing", path, STATUS_IO, shard,
              "cannot open: No such file or directory");
    assert_int_equal(mkdir(shard, 0700), 0);
    expect_at("I2 folder", path, STATUS_IO, shard,
              "a folder, expected a regular file");
}

static void test_wrong_shard(void **state) {
    (void)state;
    const char *path =
        make_model("wrong", "{\"a\":\"s1\",\"b\":\"s2\",\"c\":\"s2\"}");
    expect_at("I3 in the other", path, STATUS_FORMAT, within("wrong", "s2"),
              "tensor 'b' is missing, " INDEX " lists it here");
    path = make_model("wrong", "{\"a\":\"s1\",\"x\":\"s1\",\"c\":\"s2\"}");
    expect_at("I3 in none", path, STATUS_FORMAT, within("wrong", "s1"),
              "tensor 'x' is missing, " INDEX " lists it here");
}

static void test_two_shards(void **state) {
    (void)state;
    char message[700];
    const char *path = make_model("two", MAP);
    write_shard("two", "s2", "c a");
    snprintf(message, sizeof message, "tensor 'a': the name stands in %s too",
             within("two", "s1"));
    expect_at("I4 twice", path, STATUS_FORMAT, within("two", "s2"), message);
}

static void test_unlisted(void **state) {
    (void)state;
    Checkpoint *c = open_good(make_model("unlisted", "{\"b\":\"s1\"}"));
    assert_int_equal(checkpoint_count(c), 2);
    assert_int_equal(checkpoint_note_count(c), 1);
    assert_string_equal(checkpoint_note(c, 0),
                        "s1: 1 tensor that " INDEX
                        " does not list, the first is 'a'");
    checkpoint_release(c);
}

static void test_stray(void **state) {
    (void)state;
    const char *path = make_model("stray", MAP);
    write_shard("stray", "model.safetensors", "stray");
    Checkpoint *c = open_good(path);
    assert_int_equal(checkpoint_count(c), 3);
    assert_null(checkpoint_find(c, "stray"));
    assert_int_equal(checkpoint_note_count(c), 1);
    assert_string_equal(checkpoint_note(c, 0),
                        "model.safetensors is not read: " INDEX
                        " stands beside it and does not list it");
    checkpoint_release(c);
    path = make_model("stray", "{\"a\":\"model.safetensors\"}");
    write_shard("stray", "model.safetensors", "a");
    c = open_good(path);
    assert_int_equal(checkpoint_note_count(c), 0);
    checkpoint_release(c);
}

/* The hub's cache: links into a folder of blobs elsewhere. */
static void test_links(void **state) {
    (void)state;
    const char *path = make_model("links", MAP);
    assert_int_equal(mkdir(in_folder("blobs"), 0700), 0);
    assert_int_equal(rename(within("links", "s1"), in_folder("blobs/1")), 0);
    assert_int_equal(symlink("../blobs/1", within("links", "s1")), 0);
    assert_int_equal(rename(within("links", INDEX), in_folder("blobs/i")), 0);
    assert_int_equal(symlink("../blobs/i", within("links", INDEX)), 0);
    Checkpoint *c = open_good(path);
    assert_int_equal(checkpoint_count(c), 3);
    checkpoint_release(c);
    unlink(in_folder("blobs/i"));
    expect_at("link to nowhere", path, STATUS_IO, within("links", INDEX),
              "cannot open: No such file or directory");
}

static void test_bad_index(void **state) {
    (void)state;
    static const struct {
        const char *id, *text, *message;
    } BAD[] = {
        {"I7 array", "{\"weight_map\":[]}",
         "'weight_map' is an array, expected an object"},
        {"I7 numbers", "{\"weight_map\":{\"a\":1}}",
         "weight_map: tensor 'a' is in 1, expected a string"},
        {"I7 none", "{\"Weight_map\":{}}", "'weight_map' is missing"},
        {"I7 no object", "[]", "an array, expected an object"},
        {"I7 no JSON", "", "byte 0: the text ends, expected a value"},
        {"I7 garbage", "{\"weight_map\":{}} x",
         "byte 18: found 'x', expected the end of the text"},
        {"I7 twice", "{\"weight_map\":{\"a\":\"s1\",\"a\":\"s2\"}}",
         "key 'a' stands twice in an object"},
    };
    const char *path = make_model("bad", MAP);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        write_text("bad/" INDEX, BAD[i].text);
        expect_at(BAD[i].id, path, STATUS_FORMAT, within("bad", INDEX),
                  BAD[i].message);
    }
    assert_int_equal(truncate(within("bad", INDEX), (64 << 20) + 1), 0);
    expect_at("I7 large", path, STATUS_FORMAT, within("bad", INDEX),
              "67108865 bytes, expected at most 67108864");
    write_text("bad/" INDEX, "{\"weight_map\":{}}");
    Checkpoint *c = open_good(path);
    assert_int_equal(checkpoint_count(c), 0);
    checkpoint_release(c);
}

static void test_folders(void **state) {
    (void)state;
    static const char NONE[] =
        "no model.safetensors, no pytorch_model.bin and no index of either in "
        "this folder, ";
    char message[600];
    const char *path = in_folder("plain");
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(message, sizeof message,
             "%snor any other .safetensors, .gguf, .npz or .npy file", NONE);
    expect_at("empty", path, STATUS_IO, path, message);
    Bytes bytes = {.n = 0};
    put_text(&bytes, "GGUF");
    put_number(&bytes, 3, 4);
    put_zeros(&bytes, 16);
    write_bytes("plain/only.gguf", &bytes);
    Checkpoint *c = open_good(path);
    assert_string_equal(checkpoint_format(c), "gguf");
    checkpoint_release(c);
    write_bytes("plain/a\nb.gguf", &bytes);
    write_shard("plain", "z.safetensors", "a");
    snprintf(message, sizeof message,
             "%sthere is a\\x0Ab.gguf, only.gguf, z.safetensors", NONE);
    expect_at("several", path, STATUS_IO, path, message);
    for (int i = 0; i < 10; i++) {
        char name[40];
        snprintf(name, sizeof name, "plain/b%d.gguf", i);
        write_bytes(name, &bytes);
    }
    snprintf(message, sizeof message,
             "%sthere is a\\x0Ab.gguf, b0.gguf, b1.gguf, b2.gguf, b3.gguf, "
             "b4.gguf, b5.gguf, b6.gguf and 5 more",
             NONE);
    expect_at("many", path, STATUS_IO, path, message);
    write_shard("plain", "model.safetensors", "a");
    c = open_good(within("plain", ""));
    assert_int_equal(checkpoint_count(c), 1);
    checkpoint_release(c);
}

#define OTHER                                                                  \
    "none of a safetensors file, a GGUF, a PyTorch checkpoint, an .npy and "   \
    "an "                                                                      \
    ".npz"

/* Neither the extension nor its lack decides what a file is. */
static void test_content_decides(void **state) {
    (void)state;
    Bytes bytes;
    put_shard(&bytes, "a");
    Checkpoint *c = open_good(write_bytes("really-safetensors.gguf", &bytes));
    assert_string_equal(checkpoint_format(c), "safetensors");
    checkpoint_release(c);
    expect("other", write_text("other", "PK\3\4 is something else"), OTHER);
    expect("empty", write_text("other", ""), OTHER);
    expect("cut", write_text("cut.gguf", "GGU"),
           "the magic at byte 0 takes 4 bytes, 3 are left");
    expect("text", write_text("text.safetensors", "nothing"),
           "7 bytes, a safetensors file has at least 8");
}

/* S27: nothing hangs. */
static void test_odd_paths(void **state) {
    (void)state;
    expect_at("S27 device", "/dev/zero", STATUS_IO, "/dev/zero",
              "a device, expected a regular file");
    const char *path = in_folder("pipe.safetensors");
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_at("S27 pipe", path, STATUS_IO, path,
              "a pipe, expected a regular file");
    path = in_folder("absent\033[2J");
    char shown[300];
    snprintf(shown, sizeof shown, "%s/absent\\x1B[2J", folder());
    expect_at("S27 absent", path, STATUS_IO, shown,
              "cannot open: No such file or directory");
}

/* S27 where the rights are missing: whoever has them all becomes nobody. */
static void test_no_rights(void **state) {
    (void)state;
    const char *path = write_text("private.safetensors", "x");
    const char *inner = in_folder("private");
    char message[300];
    Checkpoint *c = NULL;
    Err file, listing;
    assert_int_equal(mkdir(inner, 0111), 0);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chmod(folder(), 0755), 0);
    uid_t me = geteuid();
    assert_int_equal(me == 0 ? seteuid(65534) : 0, 0);
    Status status = checkpoint_open(&c, path, &file);
    Status other = checkpoint_open(&c, inner, &listing);
    assert_int_equal(me == 0 ? seteuid(me) : 0, 0);
    assert_int_equal(status, STATUS_IO);
    snprintf(message, sizeof message, "%s: cannot open: Permission denied",
             path);
    assert_string_equal(file.message, message);
    assert_int_equal(other, STATUS_IO);
    snprintf(message, sizeof message,
             "%s: cannot open the folder: Permission denied", inner);
    assert_string_equal(listing.message, message);
    assert_int_equal(chmod(inner, 0700), 0);
}

/* A path longer than a message keeps the message's room. */
static void test_long_path(void **state) {
    (void)state;
    Checkpoint *c = NULL;
    Err err;
    char path[3000];
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    assert_int_equal(checkpoint_open(&c, path, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "xxx: cannot open: File name too"));
}

static void test_tensor(void **state) {
    (void)state;
    Bytes bytes = {.n = 0};
    const float values[] = {1, 2, 3, 4, 5, 6};
    put_safetensors(&bytes,
                    "{\"m\":{\"dtype\":\"F32\",\"shape\":[1,2,3],"
                    "\"data_offsets\":[0,24]}}",
                    0);
    put(&bytes, values, sizeof values);
    Checkpoint *c = open_good(write_bytes("tensor.safetensors", &bytes));
    Tensor tensor;
    double value = 0;
    Err err;
    assert_int_equal(checkpoint_tensor(checkpoint_entry(c, 0), &tensor, NULL),
                     STATUS_OK);
    assert_int_equal(tensor.axes, 3);
    assert_int_equal(tensor_count(&tensor), 6);
    assert_int_equal(tensor_get(&tensor, (int64_t[]){0, 1, 2}, &value, NULL),
                     STATUS_OK);
    assert_true(value == 6);
    checkpoint_close(c);
    checkpoint_release(c);
    assert_int_equal(tensor_get(&tensor, (int64_t[]){0, 1, 2}, &value, &err),
                     STATUS_CLOSED);
    assert_string_equal(err.message, "tensor is closed");
    tensor_release(&tensor);
}

/* What a reader may get wrong is refused where it is handed over. */
static void test_add(void **state) {
    (void)state;
    Checkpoint *c = NULL;
    File *file = NULL;
    Err err;
    const int64_t shape[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, negative[] = {-1};
    assert_int_equal(checkpoint_create(&c, "test", NULL), STATUS_OK);
    assert_int_equal(file_open(&file, write_text("add", "123"), NULL),
                     STATUS_OK);
    assert_int_equal(checkpoint_add(c, "a", DTYPE_U8, 9, shape, file, 0, &err),
                     STATUS_UNSUPPORTED);
    assert_string_equal(err.message, "tensor 'a': 9 axes, at most 8 are read");
    assert_int_equal(
        checkpoint_add(c, "a", DTYPE_U8, 1, negative, file, 0, &err),
        STATUS_FORMAT);
    assert_string_equal(err.message, "tensor 'a': [-1] has a negative axis");
    assert_int_equal(
        checkpoint_add(c, "a", DTYPE_U8, 1, shape, file, UINT64_MAX, NULL),
        STATUS_OK);
    assert_int_equal(checkpoint_place(c, 0, 3, &err), STATUS_FORMAT);
    assert_string_equal(err.message, "tensor 'a': ends beyond 2^64 bytes");
    checkpoint_release(c);
    file_release(file);
    checkpoint_release(NULL);
}

static void test_tiny_model(void **state) {
    (void)state;
    Checkpoint *c = open_good("tests/golden/tiny-qwen2");
    static const struct {
        const char *name, *shape;
    } SHAPES[] = {
        {"model.embed_tokens.weight", "[320, 96]"},
        {"model.layers.0.self_attn.q_proj.weight", "[96, 96]"},
        {"model.layers.4.self_attn.k_proj.weight", "[32, 96]"},
        {"model.layers.0.mlp.down_proj.weight", "[96, 256]"},
        {"model.norm.weight", "[96]"},
    };
    assert_string_equal(checkpoint_format(c), "safetensors");
    assert_int_equal(checkpoint_count(c), 86);
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        const Entry *entry = checkpoint_find(c, SHAPES[i].name);
        assert_non_null(entry);
        assert_string_equal(entry_shape(entry), SHAPES[i].shape);
    }
    assert_int_equal(checkpoint_note_count(c), 0);
    checkpoint_release(c);
}

/* An index with a note of each kind, so that these are gone through too. */
static const char *make_noted_model(void) {
    const char *path = make_model("noted", "{\"b\":\"s1\",\"c\":\"s2\"}");
    write_shard("noted", "model.safetensors", "stray");
    return path;
}

static const char *make_gguf_folder(void) {
    Bytes bytes = {.n = 0};
    const char *path = in_folder("one-gguf");
    put_text(&bytes, "GGUF");
    put_number(&bytes, 3, 4);
    put_zeros(&bytes, 16);
    remove_tree(path);
    assert_int_equal(mkdir(path, 0700), 0);
    write_bytes("one-gguf/a.gguf", &bytes);
    return path;
}

static void test_allocations_fail(void **state) {
    (void)state;
    assert_true(fail_each_allocation(make_noted_model()) > 25);
    assert_true(fail_each_allocation(make_gguf_folder()) > 6);
}

/* Makes each read fail in turn until opening succeeds; returns how many there
 * were. The message has the path once. */
static long fail_each_read(const char *path) {
    for (long n = 1;; n++) {
        Checkpoint *c = NULL;
        Err err = {0};
        read_countdown = n;
        Status status = checkpoint_open(&c, path, &err);
        read_countdown = 0;
        if (status == STATUS_OK) {
            checkpoint_release(c);
            return n - 1;
        }
        assert_int_equal(status, STATUS_IO);
        assert_null(c);
        assert_int_equal(strncmp(err.message, path, strlen(path)), 0);
        assert_null(strstr(err.message + 1, folder()));
        assert_non_null(strstr(err.message, ": cannot read "));
        assert_non_null(strstr(err.message, ": Input/output error"));
    }
}

static void test_reads_fail(void **state) {
    (void)state;
    assert_int_equal(fail_each_read(make_noted_model()), 5);
    assert_int_equal(fail_each_read(make_gguf_folder()), 2);
    assert_int_equal(fail_each_read(within("noted", "s1")), 3);
    assert_true(fail_each_read("tests/golden/torch/deflated.pt") > 40);
    assert_true(fail_each_read("tests/golden/torch/protocol4.pt") > 10);
    assert_true(fail_each_read("tests/golden/npz/stored.npz") > 20);
    assert_true(fail_each_read("tests/golden/npy/f8-big.npy") > 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_index),
        cmocka_unit_test(test_shard_names),
        cmocka_unit_test(test_broken_shards),
        cmocka_unit_test(test_wrong_shard),
        cmocka_unit_test(test_two_shards),
        cmocka_unit_test(test_unlisted),
        cmocka_unit_test(test_stray),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_bad_index),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_content_decides),
        cmocka_unit_test(test_odd_paths),
        cmocka_unit_test(test_no_rights),
        cmocka_unit_test(test_long_path),
        cmocka_unit_test(test_tensor),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_tiny_model),
        cmocka_unit_test(test_allocations_fail),
        cmocka_unit_test(test_reads_fail),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
