/* The linked targets, and the choice of one for a context. */
#include "kernels/kernels.h"

#include "base/platform.h"
#include "base/status.h"

#include <assert.h>
#include <string.h>

#ifdef PLX_HAVE_AVX512
extern const plx_kernels plx__kernels_avx512;
#endif
#ifdef PLX_HAVE_AVX2
extern const plx_kernels plx__kernels_avx2;
#endif
#ifdef PLX_HAVE_AVX128
extern const plx_kernels plx__kernels_avx128;
#endif
#ifdef PLX_HAVE_SSE2
extern const plx_kernels plx__kernels_sse2;
#endif
#ifdef PLX_HAVE_NEON
extern const plx_kernels plx__kernels_neon;
#endif
#ifdef PLX_HAVE_NEON128
extern const plx_kernels plx__kernels_neon128;
#endif
#ifdef PLX_HAVE_WASMRELAXED
extern const plx_kernels plx__kernels_wasmrelaxed;
#endif
#ifdef PLX_HAVE_WASM128
extern const plx_kernels plx__kernels_wasm128;
#endif
#ifdef PLX_HAVE_SCALAR
extern const plx_kernels plx__kernels_scalar;
#endif

/* Best first; the build determines which are present. */
static const plx_kernels *const linked[] = {
#ifdef PLX_HAVE_AVX512
    &plx__kernels_avx512,
#endif
#ifdef PLX_HAVE_AVX2
    &plx__kernels_avx2,
#endif
#ifdef PLX_HAVE_AVX128
    &plx__kernels_avx128,
#endif
#ifdef PLX_HAVE_SSE2
    &plx__kernels_sse2,
#endif
#ifdef PLX_HAVE_NEON
    &plx__kernels_neon,
#endif
#ifdef PLX_HAVE_NEON128
    &plx__kernels_neon128,
#endif
#ifdef PLX_HAVE_WASMRELAXED
    &plx__kernels_wasmrelaxed,
#endif
#ifdef PLX_HAVE_WASM128
    &plx__kernels_wasm128,
#endif
#ifdef PLX_HAVE_SCALAR
    &plx__kernels_scalar,
#endif
};

enum { LINKED = sizeof linked / sizeof linked[0] };

const plx_kernels *const *plx__kernels_list(int *count) {
    *count = LINKED;
    return linked;
}

static bool runs_here(const plx_kernels *kernels) {
    return !(kernels->features & ~plx_platform_cpu_features());
}

const plx_kernels *plx__row_kernels(const plx_kernels *own, int64_t n) {
    enum { WIDEST = 64 / sizeof(plx_real), HALF = WIDEST / 2 };
    const bool wasteful = own->vl == WIDEST && (n - 1) % WIDEST < HALF && n <= WIDEST + HALF;
    for (int k = 0; wasteful && k < LINKED; ++k)
        if (linked[k]->vl == HALF && linked[k]->fma && runs_here(linked[k])) return linked[k];
    return own;
}

const char *plx_isa_name(int i) {
    for (int k = 0; k < LINKED; ++k)
        if (runs_here(linked[k]) && i-- == 0) return linked[k]->name;
    return NULL;
}

/* from: where the name comes from, if not from the caller. */
static plx_status no_such_target(const char *name, const char *from, plx__message *message) {
    assert(name);
    char list[96] = "";
    for (int i = 0; plx_isa_name(i); ++i) {
        const size_t used = strlen(list);
        plx__format(list + used, sizeof list - used, i ? ", %s" : "%s", plx_isa_name(i));
    }
    for (int k = 0; k < LINKED; ++k)
        if (linked[k]->name && !strcmp(linked[k]->name, name))
            return plx__fail(message, PLX_ERR_UNSUPPORTED,
                             "context: this processor cannot run ISA \"%s\"%s; it runs: %s", name,
                             from, list);
    return plx__fail(message, PLX_ERR_UNSUPPORTED,
                     "context: there is no ISA \"%.40s\"%s; this machine runs: %s", name, from,
                     list);
}

plx_status plx__kernels_pick(const char *name, bool exact, const plx_kernels **out,
                             plx__message *message) {
    const bool asked = name || exact;
    if (!asked) name = plx_platform_env("PARALLAX_ISA");
    if (name && !*name) name = NULL;
    for (int k = 0; k < LINKED; ++k) {
        if (!runs_here(linked[k]) || (exact && !linked[k]->exact)) continue;
        if (name && strcmp(linked[k]->name, name)) continue;
        *out = linked[k];
        return PLX_OK;
    }
    if (name) return no_such_target(name, asked ? "" : " (from PARALLAX_ISA)", message);
    return plx__fail(message, PLX_ERR_UNSUPPORTED,
                     "context: no reproducible ISA is built for this platform");
}
