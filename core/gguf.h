/* A GGUF that may be one part of several. */
#ifndef WEFT_GGUF_H
#define WEFT_GGUF_H

#include "checkpoint.h"

/* What a part's own keys say: its number from 0, how many there are, and the
 * tensors of all of them; count is 0 where the file has no such keys. */
typedef struct GgufSplit {
    int64_t number, count, tensors;
} GgufSplit;

/* FORMAT_GGUF's read, without its note that other parts are not here. */
CHECKED Status gguf_read_part(Checkpoint *checkpoint, File *file,
                              GgufSplit *split, Err *err);

#endif
