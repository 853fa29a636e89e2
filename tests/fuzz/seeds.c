/* Writes a small good file for each fuzz target: seeds DIR makes DIR/READER/0
 * of every reader. */
#include "seeds.h"
#include "json.h"

static void write_seed(const char *root, const char *reader,
                       const Bytes *bytes) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", root, reader);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/0", root, reader);
    FILE *stream = fopen(path, "wb");
    if (stream == NULL ||
        fwrite(bytes->data, 1, bytes->n, stream) != bytes->n ||
        fclose(stream) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
}

static void seed_second_part(Bytes *bytes) {
    seed_part(bytes, 2);
}

/* Every kind of value. */
static void seed_json(Bytes *bytes) {
    put_text(bytes, "{\"a\\u00e9\":[-1.5e+3,true,null,{\"b\":\"\xE2\x82\xAC\","
                    "\"\\ud83d\\ude00\":\"\\n\"}],\"c\":{},\"d\":[ ]}");
}

int main(int argc, char **argv) {
    static const struct {
        const char *reader;
        void (*make)(Bytes *bytes);
    } SEEDS[] = {
        {"safetensors", seed_safetensors},
        {"index", seed_index},
        {"gguf", seed_gguf},
        {"split", seed_second_part},
        {"npy", seed_npy},
        {"npz", seed_npz},
        {"torch", seed_torch},
        {"pickle", seed_pickle},
        {"json", seed_json},
    };
    if (argc != 2) {
        fprintf(stderr, "usage: seeds DIR\n");
        return EXIT_FAILURE;
    }
    mkdir(argv[1], 0777);
    for (size_t i = 0; i < sizeof SEEDS / sizeof *SEEDS; i++) {
        Bytes bytes = {.n = 0};
        SEEDS[i].make(&bytes);
        write_seed(argv[1], SEEDS[i].reader, &bytes);
    }
    return EXIT_SUCCESS;
}
