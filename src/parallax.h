/*
 * Parallax: build a graph, compile it into a plan, run the plan. Natively and in WebAssembly.
 *
 * Conventions, unless a declaration says otherwise
 * - Arrays are row-major; sizes and strides are int64_t counts of elements, times are nanoseconds.
 * - Objects come first among the parameters and must not be NULL. Any other NULL pointer that its
 *   declaration does not allow is PLX_ERR_ARGUMENT in a call that can fail, and so is a number that
 *   its enumeration does not have.
 * - Every _new names its _free; _free(NULL) does nothing. Objects may be freed in any order: what
 *   was made from a context, graph, tensor, optimizer or model keeps it alive until freed itself.
 *   Anything else (data, arrays, options) is borrowed for the call only, unless a declaration says
 *   for how long. Pointers into an object are valid as long as the object.
 * - Numbers count from 0. A call that takes one and cannot fail gives, for a number that is below 0
 *   or past the last, the value that its declaration states: NULL, 0, or a structure of zeros and
 *   empty texts. One that can fail gives PLX_ERR_ARGUMENT.
 * - Calls that can fail return plx_status. On failure they leave their outputs, and the graph that
 *   they add to, unchanged, and plx_message gives the error message, with the numbers.
 * - A context and everything made from it belong to one thread at a time. The library never prints,
 *   exits or aborts.
 * - Reproducibility: with the ISA "sse2", "avx128", "neon128" or "wasm128" every result has the
 *   same bits on every platform, for any number of threads. With other ISAs the bits depend on the
 *   ISA alone.
 *
 * Reading order: status, context, random numbers, tensors, graph, training ops, plan. Files are in
 * parallax_files.h, networks made of layers and their training in parallax_nn.h.
 */
#ifndef PARALLAX_H
#define PARALLAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PLX_VERSION "0.1.0"

/* The element type: float; double in the build that checks gradients. */
#ifndef PLX_REAL
#define PLX_REAL float
#endif
typedef PLX_REAL plx_real;

enum { PLX_MAX_RANK = 6 };

#ifdef __GNUC__
/* A shared library exports what is declared between these two. */
#define PLX_BEGIN_EXPORTS _Pragma("GCC visibility push(default)")
#define PLX_END_EXPORTS _Pragma("GCC visibility pop")
/* Lets compilers check the arguments against the format. */
#define PLX_PRINTF_ARGUMENTS(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define PLX_BEGIN_EXPORTS
#define PLX_END_EXPORTS
#define PLX_PRINTF_ARGUMENTS(text, first)
#endif

PLX_BEGIN_EXPORTS

/* ---- Status ---------------------------------------------------------------------------------- */

/* PLX_OK, and the failures PLX_ERR_ARGUMENT and so on, which parallax.def lists and explains. */
typedef enum plx_status {
    PLX_OK = 0,
#define PLX_STATUS(NAME, value, about) PLX_ERR_##NAME = (value),
#include "parallax.def"
} plx_status;

/* "PLX_ERR_SHAPE"; "unknown status" for other values. */
const char *plx_status_name(plx_status status);

const char *plx_version(void);

/* ---- Context --------------------------------------------------------------------------------- */

/* Threads, kernels and the measured costs of the machine. */
typedef struct plx_ctx plx_ctx;

/* A matrix product from outside the library (a BLAS): c = alpha op(a) op(b) + beta c, row-major, as
 * cblas_sgemm defines it, on the threads that set_threads allows. Returns false, without having
 * written anything, if it cannot handle the sizes: the built-in kernels then compute the product.
 * Must outlive the context and everything made from it. */
typedef struct plx_gemm_provider {
    const char *name;
    void *self;
    bool (*gemm)(void *self, bool ta, bool tb, int64_t m, int64_t n, int64_t k, plx_real alpha,
                 const plx_real *a, int64_t lda, const plx_real *b, int64_t ldb, plx_real beta,
                 plx_real *c, int64_t ldc);
    void (*set_threads)(void *self, int threads);
} plx_gemm_provider;

typedef enum plx_gemm_choice {
    PLX_GEMM_BUILTIN = 0, /* the built-in kernels */
    PLX_GEMM_PROVIDER,    /* the provider, for every product */
    PLX_GEMM_AUTO,        /* whichever measures faster when the context is made; with
                             measure_later, the built-in kernels */
} plx_gemm_choice;

typedef struct plx_ctx_options {
    int threads;          /* workers including the caller; 0: as many as measurably help */
    const char *isa;      /* forces a kernel target by name; NULL: PARALLAX_ISA, else the best */
    bool reproducible;    /* the bit-for-bit target of this platform; isa must be NULL */
    plx_gemm_choice gemm; /* ignored without a provider, and when reproducible */
    const plx_gemm_provider *provider; /* NULL: none */
    bool measure_later; /* quick start: costs are assumed until plx_ctx_set_threads */
} plx_ctx_options;

/* All 0: as many threads as measurably help, the best kernel target, built-in matrix products. */
plx_ctx_options plx_ctx_default(void);

/* Starts the threads and measures the machine (a few milliseconds). options NULL: the defaults. On
 * failure *out is NULL and message (message_bytes long; may be NULL) holds the error message. Free
 * with plx_ctx_free. */
plx_status plx_ctx_new(const plx_ctx_options *options, plx_ctx **out, char *message,
                       size_t message_bytes);
/* To be called between runs: adds threads up to this number, or as many as the platform gives (0:
 * as many as measurably help), and measures the machine. Plans of this context use the new threads
 * from their next run on. A number below the present one is PLX_ERR_ARGUMENT. */
plx_status plx_ctx_set_threads(plx_ctx *ctx, int threads);
/* For callers that must not wait until threads run, such as one whose event loop helps to start
 * them: starts what plx_ctx_set_threads would add (0: as many as there are processors), and returns
 * whether all that the platform gives run by now. To be called again until it does, then followed
 * by plx_ctx_set_threads, without which the context goes on as before. */
bool plx_ctx_begin_threads(plx_ctx *ctx, int threads);
void plx_ctx_free(plx_ctx *ctx);

/* The message of the last failure in this context; "" if there was none. Valid until the next
 * failure. */
const char *plx_message(const plx_ctx *ctx);

typedef struct plx_ctx_info {
    const char *isa;      /* "avx512" */
    const char *isa_note; /* why it is not a better one; "" if it is the best */
    const char *gemm;     /* "builtin" or the provider's name */
    int threads;          /* workers including the caller */
    int cpus;             /* what the platform reports */
    int vector_bits;
    bool fma;            /* whether kernels fuse multiply and add */
    bool exact;          /* whether results have the bits of the reproducible targets */
    double fork_join_ns; /* cost of starting and joining all threads; 0 with one thread */
    bool costs_measured; /* false: fork_join_ns is assumed, 5,000: threads started too late */
    double gflops;       /* GEMM micro-kernel, one thread */
    double gbytes;       /* streaming kernel, one thread, GB/s */
} plx_ctx_info;

