/* File tensors whose values are computed of several stored tensors: scaled
 * FP8 and int8, MXFP4 pairs, GPTQ, AWQ, bitsandbytes' four bits. Nothing of
 * the values is read here but a table of 16; the recipe (recipe.h) goes with
 * the tensor's source, and panels are dequantised as they are read.
 *
 * Values are float64: of an FP8, int8 or table value times a float scale the
 * exact product, where float32 arithmetic would round it once. */
#ifndef WEFT_PACKED_H
#define WEFT_PACKED_H

#include "tensor.h"

typedef enum PackedKind {
    PACKED_SCALED, /* weight, scale */
    PACKED_MXFP4,  /* blocks, scales */
    PACKED_GPTQ,   /* qweight, qzeros, scales, g_idx (may be NULL) */
    PACKED_AWQ,    /* qweight, qzeros, scales */
    PACKED_TABLE   /* weight, absmax, quant_map */
} PackedKind;

enum { PACKED_PARTS = 4 };

/* What is to be made. What a kind has no use for is not looked at. */
typedef struct PackedWish {
    PackedKind kind;
    const Tensor *part[PACKED_PARTS]; /* whole tensors of files */
    int64_t block[2];   /* SCALED: rows and columns of a scale's block; 0, 0:
                         * the scale's shape tells */
    double divisor;     /* SCALED: of all products */
    int bits;           /* GPTQ: 4 or 8 */
    int zero_add;       /* GPTQ: added to the stored zeros, 1 in version 1 */
    int64_t group;      /* GPTQ without g_idx and AWQ: rows a group; 0: as many
                         * as the scales' shape leaves */
    int64_t shape[2];   /* TABLE: of the weight */
    int64_t block_size; /* TABLE: values an absmax */
    const char *name;   /* TABLE: what the dtype reads, at most 31 bytes */
} PackedWish;

/* The tensor. Shapes, the slowest axis first:
 *
 * SCALED  weight [.., R, C] of 2 or 3 axes, F8_* or I8; scale of F32, F16,
 *         BF16 or F8_E8M0: [.., ceil(R / block[0]), ceil(C / block[1])], or
 *         [.., r, c] where r divides R and c C, [R], [1] or []:
 *         value = weight * scale / divisor.
 * MXFP4   blocks U8 [.., G, 16], scales U8 [.., G], exponents of two with a
 *         bias of 127 (255 is NaN): [.., 32 G], the low four bits first.
 * GPTQ    qweight I32 [in * bits / 32, out], qzeros I32 [g, out * bits / 32],
 *         scales [g, out], g_idx I32 [in]: [out, in].
 * AWQ     qweight I32 [in, out / 8], qzeros I32 [g, out / 8], scales [g, out]:
 *         [out, in]; columns 0 2 4 6 1 3 5 7 from the lowest bits up.
 * TABLE   weight U8 of shape[0] * shape[1] / 2 elements, absmax F32
 *         [ceil(elements / block_size)], quant_map F32 [16]: shape, the high
 *         four bits first.
 *
 * STATUS_ARGUMENT names the part whose dtype or shape does not fit. Creates;
 * keeps the parts' files. */
CHECKED Status packed_create(Tensor *out, const PackedWish *wish, Err *err);

#endif
