/* Zip archives, as numpy and PyTorch write them: the directory, and members'
 * bytes in place or inflated.
 *
 * Of what the format allows only what leaves no doubt is read: one archive
 * from its first member to the file's last byte, whose members have names of
 * their own, do not overlap, are not encrypted, and are stored or deflated.
 * Names are labels here; nothing is ever written by them. */
#ifndef WEFT_ZIP_H
#define WEFT_ZIP_H

#include "arena.h"
#include "file.h"
#include "names.h"

typedef struct ZipMember {
    const char *name; /* NUL-terminated, unique */
    uint64_t begin;   /* of its local header */
    uint64_t offset;  /* of its bytes */
    uint64_t packed;  /* bytes in the file */
    uint64_t size;    /* bytes once inflated; stored ones have as many */
    uint32_t crc;
    bool deflated;
} ZipMember;

typedef struct Zip {
    ZipMember *members; /* in file order, without folders */
    size_t count;
    Names names; /* from a member's name to its number */
    Arena arena;
} Zip;

/* Reads the directory and sees that every member lies within the file, in
 * front of it. STATUS_FORMAT where a rule is broken, STATUS_UNSUPPORTED for
 * encryption, several disks and other methods; messages have no path. Creates:
 * zip_release. */
CHECKED Status zip_read(Zip *out, File *file, Err *err);
void zip_release(Zip *zip);

/* By name, through a hash; NULL where there is none. */
const ZipMember *zip_find(const Zip *zip, const char *name);

/* Where the member's bytes lie: in the zip where they are stored, else
 * inflated at the end of *temporary, which is made when it is first wanted
 * (the caller releases it), their CRC checked. *where is either, borrowed.
 * STATUS_CANCELLED on Ctrl-C. */
CHECKED Status zip_place(const ZipMember *member, File *file, File **temporary,
                         File **where, uint64_t *offset, Err *err);

/* The member's bytes in memory, their CRC checked; STATUS_FORMAT where they
 * are more than `most`. Creates: mem_free. */
CHECKED Status zip_load(const ZipMember *member, File *file, uint64_t most,
                        uint8_t **out, Err *err);

#endif