/* Strings live as long as the context. */
plx_ctx_info plx_ctx_get_info(const plx_ctx *ctx);

/* Runs rounds of independent multiply-adds in registers on so many threads (0: all) at the same
 * time, and returns the number of floating-point operations: divided by the time, the peak of this
 * context's arithmetic. 0 if nothing was done because the system had no processor for one of the
 * threads. */
double plx_peak(plx_ctx *ctx, int threads, int64_t rounds);

typedef enum plx_stream {
    PLX_STREAM_READ = 0, /* sums all of data */
    PLX_STREAM_COPY,     /* copies its first half into its second */
    PLX_STREAM_ADD,      /* its last third = first + second */
} plx_stream;

/* Passes rounds times over data [n], each thread over its own share, and returns the number of
 * bytes read and written: divided by the time, the bandwidth of the cache or memory that holds n
 * elements. 0 if nothing was done: as for plx_peak, or because stream is unknown or there is no
 * data. */
double plx_bandwidth(plx_ctx *ctx, plx_stream stream, int64_t n, plx_real *data, int64_t rounds);

/* Uninitialised memory, aligned to 64 bytes, which is fastest to read; NULL if there is not enough.
 * Free with plx_free; plx_free(NULL) does nothing. */
void *plx_alloc(size_t bytes);
void plx_free(void *memory);

/* Stores a message for plx_message, formatted as by printf, and returns status, so that code on top
 * of the library can fail the way the library does. */
plx_status plx_fail(plx_ctx *ctx, plx_status status, const char *format, ...)
    PLX_PRINTF_ARGUMENTS(3, 4);

/* Name of number i of the linked kernel targets that this machine can run, best first; NULL if
 * there is no such number. */
const char *plx_isa_name(int i);

/**
 * c = alpha * op(a) * op(b) + beta * c, where op transposes when ta (tb) is set.
 *
 * op(a) is m x k, op(b) is k x n, c is m x n; lda, ldb, ldc are the row strides of the arrays as
 * stored. c must not overlap a or b. If beta == 0, c is written but never read, so it may hold NaN.
 *
 * Returns PLX_ERR_SHAPE (a stride below its row length, a negative size) or PLX_ERR_MEMORY
 * (packing scratch); on error c is unchanged. The context keeps the scratch for the next call.
 *
 * With alpha = 1, beta = 0 element errors are at most k * EPSILON * sum_p |a(i,p) * b(p,j)|.
 */
plx_status plx_gemm(plx_ctx *ctx, bool ta, bool tb, int64_t m, int64_t n, int64_t k, plx_real alpha,
                    const plx_real *a, int64_t lda, const plx_real *b, int64_t ldb, plx_real beta,
                    plx_real *c, int64_t ldc);

/* ---- Random numbers -------------------------------------------------------------------------- */

/* Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter
 * and a key, so the same seed gives the same stream on every platform and position i can be
 * computed without those before it. A plain value: copy it to fork the stream. */
typedef struct plx_rng {
    uint64_t key;
    uint64_t next; /* index of the next 32-bit word */
} plx_rng;

/* Different streams of one seed are independent. */
plx_rng plx_rng_new(uint64_t seed, uint32_t stream);
uint32_t plx_rng_u32(plx_rng *rng);
/* Uniform in [0, 1) with 53 bits; takes two words. */
double plx_rng_uniform(plx_rng *rng);
/* Standard normal by Box and Muller (1958); takes four words. */
double plx_rng_normal(plx_rng *rng);
/* Uniform in [0, n), without bias; 0 for n < 1. */
int64_t plx_rng_below(plx_rng *rng, int64_t n);
/* Fills order with a random permutation of 0..n-1 (Fisher and Yates). */
void plx_rng_permute(plx_rng *rng, int64_t n, int64_t *order);

/* -- Elementary functions -- */

/* Computed in double precision from IEEE operations alone, so that seeded data has the same bits
 * wherever it is made: libm differs from system to system. Relative errors are below 2e-15 (sine
 * and cosine: absolute errors, for |x| < 1e5); the square root is correctly rounded. */
double plx_math_exp(double x);
double plx_math_log(double x);
double plx_math_sin(double x);
double plx_math_cos(double x);
double plx_math_sqrt(double x);

/* ---- Tensors --------------------------------------------------------------------------------- */

/* The element types: DTYPE(name, value, C type, its name in messages). Reals are float, double in a
 * build with PLX_REAL=double. bfloat16 (the upper half of a float), float16 (IEEE 754 binary16) and
 * the one-byte integers are for storage: casts write and read them, ops that only move elements
 * accept them, and comparisons give uint8; arithmetic is on reals. */
#define PLX_DTYPE_LIST(DTYPE)                                                                      \
    DTYPE(REAL, 0, plx_real, sizeof(plx_real) == sizeof(double) ? "float64" : "float32")           \
    DTYPE(I32, 1, int32_t, "int32")                                                                \
    DTYPE(BF16, 2, uint16_t, "bfloat16")                                                           \
    DTYPE(F16, 3, uint16_t, "float16")                                                             \
    DTYPE(I8, 4, int8_t, "int8")                                                                   \
    DTYPE(U8, 5, uint8_t, "uint8")

typedef enum plx_dtype {
#define PLX_DTYPE_VALUE(name, value, type, text) PLX_DTYPE_##name = (value),
    PLX_DTYPE_LIST(PLX_DTYPE_VALUE)
#undef PLX_DTYPE_VALUE
        PLX_DTYPES_
} plx_dtype;

/* Persistent, contiguous memory: parameters and optimizer state. Graphs refer to tensors, so that
 * several plans share one set of weights. */
typedef struct plx_tensor plx_tensor;

/* A zero-filled tensor. dims are >= 0; NULL for rank 0. */
plx_status plx_tensor_new(plx_ctx *ctx, plx_dtype dtype, int rank, const int64_t *dims,
                          plx_tensor **out);
void plx_tensor_free(plx_tensor *tensor);
/* The values, to read or to write. The call also tells plans that the values may change: whoever
 * writes through a pointer after a prediction calls again, before or after writing, or the next run
 * of a plan with constant_parameters may still use the values before. Predictions and generators
 * have such plans. */
void *plx_tensor_data(plx_tensor *tensor);
int plx_tensor_rank(const plx_tensor *tensor);
const int64_t *plx_tensor_dims(const plx_tensor *tensor);
int64_t plx_tensor_size(const plx_tensor *tensor); /* elements */

