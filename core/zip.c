/* The directory of a zip archive.
 *
 *     members: "PK\3\4" … name, extra | bytes | perhaps a data descriptor
 *     directory: "PK\1\2" … name, extra, comment      one record a member
 *     perhaps "PK\6\6" … | "PK\6\7" …                 where 32 bits are few
 *     "PK\5\6" … comment                              the end record
 *
 * Sizes are taken from the directory alone: writers that stream put zeros into
 * the local headers. (PKWARE's APPNOTE.TXT, 4.3 to 4.5.) */
#include "zip.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cursor.h"

enum {
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR_BYTES = 20,
    RECORD_BYTES = 46,
    LOCAL_BYTES = 30,
    TEXT_MOST = 65535, /* a comment, a name, an extra field */
    ZIP64 = 1,         /* the extra field that has the wide numbers */
    ENCRYPTED = 0x2041,
    STORED = 0,
    DEFLATED = 8,
    SHOWN = 256
};

/* What 258 bytes by 2 bits come to: no deflated data grow by more. */
enum { INFLATION_MOST = 1032 };

typedef struct Directory {
    uint64_t at, size, count;
    uint64_t end; /* of the first record behind it */
} Directory;

/* While the directory is read. */
typedef struct Reader {
    File *file;
    Zip *zip;
    Directory directory;
    Cursor cursor;
    uint8_t *buffer; /* TEXT_MOST and a local header */
} Reader;

static uint64_t field(const uint8_t *record, size_t at, size_t n) {
    return little_endian(record + at, n);
}

static bool has_sign(const uint8_t *record, char kind, char part) {
    return memcmp(record, (char[]){'P', 'K', kind, part}, 4) == 0;
}

/* ---- the end records ---- */

/* One of the end record's numbers: where it is all ones the wide record has
 * it, and where it is not they must not differ. */
static Status choose(uint64_t narrow, size_t bytes, uint64_t *wide,
                     const char *what, Err *err) {
    if (narrow == ((uint64_t)1 << (8 * bytes)) - 1)
        return STATUS_OK;
    if (narrow != *wide)
        return err_set(err, STATUS_FORMAT,
                       "%s is %" PRIu64 " in the zip64 end record, %" PRIu64
                       " in the end record",
                       what, *wide, narrow);
    return STATUS_OK;
}

/* The numbers of the zip64 end record that the locator points to. */
static Status take_wide(File *file, const uint8_t *locator, uint64_t at,
                        Directory *out, Err *err) {
    uint8_t record[END64_BYTES];
    uint64_t place = field(locator, 8, 8);
    if (field(locator, 4, 4) != 0 || field(locator, 16, 4) > 1)
        return err_set(err, STATUS_UNSUPPORTED,
                       "a zip archive over several disks");
    if (place > at || at - place < END64_BYTES)
        return err_set(err, STATUS_FORMAT,
                       "the zip64 end record at byte %" PRIu64
                       " does not end before its locator at byte %" PRIu64,
                       place, at);
    Status status = file_read(file, place, record, sizeof record, err);
    if (status != STATUS_OK)
        return status;
    if (!has_sign(record, 6, 6) || field(record, 4, 8) != at - place - 12)
        return err_set(err, STATUS_FORMAT,
                       "no zip64 end record at byte %" PRIu64
                       ", where its locator says",
                       place);
    if (field(record, 16, 4) != 0 || field(record, 20, 4) != 0 ||
        field(record, 24, 8) != field(record, 32, 8))
        return err_set(err, STATUS_UNSUPPORTED,
                       "a zip archive over several disks");
    *out = (Directory){.at = field(record, 48, 8),
                       .size = field(record, 40, 8),
                       .count = field(record, 32, 8),
                       .end = place};
    return STATUS_OK;
}

