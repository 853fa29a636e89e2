/* The gate in front of cJSON: what it lets through, and each refusal. */
#include "bytes.h"

#include <cjson/cJSON.h>
#include <dlfcn.h>

#include "json.h"

enum { BUDGET = 1 << 20 };

typedef cJSON *ParseJson(const char *text, size_t n, const char **end,
                         cJSON_bool need_nul);

/* Takes the place of the library's: as if it were one that refuses. */
static bool refuse_all;

CJSON_PUBLIC(cJSON *)
cJSON_ParseWithLengthOpts(const char *text, size_t n, const char **end,
                          cJSON_bool need_nul) {
    void *found = dlsym(RTLD_NEXT, "cJSON_ParseWithLengthOpts");
    ParseJson *parse;
    memcpy(&parse, &found, sizeof parse);
    return refuse_all ? NULL : parse(text, n, end, need_nul);
}

/* Parses n bytes; the message, or "" where it was let through. */
static const char *verdict(const char *text, size_t n) {
    static Err err;
    JsonTree tree;
    err.message[0] = '\0';
    Status status = json_parse(text, n, BUDGET, &tree, &err);
    if (status != STATUS_OK) {
        assert_int_equal(status, STATUS_FORMAT);
        return err.message;
    }
    json_release(&tree);
    return "";
}

static const struct {
    const char *text, *message;
} CASES[] = {
    {"{}", ""},
    {" [ ] ", ""},
    {"\t\r\n{\"a\" : [1 , -0, 0.5e+3, 1E9, true,false,null] }\n", ""},
    {"\"\\u00e9\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\\\\\\"\"", ""},
    {"\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\"", ""},
    {"{\"a\":{\"a\":1},\"A\":2}", ""},
    {"", "byte 0: the text ends, expected a value"},
    {"{", "byte 1: the text ends, expected a key in quotes"},
    {"[", "byte 1: the text ends, expected a value"},
    {"[1", "byte 2: the text ends, expected ',' or ']'"},
    {"{\"a\":1", "byte 6: the text ends, expected ',' or '}'"},
    {"{\"a\"", "byte 4: the text ends, expected ':'"},
    {"[1,]", "byte 3: found ']', expected a value"},
    {"{\"a\":1,}", "byte 7: found '}', expected a key in quotes"},
    {"{a:1}", "byte 1: found 'a', expected a key in quotes"},
    {"{1:1}", "byte 1: found '1', expected a key in quotes"},
    {"[1}", "byte 2: found '}', expected ',' or ']'"},
    {"{\"a\":1]", "byte 6: found ']', expected ',' or '}'"},
    {"[1 2]", "byte 3: found '2', expected ',' or ']'"},
    {"{}x", "byte 2: found 'x', expected the end of the text"},
    {"1 1", "byte 2: found '1', expected the end of the text"},
    {"\xEF\xBB\xBF{}", "byte 0: found \\xEF, expected a value"},
    {"\v{}", "byte 0: found \\x0B, expected a value"},
    {"[1,\f2]", "byte 3: found \\x0C, expected a value"},
    {"\x01{}", "byte 0: found \\x01, expected a value"},
    {"\"a\tb\"", "byte 2: a raw control character in a string"},
    {"\"a\nb\"", "byte 2: a raw control character in a string"},
    {"\"ab", "byte 3: the text ends, expected a closing quote"},
    {"\"\\x41\"",
     "byte 2: found 'x', expected one of \"\\/bfnrtu after a backslash"},
    {"\"\\", "byte 2: the text ends, expected one of \"\\/bfnrtu after a "
             "backslash"},
    {"\"\\u12g4\"", "byte 3: \\u without four hexadecimal digits"},
    {"\"\\u12", "byte 3: \\u without four hexadecimal digits"},
    {"\"a\\u0000b\"", "byte 4: \\u0000, a NUL, in a string"},
    {"\"\\ud800\"", "byte 3: half of a surrogate pair in a string"},
    {"\"\\udc00\\ud800\"", "byte 3: half of a surrogate pair in a string"},
    {"\"\\ud800\\u0041\"", "byte 3: half of a surrogate pair in a string"},
    {"\"\\ud800\\ue000\"", "byte 3: half of a surrogate pair in a string"},
    {"\"\\ud800 udc00\"", "byte 3: half of a surrogate pair in a string"},
    {"\"\xFF\"", "byte 1: a string that is not valid UTF-8"},
    {"\"\xC0\x80\"", "byte 1: a string that is not valid UTF-8"},
    {"\"\xC3\"", "byte 1: a string that is not valid UTF-8"},
    {"\"\xE0\x9F\xBF\"", "byte 1: a string that is not valid UTF-8"},
    {"\"\xED\xA0\x80\"", "byte 1: a string that is not valid UTF-8"},
    {"\"\xF0\x8F\xBF\xBF\"", "byte 1: a string that is not valid UTF-8"},
    {"\"\xF4\x90\x80\x80\"", "byte 1: a string that is not valid UTF-8"},
    {"\"\xE2\x82\"", "byte 1: a string that is not valid UTF-8"},
    {"01", "byte 1: a number with a leading zero"},
    {"-", "byte 1: the text ends, expected a digit"},
    {"1.", "byte 2: the text ends, expected a digit"},
    {"1.e3", "byte 2: found 'e', expected a digit"},
    {".5", "byte 0: found '.', expected a value"},
    {"+1", "byte 0: found '+', expected a value"},
    {"1e", "byte 2: the text ends, expected a digit"},
    {"1e+", "byte 3: the text ends, expected a digit"},
    {"0x10", "byte 1: found 'x', expected the end of the text"},
    {"NaN", "byte 0: found 'N', expected a value"},
    {"[Infinity]", "byte 1: found 'I', expected a value"},
    {"nul", "byte 0: found 'n', expected a value"},
    {"True", "byte 0: found 'T', expected a value"},
    {"[\"1e9\", 1e999]", "a number that ends at byte 13 is too large"},
    {"[10000000000000000000000000000000000000000000000000000000000000001]",
     "byte 1: a number of more than 63 characters"},
    {"{\"a\":1,\"b\":2,\"a\":3}", "key 'a' stands twice in an object"},
    {"{\"a\":1,\"\\u0061\":2}", "key 'a' stands twice in an object"},
    {"[{\"x\":{\"b\":1,\"b\":1}}]", "key 'b' stands twice in an object"},
    {"{\"0\":0,\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,"
     "\"8\":0,\"9\":0,\"3\":0}",
     "key '3' stands twice in an object"},
    {"{\"\\u001b[2J\":1,\"\\u001b[2J\":1}",
     "key '\\x1B[2J' stands twice in an object"},
};

