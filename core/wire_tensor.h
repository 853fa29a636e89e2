/* Tensors and factors in messages: of a file by its record, so that whoever
 * reads them opens the file itself; of memory by their values. */
#ifndef WEFT_WIRE_TENSOR_H
#define WEFT_WIRE_TENSOR_H

#include "factor.h"
#include "wire.h"

enum { WIRE_MOST = 1 << 30 }; /* bytes of a tensor's values in a message */

/* STATUS_UNSUPPORTED for a tensor whose bytes no path leads to (any more), and
 * for more than WIRE_MOST bytes of memory. */
void wire_tensor(Wire *wire, const Tensor *tensor);
void wire_factor(Wire *wire, const Factor *factor);
/* Whether it can be written, as far as a look at it tells. */
bool wire_tensor_able(const Tensor *tensor);
bool wire_factor_able(const Factor *factor);

/* Files that messages named, to be found again. Zero-initialise. */
enum { WIRE_FILES = 64 };
typedef struct WireFiles {
    File *file[WIRE_FILES];
    int next;
} WireFiles;

void wire_files_release(WireFiles *files);

/* Creates a tensor over the same bytes. STATUS_IO names a file that is not
 * there, or is another one here than where the message was written (size,
 * time of change, inode); STATUS_FORMAT and STATUS_ARGUMENT for records that
 * fit neither themselves nor the file. */
CHECKED Status take_tensor(WireReader *from, WireFiles *files, Tensor *out,
                           Err *err);
CHECKED Status take_factor(WireReader *from, WireFiles *files, Factor **out,
                           Err *err);

/* ---- sources alone ---- */

void wire_source(Wire *wire, const Source *source);
bool wire_source_able(const Source *source);
CHECKED Status take_source(WireReader *from, WireFiles *files, Source **out,
                           Err *err);

#endif
