/* Spectra kept from run to run, one record a matrix or kernel, so that a run
 * that was killed goes on where it was and a new metric costs nothing; and
 * estimates, one record a matrix and seed.
 *
 * A record's name is the hash of its key: what was computed, how, by what, and
 * of which bytes of which file; the key itself stands in the record too. It is
 * written to a temporary and renamed, but not synced: what a power cut tears
 * its checksum shows, and one matrix computed again is cheaper than a sync for
 * each of thousands. Threads and processes may share a folder. */
#ifndef WEFT_CACHE_H
#define WEFT_CACHE_H

#include "factor.h"
#include "spectrum.h"

/* To be raised with every change of the numbers that are computed, of how they
 * are read, or of what the key's words mean. */
enum { CACHE_METHOD = 4 };

/* One line of all that the last digits hang on beside the matrix itself: the
 * versions of weft, its numbers, BLAS and LAPACK, and the vector code that is
 * chosen by itself. Part of every key. */
enum { CACHE_METHOD_SIZE = 256 };
void cache_method(char out[CACHE_METHOD_SIZE]);

/* What a record answers: a matrix, else a kernel's factors. */
typedef struct CacheQuestion {
    const Tensor *matrix;
    SpectrumWish wish; /* of a matrix, whose spectrum is asked for, */
    bool estimate;     /* or an estimate, */
    uint64_t seed;     /* by probes of that seed */
    const Factor *left, *right;
    unsigned kernel; /* bits of heads.h, of a kernel */
    bool dense;      /* its eigenvalues are those of the dense matrix */
} CacheQuestion;

enum { CACHE_NAME = 34 }; /* "ab/0123…", 31 hexadecimal digits and a slash */

typedef struct CacheKey {
    uint64_t *words; /* NULL: there can be no record */
    size_t count;
    const File *file; /* the first one, borrowed */
    char name[CACHE_NAME];
} CacheKey;

/* The question's key. It has no words where a tensor lies in memory, where a
 * file has been changed or moved since it was opened, or so lately that the
 * next change might not show in its time. A matrix has one key, transposed or
 * not; for an estimate a square one has two. Creates: cache_key_release. */
CHECKED Status cache_key(CacheKey *out, const CacheQuestion *question,
                         Err *err);
void cache_key_release(CacheKey *key);

enum { CACHE_ARRAYS = 3, CACHE_FACTS = 4 };

/* The caller's arrays (NULL: none) and some numbers beside them. */
typedef struct CacheAnswer {
    double *array[CACHE_ARRAYS];
    size_t count[CACHE_ARRAYS];
    double fact[CACHE_FACTS];
    uint32_t flags;
} CacheAnswer;

/* Fills in the answer where its record is there (*hit), and marks the record
 * as used. STATUS_FORMAT for a damaged record and STATUS_IO for one that can't
 * be read name its file; the answer's arrays may be half filled. */
CHECKED Status cache_find(const char *folder, const CacheKey *key,
                          CacheAnswer *answer, bool *hit, Err *err);
/* Writes the record, with the folders on the way to it. */
CHECKED Status cache_keep(const char *folder, const CacheKey *key,
                          const CacheAnswer *answer, Err *err);

/* ---- all records of a folder (one that is not there has none) ---- */

typedef struct CacheTally {
    uint64_t records, bytes;
} CacheTally;

/* Where there are more than `most` bytes, removes the records that were not
 * used for longest until there are nine tenths of it. *left is what stays. */
CHECKED Status cache_trim(const char *folder, uint64_t most, CacheTally *left,
                          Err *err);
/* The same, but where it is far from full it finds that out at a sixteenth of
 * the cost. */
CHECKED Status cache_trim_full(const char *folder, uint64_t most, Err *err);
/* Removes the records not used for `seconds`, and all where that is 0. */
CHECKED Status cache_clear(const char *folder, double seconds,
                           CacheTally *removed, Err *err);

typedef struct CacheRecord {
    char name[CACHE_NAME];
    uint64_t bytes;
    int64_t used;     /* seconds since 1970 */
    const char *path; /* of its file, as it was; borrowed */
    FileId file;
} CacheRecord;

/* Gives each record to `each` until that answers false; of a damaged one the
 * path is NULL. */
typedef bool CacheEach(void *data, const CacheRecord *record);
CHECKED Status cache_list(const char *folder, CacheEach *each, void *data,
                          Err *err);

#endif