static void test_grammar(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char expected[400], found[400];
        const char *text = CASES[i].text;
        snprintf(expected, sizeof expected, "%s -> %s", text, CASES[i].message);
        snprintf(found, sizeof found, "%s -> %s", text,
                 verdict(text, strlen(text)));
        assert_string_equal(found, expected);
    }
}

/* Texts stand in blocks of just their size, so that the sanitizer sees a byte
 * read behind one. */
static void test_every_prefix(void **state) {
    (void)state;
    static const char TEXT[] =
        "{\"a\\u00e9\":[-1.5e+3,true,null,{\"b\":\"\xE2\x82\xAC\"}],\"c\":{}}";
    for (size_t n = 0; n < sizeof TEXT - 1; n++) {
        char *copy = malloc(n + 1);
        memcpy(copy, TEXT, n);
        copy = realloc(copy, n > 0 ? n : 1);
        assert_string_not_equal(verdict(copy, n), "");
        free(copy);
    }
    assert_string_equal(verdict(TEXT, sizeof TEXT - 1), "");
}

static void test_raw_nul(void **state) {
    (void)state;
    assert_string_equal(verdict("{}\0", 3),
                        "byte 2: found \\x00, expected the end of the text");
    assert_string_equal(verdict("\"a\0b\"", 5),
                        "byte 2: a raw control character in a string");
}

/* What the gate lets through and cJSON does not read is an error too. */
static void test_stricter_library(void **state) {
    (void)state;
    refuse_all = true;
    assert_string_equal(verdict("{}", 2), "JSON that cannot be read");
    refuse_all = false;
    assert_string_equal(verdict("{}", 2), "");
}

/* `depth` brackets of each kind around nothing. */
static const char *nested(size_t depth, char open, char close) {
    char *text = malloc(2 * depth);
    memset(text, open, depth);
    memset(text + depth, close, depth);
    const char *message = verdict(text, 2 * depth);
    free(text);
    return message;
}

