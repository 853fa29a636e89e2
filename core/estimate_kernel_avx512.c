/* Block products with AVX-512: 16 vectors are one register. */
#include "estimate_kernel_vector.h"

#ifdef KERNEL_VECTOR
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define EACH _Pragma("GCC unroll 16")

enum { W = 16, R = HELD_ROWS, C = HELD_COLS };

/* Elements at .. at+15, widened. */
INLINE __m512 load(const void *a, size_t at, HeldKind kind) {
    const uint16_t *half = a;
    const float *whole = a;
    if (kind == HELD_F32)
        return _mm512_loadu_ps(whole + at);
    __m256i bits = _mm256_loadu_si256((const void *)(half + at));
    if (kind == HELD_F16)
        return _mm512_cvtph_ps(bits);
    return _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

/* (R, n) of the block from (row, col) on into the tile; what follows in each
 * row is asked for. */
INLINE void widen(const KernelBlock *block, size_t row, size_t col, size_t n,
                  HeldKind kind, float *tile) {
    size_t bytes = held_bytes(kind);
    for (size_t i = 0; i < R; i++) {
        size_t at = (row + i) * block->ld + col;
        const char *next = (const char *)block->a + (at + n) * bytes;
        for (size_t j = 0; j < n; j += C) {
            _mm_prefetch(next + j * bytes, _MM_HINT_T1);
            _mm512_store_ps(tile + i * KERNEL_PANEL + j,
                            load(block->a, at + j, kind));
        }
    }
}

/* y (R, W) (+)= tile (R, n) x (n, W). */
INLINE void tile_forward(const float *tile, const float *x, size_t n, bool add,
                         float *y) {
    __m512 sum[R];
    EACH for (int i = 0; i < R; i++) sum[i] =
        add ? _mm512_loadu_ps(y + i * W) : _mm512_setzero_ps();
    for (size_t j = 0; j < n; j++) {
        __m512 xj = _mm512_loadu_ps(x + j * W);
        EACH for (int i = 0; i < R; i++) sum[i] = _mm512_fmadd_ps(
            _mm512_set1_ps(tile[(size_t)i * KERNEL_PANEL + j]), xj, sum[i]);
    }
    EACH for (int i = 0; i < R; i++) _mm512_storeu_ps(y + i * W, sum[i]);
}

INLINE void forward(const KernelBlock *block, HeldKind kind) {
    _Alignas(64) float tile[R * KERNEL_PANEL];
    size_t n;
    for (size_t col = 0; col < block->ld; col += n) {
        n = block->ld - col;
        n = n < KERNEL_PANEL ? n : KERNEL_PANEL;
        for (size_t row = 0; row < block->rows; row += R) {
            widen(block, row, col, n, kind, tile);
            tile_forward(tile, block->x + col * W, n, col > 0,
                         block->y + row * W);
        }
    }
}

/* C columns of z at a time stay in registers, over all rows. */
INLINE void back(const KernelBlock *block, HeldKind kind) {
    for (size_t col = 0; col < block->ld; col += C) {
        float *z = block->z + col;
        __m512 sum[W];
        EACH for (int v = 0; v < W; v++) sum[v] =
            _mm512_loadu_ps(z + (size_t)v * block->ldz);
        for (size_t row = 0; row < block->rows; row++) {
            __m512 a = load(block->a, row * block->ld + col, kind);
            const float *y = block->y + row * W;
            EACH for (int v = 0; v < W; v++) sum[v] =
                _mm512_fmadd_ps(a, _mm512_set1_ps(y[v]), sum[v]);
        }
        EACH for (int v = 0; v < W; v++)
            _mm512_storeu_ps(z + (size_t)v * block->ldz, sum[v]);
    }
}

TARGET void kernel_forward_avx512(const KernelBlock *block) {
    if (block->kind == HELD_F16)
        forward(block, HELD_F16);
    else if (block->kind == HELD_BF16)
        forward(block, HELD_BF16);
    else
        forward(block, HELD_F32);
}

TARGET void kernel_back_avx512(const KernelBlock *block) {
    if (block->kind == HELD_F16)
        back(block, HELD_F16);
    else if (block->kind == HELD_BF16)
        back(block, HELD_BF16);
    else
        back(block, HELD_F32);
}
#endif