/* The directory's place from the end record at byte `at`. */
static Status take_end(File *file, const uint8_t *record, uint64_t at,
                       Directory *out, Err *err) {
    uint8_t locator[LOCATOR_BYTES] = {0};
    uint64_t count = field(record, 10, 2), size = field(record, 12, 4),
             place = field(record, 16, 4);
    *out = (Directory){place, size, count, at};
    Status status = STATUS_OK;
    if (at >= LOCATOR_BYTES)
        status =
            file_read(file, at - LOCATOR_BYTES, locator, sizeof locator, err);
    if (status == STATUS_OK && has_sign(locator, 6, 7)) {
        status = take_wide(file, locator, at - LOCATOR_BYTES, out, err);
        if (status == STATUS_OK)
            status =
                choose(count, 2, &out->count, "the number of members", err);
        if (status == STATUS_OK)
            status = choose(size, 4, &out->size, "the directory's size", err);
        if (status == STATUS_OK)
            status = choose(place, 4, &out->at, "the directory's place", err);
    } else if (status == STATUS_OK &&
               (field(record, 4, 4) != 0 || field(record, 8, 2) != count)) {
        status = err_set(err, STATUS_UNSUPPORTED,
                         "a zip archive over several disks");
    }
    return status;
}

static Status check_directory(const Directory *directory, Err *err) {
    uint64_t end;
    if (__builtin_add_overflow(directory->at, directory->size, &end) ||
        end != directory->end)
        return err_set(err, STATUS_FORMAT,
                       "a directory of %" PRIu64 " bytes at byte %" PRIu64
                       ", the end record is at byte %" PRIu64,
                       directory->size, directory->at, directory->end);
    if (directory->count > directory->size / RECORD_BYTES)
        return err_set(err, STATUS_FORMAT,
                       "%" PRIu64 " members, a directory of %" PRIu64
                       " bytes has at most %" PRIu64,
                       directory->count, directory->size,
                       directory->size / RECORD_BYTES);
    return STATUS_OK;
}

/* Looks for the end record, whose comment ends where the file does. */
static Status find_end(File *file, Directory *out, Err *err) {
    uint64_t size = file_id(file)->size,
             n = size < END_BYTES + TEXT_MOST ? size : END_BYTES + TEXT_MOST;
    uint8_t *tail = mem_array((size_t)n, 1, err);
    if (tail == NULL)
        return STATUS_NOMEM;
    Status status = file_read(file, size - n, tail, n, err);
    bool found = false;
    for (uint64_t left = END_BYTES; status == STATUS_OK && left <= n && !found;
         left++) {
        const uint8_t *record = tail + n - left;
        found =
            has_sign(record, 5, 6) && field(record, 20, 2) == left - END_BYTES;
        if (found)
            status = take_end(file, record, size - left, out, err);
    }
    mem_free(tail);
    if (status == STATUS_OK && !found)
        return err_set(err, STATUS_FORMAT,
                       "no zip archive, or one cut short: no end record");
    return status == STATUS_OK ? check_directory(out, err) : status;
}

/* ---- the directory ---- */

/* The wide numbers of an extra field, for those that are all ones. */
static Status take_extra(const uint8_t *extra, size_t n, ZipMember *member,
                         Err *err) {
    uint64_t *const numbers[] = {&member->size, &member->packed,
                                 &member->begin};
    size_t at = 0, used = 4;
    while (n - at >= 4 && field(extra, at, 2) != ZIP64)
        at += field(extra, at + 2, 2) < n - at - 4
                  ? 4 + (size_t)field(extra, at + 2, 2)
                  : n - at;
    size_t length = n - at >= 4 ? 4 + (size_t)field(extra, at + 2, 2) : 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (*numbers[i] != UINT32_MAX)
            continue;
        if (length > n - at || used + 8 > length)
            return err_set(err, STATUS_FORMAT,
                           "a size or place that its zip64 field lacks");
        *numbers[i] = field(extra, at + used, 8);
        used += 8;
    }
    return STATUS_OK;
}

