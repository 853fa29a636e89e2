/* One small good file for each reader: what damage starts from. */
#ifndef WEFT_TEST_SEEDS_H
#define WEFT_TEST_SEEDS_H

#include "gguf_bytes.h"
#include "zip_bytes.h"

static inline void seed_gguf(Bytes *bytes) {
    put_start(bytes, 3, 2, 3);
    put_key(bytes, "general.alignment", U32);
    put_number(bytes, 8, 4);
    put_key(bytes, "words", ARRAY);
    put_number(bytes, STRING, 4);
    put_number(bytes, 2, 8);
    put_string(bytes, "a");
    put_string(bytes, "bc");
    put_key(bytes, "name", STRING);
    put_string(bytes, "m");
    put_info(bytes, "x", 2, (uint64_t[]){32, 2}, T_Q4_0, 0);
    put_info(bytes, "y", 2, (uint64_t[]){32, 2}, T_I8, 40);
    put_padding(bytes, 8);
    put_zeros(bytes, 104);
}

/* Part 1 or 2 of a GGUF in two parts: one tensor in each. */
static inline void seed_part(Bytes *bytes, unsigned part) {
    put_start(bytes, 3, 1, 3);
    put_key(bytes, "split.no", U16);
    put_number(bytes, part - 1, 2);
    put_key(bytes, "split.count", U16);
    put_number(bytes, 2, 2);
    put_key(bytes, "split.tensors.count", I32);
    put_number(bytes, 2, 4);
    put_info(bytes, part == 1 ? "x" : "y", 1, (uint64_t[]){4}, T_F32, 0);
    put_padding(bytes, 32);
    put_zeros(bytes, 32);
}

static inline void seed_safetensors(Bytes *bytes) {
    put_safetensors(bytes,
                    "{\"__metadata__\":{\"format\":\"pt\"},"
                    "\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],"
                    "\"data_offsets\":[0,16]},"
                    "\"b\":{\"dtype\":\"I8\",\"shape\":[3],"
                    "\"data_offsets\":[16,19]}}",
                    19);
}

/* An index over one shard, s1, that is seed_safetensors. */
static inline void seed_index(Bytes *bytes) {
    put_text(bytes, "{\"metadata\":{\"total_size\":19},\"weight_map\":"
                    "{\"a\":\"s1\",\"b\":\"s1\"}}");
}

static inline void seed_npy(Bytes *bytes) {
    put(bytes, "\x93NUMPY\1\0", 8);
    put_number(bytes, 56, 2);
    put_text(bytes, "{'descr':'>f4', 'fortran_order':True, 'shape':(2, 3), }");
    put_text(bytes, "\n");
    for (unsigned i = 0; i < 24; i++)
        put_number(bytes, i, 1);
}

/* One member in place, one deflated. */
static inline void seed_npz(Bytes *bytes) {
    Archive zip = {.count = 0};
    uint8_t npy[256];
    size_t n = make_npy(npy, sizeof npy, NPY_HEADER);
    put_stored(&zip, "a.npy", npy, n);
    put_deflated(&zip, "b.npy", npy, n);
    put_directory(&zip);
    put(bytes, zip.bytes.data, zip.bytes.n);
}

/* A tensor of 2 x 2 over the four floats of storage KEY. */
#define PICKLED(key)                                                           \
    "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\n"            \
    "FloatStorage\nX\1\0\0\0" key "X\3\0\0\0cpuK\4tQK\0K\2K\2\x86K\2K\1\x86"   \
    "\x89h\0)RtR"

/* The pickle of a state dict of two tensors. */
static inline void seed_pickle(Bytes *bytes) {
    static const char TEXT[] =
        "\x80\2ccollections\nOrderedDict\nq\0)R(X\1\0\0\0a" PICKLED(
            "0") "X\1\0\0\0b" PICKLED("1") "u.";
    put(bytes, TEXT, sizeof TEXT - 1);
}

/* A PyTorch checkpoint around a pickle, as it comes. */
static inline void wrap_pickle(Bytes *bytes, const void *pickle, size_t n) {
    static const float VALUES[] = {1, 2, 3, 4};
    Archive zip = {.count = 0};
    put_stored(&zip, "m/data.pkl", pickle, n);
    put_stored(&zip, "m/byteorder", "little", 6);
    put_stored(&zip, "m/data/0", VALUES, sizeof VALUES);
    put_deflated(&zip, "m/data/1", VALUES, sizeof VALUES);
    put_directory(&zip);
    put(bytes, zip.bytes.data, zip.bytes.n);
}

static inline void seed_torch(Bytes *bytes) {
    Bytes pickle = {.n = 0};
    seed_pickle(&pickle);
    wrap_pickle(bytes, pickle.data, pickle.n);
}

#endif