static void test_nesting(void **state) {
    (void)state;
    static const char DEEP[] =
        "byte 128: arrays and objects nested deeper than 128";
    assert_string_equal(nested(128, '[', ']'), "");
    assert_string_equal(nested(129, '[', ']'), DEEP);
    assert_string_equal(nested(1001, '[', ']'), DEEP);
    assert_string_equal(nested(1000000, '[', ']'), DEEP);
}

static void test_budget(void **state) {
    (void)state;
    size_t n = 1 << 20;
    char *text = malloc(n + 1);
    for (size_t i = 0; i < n; i += 2)
        memcpy(text + i, "0,", 2);
    text[0] = '[';
    text[1] = ' ';
    text[n - 1] = ' ';
    text[n] = ']';
    assert_string_equal(verdict(text, n + 1),
                        "JSON that takes more than 1048576 bytes of memory "
                        "as a tree");
    free(text);
}

static void test_allocations_fail(void **state) {
    (void)state;
    static const char TEXT[] = "{\"0\":0,\"1\":0,\"2\":0,\"3\":0,\"4\":0,"
                               "\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":[0]}";
    Status status = STATUS_NOMEM;
    long n = 0;
    while (status == STATUS_NOMEM) {
        JsonTree tree;
        Err err;
        fail_alloc_at(++n);
        status = json_parse(TEXT, sizeof TEXT - 1, BUDGET, &tree, &err);
        fail_alloc_at(0);
        if (status == STATUS_OK)
            json_release(&tree);
    }
    assert_int_equal(status, STATUS_OK);
    assert_true(n > 2);
}

static JsonTree parsed(const char *text) {
    JsonTree tree;
    assert_int_equal(json_parse(text, strlen(text), BUDGET, &tree, NULL),
                     STATUS_OK);
    return tree;
}

static void test_walk(void **state) {
    (void)state;
    JsonTree tree =
        parsed("{\"Key\":\"caf\\u00e9\",\"key\":[1,2.5],\"t\":true,\"f\":false,"
               "\"n\":null,\"o\":{}}");
    const Json *node = json_child(tree.root);
    assert_int_equal(json_kind(tree.root), JSON_OBJECT);
    assert_int_equal(json_size(tree.root), 6);
    assert_string_equal(json_key(node), "Key");
    assert_string_equal(json_text(node), "caf\xC3\xA9");
    node = json_member(tree.root, "key");
    assert_int_equal(json_kind(node), JSON_ARRAY);
    assert_null(json_key(json_child(node)));
    assert_null(json_text(node));
    assert_true(json_number(json_next(json_child(node))) == 2.5);
    assert_null(json_member(tree.root, "KEY"));
    assert_true(json_bool(json_member(tree.root, "t")));
    assert_false(json_bool(json_member(tree.root, "f")));
    assert_int_equal(json_kind(json_member(tree.root, "f")), JSON_BOOL);
    assert_int_equal(json_kind(json_member(tree.root, "n")), JSON_NULL);
    assert_int_equal(json_kind(json_member(tree.root, "o")), JSON_OBJECT);
    assert_null(json_next(json_member(tree.root, "o")));
    json_release(&tree);
}

/* What a getter of an integer up to 2^53 makes of a number as it is written. */
static void test_integers(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
        uint64_t value;
    } NUMBERS[] = {
        {"0", "", 0},
        {"7", "", 7},
        {"9007199254740992", "", 9007199254740992},
        {"9007199254740993", "'x' is about 9007199254740992", 0},
        {"18446744073709551616", "'x' is about 1.8446744073709552e+19", 0},
        {"-1", "'x' is -1", 0},
        {"-0", "'x' is -0 written with a sign, point or exponent", 0},
        {"2.0", "'x' is 2 written with a sign, point or exponent", 0},
        {"4e0", "'x' is 4 written with a sign, point or exponent", 0},
        {"3.5", "'x' is 3.5", 0},
        {"\"12\"", "'x' is a string", 0},
        {"null", "'x' is null", 0},
        {"true", "'x' is a boolean", 0},
        {"[]", "'x' is an array", 0},
        {"{}", "'x' is an object", 0},
    };
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        char text[64], expected[200] = "";
        Err err = {0};
        uint64_t value = 0;
        snprintf(text, sizeof text, "{\"1.5\":\"-2\",\"x\":%s}",
                 NUMBERS[i].text);
        if (NUMBERS[i].message[0] != '\0')
            snprintf(expected, sizeof expected,
                     "%s, expected an integer from 0 to 9007199254740992",
                     NUMBERS[i].message);
        JsonTree tree = parsed(text);
        Status status =
            json_get_u64(tree.root, "x", (uint64_t)1 << 53, &value, &err);
        assert_string_equal(err.message, expected);
        assert_int_equal(status,
                         expected[0] == '\0' ? STATUS_OK : STATUS_FORMAT);
        assert_int_equal(value, NUMBERS[i].value);
        json_release(&tree);
    }
}

