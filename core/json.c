/* JSON trees: the gate, cJSON on an arena, and what cJSON leaves unchecked. */
#include "json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "json_scan.h"
#include "names.h"

enum {
    /* Beside cJSON's own type bits, which end at 1 << 9: a number written as
     * a plain integer that a double holds exactly. */
    PLAIN_INTEGER = 1 << 16,
    /* Fewer keys than this are compared pair by pair. */
    FEW_KEYS = 8,
    NODE_ALIGN = 16
};

#define EXACT_MOST ((uint64_t)1 << 53)

/* The parse that a thread is in: cJSON's hooks have no argument of their own.
 * Outside of one they are plain allocation, for others who use cJSON. */
typedef struct Parse {
    Arena arena;
    size_t budget, left; /* bytes */
    Status status;
    Err *err;
} Parse;
static _Thread_local Parse *current;

static void *hook_take(size_t n) {
    if (current == NULL)
        return mem_array(n, 1, NULL);
    if (current->status != STATUS_OK)
        return NULL;
    size_t cost = n > SIZE_MAX - NODE_ALIGN ? SIZE_MAX : n + NODE_ALIGN;
    if (cost > current->left) {
        current->status =
            err_set(current->err, STATUS_FORMAT,
                    "JSON that takes more than %zu bytes of memory as a tree",
                    current->budget);
        return NULL;
    }
    current->left -= cost;
    void *block = arena_take(&current->arena, n, NODE_ALIGN, current->err);
    if (block == NULL)
        current->status = STATUS_NOMEM;
    return block;
}

/* Within a parse the arena owns everything. */
static void hook_free(void *block) {
    if (current == NULL)
        mem_free(block);
}

static void set_hooks(void) {
    cJSON_Hooks hooks = {hook_take, hook_free};
    cJSON_InitHooks(&hooks);
}

/* cJSON's parser on a text that the gate let through. */
static Status build(Parse *parse, const char *text, size_t n,
                    const Json **root) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, set_hooks);
    current = parse;
    *root = cJSON_ParseWithLengthOpts(text, n, NULL, 0);
    current = NULL;
    if (*root == NULL && parse->status == STATUS_OK)
        parse->status =
            err_set(parse->err, STATUS_FORMAT, "JSON that cannot be read");
    return parse->status;
}

/* The next number of a valid text; strings are stepped over. */
static const char *next_number(const char *at) {
    while (*at != '-' && (*at < '0' || *at > '9')) {
        if (*at++ != '"')
            continue;
        while (*at != '"')
            at += *at == '\\' ? 2 : 1;
        at++;
    }
    return at;
}

/* Where the number at `at` ends, and whether it is -?digits within 2^53. */
static const char *number_end(const char *at, const char *end, bool *plain) {
    uint64_t value = 0;
    bool minus = *at == '-';
    at += minus;
    *plain = true;
    for (; at < end && strchr("0123456789.eE+-", *at) != NULL; at++) {
        if (*at < '0' || *at > '9' || value > EXACT_MOST)
            *plain = false;
        else
            value = value * 10 + (uint64_t)(*at - '0');
    }
    if (value > EXACT_MOST || (minus && value == 0))
        *plain = false;
    return at;
}

static Status key_twice(const char *key, Err *err) {
    char shown[256];
    return err_set(err, STATUS_FORMAT, "key '%s' stands twice in an object",
                   text_escape(shown, sizeof shown, key));
}

/* No two of a few keys are the same: pair by pair. */
static Status check_few_keys(const Json *object, Err *err) {
    for (const Json *one = object->child; one != NULL; one = one->next)
        for (const Json *other = one->next; other != NULL; other = other->next)
            if (strcmp(one->string, other->string) == 0)
                return key_twice(one->string, err);
    return STATUS_OK;
}

/* No two keys of an object are the same. */
static Status check_keys(const Json *object, Err *err) {
    if (json_size(object) <= FEW_KEYS)
        return check_few_keys(object, err);
    Names names = {0};
    Status status = STATUS_OK;
    for (const Json *node = object->child; node != NULL && status == STATUS_OK;
         node = node->next) {
        size_t index;
        if (names_find(&names, node->string, &index))
            status = key_twice(node->string, err);
        else
            status = names_add(&names, node->string, 0, err);
    }
    names_release(&names);
    return status;
}