typedef enum plx_init {
    PLX_INIT_ZERO = 0,
    PLX_INIT_HE_UNIFORM,     /* U(-l, l), l = sqrt(6 / fan_in): He et al., ICCV 2015 */
    PLX_INIT_HE_NORMAL,      /* N(0, 2 / fan_in) */
    PLX_INIT_XAVIER_UNIFORM, /* l = sqrt(6 / (fan_in + fan_out)): Glorot and Bengio, AISTATS 2010 */
    PLX_INIT_XAVIER_NORMAL,  /* N(0, 2 / (fan_in + fan_out)) */
    PLX_INIT_NORMAL,         /* N(0, value^2) */
    PLX_INIT_CONSTANT,       /* value */
    PLX_INIT_HE_FAN_OUT,     /* N(0, 2 / fan_out): He et al., for convolutions before a norm */
    PLX_INIT_ORTHOGONAL,     /* rows of length 1 at right angles, or columns, if there are fewer of
                                them: Saxe et al., ICLR 2014 */
} plx_init;

/* Fills a tensor [..., in, out] of reals: fan_in is the product of all dimensions but the last,
 * fan_out that of all but the last but one. value must be finite; rng may be NULL if init draws
 * nothing. */
plx_status plx_tensor_init(plx_tensor *tensor, plx_init init, double value, plx_rng *rng);

/* ---- Graph ----------------------------------------------------------------------------------- */

/* A directed graph of operations with fixed shapes. Builders check shapes at once and return a
 * handle. When a builder that returns a handle fails, the graph keeps the first error message,
 * later builders silently return invalid handles, and plx_compile (or plx_graph_status) reports the
 * error; a builder that returns a status reports it itself and leaves the graph unchanged. */
typedef struct plx_graph plx_graph;

/* A handle to a node of one graph: other graphs, and plans of other graphs, reject it. */
typedef struct plx_node {
    int64_t id; /* negative: invalid; else the lower 32 bits number the graph's nodes from 0 */
} plx_node;

plx_status plx_graph_new(plx_ctx *ctx, plx_graph **out);
void plx_graph_free(plx_graph *graph);
plx_status plx_graph_status(const plx_graph *graph);
/* Node i in order of creation, from 0; invalid past the last. */
plx_node plx_graph_node(const plx_graph *graph, int i);
/* Returns the rank of a node and sets *dims (dims may be NULL); -1 for an invalid handle or one of
 * another graph. */
int plx_node_shape(const plx_graph *graph, plx_node node, const int64_t **dims);
/* Element type of a node; PLX_DTYPE_REAL for an invalid handle or one of another graph. */
plx_dtype plx_node_dtype(const plx_graph *graph, plx_node node);

/* The name of a node's operation, "matmul"; NULL for an invalid handle or one of another graph. */
const char *plx_node_op(const plx_graph *graph, plx_node node);
/* Operand i of a node; invalid past the last, for an operand that was left out, and for an invalid
 * handle or one of another graph. */
plx_node plx_node_operand(const plx_graph *graph, plx_node node, int i);

/* An input, whose data is bound before a run. name is unique among the inputs, or NULL or "". */
plx_node plx_input(plx_graph *graph, const char *name, plx_dtype dtype, int rank,
                   const int64_t *dims);
/* A tensor, which exists independently of the graph: plans read it, updates write it. The same
 * tensor always gives the same node. name may be NULL. */
plx_node plx_parameter(plx_graph *graph, const char *name, plx_tensor *tensor);
/* A scalar (rank 0). */
plx_node plx_constant(plx_graph *graph, double value);

/* PLX_LINEAR, PLX_RELU and so on: parallax.def lists them with their formulas. */
typedef enum plx_activation {
    PLX_LINEAR = 0,
#define PLX_ACTIVATION(NAME, name, parameter, default_p, begin, about) PLX_##NAME,
#include "parallax.def"
    PLX_ACTIVATIONS_
} plx_activation;

/* "relu", "gelu_tanh"...; NULL past the last. */
const char *plx_activation_name(plx_activation activation);
/* PLX_ACTIVATIONS_ if no activation has that name. */
plx_activation plx_activation_from_name(const char *name);
/* The default p of an activation. */
plx_real plx_activation_default(plx_activation activation);

/* op(a) op(b), where op transposes the last two axes when ta (tb) is set: op(a) is [..., m, k],
 * op(b) [..., k, n], the result [..., m, n]. The axes before those two broadcast as NumPy's do: one
 * product for each. Element errors are as for plx_gemm. */
plx_node plx_matmul(plx_graph *graph, plx_node a, plx_node b, bool ta, bool tb);
/* x + b along the last dimension. */
plx_node plx_bias(plx_graph *graph, plx_node x, plx_node b);
/* x w + b: x [..., in], w [in, out], b [out]; b may be plx_none(). */
plx_node plx_dense(plx_graph *graph, plx_node x, plx_node w, plx_node b);
plx_node plx_none(void);
/* p: the parameter of those that have one (ELU's alpha), above 0 and finite, as from
 * plx_activation_default; the others ignore it. */
plx_node plx_activate(plx_graph *graph, plx_node x, plx_activation activation, plx_real p);

