/* Block products with AVX2, F16C and FMA: 8 vectors are one register. */
#include "estimate_kernel_vector.h"

#ifdef KERNEL_VECTOR
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define EACH _Pragma("GCC unroll 16")

/* Rows of a tile; lanes of a register; vectors of z taken at a time, over two
 * registers of columns. */
enum { R = HELD_ROWS, W = 8, V = 4 };

/* Elements at .. at+7, widened. */
INLINE __m256 load(const void *a, size_t at, HeldKind kind) {
    const uint16_t *half = a;
    const float *whole = a;
    if (kind == HELD_F32)
        return _mm256_loadu_ps(whole + at);
    __m128i bits = _mm_loadu_si128((const void *)(half + at));
    if (kind == HELD_F16)
        return _mm256_cvtph_ps(bits);
    return _mm256_castsi256_ps(
        _mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}

/* (R, n) of the block from (row, col) on into the tile; what follows in each
 * row is asked for. */
INLINE void widen(const KernelBlock *block, size_t row, size_t col, size_t n,
                  HeldKind kind, float *tile) {
    size_t bytes = held_bytes(kind);
    for (size_t i = 0; i < R; i++) {
        size_t at = (row + i) * block->ld + col;
        const char *next = (const char *)block->a + (at + n) * bytes;
        for (size_t j = 0; j < n; j += 2 * W) {
            float *to = tile + i * KERNEL_PANEL + j;
            _mm_prefetch(next + j * bytes, _MM_HINT_T1);
            _mm256_store_ps(to, load(block->a, at + j, kind));
            _mm256_store_ps(to + W, load(block->a, at + j + W, kind));
        }
    }
}

/* y (R, W) (+)= tile (R, n) x (n, W), both within `width` columns. */
INLINE void tile_forward(const float *tile, const float *x, size_t n, bool add,
                         size_t width, float *y) {
    __m256 sum[R];
    EACH for (int i = 0; i < R; i++) sum[i] =
        add ? _mm256_loadu_ps(y + (size_t)i * width) : _mm256_setzero_ps();
    for (size_t j = 0; j < n; j++) {
        __m256 xj = _mm256_loadu_ps(x + j * width);
        EACH for (int i = 0; i < R; i++) sum[i] = _mm256_fmadd_ps(
            _mm256_set1_ps(tile[(size_t)i * KERNEL_PANEL + j]), xj, sum[i]);
    }
    EACH for (int i = 0; i < R; i++)
        _mm256_storeu_ps(y + (size_t)i * width, sum[i]);
}

INLINE void forward(const KernelBlock *block, size_t first, HeldKind kind) {
    _Alignas(32) float tile[R * KERNEL_PANEL];
    size_t n;
    for (size_t col = 0; col < block->ld; col += n) {
        n = block->ld - col;
        n = n < KERNEL_PANEL ? n : KERNEL_PANEL;
        for (size_t row = 0; row < block->rows; row += R) {
            widen(block, row, col, n, kind, tile);
            tile_forward(tile, block->x + col * block->width + first, n,
                         col > 0, block->width,
                         block->y + row * block->width + first);
        }
    }
}

/* V vectors from v on of two registers of columns. */
INLINE void tile_back(const KernelBlock *block, size_t v, size_t col,
                      HeldKind kind) {
    float *z = block->z + v * block->ldz + col;
    __m256 low[V], high[V];
    EACH for (int i = 0; i < V; i++) {
        low[i] = _mm256_loadu_ps(z + (size_t)i * block->ldz);
        high[i] = _mm256_loadu_ps(z + (size_t)i * block->ldz + W);
    }
    for (size_t row = 0; row < block->rows; row++) {
        size_t at = row * block->ld + col;
        __m256 left = load(block->a, at, kind);
        __m256 right = load(block->a, at + W, kind);
        const float *y = block->y + row * block->width + v;
        EACH for (int i = 0; i < V; i++) {
            __m256 yi = _mm256_set1_ps(y[i]);
            low[i] = _mm256_fmadd_ps(left, yi, low[i]);
            high[i] = _mm256_fmadd_ps(right, yi, high[i]);
        }
    }
    EACH for (int i = 0; i < V; i++) {
        _mm256_storeu_ps(z + (size_t)i * block->ldz, low[i]);
        _mm256_storeu_ps(z + (size_t)i * block->ldz + W, high[i]);
    }
}

INLINE void back(const KernelBlock *block, size_t first, HeldKind kind) {
    for (size_t col = 0; col < block->ld; col += HELD_COLS) {
        tile_back(block, first, col, kind);
        tile_back(block, first + V, col, kind);
    }
}

TARGET void kernel_forward_avx2(const KernelBlock *block, size_t first) {
    if (block->kind == HELD_F16)
        forward(block, first, HELD_F16);
    else if (block->kind == HELD_BF16)
        forward(block, first, HELD_BF16);
    else
        forward(block, first, HELD_F32);
}

TARGET void kernel_back_avx2(const KernelBlock *block, size_t first) {
    if (block->kind == HELD_F16)
        back(block, first, HELD_F16);
    else if (block->kind == HELD_BF16)
        back(block, first, HELD_BF16);
    else
        back(block, first, HELD_F32);
}

/* Rounded to float32 first, which F16 fits: what is held here is F16's own. */
TARGET void kernel_pack_half_avx2(const double *x, size_t n, uint16_t *out) {
    for (size_t i = 0; i < n; i += W) {
        __m128 low = _mm256_cvtpd_ps(_mm256_loadu_pd(x + i));
        __m128 high = _mm256_cvtpd_ps(_mm256_loadu_pd(x + i + V));
        __m256 both =
            _mm256_insertf128_ps(_mm256_castps128_ps256(low), high, 1);
        _mm_storeu_si128((__m128i *)(void *)(out + i),
                         _mm256_cvtps_ph(both, _MM_FROUND_TO_NEAREST_INT));
    }
}
#endif