static void test_getters(void **state) {
    (void)state;
    JsonTree tree = parsed("{\"Dtype\":\"F32\",\"n\":5000}");
    const char *text = NULL;
    uint64_t value;
    Err err;
    assert_int_equal(json_get_text(tree.root, "dtype", &text, &err),
                     STATUS_FORMAT);
    assert_string_equal(err.message, "'dtype' is missing");
    assert_int_equal(json_get_text(tree.root, "n", &text, &err), STATUS_FORMAT);
    assert_string_equal(err.message, "'n' is 5000, expected a string");
    assert_int_equal(json_get_u64(tree.root, "n", 4096, &value, &err),
                     STATUS_FORMAT);
    assert_string_equal(err.message,
                        "'n' is 5000, expected an integer from 0 to 4096");
    assert_int_equal(json_get_text(json_child(tree.root), "dtype", &text, &err),
                     STATUS_FORMAT);
    assert_string_equal(err.message, "a string, expected an object");
    assert_int_equal(json_get_u64(tree.root, "m", 4096, &value, NULL),
                     STATUS_FORMAT);
    assert_int_equal(json_get_text(tree.root, "Dtype", &text, &err), STATUS_OK);
    assert_string_equal(text, "F32");
    json_release(&tree);
}

/* cJSON stays whole for others in the process, who free what they take. */
static void test_others(void **state) {
    (void)state;
    JsonTree tree = parsed("[1]");
    cJSON *other = cJSON_Parse("{\"a\":[1,2]}");
    assert_non_null(other);
    cJSON_Delete(other);
    assert_int_equal(json_size(tree.root), 1);
    json_release(&tree);
}

/* The members of an object as "key=value|", or the message. */
static const char *split(const char *text) {
    static char out[400];
    static Err err;
    JsonSplit walk;
    size_t n = 0;
    if (json_split(&walk, text, strlen(text), 100, &err) != STATUS_OK)
        return err.message;
    out[0] = '\0';
    for (;;) {
        bool more;
        JsonSpan key, value;
        if (json_split_next(&walk, &more, &key, &value, &err) != STATUS_OK)
            return err.message;
        if (!more)
            return out;
        n += (size_t)snprintf(out + n, sizeof out - n, "%.*s=%.*s@%d|",
                              (int)key.n, key.text, (int)value.n, value.text,
                              (int)value.offset);
    }
}

static void test_split(void **state) {
    (void)state;
    assert_string_equal(split("{}"), "");
    assert_string_equal(split(" { } \n"), "");
    assert_string_equal(split("{\"a\":1, \"b\" : [ {} ] }"),
                        "\"a\"=1@105|\"b\"=[ {} ]@114|");
    assert_string_equal(split(""), "byte 100: the text ends, expected '{'");
    assert_string_equal(split("[1]"), "byte 100: found '[', expected '{'");
    assert_string_equal(split("{\"a\":1"),
                        "byte 106: the text ends, expected ',' or '}'");
    assert_string_equal(split("{"),
                        "byte 101: the text ends, expected a key in quotes");
    assert_string_equal(split("{\"a\":1,}"),
                        "byte 107: found '}', expected a key in quotes");
    assert_string_equal(split("{,}"),
                        "byte 101: found ',', expected a key in quotes");
    assert_string_equal(split("{\"a\" 1}"),
                        "byte 105: found '1', expected ':'");
    assert_string_equal(split("{\"a\":1 \"b\":1}"),
                        "byte 107: found '\"', expected ',' or '}'");
    assert_string_equal(split("{}{}"),
                        "byte 102: found '{', expected the end of the text");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grammar), cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_raw_nul), cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_budget),  cmocka_unit_test(test_allocations_fail),
        cmocka_unit_test(test_walk),    cmocka_unit_test(test_integers),
        cmocka_unit_test(test_getters), cmocka_unit_test(test_split),
        cmocka_unit_test(test_others),  cmocka_unit_test(test_stricter_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
