#include "native/parallax_native.h"

#include "base/platform.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* From cblas.h, which may be missing at build time. */
enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112 };
typedef void (*sgemm_function)(int order, int ta, int tb, int m, int n, int k, float alpha,
                               const float *a, int lda, const float *b, int ldb, float beta,
                               float *c, int ldc);

typedef struct blas {
    void *library;
    sgemm_function sgemm;
    void (*set_threads)(int threads); /* NULL: the library decides */
    const char *(*corename)(void);    /* OpenBLAS only */
    int asked;                        /* the number last set; 0: never set */
    int started;                      /* the most it has had */
    bool short_of_threads;            /* the system lets it start no more than those */
} blas;

static struct {
    bool tried, found;
    blas blas;
    plx_gemm_provider provider;
    char name[64];
    char note[256];
} state;

static bool run_gemm(void *self, bool ta, bool tb, int64_t m, int64_t n, int64_t k, plx_real alpha,
                     const plx_real *a, int64_t lda, const plx_real *b, int64_t ldb, plx_real beta,
                     plx_real *c, int64_t ldc) {
    const blas *library = self;
    /* BLAS takes sizes as int. */
    const int64_t sizes[] = {m, n, k, lda, ldb, ldc};
    for (int i = 0; i < 6; ++i)
        if (sizes[i] > INT_MAX) return false;
    library->sgemm(ROW_MAJOR, ta ? TRANSPOSE : NO_TRANSPOSE, tb ? TRANSPOSE : NO_TRANSPOSE, (int)m,
                   (int)n, (int)k, alpha, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
    return true;
}

/* ---- Threads ----------------------------------------------------------------------------------
 */

static void *wait_at(void *gate) {
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* How many more threads, up to wanted, this process can start at once. */
static int startable(int wanted) {
    enum { MOST = 256 };
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t trials[MOST];
    int count = 0;
    pthread_mutex_lock(&gate);
    while (count < wanted && count < MOST && !pthread_create(&trials[count], NULL, wait_at, &gate))
        ++count;
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < count; ++i) pthread_join(trials[i], NULL);
    return count;
}

static void note_shortage(int threads) {
    const size_t length = strlen(state.note);
    snprintf(state.note + length, sizeof state.note - length,
             "%sOpenBLAS has %d thread%s: the system lets this process start no more",
             length ? "; " : "", threads, threads == 1 ? "" : "s");
}

/* OpenBLAS does not check for failure: it would wait forever for a thread that did not start. */
static void set_threads(void *self, int threads) {
    blas *library = self;
    if (!library->set_threads || library->asked == threads) return;
    library->asked = threads;
    if (threads > library->started && !library->short_of_threads) {
        library->started += startable(threads - library->started);
        library->short_of_threads = library->started < threads;
        if (library->short_of_threads) note_shortage(library->started);
    }
    library->set_threads(threads < library->started ? threads : library->started);
}

/* ---- Loading ----------------------------------------------------------------------------------
 */

static bool open_blas(blas *library) {
    static const char *const names[] = {
        "libopenblas.so.0",
        "libopenblas.so",
        "/System/Library/Frameworks/Accelerate.framework/Accelerate",
        "libopenblas.dylib",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        *library = (blas){.library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL), .started = 1};
        if (!library->library) continue;
        /* The POSIX way to get a function from an object pointer. */
        *(void **)&library->sgemm = dlsym(library->library, "cblas_sgemm");
        *(void **)&library->set_threads = dlsym(library->library, "openblas_set_num_threads");
        *(void **)&library->corename = dlsym(library->library, "openblas_get_corename");
        if (library->sgemm) return true;
        dlclose(library->library);
    }
    return false;
}

