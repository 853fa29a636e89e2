/* GGUF files built field by field, for the readers' tests. */
#ifndef WEFT_TEST_GGUF_BYTES_H
#define WEFT_TEST_GGUF_BYTES_H

#include "bytes.h"

enum { U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 };

/* Tensor types by ggml's numbers. */
enum { T_F32 = 0, T_F16 = 1, T_Q4_0 = 2, T_Q4_K = 12, T_I8 = 24, T_I64 = 27 };

static inline void put_string(Bytes *bytes, const char *text) {
    put_number(bytes, strlen(text), 8);
    put_text(bytes, text);
}

static inline void put_start(Bytes *bytes, uint32_t version, uint64_t tensors,
                             uint64_t keys) {
    bytes->n = 0;
    put_text(bytes, "GGUF");
    put_number(bytes, version, 4);
    put_number(bytes, tensors, 8);
    put_number(bytes, keys, 8);
}

static inline void put_key(Bytes *bytes, const char *key, uint32_t type) {
    put_string(bytes, key);
    put_number(bytes, type, 4);
}

static inline void put_info(Bytes *bytes, const char *name, uint32_t axes,
                            const uint64_t *sizes, uint32_t type,
                            uint64_t offset) {
    put_string(bytes, name);
    put_number(bytes, axes, 4);
    for (uint32_t i = 0; i < axes && i < 16; i++)
        put_number(bytes, sizes[i], 8);
    put_number(bytes, type, 4);
    put_number(bytes, offset, 8);
}

static inline void refuse(const char *id, const Bytes *bytes,
                          const char *message) {
    expect(id, write_bytes("bad.gguf", bytes), message);
}

static inline Checkpoint *accept(const Bytes *bytes) {
    return open_good(write_bytes("good.gguf", bytes));
}

#endif
