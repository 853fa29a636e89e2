/* Tensors against numbers in a file of JSON. Include after bytes.h. */
#ifndef WEFT_TEST_VALUES_H
#define WEFT_TEST_VALUES_H

#include "checkpoint.h"
#include "json.h"

/* A file's text as a tree. */
static inline JsonTree parse(const char *path) {
    static char text[1 << 16];
    JsonTree tree;
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    size_t n = fread(text, 1, sizeof text, stream);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(json_parse(text, n, 1 << 24, &tree, NULL), STATUS_OK);
    return tree;
}

/* Every element of a tensor against the list of numbers that another reader
 * gave. */
static inline void check_values(const Entry *entry, const Json *expected) {
    Tensor tensor, held;
    assert_int_equal(checkpoint_tensor(entry, &tensor, NULL), STATUS_OK);
    assert_int_equal(tensor_copy(&held, &tensor, DTYPE_F64, NULL), STATUS_OK);
    const Json *shape = json_child(json_member(expected, "shape"));
    for (int i = 0; i < entry->axes; i++, shape = json_next(shape))
        assert_int_equal(entry->shape[i], (int64_t)json_number(shape));
    assert_null(shape);
    const Json *value = json_child(json_member(expected, "values"));
    const double *found = tensor_data(&held);
    for (int64_t i = 0; i < tensor_count(&held); i++, value = json_next(value))
        assert_true(found[i] == json_number(value));
    assert_null(value);
    tensor_release(&held);
    tensor_release(&tensor);
}

/* The tensors of expected.json's object `node` are in the checkpoint. */
static inline void check_all(const Checkpoint *checkpoint, const Json *node) {
    for (node = json_child(node); node != NULL; node = json_next(node)) {
        const Entry *entry = checkpoint_find(checkpoint, json_key(node));
        assert_non_null(entry);
        check_values(entry, node);
    }
}

#endif