/* A record's numbers, seen to be of a kind that is read. */
static Status check_record(const uint8_t *record, const ZipMember *member,
                           Err *err) {
    uint64_t method = field(record, 10, 2);
    if ((field(record, 8, 2) & ENCRYPTED) != 0)
        return err_set(err, STATUS_UNSUPPORTED, "it is encrypted");
    if (method != STORED && method != DEFLATED)
        return err_set(err, STATUS_UNSUPPORTED,
                       "method %" PRIu64 ", expected 0 (stored) or 8 "
                       "(deflated)",
                       method);
    if (field(record, 34, 2) != 0)
        return err_set(err, STATUS_UNSUPPORTED, "it lies on another disk");
    if (method == STORED && member->packed != member->size)
        return err_set(err, STATUS_FORMAT,
                       "%" PRIu64 " bytes stored as %" PRIu64, member->size,
                       member->packed);
    if (member->size / INFLATION_MOST > member->packed)
        return err_set(err, STATUS_FORMAT,
                       "%" PRIu64 " bytes deflated to %" PRIu64
                       ", which deflate can't",
                       member->size, member->packed);
    return STATUS_OK;
}

/* The local header says the same, and the bytes behind it end in front of the
 * directory. */
static Status check_local(Reader *reader, ZipMember *member, Err *err) {
    uint8_t *local = reader->buffer;
    uint64_t name = strlen(member->name), limit = reader->directory.at;
    if (member->begin > limit || limit - member->begin < LOCAL_BYTES + name)
        return err_set(err, STATUS_FORMAT,
                       "its local header at byte %" PRIu64
                       " does not end before the directory at byte %" PRIu64,
                       member->begin, limit);
    Status status =
        file_read(reader->file, member->begin, local, LOCAL_BYTES + name, err);
    if (status != STATUS_OK)
        return status;
    if (!has_sign(local, 3, 4))
        return err_set(err, STATUS_FORMAT, "no local header at byte %" PRIu64,
                       member->begin);
    if (field(local, 26, 2) != name ||
        memcmp(local + LOCAL_BYTES, member->name, (size_t)name) != 0 ||
        field(local, 8, 2) != (member->deflated ? DEFLATED : STORED) ||
        (field(local, 6, 2) & ENCRYPTED) != 0)
        return err_set(err, STATUS_FORMAT,
                       "the local header at byte %" PRIu64
                       " differs from the directory",
                       member->begin);
    member->offset = member->begin + LOCAL_BYTES + name + field(local, 28, 2);
    if (member->offset > limit || member->packed > limit - member->offset)
        return err_set(err, STATUS_FORMAT,
                       "bytes %" PRIu64 " to %" PRIu64
                       ", but the directory begins at byte %" PRIu64,
                       member->offset, member->offset + member->packed, limit);
    return STATUS_OK;
}

/* What follows a record's fixed part, once its name is known. */
static Status take_rest(Reader *reader, const uint8_t *record,
                        ZipMember *member, Err *err) {
    size_t extra = (size_t)field(record, 30, 2);
    Status status = cursor_bytes(&reader->cursor, reader->buffer, extra,
                                 "an extra field", err);
    if (status == STATUS_OK)
        status = cursor_skip(&reader->cursor, field(record, 32, 2), "a comment",
                             err);
    if (status == STATUS_OK)
        status = take_extra(reader->buffer, extra, member, err);
    if (status == STATUS_OK)
        status = check_record(record, member, err);
    return status == STATUS_OK ? check_local(reader, member, err) : status;
}

