/* Members' bytes: in place, or through zlib into a temporary file or memory.
 *
 * A deflated member can't be read from its middle, and its whole may be larger
 * than memory: so it is inflated once, chunk by chunk, into a temporary file,
 * and its tensor then reads panels of that as of any other file. */
#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#include "cancel.h"
#include "zip.h"

enum { IN_BYTES = 1 << 16, OUT_BYTES = 1 << 18, SHOWN = 256 };

/* Where bytes go: to the end of a temporary file, else into memory. */
typedef struct Sink {
    File *file;
    uint8_t *memory;
} Sink;

static Status sink_put(Sink *sink, const uint8_t *bytes, size_t n, Err *err) {
    if (sink->file != NULL)
        return file_append(sink->file, bytes, n, err);
    memcpy(sink->memory, bytes, n);
    sink->memory += n;
    return STATUS_OK;
}

/* zlib's memory comes from mem.h as everybody's does. */
static voidpf take(voidpf unused, uInt count, uInt size) {
    (void)unused;
    return mem_array(count, size, NULL);
}

static void give(voidpf unused, voidpf block) {
    (void)unused;
    mem_free(block);
}

/* A member while it is inflated. */
typedef struct Inflation {
    const ZipMember *member;
    File *file;
    Sink *sink;
    z_stream stream;
    uint8_t *in, *out; /* IN_BYTES, OUT_BYTES */
    uint64_t taken, made;
    uint32_t crc;
    bool full; /* the last output filled its buffer: there may be more */
} Inflation;

static Status more_input(Inflation *run, Err *err) {
    uint64_t left = run->member->packed - run->taken;
    size_t n = left < IN_BYTES ? (size_t)left : IN_BYTES;
    if (n == 0)
        return err_set(err, STATUS_FORMAT,
                       "the deflated data do not end within their %" PRIu64
                       " bytes",
                       run->member->packed);
    Status status =
        file_read(run->file, run->member->offset + run->taken, run->in, n, err);
    if (status != STATUS_OK)
        return status;
    run->stream.next_in = run->in;
    run->stream.avail_in = (uInt)n;
    run->taken += n;
    return STATUS_OK;
}

/* What one call of zlib made. */
static Status put_output(Inflation *run, size_t n, Err *err) {
    if (n > run->member->size - run->made)
        return err_set(err, STATUS_FORMAT,
                       "inflates to more than the %" PRIu64
                       " bytes that the directory says",
                       run->member->size);
    run->made += n;
    run->crc = (uint32_t)crc32(run->crc, run->out, (uInt)n);
    return sink_put(run->sink, run->out, n, err);
}

static Status inflate_some(Inflation *run, bool *ended, Err *err) {
    if (cancel_requested())
        return err_set(err, STATUS_CANCELLED, "interrupted");
    if (run->stream.avail_in == 0 && !run->full) {
        Status status = more_input(run, err);
        if (status != STATUS_OK)
            return status;
    }
    run->stream.next_out = run->out;
    run->stream.avail_out = OUT_BYTES;
    int code = inflate(&run->stream, Z_NO_FLUSH);
    if (code == Z_MEM_ERROR)
        return err_set(err, STATUS_NOMEM, "not enough memory for inflating");
    /* no progress: only more input helps */
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return err_set(err, STATUS_FORMAT, "the deflated data are broken: %s",
                       run->stream.msg != NULL ? run->stream.msg : "unknown");
    *ended = code == Z_STREAM_END;
    run->full = run->stream.avail_out == 0;
    return put_output(run, OUT_BYTES - run->stream.avail_out, err);
}

static Status check_crc(const ZipMember *member, uint32_t crc, Err *err) {
    if (crc != member->crc)
        return err_set(err, STATUS_FORMAT,
                       "CRC-32 is %08" PRIx32 ", the directory says %08" PRIx32,
                       crc, member->crc);
    return STATUS_OK;
}

static Status inflate_all(Inflation *run, Err *err) {
    const ZipMember *member = run->member;
    bool ended = false;
    Status status = STATUS_OK;
    while (status == STATUS_OK && !ended)
        status = inflate_some(run, &ended, err);
    if (status != STATUS_OK)
        return status;
    uint64_t left = member->packed - run->taken + run->stream.avail_in;
    if (run->made < member->size)
        return err_set(err, STATUS_FORMAT,
                       "inflates to %" PRIu64 " bytes, the directory says "
                       "%" PRIu64,
                       run->made, member->size);
    if (left > 0)
        return err_set(err, STATUS_FORMAT,
                       "%" PRIu64 " bytes after the deflated data", left);
    return check_crc(member, run->crc, err);
}

static Status inflate_member(const ZipMember *member, File *file, Sink *sink,
                             Err *err) {
    Inflation run = {.member = member,
                     .file = file,
                     .sink = sink,
                     .stream = {.zalloc = take, .zfree = give}};
    run.in = mem_array(IN_BYTES, 1, err);
    run.out = mem_array(OUT_BYTES, 1, err);
    Status status = STATUS_NOMEM;
    /* minus: bare deflate, without zlib's own header */
    if (run.in != NULL && run.out != NULL &&
        inflateInit2(&run.stream, -MAX_WBITS) == Z_OK) {
        status = inflate_all(&run, err);
        inflateEnd(&run.stream);
    } else if (run.out != NULL) {
        (void)err_set(err, STATUS_NOMEM, "not enough memory for inflating");
    }
    mem_free(run.in);
    mem_free(run.out);
    return status;
}

/* "member 'NAME': " before a message that has no path. */
static Status blame(const ZipMember *member, Status status, Err *err) {
    char shown[SHOWN];
    if (status == STATUS_FORMAT)
        err_prefix(err, "member '%s'",
                   text_escape(shown, sizeof shown, member->name));
    return status;
}

Status zip_place(const ZipMember *member, File *file, File **temporary,
                 File **where, uint64_t *offset, Err *err) {
    if (!member->deflated) {
        *where = file;
        *offset = member->offset;
        return STATUS_OK;
    }
    Status status = STATUS_OK;
    if (*temporary == NULL)
        status = file_temporary(temporary, file_path(file), err);
    if (status != STATUS_OK)
        return status;
    uint64_t first = file_id(*temporary)->size;
    Sink sink = {.file = *temporary};
    status = inflate_member(member, file, &sink, err);
    if (status != STATUS_OK)
        return blame(member, status, err);
    *where = *temporary;
    *offset = first;
    return STATUS_OK;
}

Status zip_load(const ZipMember *member, File *file, uint64_t most,
                uint8_t **out, Err *err) {
    if (member->size > most)
        return blame(member,
                     err_set(err, STATUS_FORMAT,
                             "%" PRIu64 " bytes, expected at most %" PRIu64,
                             member->size, most),
                     err);
    uint8_t *bytes = mem_array((size_t)member->size, 1, err);
    if (bytes == NULL)
        return STATUS_NOMEM;
    Sink sink = {.memory = bytes};
    Status status;
    if (member->deflated) {
        status = inflate_member(member, file, &sink, err);
    } else {
        status = file_read(file, member->offset, bytes, member->size, err);
        if (status == STATUS_OK)
            status = check_crc(
                member, (uint32_t)crc32(0, bytes, (uInt)member->size), err);
    }
    if (status != STATUS_OK) {
        mem_free(bytes);
        return blame(member, status, err);
    }
    *out = bytes;
    return STATUS_OK;
}