/* Elementwise with NumPy broadcasting: dimensions, aligned from the last, must be equal or 1. */
plx_node plx_add(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_sub(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_mul(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_div(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_max(plx_graph *graph, plx_node a,
                 plx_node b); /* NaN if either is; in a tie the gradient goes to a */
plx_node plx_min(plx_graph *graph, plx_node a, plx_node b);
/* a^b like C's pow: a negative a needs a whole b (else NaN), a^0 = 1^b = 1. Where a is not above
 * the smallest normal number, the gradient for b uses the logarithm of that number for log a. */
plx_node plx_pow(plx_graph *graph, plx_node a, plx_node b);
/* uint8: 1 where the comparison holds, else 0. a and b are both reals or both int32. Comparisons
 * with a NaN give 0, except not_equal, which gives 1 (IEEE 754). No gradient. */
plx_node plx_equal(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_not_equal(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_less(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_less_equal(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_greater(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_greater_equal(plx_graph *graph, plx_node a, plx_node b);
/* a where the condition (uint8 or int32) is not 0, else b; a and b have the same dtype, and so has
 * the result. Values that are not selected do not matter, not even NaN and infinity; their gradient
 * is 0. */
plx_node plx_where(plx_graph *graph, plx_node condition, plx_node a, plx_node b);
/* x > 0 ? x : slope x with a learnt slope: He et al., ICCV 2015 */
plx_node plx_prelu(plx_graph *graph, plx_node x, plx_node slope);

plx_node plx_exp(plx_graph *graph, plx_node x);
plx_node plx_log(plx_graph *graph, plx_node x);
plx_node plx_sqrt(plx_graph *graph, plx_node x);
plx_node plx_square(plx_graph *graph, plx_node x);
plx_node plx_abs(plx_graph *graph, plx_node x);
plx_node plx_erf(plx_graph *graph, plx_node x);
plx_node plx_rsqrt(plx_graph *graph, plx_node x); /* 1 / sqrt(x) */
plx_node plx_sin(plx_graph *graph, plx_node x);
plx_node plx_cos(plx_graph *graph, plx_node x);

/* Along one axis; a negative axis counts from the last, PLX_ALL_AXES means over all elements. */
plx_node plx_softmax(plx_graph *graph, plx_node x, int axis);
plx_node plx_log_softmax(plx_graph *graph, plx_node x, int axis);

/* Over one axis (negative counts from the last), which is removed; PLX_ALL_AXES gives a scalar.
 * The mean of nothing is NaN, the maximum of nothing -infinity, the minimum infinity, the product
 * 1. */
enum { PLX_ALL_AXES = 1000 };
plx_node plx_reduce_sum(plx_graph *graph, plx_node x, int axis);
plx_node plx_reduce_mean(plx_graph *graph, plx_node x, int axis);
plx_node plx_reduce_max(plx_graph *graph, plx_node x,
                        int axis); /* in a tie the gradient goes to the first */
plx_node plx_reduce_min(plx_graph *graph, plx_node x, int axis); /* the same */
/* Products of n elements err by at most n eps |product|. The gradient divides by nothing, so x may
 * have zeros. */
plx_node plx_reduce_prod(plx_graph *graph, plx_node x, int axis);
/* log(sum(exp(x))), without overflow. */
plx_node plx_log_sum_exp(plx_graph *graph, plx_node x, int axis);

/* Sums of all elements up to each one of an axis (reverse: from each one on), without it if
 * exclusive. They err by at most eps |sum|, and 2 n eps^2 times the sum of n absolute values. */
plx_node plx_cumsum(plx_graph *graph, plx_node x, int axis, bool exclusive, bool reverse);

/* Inverted dropout (Srivastava et al., JMLR 2014): keeps with probability 1 - rate and divides by
 * it. 0 <= rate < 1. The mask depends on the seed and the plan's step number alone. */
plx_node plx_dropout(plx_graph *graph, plx_node x, double rate, uint64_t seed);

/* Converts the elements of x to another dtype; returns x itself if it has that dtype already. To
 * reals, bfloat16 and float16: rounds to nearest, half to even; overflow gives infinity, subnormals
 * are kept, a NaN stays a NaN. To integers: truncates towards 0, saturates beyond the range, gives
 * 0 for a NaN. The bits are the same on every target. Gradients are reals and pass unchanged
 * through bfloat16 and float16 (rounding counts as the identity), but not through integers. */
plx_node plx_cast(plx_graph *graph, plx_node x, plx_dtype dtype);

/* -- Shapes: the ops up to trilu take every dtype and return the same -- */

/* The same elements in another shape, at no cost; one size may be -1: it is inferred from the
 * others. */
plx_node plx_reshape(plx_graph *graph, plx_node x, int rank, const int64_t *dims);
/* Axis i of the result is axis axes[i] of x; axes is a permutation of x's axes. */
plx_node plx_transpose(plx_graph *graph, plx_node x, const int *axes);
/* Elements begin, begin + step, ... before end of one axis. Negative begin and end count from the
 * end; step is not 0, and negative steps go backwards (end = -1 - size: to the first element). */
plx_node plx_slice(plx_graph *graph, plx_node x, int axis, int64_t begin, int64_t end,
                   int64_t step);
/* Joins arrays along an axis; all other sizes must be equal. */
plx_node plx_concat(plx_graph *graph, int count, const plx_node *x, int axis);
/* The reverse of concat: splits x into count parts of these sizes, or into equal parts (sizes
 * NULL). */
plx_status plx_split(plx_graph *graph, plx_node x, int axis, int count, const int64_t *sizes,
                     plx_node *out);
/* before and after: how many elements of value to add at each axis, >= 0. If x has integers, value
 * must be one that its dtype can hold; bfloat16 and float16 round it. */
plx_node plx_pad(plx_graph *graph, plx_node x, const int64_t *before, const int64_t *after,
                 double value);
typedef enum plx_padding {
    PLX_PAD_EDGE = 0, /* the first and the last element */
    PLX_PAD_REFLECT,  /* mirrored at the first and the last, which are not repeated */
    PLX_PAD_WRAP,     /* from the other end */
} plx_padding;
/* Pads with elements of x, as many as before and after say (0 to 2^31 - 1), however few x has; but
 * an axis of no elements is PLX_ERR_SHAPE. */
plx_node plx_pad_repeat(plx_graph *graph, plx_node x, const int64_t *before, const int64_t *after,
                        plx_padding padding);
/* Repeats along axes of size 1, and along new leading axes, as NumPy does. */
plx_node plx_broadcast(plx_graph *graph, plx_node x, int rank, const int64_t *dims);
/* Selects slices along one axis by i32 index: the shape of indices replaces the axis. The gradients
 * of an index that occurs repeatedly add up. An index outside the axis makes the run fail. */
plx_node plx_gather(plx_graph *graph, plx_node x, plx_node indices, int axis);
/* Elements of x by i32 indices along one axis: element (i, j, ...) of the result is, for axis 0,
 * x[indices[i, j, ...], j, ...]. indices have the rank of x and are nowhere longer than it but
 * along the axis. An index outside the axis makes the run fail. */
plx_node plx_take_along(plx_graph *graph, plx_node x, plx_node indices, int axis);
/* What becomes of an element and an update of it. */
typedef enum plx_scatter {
    PLX_SCATTER_SET = 0, /* the update; of several, the last. Takes every dtype, others reals */
    PLX_SCATTER_ADD,     /* sums of n terms err by at most (16 + log2 n) eps sum |terms| */
    PLX_SCATTER_MUL,
    PLX_SCATTER_MAX, /* NaN if one is; in a tie the gradient goes to x, then to the first update */
    PLX_SCATTER_MIN,
} plx_scatter;
/* x with its elements at indices, as plx_take_along would take them, changed by updates, which have
 * the shape of indices. */
plx_node plx_scatter_along(plx_graph *graph, plx_node x, plx_node indices, plx_node updates,
                           int axis, plx_scatter scatter);
/* The upper (lower) triangles of matrices [..., rows, columns]: elements with column - row >= k
 * (<= k), and zeros elsewhere. */
plx_node plx_trilu(plx_graph *graph, plx_node x, bool upper, int64_t k);
/* Reals: a new axis of size depth (0 to 2^31 - 1) with 1 at the i32 index and 0 elsewhere; zeros
 * alone for an index outside. axis counts in the result, negative from its last. */
plx_node plx_one_hot(plx_graph *graph, plx_node indices, int64_t depth, int axis);
/* The i32 index of the first largest element along an axis (PLX_ALL_AXES: of all), which is
 * removed. NaN counts as largest. */
plx_node plx_argmax(plx_graph *graph, plx_node x, int axis);
/* The k largest elements along the last axis in descending order, ties in their original order, and
 * their i32 indices; either pointer may be NULL. Gradients pass through the values. */
plx_status plx_top_k(plx_graph *graph, plx_node x, int64_t k, plx_node *values, plx_node *indices);
/* Limits values to [low, high]; the gradient is 0 outside. */
plx_node plx_clip(plx_graph *graph, plx_node x, double low, double high);

/* -- Convolution, pooling: images are [n, height, width, channels] -- */

typedef struct plx_conv2d_options {
    int64_t stride[2];  /* rows, columns; >= 1 */
    int64_t padding[4]; /* top, bottom, left, right; zeros; >= 0 */
    int64_t dilation[2];
    int64_t groups; /* divides both channel counts; equal to the channels in: depthwise */
} plx_conv2d_options;

/* Stride 1, no padding, dilation 1, one group. */
plx_conv2d_options plx_conv2d_default(void);
/* Sets padding so that the result has ceil(size / stride) rows and columns ("same"). Sizes that the
 * builder would reject leave it unchanged. */
void plx_conv2d_same(plx_conv2d_options *options, int64_t height, int64_t width,
                     int64_t kernel_height, int64_t kernel_width);
/* Cross-correlation: x [n, h, w, in], weights [kh, kw, in / groups, out], bias [out] or plx_none();
 * the result is [n, (h + padding - dilation (kh - 1) - 1) / stride + 1, ..., out]. options NULL:
 * the defaults. 3 x 3 at stride 1 with at least 8 channels uses Winograd's method (Lavin and Gray,
 * CVPR 2016): up to 4 times fewer products, and about 7 times the rounding error of a plain sum,
 * relative to the largest values nearby: the value of a pixel, an infinity too, affects all 4 x 4
 * results of each of its tiles. */
plx_node plx_conv2d(plx_graph *graph, plx_node x, plx_node weights, plx_node bias,
                    const plx_conv2d_options *options);
/* The transpose of a convolution (its gradient): x [n, h, w, in], weights [kh, kw, out / groups,
 * in], result [n, (h - 1) stride - padding + dilation (kh - 1) + 1 + extra, ..., out]; extra (rows,
 * columns; 0 to stride - 1; NULL: 0) chooses among the sizes that a strided convolution maps to the
 * same one. */
plx_node plx_conv2d_transpose(plx_graph *graph, plx_node x, plx_node weights, plx_node bias,
                              const plx_conv2d_options *options, const int64_t *extra);

typedef struct plx_pool2d_options {
    int64_t size[2], stride[2];
    int64_t padding[4];  /* top, bottom, left, right; each less than size */
    bool count_padding;  /* whether averages count padding as elements */
    int64_t dilation[2]; /* distance of a window's pixels; at most the image's size; 0: 1 */
    bool ceil; /* a last window may end outside if it begins in the image, or in the padding
                  before it; what is outside even of the padding never counts */
} plx_pool2d_options;

/* Adjacent square windows: stride equal to size, no padding, dilation 1, both flags false. */
plx_pool2d_options plx_pool2d_default(int64_t size);
plx_node plx_max_pool2d(plx_graph *graph, plx_node x, const plx_pool2d_options *options);
plx_node plx_avg_pool2d(plx_graph *graph, plx_node x, const plx_pool2d_options *options);
/* Mean over rows and columns: [n, channels]. */
plx_node plx_global_avg_pool2d(plx_graph *graph, plx_node x);
typedef enum plx_upsampling { PLX_NEAREST = 0, PLX_BILINEAR } plx_upsampling;
/* Multiplies the rows and the columns by whole factors; bilinear samples at pixel centres
 * (half-pixel). */
plx_node plx_upsample2d(plx_graph *graph, plx_node x, int64_t rows, int64_t columns,
                        plx_upsampling method);

typedef enum plx_resizing { PLX_RESIZE_NEAREST, PLX_RESIZE_LINEAR, PLX_RESIZE_CUBIC } plx_resizing;
/* Where element o of an axis of size m lies in one of size n, for scale s. */
typedef enum plx_coordinates {
    PLX_HALF_PIXEL = 0,       /* (o + 1/2) / s - 1/2 */
    PLX_PYTORCH_HALF_PIXEL,   /* the same, but 0 if m = 1 */
    PLX_ALIGN_CORNERS,        /* o (n - 1) / (s n - 1), 0 if m = 1 */
    PLX_ASYMMETRIC,           /* o / s */
    PLX_HALF_PIXEL_SYMMETRIC, /* half pixel, moved by n / 2 (1 - m / (s n)) */
} plx_coordinates;
/* How a place between two elements becomes the nearest: half way goes down or up, or all do. */
typedef enum plx_rounding { PLX_PREFER_FLOOR, PLX_PREFER_CEIL, PLX_FLOOR, PLX_CEIL } plx_rounding;
typedef struct plx_resize_options {
    plx_resizing method;
    plx_coordinates coordinates;
    plx_rounding rounding; /* of PLX_RESIZE_NEAREST */
    double cubic;          /* the coefficient a of Keys (IEEE TASSP 1981); 0: -0.75 */
    bool exclude_outside;  /* elements outside have no weight; else the edge repeats */
    bool antialias;        /* filters are 1 / scale wider where scale is below 1 */
} plx_resize_options;
/* Resizes every axis to dims, one after another (Resize of ONNX). scales (NULL: dims / sizes) enter
 * the formulas alone, and are above 0 and finite. Nearest takes every dtype, the others reals; they
 * use memory for 2 (cubic: 4, with antialias that times 1 / scale) results. options NULL: all 0. */
plx_node plx_resize(plx_graph *graph, plx_node x, const int64_t *dims, const double *scales,
                    const plx_resize_options *options);

/* -- Normalisation: scale and shift [channels] may be plx_none() -- */

/* (x - mean) / sqrt(variance + epsilon) scale + shift over the last axis: Ba et al., 2016. */
plx_node plx_layer_norm(plx_graph *graph, plx_node x, plx_node scale, plx_node shift,
                        double epsilon);
/* x / sqrt(mean(x^2) + epsilon) scale over the last axis: Zhang and Sennrich, NeurIPS 2019. */
plx_node plx_rms_norm(plx_graph *graph, plx_node x, plx_node scale, double epsilon);
/* Over groups of channels and all axes between the first and the last: Wu and He, ECCV 2018. */
plx_node plx_group_norm(plx_graph *graph, plx_node x, int64_t groups, plx_node scale,
                        plx_node shift, double epsilon);
/* Per channel (last axis) over all other axes: Ioffe and Szegedy, ICML 2015. running_mean and
 * running_variance are parameters [channels]. training: normalises by the statistics of the batch,
 * and each run moves the running ones towards them by momentum (variance unbiased); else normalises
 * by the running ones. */
plx_node plx_batch_norm(plx_graph *graph, plx_node x, plx_node scale, plx_node shift,
                        plx_node running_mean, plx_node running_variance, bool training,
                        double momentum, double epsilon);
/* Divides each row (last axis) by its length, or by epsilon (above 0) if that is larger. */
plx_node plx_l2_normalize(plx_graph *graph, plx_node x, double epsilon);

/* -- Embedding, attention, recurrence -- */

/* Looks up rows of table [vocabulary, width] by i32 ids [...]: [..., width]. An id outside the
 * vocabulary makes the run fail. */
plx_node plx_embedding(plx_graph *graph, plx_node table, plx_node ids);

/* All 0 is the default, except for heads, which is at least 1. */
typedef struct plx_attention_options {
    int64_t heads;    /* of queries */
    int64_t kv_heads; /* of keys and values; divides heads (Ainslie et al., EMNLP 2023); 0: heads */
    bool causal;      /* query i sees keys up to i + (keys - queries) */
    double scale;     /* of the scores; 0: 1 / sqrt(width of a head) */
} plx_attention_options;

/* softmax(scale q k^T + mask) v for each head (Vaswani et al., NeurIPS 2017), computed in tiles: no
 * matrix of scores is stored, neither here nor for the gradient (Dao et al., NeurIPS 2022). q [b,
 * s, heads d], k and v [b, t, kv_heads d]; mask is plx_none() or [b or 1, s or 1, t] and is added
 * to the scores (-infinity: not seen; a query that sees no key gives 0); no gradient flows into it.
 * Result y [b, s, heads d]. Given the scores, sums over n keys or queries err by at most
 * (16 + log2 n) eps sum |terms|. The terms of the gradients of q and k are p (g v - g y) k and
 * p (g v - g y) q, with probabilities p and the gradient g of y; as differences of rounded numbers
 * they count as p (|g v| + |g y|) |k| and p (|g v| + |g y|) |q|. */
plx_node plx_attention(plx_graph *graph, plx_node q, plx_node k, plx_node v, plx_node mask,
                       const plx_attention_options *options);
/* Rotary position embedding (Su et al., 2021) of x [b, s, heads d], d even: element i of a head
 * turns with element i + d / 2 by the angle (first + position) base^(-2 i / d). */
plx_node plx_rope(plx_graph *graph, plx_node x, int64_t heads, double base, int64_t first);
/* LSTM (Hochreiter and Schmidhuber, 1997; Gers et al., 2000): for each step t of x [batch, time,
 * in], time at least 1, with p = x_t w + bias + h r and sigmoid s, i, f, o = s(p_i), s(p_f),
 * s(p_o); c = f c + i tanh(p_c); h = o tanh(c) w [in, 4 units], r [units, 4 units] and bias [4
 * units] hold the gates in the order i, f, c, o, as Keras and PyTorch do; units is 1 to 2048. The
 * states begin as h0 and c0 [batch, units]; bias, h0, c0 and mask may be plx_none(): zeros, and all
 * steps. A step of a sample where mask [batch, time] or [batch, time, 1] is not above 0 leaves its
 * states as they are; no gradient flows into mask. reverse: from the last step to the first.
 * Result: h after each step, [batch, time, units]. *last_cell (NULL: not wanted) becomes c after
 * the last step taken, [batch, units]. */
plx_node plx_lstm(plx_graph *graph, plx_node x, plx_node w, plx_node r, plx_node bias, plx_node h0,
                  plx_node c0, plx_node mask, bool reverse, plx_node *last_cell);
/* GRU (Cho et al., 2014), in the same way, with gates in the order z, r, n, as Keras and ONNX have
 * them: z, r = s(p_z), s(p_r); h = (1 - z) n + z h, p = x_t w + bias + h r + recurrent_bias n =
 * tanh(x_t w_n + bias_n + r (h r_n + recurrent_bias_n)) if reset_after (PyTorch and cuDNN; ONNX's
 *       linear_before_reset), else tanh(x_t w_n + bias_n + (r h) r_n + recurrent_bias_n)
 * w [in, 3 units], r [units, 3 units], bias and recurrent_bias [3 units] or plx_none(). */
plx_node plx_gru(plx_graph *graph, plx_node x, plx_node w, plx_node r, plx_node bias,
                 plx_node recurrent_bias, plx_node h0, plx_node mask, bool reverse,
                 bool reset_after);
/* silu(gate) * up and gelu(gate) * up: Shazeer, 2020. */
plx_node plx_swiglu(plx_graph *graph, plx_node gate, plx_node up);
plx_node plx_geglu(plx_graph *graph, plx_node gate, plx_node up);

/* -- Losses: scalars; means over all elements, or over rows where stated -- */

/* Mean of |prediction - target|. */
plx_node plx_l1(plx_graph *graph, plx_node prediction, plx_node target);
/* Half the squared error up to delta, linear beyond: Huber, 1964. delta > 0. */
plx_node plx_huber(plx_graph *graph, plx_node prediction, plx_node target, double delta);
/* Binary cross-entropy of sigmoid(logits) against targets in [0, 1], without overflow. */
plx_node plx_binary_cross_entropy(plx_graph *graph, plx_node logits, plx_node target);
/* Mean over rows of 1 - cos(a, b). */
plx_node plx_cosine_loss(plx_graph *graph, plx_node a, plx_node b);
/* Contrastive loss: row i of a and row i of b [n, width] are a pair; the logits are scale (a scalar
 * node, learnt or constant) times the cosines of all rows of a with all rows of b, and the loss is
 * the mean of the cross-entropies in both directions (van den Oord et al., 2018; Radford et al.,
 * ICML 2021). */
plx_node plx_info_nce(plx_graph *graph, plx_node a, plx_node b, plx_node scale);

/* Mean squared error over all elements: a scalar. */
plx_node plx_mse(plx_graph *graph, plx_node prediction, plx_node target);
/* Mean over rows of -log softmax(logits)[label]; logits [..., classes], labels i32 [...]. Rows with
 * the label PLX_IGNORED_LABEL are left out of the mean and have no gradient; if all are, the loss
 * is 0. Any other label outside the classes makes the run fail with PLX_ERR_ARGUMENT. */
enum { PLX_IGNORED_LABEL = -100 };
plx_node plx_cross_entropy(plx_graph *graph, plx_node logits, plx_node labels);
/* The same against 1 - smoothing at the label plus smoothing spread evenly over all classes; 0 <=
 * smoothing < 1: Szegedy et al., CVPR 2016. */
plx_node plx_cross_entropy_smooth(plx_graph *graph, plx_node logits, plx_node labels,
                                  double smoothing);

/* ---- Training -------------------------------------------------------------------------------- */

/* Adds the nodes of d loss / d wrt[i] to the graph and stores them in grads, which may equal wrt;
 * loss holds one real. Fails if loss does not depend on one of wrt, or with PLX_ERR_UNSUPPORTED at
 * an op that is itself a gradient: most have no gradient rule, so there are no second derivatives.
 */
plx_status plx_gradients(plx_graph *graph, plx_node loss, int count, const plx_node *wrt,
                         plx_node *grads);

/* Scales all gradients by one factor so that their joint norm is at most largest (Pascanu et al.,
 * ICML 2013), above 0 and finite; clipped may equal grads. */
plx_status plx_clip_by_norm(plx_graph *graph, int count, const plx_node *grads, double largest,
                            plx_node *clipped);

/* PLX_SGD, PLX_ADAM and so on: parallax.def lists them. */
typedef enum plx_optimizer_kind {
#define PLX_OPTIMIZER(NAME, name, rate, beta1, beta2, epsilon, weight_decay, options) PLX_##NAME,
#include "parallax.def"
    PLX_OPTIMIZERS_
} plx_optimizer_kind;

typedef struct plx_optimizer_options {
    plx_optimizer_kind kind;
    double rate;         /* learning rate */
    double momentum;     /* SGD, RMSprop */
    bool nesterov;       /* SGD: Sutskever et al., ICML 2013 */
    double beta1, beta2; /* Adam: Kingma and Ba, ICLR 2015; Lion; RMSprop: beta2 alone, its alpha */
    double epsilon;      /* Adam, RMSprop: added outside the root */
    double weight_decay; /* SGD, Adam, RMSprop: added to the gradient; AdamW (Loshchilov and Hutter,
                            ICLR 2019) and Lion: decoupled, weight -= rate weight_decay weight */
} plx_optimizer_options;

/* The papers' defaults: SGD rate 0.01, momentum 0; Adam 1e-3, 0.9, 0.999, 1e-8; AdamW with
 * weight decay 0.01; Lion 1e-4, 0.9, 0.99; RMSprop (PyTorch's) 0.01, alpha 0.99, 1e-8. */
plx_optimizer_options plx_optimizer_default(plx_optimizer_kind kind);
/* "sgd", "adam", "adamw", "lion", "rmsprop"; NULL past the last. */
const char *plx_optimizer_name(plx_optimizer_kind kind);
/* PLX_OPTIMIZERS_ if no optimizer has that name. */
plx_optimizer_kind plx_optimizer_from_name(const char *name);

/* Holds the state (moments) for a list of distinct parameters. */
typedef struct plx_optimizer plx_optimizer;
plx_status plx_optimizer_new(plx_ctx *ctx, const plx_optimizer_options *options, int count,
                             plx_tensor *const *parameters, plx_optimizer **out);
void plx_optimizer_free(plx_optimizer *optimizer);
/* Sets the learning rate: from 0 to below 1e30, else PLX_ERR_ARGUMENT. Takes effect at the next
 * step. */
plx_status plx_optimizer_set_rate(plx_optimizer *optimizer, double rate);
/* Gives one parameter of the list (by its number, else PLX_ERR_ARGUMENT) a weight decay of its own
 * in place of that of the options, and rate_factor times the learning rate. Both are >= 0 and
 * finite (else PLX_ERR_ARGUMENT) and take effect at the next step. */
plx_status plx_optimizer_set_group(plx_optimizer *optimizer, int parameter, double rate_factor,
                                   double weight_decay);
/* The same for the weight decay alone. */
plx_status plx_optimizer_set_decay(plx_optimizer *optimizer, int parameter, double weight_decay);
/* Updates all parameters in one sweep; grads are in the order of the optimizer's parameters. The
 * node has no value: pass it as an output when compiling. If a gradient is finite but its square,
 * which Adam, AdamW and RMSprop average, is not, the run fails with PLX_ERR_DIVERGED and changes no
 * parameter. */
plx_node plx_update(plx_graph *graph, plx_optimizer *optimizer, const plx_node *grads);

/* ---- Plan ------------------------------------------------------------------------------------ */

/* The passes that make a plan, in the order they run: PASS(FLAG, name, bit, what it changes, what a
 * plan is like without it). */
#define PLX_PASSES(PASS)                                                                           \
    PASS(DEAD_CODE, dead_code, 3, NODES, "nodes that no output needs are run as well")             \
    PASS(FOLD, fold, 5, NODES, "what depends on parameters alone is computed in every run")        \
    PASS(FUSE, fuse, 0, NODES, "one step per node")                                                \
    PASS(KEEP_SLOPES, keep_slopes, 6, NODES, "gradients of GELU and SiLU evaluate them again")     \
    PASS(KEEP_SUMS, keep_sums, 7, NODES, "gradients of cross-entropies sum exponentials again")    \
    PASS(CHAIN, chain, 8, NODES, "one step per elementwise operation")                             \
    PASS(PACK, pack, 4, STEPS, "weights that stay are packed in every run")                        \
    PASS(PARALLEL, parallel, 2, STEPS, "every step uses all threads")                              \
    PASS(MEMORY, memory, 1, STEPS, "no memory is reused")

/* PLX_PASS_FUSE and so on, bits for plx_plan_options. */
#define PLX_PASS_BIT_(flag, name, bit, stage, without) PLX_PASS_##flag = 1 << (bit),
#define PLX_PASS_SUM_(flag, name, bit, stage, without) +(1 << (bit))
typedef enum plx_pass {
    PLX_PASSES(PLX_PASS_BIT_) /* one each */
    PLX_PASS_ALL = 0 PLX_PASSES(PLX_PASS_SUM_)
} plx_pass;
#undef PLX_PASS_BIT_
#undef PLX_PASS_SUM_

typedef struct plx_pass_info {
    const char *name;    /* "fuse" */
    int flag;            /* PLX_PASS_FUSE */
    const char *without; /* what a plan is like without it */
} plx_pass_info;

/* Row number i of the table, in the order the passes run; NULL past the last. */
const plx_pass_info *plx_pass_at(int i);

typedef struct plx_plan_options {
    int passes; /* plx_pass bits; default all. Passes do not change the results, except for rounding
                   by PLX_PASS_FUSE and PLX_PASS_FOLD */
    int threads;       /* upper limit for a step; 0: the context's */
    int64_t alignment; /* of values in their buffers, in bytes: a power of two, 16 to 2^20; 0: 64 */
    int64_t largest_buffer;   /* in bytes, a multiple of the alignment; 0: no limit. A single value
                                 above it is PLX_ERR_MEMORY */
    bool constant_parameters; /* parameters keep their values over many runs: PLX_PASS_PACK keeps a
                                 copy of weights in the order in which kernels read them, and
                                 PLX_PASS_FOLD keeps what depends on parameters alone. Plans of the
                                 same tensors share both; the next run after a write renews them */
} plx_plan_options;

/* All passes, all of the context's threads. */
plx_plan_options plx_plan_default(void);

/* A fixed sequence of steps with all of its memory. */
typedef struct plx_plan plx_plan;

/* options NULL: the defaults. Nodes that are added to the graph later are not in the plan. */
plx_status plx_compile(plx_graph *graph, int count, const plx_node *outputs,
                       const plx_plan_options *options, plx_plan **out);
void plx_plan_free(plx_plan *plan);

/* Sets the data of an input. Every run reads it in place, so it must stay valid until other data is
 * bound. NULL: none, as before the first bind. */
plx_status plx_plan_bind(plx_plan *plan, plx_node input, const void *data);
/* The same for strided data: element (i, j, ...) is data[i strides[0] + j strides[1] + ...].
 * Strides count elements and may be negative (data is element 0, 0, ...) or 0. Each run copies it
 * into memory of the plan, which the first such bind allocates. */
plx_status plx_plan_bind_strided(plx_plan *plan, plx_node input, const void *data,
                                 const int64_t *strides);
/* Runs all steps; an unbound input is PLX_ERR_STATE. Allocates nothing, except in the first run
 * after plx_ctx_set_threads, and in the first in which a folded value is not finite: that one
 * compiles the plan without PLX_PASS_FOLD, which runs instead for as long as this is so. */
plx_status plx_plan_run(plx_plan *plan);
/* The values of an output after a run, valid until the next run; NULL if it is not an output of the
 * plan or does not hold reals. */
const plx_real *plx_plan_output(const plx_plan *plan, plx_node output);
/* The same for any element type; NULL if the output has another. Indices, as from argmax and top_k,
 * are PLX_DTYPE_I32: assign the result to an int32_t pointer. */
const void *plx_plan_output_as(const plx_plan *plan, plx_node output, plx_dtype dtype);
/* Sets the step number that dropout's masks depend on; each run adds one. */
void plx_plan_set_step(plx_plan *plan, uint64_t step);

/* Exact sizes in bytes. gradients: the part of the plan's own memory that updates read; kept:
 * copies of weights that a trainer may restore; packed: copies of weights that stay packed; folded:
 * values computed from parameters alone. Plans of the same tensors share packed and folded. */
typedef struct plx_memory {
    int64_t parameters, gradients, optimizer, activations, workspace, inputs, kept, packed, folded;
} plx_memory;
plx_memory plx_plan_memory(const plx_plan *plan);

typedef struct plx_step_info {
    const char *op;    /* "dense" */
    const char *name;  /* of the node, or "" */
    const char *fused; /* "matmul+bias+relu", or "" */
    int rank;
    int64_t dims[PLX_MAX_RANK];
    double flops; /* performed */
    double
        direct_flops; /* by the operation's definition: more where Winograd's convolution is used */
    double bytes;     /* each operand read or written once */
    int threads;
    bool packed;          /* reads a weight that stays packed */
    bool kept;            /* its value stays until a parameter is written: no part of a usual run */
    int64_t arena_offset; /* of its value; -1: not in the arena, as values that are kept */
    /* Measured since plx_plan_profile switched it on; 0 and "" before the first run. Runs in which
     * a folded value is not finite run other steps and do not count. */
    double nanoseconds; /* mean time */
    double workers;     /* mean number of threads that did some of the work: below threads where
                           others were late */
    const char *method; /* How it was computed. A product or convolution: "gemm", "gemm packed" (by
                           a weight that stays packed), "gemv", "depthwise", "winograd", "scatter",
                           "lowered" (pixels are packed for the product as it runs), or the
                           provider's name. Others, by what a kernel takes at a time: "elements"
                           (as many as a thread has), "table" (the same, looked up), "rows" (of the
                           last axis), "short rows" (with narrower vectors), "rows, sorted" (by
                           index), "rows, sums kept" (by an earlier step), "columns" (strips of
                           neighbours), "axis by axis", "groups", "pieces" (of fixed size, whose
                           sums are added in a fixed order), "tiles" (which stay in the
                           first-level cache), "heads", "samples" (through all of their steps). ""
                           for a step that only sets memory apart, or had no elements */
} plx_step_info;

int plx_plan_steps(const plx_plan *plan);
/* Strings live as long as the plan. All 0 and "", with arena_offset -1, for a number of no step. */
plx_step_info plx_plan_step(const plx_plan *plan, int step);
/* Measures the steps of all runs from here on, or no longer. Two readings of the clock for each
 * step make a run a little slower. */
void plx_plan_profile(plx_plan *plan, bool on);
/* Floating-point operations performed in one run. */
double plx_plan_flops(const plx_plan *plan);
/* The row count at which step i would first use all threads: it follows from the measured fork-join
 * cost and the step's own cost per row. 0: never, or there is no such step. */
double plx_plan_threshold_rows(const plx_plan *plan, int step);

/* -- A plan as data, for other runtimes to run -- */

typedef enum plx_buffer_kind {
    PLX_BUFFER_TENSOR = 0, /* a parameter, which outlives the plan */
    PLX_BUFFER_INPUT,      /* the data that is bound */
    PLX_BUFFER_CONSTANT,   /* one real that never changes */
    PLX_BUFFER_SLAB,       /* the plan's own values, which reuse its bytes over time */
    PLX_BUFFER_KEPT,       /* the value of a step that is kept; plans share it */
    PLX_BUFFER_KINDS_
} plx_buffer_kind;

typedef struct plx_buffer {
    plx_buffer_kind kind;
    const char *name; /* of the parameter or input; "" */
    int64_t bytes;
    void *data; /* the plan's memory for it; for an input the data bound now, read-only, or NULL.
                   Data bound with strides is here from the next run on */
} plx_buffer;

/* A value that a step reads or writes: contiguous, offset bytes into a buffer. */
typedef struct plx_operand {
    int buffer; /* number in the table; -1: none */
    int64_t offset;
    plx_dtype dtype;
    int rank;
    int64_t dims[PLX_MAX_RANK];
    bool written; /* an input that the step also writes: state, or memory for later steps */
} plx_operand;

/* count values; one of the two pointers is NULL. */
typedef struct plx_attribute {
    const char *name; /* "stride" */
    int count;
    const int64_t *whole;
    const double *real;
} plx_attribute;

typedef struct plx_step {
    const char
        *op; /* a row of ops.def, which is installed in share/doc/parallax beside attrs.def,
                the list of attributes; an op that a builder adds works as the builder says */
    int inputs_count;
    const plx_operand *inputs;
    plx_operand output; /* buffer -1: the step has no value, but writes inputs */
    int attributes_count;
    const plx_attribute *attributes;
    plx_optimizer *optimizer; /* whose state an update reads and changes, else NULL; borrowed */
    bool once;                /* runs in the first run only: its output stays valid */
    bool kept;                /* once, but again when a parameter was written since */
    int threads;
    int64_t workspace; /* bytes of scratch that this library's own kernel needs */
} plx_step;

/* One run executes all steps in order. A step may work in place: its output may be exactly the
 * memory of an input of the same size; otherwise no operand overlaps what the step writes. */
typedef struct plx_plan_table {
    int buffers_count;
    const plx_buffer *buffers;
    int steps_count; /* as plx_plan_step counts them */
    const plx_step *steps;
    int outputs_count; /* in the order of plx_compile */
    const plx_operand *outputs;
} plx_plan_table;

/* Describes the steps, memory and order that plx_plan_run uses, after folding: the steps that are
 * kept make the folded weights, so that the table needs nothing else. Only plx_plan_run also looks
 * whether those are finite, and else runs the plan that PLX_PASS_FOLD would have left as it was.
 * Everything the table points to lives as long as the plan. plx_plan_bind changes the data of
 * buffers; after threads have joined, this call updates threads and workspace. */
plx_status plx_plan_describe(plx_plan *plan, plx_plan_table *out);

PLX_END_EXPORTS

#ifdef __cplusplus
}
#endif

#endif