/* Sets an environment variable; a NULL value removes it. */
static void set_variable(const char *name, const char *value) {
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

/* The library chooses its kernels when it is loaded, from the environment (core NULL: whatever that
 * says). It also starts its threads then, and ends the process with SIGINT if it cannot, so it is
 * given one. */
static bool open_with(blas *library, const char *core) {
    const char *old_threads = getenv("OPENBLAS_NUM_THREADS");
    char *saved = old_threads ? strdup(old_threads) : NULL;
    if (core) set_variable("OPENBLAS_CORETYPE", core);
    set_variable("OPENBLAS_NUM_THREADS", "1");
    const bool opened = open_blas(library);
    if (core) set_variable("OPENBLAS_CORETYPE", NULL);
    set_variable("OPENBLAS_NUM_THREADS", saved);
    free(saved);
    return opened;
}

/* Whether core is among the names, which end with NULL. */
static bool is_one_of(const char *core, const char *const *names) {
    for (; *names; ++names)
        if (!strcasecmp(core, *names)) return true;
    return false;
}

/* The name of better kernels for this processor than those called core; NULL when core will do. */
static const char *better_core(const char *core) {
    static const char *const below_avx2[] = {
        "Prescott",  "Core2",     "Penryn",     "Dunnington",   "Atom",
        "Nehalem",   "Athlon",    "Opteron",    "Opteron_SSE3", "Barcelona",
        "Bobcat",    "Bulldozer", "Piledriver", "Steamroller",  "Sandybridge",
        "Northwood", "Katmai",    "Coppermine", "Banias",       NULL};
    static const char *const below_avx512[] = {"Haswell", "Zen", "Excavator", NULL};
    const uint32_t features = plx_platform_cpu_features();
    const bool old = is_one_of(core, below_avx2);
    if ((features & PLX_CPU_AVX512) && (old || is_one_of(core, below_avx512))) return "SkylakeX";
    if ((features & PLX_CPU_AVX2_FMA) && old) return "Haswell";
    return NULL;
}

/* Loads the library to see what it chooses and, if that falls short of the processor, loads it
 * again with a better choice. */
static bool open_best(blas *library) {
    if (!open_with(library, NULL)) return false;
    if (getenv("OPENBLAS_CORETYPE")) return true;
    char chosen[32] = "";
    if (library->corename) snprintf(chosen, sizeof chosen, "%s", library->corename());
    const char *better = better_core(chosen);
    if (!better) return true;
    dlclose(library->library);
    if (!open_with(library, better)) return false;
    if (!strcasecmp(library->corename(), better))
        snprintf(state.note, sizeof state.note,
                 "OpenBLAS chose its %s kernels, although this processor supports better ones; its "
                 "%s kernels are used instead",
                 chosen, better);
    else
        snprintf(state.note, sizeof state.note,
                 "OpenBLAS uses its %s kernels, although this processor supports better ones; set "
                 "OPENBLAS_CORETYPE=%s in the environment to change that",
                 chosen, better);
    return true;
}

static const plx_gemm_provider *provider(bool unaided, const char **note) {
    if (!state.tried) {
        state.tried = true;
        state.found = unaided ? open_with(&state.blas, NULL) : open_best(&state.blas);
        if (!state.found)
            snprintf(state.note, sizeof state.note,
                     "no BLAS was found: install libopenblas0 (apt) or openblas (brew)");
        const char *core = state.found && state.blas.corename ? state.blas.corename() : NULL;
        if (core)
            snprintf(state.name, sizeof state.name, "OpenBLAS %s", core);
        else
            snprintf(state.name, sizeof state.name, "Accelerate");
        state.provider = (plx_gemm_provider){
            .name = state.name, .self = &state.blas, .gemm = run_gemm, .set_threads = set_threads};
    }
    if (note) *note = state.note;
    return state.found ? &state.provider : NULL;
}

const plx_gemm_provider *plx_native_cblas(const char **note) {
    return provider(false, note);
}

const plx_gemm_provider *plx_native_cblas_unaided(const char **note) {
    return provider(true, note);
}
