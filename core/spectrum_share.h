/* One matrix whose slices many threads take.
 *
 * The slices' Gram matrices are added in the order of the slices, whatever the
 * order they come in, by the thread whose slice is due; the others go on. */
#ifndef WEFT_SPECTRUM_SHARE_H
#define WEFT_SPECTRUM_SHARE_H

#include "spectrum.h"

typedef struct SpectrumShare SpectrumShare;

/* Of a matrix of several spectrum_parts. Creates: spectrum_share_release. */
CHECKED Status spectrum_share_create(SpectrumShare **out, const Tensor *matrix,
                                     Err *err);
/* The share at *place; where that is NULL it is made first, by one of the
 * threads that call it. NULL where there is no memory. */
SpectrumShare *spectrum_share_at(_Atomic(SpectrumShare *) *place,
                                 const Tensor *matrix);
void spectrum_share_release(SpectrumShare *share);
/* Slice 0, 1, ... of the matrix, each once, on any thread. What fails is told
 * by spectrum_share_values; the slices after a failure cost nothing. */
void spectrum_share_slice(SpectrumShare *share, const Tensor *matrix, int slice,
                          Scratch *scratch, const volatile int *cancel);
/* spectrum_values of the matrix, all of it where the share is NULL, since no
 * slice was run, else after all slices; once, since it frees what
 * they held. STATUS_NOMEM where one of them never came. */
CHECKED Status spectrum_share_values(SpectrumShare *share, const Tensor *matrix,
                                     const SpectrumWish *wish, double *s,
                                     SpectrumInfo *info, Scratch *scratch,
                                     const volatile int *cancel, Err *err);
/* So many Gram matrices of side n fit half of the memory that this process may
 * use: the machine's, cut by the control group's limit. */
size_t spectrum_share_room(int64_t n);

#endif