/* Walks tree and text side by side, in order: a double no longer tells how
 * its number was written. */
static Status check_tree(Json *root, const char *text, size_t n, Err *err) {
    Json *above[JSON_DEPTH];
    int depth = 0;
    const char *at = text;
    for (Json *node = root; node != NULL;) {
        if (cJSON_IsNumber(node)) {
            bool plain;
            at = number_end(next_number(at), text + n, &plain);
            if (!isfinite(node->valuedouble))
                return err_set(err, STATUS_FORMAT,
                               "a number that ends at byte %zu is too large",
                               (size_t)(at - text));
            node->type |= plain ? PLAIN_INTEGER : 0;
        }
        Status status =
            cJSON_IsObject(node) ? check_keys(node, err) : STATUS_OK;
        if (status != STATUS_OK)
            return status;
        if (node->child != NULL) {
            above[depth++] = node;
            node = node->child;
            continue;
        }
        while (node->next == NULL && depth > 0)
            node = above[--depth];
        node = node->next;
    }
    return STATUS_OK;
}

Status json_parse(const char *text, size_t n, size_t budget, JsonTree *out,
                  Err *err) {
    JsonScan scan = {(const unsigned char *)text, n, 0, 0, err};
    Status status = scan_value(&scan);
    if (status == STATUS_OK)
        status = scan_end(&scan);
    if (status != STATUS_OK)
        return status;
    Parse parse = {.budget = budget, .left = budget, .err = err};
    const Json *root = NULL;
    status = build(&parse, text, n, &root);
    if (status == STATUS_OK)
        status = check_tree((Json *)root, text, n, err);
    if (status == STATUS_OK)
        *out = (JsonTree){root, parse.arena};
    else
        arena_release(&parse.arena);
    return status;
}

void json_release(JsonTree *tree) {
    arena_release(&tree->arena);
    tree->root = NULL;
}

JsonKind json_kind(const Json *node) {
    switch (node->type & 0xFF) {
    case cJSON_False:
    case cJSON_True:
        return JSON_BOOL;
    case cJSON_Number:
        return JSON_NUMBER;
    case cJSON_String:
        return JSON_TEXT;
    case cJSON_Array:
        return JSON_ARRAY;
    case cJSON_Object:
        return JSON_OBJECT;
    default:
        return JSON_NULL;
    }
}

const Json *json_child(const Json *node) {
    return node->child;
}

const Json *json_next(const Json *node) {
    return node->next;
}

const char *json_key(const Json *node) {
    return node->string;
}

const char *json_text(const Json *node) {
    return cJSON_IsString(node) ? node->valuestring : NULL;
}

bool json_bool(const Json *node) {
    return cJSON_IsTrue(node);
}

double json_number(const Json *node) {
    return node->valuedouble;
}

size_t json_size(const Json *node) {
    size_t n = 0;
    for (const Json *child = node->child; child != NULL; child = child->next)
        n++;
    return n;
}

bool json_integer(const Json *node, int64_t *out) {
    if ((node->type & PLAIN_INTEGER) == 0)
        return false;
    *out = (int64_t)node->valuedouble;
    return true;
}