/* One record. Folders are no members. */
static Status take_record(Reader *reader, uint64_t i, Err *err) {
    uint8_t record[RECORD_BYTES];
    char what[48], shown[SHOWN];
    snprintf(what, sizeof what, "the record of member %" PRIu64, i);
    Status status =
        cursor_bytes(&reader->cursor, record, sizeof record, what, err);
    if (status != STATUS_OK)
        return status;
    size_t n = (size_t)field(record, 28, 2);
    if (!has_sign(record, 1, 2) || n == 0)
        return err_set(err, STATUS_FORMAT, "%s at byte %" PRIu64 " %s", what,
                       reader->cursor.at - RECORD_BYTES,
                       n == 0 ? "has no name"
                              : "does not begin with 'PK\\1\\2'");
    char *name = arena_take(&reader->zip->arena, n + 1, 1, err);
    if (name == NULL)
        return STATUS_NOMEM;
    status = cursor_bytes(&reader->cursor, name, n, what, err);
    if (status != STATUS_OK)
        return status;
    name[n] = '\0';
    ZipMember member = {.name = name,
                        .begin = field(record, 42, 4),
                        .packed = field(record, 20, 4),
                        .size = field(record, 24, 4),
                        .crc = (uint32_t)field(record, 16, 4),
                        .deflated = field(record, 10, 2) == DEFLATED};
    status = strlen(name) == n
                 ? take_rest(reader, record, &member, err)
                 : err_set(err, STATUS_FORMAT, "the name has a NUL");
    if (status == STATUS_FORMAT || status == STATUS_UNSUPPORTED)
        err_prefix(err, "member '%s'", text_escape(shown, sizeof shown, name));
    if (status == STATUS_OK && (member.size > 0 || name[n - 1] != '/'))
        reader->zip->members[reader->zip->count++] = member;
    return status;
}

static int compare_members(const void *a, const void *b) {
    const ZipMember *one = a, *other = b;
    return (one->begin > other->begin) - (one->begin < other->begin);
}

/* Members in file order: none inside another, no name twice. */
static Status check_members(Zip *zip, Err *err) {
    char shown[SHOWN], before[SHOWN];
    uint64_t end = 0;
    size_t old;
    if (zip->count > 0)
        qsort(zip->members, zip->count, sizeof *zip->members, compare_members);
    for (size_t i = 0; i < zip->count; i++) {
        const ZipMember *member = &zip->members[i];
        text_escape(shown, sizeof shown, member->name);
        if (member->begin < end)
            return err_set(err, STATUS_FORMAT,
                           "member '%s': begins at byte %" PRIu64
                           " within '%s', which ends at byte %" PRIu64,
                           shown, member->begin,
                           text_escape(before, sizeof before, member[-1].name),
                           end);
        end = member->offset + member->packed;
        if (names_find(&zip->names, member->name, &old))
            return err_set(err, STATUS_FORMAT,
                           "member '%s': the name stands twice", shown);
        Status status = names_add(&zip->names, member->name, i, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static Status read_records(Reader *reader, Err *err) {
    const Directory *directory = &reader->directory;
    Status status = STATUS_OK;
    for (uint64_t i = 0; i < directory->count && status == STATUS_OK; i++)
        status = take_record(reader, i, err);
    if (status == STATUS_OK && cursor_left(&reader->cursor) > 0)
        status = err_set(err, STATUS_FORMAT,
                         "%" PRIu64 " bytes of the directory after its last "
                         "record, expected none",
                         cursor_left(&reader->cursor));
    return status == STATUS_OK ? check_members(reader->zip, err) : status;
}

Status zip_read(Zip *out, File *file, Err *err) {
    Zip zip = {0};
    Reader reader = {.file = file, .zip = &zip};
    Status status = find_end(file, &reader.directory, err);
    if (status != STATUS_OK)
        return status;
    zip.members =
        mem_array((size_t)reader.directory.count, sizeof *zip.members, err);
    reader.buffer = mem_array(TEXT_MOST + LOCAL_BYTES, 1, err);
    status =
        zip.members == NULL || reader.buffer == NULL
            ? STATUS_NOMEM
            : cursor_create_within(&reader.cursor, file, reader.directory.at,
                                   reader.directory.size, err);
    reader.cursor.origin = 0; /* messages count from the file's first byte */
    if (status == STATUS_OK)
        status = read_records(&reader, err);
    cursor_release(&reader.cursor);
    mem_free(reader.buffer);
    if (status == STATUS_OK)
        *out = zip;
    else
        zip_release(&zip);
    return status;
}

void zip_release(Zip *zip) {
    mem_free(zip->members);
    names_release(&zip->names);
    arena_release(&zip->arena);
    *zip = (Zip){0};
}

const ZipMember *zip_find(const Zip *zip, const char *name) {
    size_t i;
    return names_find(&zip->names, name, &i) ? &zip->members[i] : NULL;
}
