/* Reading what the terminal pastes. */
#include "paste.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { LARGEST_PASTE = 1 << 26 };

typedef struct Text {
    char *bytes;
    size_t count, room;
} Text;

static bool add(Text *text, const char *bytes, size_t count) {
    if (text->count + count >= text->room) {
        size_t room = 2 * text->room + count + 256;
        char *larger =
            room <= LARGEST_PASTE ? realloc(text->bytes, room) : NULL;
        if (larger == NULL)
            return false;
        text->bytes = larger;
        text->room = room;
    }
    memcpy(text->bytes + text->count, bytes, count);
    text->count += count;
    text->bytes[text->count] = '\0';
    return true;
}

/* Cuts the mark off where the text ends in it. */
static bool cut_mark(Text *text) {
    static const char MARK[] = "\033[201~";
    size_t length = sizeof MARK - 1;
    if (text->count < length ||
        memcmp(text->bytes + text->count - length, MARK, length) != 0)
        return false;
    text->count -= length;
    text->bytes[text->count] = '\0';
    return true;
}

/* Line ends become \n, other controls but the tab go, in place. */
static void clean(char *text) {
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from == '\r') {
            *to++ = '\n';
            if (from[1] == '\n')
                from++;
        } else if ((unsigned char)*from >= ' ' || *from == '\n' ||
                   *from == '\t') {
            if (*from != '\177')
                *to++ = *from;
        }
    }
    *to = '\0';
}

char *paste_read(EditLine *editor) {
    Text text = {0};
    mbstate_t state = {0};
    wchar_t character;
    if (!add(&text, "", 0))
        return NULL;
    while (!cut_mark(&text) && el_wgetc(editor, &character) == 1) {
        char bytes[MB_LEN_MAX];
        size_t count = wcrtomb(bytes, character, &state);
        if (count == (size_t)-1)
            continue;
        if (!add(&text, bytes, count)) {
            free(text.bytes);
            return NULL;
        }
    }
    clean(text.bytes);
    return text.bytes;
}