const Json *json_member(const Json *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* The kinds as messages name them, in the order of JsonKind. */
static const char *const KINDS[] = {"null",     "a boolean", "a number",
                                    "a string", "an array",  "an object"};

char *json_describe(char *out, size_t size, const Json *node) {
    JsonKind kind = json_kind(node);
    double value = node->valuedouble;
    if (kind != JSON_NUMBER)
        snprintf(out, size, "%s", KINDS[kind]);
    else if (fabs(value) >= (double)EXACT_MOST)
        snprintf(out, size, "about %.17g", value);
    else if ((node->type & PLAIN_INTEGER) == 0 && value == floor(value))
        snprintf(out, size, "%.17g written with a sign, point or exponent",
                 value);
    else
        snprintf(out, size, "%.17g", value);
    return out;
}

Status json_u64(const Json *node, const char *what, uint64_t most,
                uint64_t *out, Err *err) {
    int64_t value;
    if (json_integer(node, &value) && value >= 0 && (uint64_t)value <= most) {
        *out = (uint64_t)value;
        return STATUS_OK;
    }
    char found[96];
    return err_set(err, STATUS_FORMAT,
                   "%s is %s, expected an integer from 0 to %llu", what,
                   json_describe(found, sizeof found, node),
                   (unsigned long long)most);
}

/* A member that must be there, of any kind. */
static Status get_any(const Json *object, const char *key, const Json **out,
                      Err *err) {
    if (json_kind(object) != JSON_OBJECT)
        return err_set(err, STATUS_FORMAT, "%s, expected an object",
                       KINDS[json_kind(object)]);
    const Json *node = json_member(object, key);
    if (node == NULL)
        return err_set(err, STATUS_FORMAT, "'%s' is missing", key);
    *out = node;
    return STATUS_OK;
}

Status json_get(const Json *object, const char *key, JsonKind kind,
                const Json **out, Err *err) {
    const Json *node;
    Status status = get_any(object, key, &node, err);
    if (status != STATUS_OK)
        return status;
    char found[96];
    if (json_kind(node) != kind)
        return err_set(err, STATUS_FORMAT, "'%s' is %s, expected %s", key,
                       json_describe(found, sizeof found, node), KINDS[kind]);
    *out = node;
    return STATUS_OK;
}

Status json_get_u64(const Json *object, const char *key, uint64_t most,
                    uint64_t *out, Err *err) {
    const Json *node;
    Status status = get_any(object, key, &node, err);
    if (status != STATUS_OK)
        return status;
    char what[128];
    snprintf(what, sizeof what, "'%s'", key);
    return json_u64(node, what, most, out, err);
}

Status json_get_text(const Json *object, const char *key, const char **out,
                     Err *err) {
    const Json *node = NULL;
    Status status = json_get(object, key, JSON_TEXT, &node, err);
    if (status == STATUS_OK)
        *out = node->valuestring;
    return status;
}

Status json_split(JsonSplit *out, const char *text, size_t n, uint64_t offset,
                  Err *err) {
    JsonScan scan = {(const unsigned char *)text, n, 0, offset, err};
    scan_space(&scan);
    Status status = scan_byte(&scan, '{', "'{'");
    if (status == STATUS_OK)
        *out = (JsonSplit){text, n, scan.at, offset, true};
    return status;
}

/* Steps over the comma before a member, or over the end of the object. */
static Status split_step(JsonSplit *split, JsonScan *scan, bool *more) {
    scan_space(scan);
    *more = scan_peek(scan) != '}';
    if (!*more) {
        scan->at++;
        return scan_end(scan);
    }
    Status status =
        split->first ? STATUS_OK : scan_byte(scan, ',', "',' or '}'");
    split->first = false;
    scan_space(scan);
    return status;
}

/* A span from byte `from` to where the scanner stands. */
static JsonSpan span_of(const JsonScan *scan, size_t from) {
    return (JsonSpan){(const char *)scan->text + from, scan->at - from,
                      scan->offset + from};
}

Status json_split_next(JsonSplit *split, bool *more, JsonSpan *key,
                       JsonSpan *value, Err *err) {
    JsonScan scan = {(const unsigned char *)split->text, split->n, split->at,
                     split->offset, err};
    bool another = false;
    Status status = split_step(split, &scan, &another);
    size_t from = scan.at;
    JsonSpan name = {0};
    if (status == STATUS_OK && another) {
        status = scan_string(&scan, "a key in quotes");
        name = span_of(&scan, from);
        scan_space(&scan);
        if (status == STATUS_OK)
            status = scan_byte(&scan, ':', "':'");
        scan_space(&scan);
        from = scan.at;
        if (status == STATUS_OK)
            status = scan_value(&scan);
    }
    if (status != STATUS_OK)
        return status;
    split->at = scan.at;
    *more = another;
    *key = name;
    *value = span_of(&scan, from);
    return STATUS_OK;
}
