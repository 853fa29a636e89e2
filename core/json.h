/* JSON from foreign files: cJSON behind a strict gate.
 *
 * Before cJSON sees a text, one pass without recursion holds it to RFC 8259:
 * valid UTF-8, no byte order mark, no raw control characters, no \u0000, no
 * lone surrogate, at most 128 levels, nothing after the value. After it no
 * object has a key twice and no number is infinite. Offsets in messages are
 * bytes from the text's start. */
#ifndef WEFT_JSON_H
#define WEFT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

/* What a whole file of JSON may hold, and what its tree may cost. */
enum { JSON_FILE_MOST = 64 << 20, JSON_TREE_MOST = 256 << 20 };

typedef struct cJSON Json; /* a node; only json.c looks inside */

typedef enum JsonKind {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_TEXT,
    JSON_ARRAY,
    JSON_OBJECT
} JsonKind;

typedef struct JsonTree {
    const Json *root;
    Arena arena; /* holds every node and text */
} JsonTree;

/* Parses the n bytes of `text`, whole. `budget` is the most bytes the tree
 * may take. Creates: json_release. STATUS_FORMAT names the byte and what was
 * expected there; STATUS_NOMEM when memory runs out within the budget. */
CHECKED Status json_parse(const char *text, size_t n, size_t budget,
                          JsonTree *out, Err *err);
void json_release(JsonTree *tree);

/* Walking a tree; every result views it. child is the first one of an array
 * or object, next the one after; NULL where there is none. */
JsonKind json_kind(const Json *node);
const Json *json_child(const Json *node);
const Json *json_next(const Json *node);
const char *json_key(const Json *node);  /* NULL for an array's elements */
const char *json_text(const Json *node); /* NULL unless JSON_TEXT */
bool json_bool(const Json *node);
double json_number(const Json *node);
size_t json_size(const Json *node); /* children */

/* Whether the number is written as a plain integer within +-2^53, and it. */
bool json_integer(const Json *node, int64_t *out);

/* The member whose key is exactly `key`, case and all; NULL if none is. */
const Json *json_member(const Json *object, const char *key);

/* "a string", "2.5", … into out, for messages. Returns out. */
char *json_describe(char *out, size_t size, const Json *node);

/* A node that must be an integer from 0 to `most` (at most 2^53). `what` is
 * the message's subject. */
CHECKED Status json_u64(const Json *node, const char *what, uint64_t most,
                        uint64_t *out, Err *err);

/* Members that must be there and of that kind. STATUS_FORMAT names the key,
 * what was found and what was expected. */
CHECKED Status json_get(const Json *object, const char *key, JsonKind kind,
                        const Json **out, Err *err);
CHECKED Status json_get_u64(const Json *object, const char *key, uint64_t most,
                            uint64_t *out, Err *err);
CHECKED Status json_get_text(const Json *object, const char *key,
                             const char **out, Err *err);

/* A piece of the text that is being split: a whole value, or a key with its
 * quotes. */
typedef struct JsonSpan {
    const char *text;
    size_t n;
    uint64_t offset; /* of its first byte, as messages count */
} JsonSpan;

/* Walks an object's members without building a tree, so that a large header
 * costs no more than its largest member. Keys are not compared. */
typedef struct JsonSplit {
    const char *text;
    size_t n, at;
    uint64_t offset;
    bool first;
} JsonSplit;

/* `offset` is added to every offset in messages. */
CHECKED Status json_split(JsonSplit *out, const char *text, size_t n,
                          uint64_t offset, Err *err);
/* The next member; *more is false when the object has ended, and then nothing
 * but white space followed it. */
CHECKED Status json_split_next(JsonSplit *split, bool *more, JsonSpan *key,
                               JsonSpan *value, Err *err);

#endif
