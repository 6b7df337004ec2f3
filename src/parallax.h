/*
 * Parallax: build a graph, compile it into a plan, run the plan. Natively and in WebAssembly.
 *
 * Conventions, unless a declaration says otherwise
 * - Arrays are row-major; sizes and strides are int64_t counts of elements, times are nanoseconds.
 * - Objects, which come first, are not NULL. Other pointers that are NULL, where no declaration
 * says that they may be, are PLX_ERR_ARGUMENT to calls that can fail, and so are numbers that an
 *   enumeration does not have.
 * - Every _new names its _free; _free(NULL) does nothing. Objects may be freed in any order: what
 *   was made from a context, graph, tensor, optimizer or model keeps it until it is freed itself.
 *   What is not an object (data, arrays, options) is borrowed for the call only, unless a
 *   declaration says for how long. Pointers into an object live as long as it.
 * - Fallible calls return plx_status and leave their outputs, and the graph that they add to,
 *   unchanged on failure; plx_message gives the sentence, with the numbers.
 * - A context and all that was made from it belong to one thread at a time. The library never
 *   prints, exits or aborts.
 * - Numeric promise: with ISA "sse2", "avx128", "neon128" or "wasm128" every result has the
 *   same bits on every platform, whatever the number of threads. On other ISAs the bits depend on
 *   the ISA alone.
 *
 * Reading order: status, context, random numbers, tensors, graph, training ops, plan, files.
 * Networks made of layers and their training are in parallax_nn.h.
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
/* What is declared between these is what a shared library shows. */
#define PLX_BEGIN_EXPORTS _Pragma("GCC visibility push(default)")
#define PLX_END_EXPORTS _Pragma("GCC visibility pop")
/* Lets compilers check arguments against a format. */
#define PLX_PRINTF_ARGUMENTS(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define PLX_BEGIN_EXPORTS
#define PLX_END_EXPORTS
#define PLX_PRINTF_ARGUMENTS(text, first)
#endif

PLX_BEGIN_EXPORTS

/* ---- Status ---------------------------------------------------------------------------------- */

/* PLX_OK, PLX_ERR_ARGUMENT and the others of parallax.def, which says when. */
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

/* A matrix product from outside (a BLAS): c = alpha op(a) op(b) + beta c, row-major, as cblas_sgemm
 * defines it, for threads threads. Returns false, having written nothing, where it cannot take the
 * sizes: own kernels then work the product out. Must outlive the context and all that is made from
 * it. */
typedef struct plx_gemm_provider {
    const char *name;
    void *self;
    bool (*gemm)(void *self, bool ta, bool tb, int64_t m, int64_t n, int64_t k, plx_real alpha,
                 const plx_real *a, int64_t lda, const plx_real *b, int64_t ldb, plx_real beta,
                 plx_real *c, int64_t ldc);
    void (*set_threads)(void *self, int threads);
} plx_gemm_provider;

typedef enum plx_gemm_choice {
    PLX_GEMM_BUILTIN = 0, /* own kernels */
    PLX_GEMM_PROVIDER,    /* the provider, for every product */
    PLX_GEMM_AUTO,        /* what measures faster when the context is made */
} plx_gemm_choice;

typedef struct plx_ctx_options {
    int threads;          /* workers including the caller; 0: as many as measure worth it */
    const char *isa;      /* force a kernel target by name; NULL: PARALLAX_ISA, else the best */
    bool reproducible;    /* the bit-for-bit target of this platform; isa must be NULL */
    plx_gemm_choice gemm; /* ignored without a provider, and when reproducible */
    const plx_gemm_provider *provider; /* NULL: none */
    bool measure_later; /* costs are assumed until plx_ctx_set_threads, for a quick start */
} plx_ctx_options;

/* All 0: as many threads as pay, the best kernel target, own matrix products. */
plx_ctx_options plx_ctx_default(void);

/* Starts the threads and measures the machine (a few milliseconds). options NULL: default. On
 * failure *out is NULL and the sentence is in message, when that is not NULL (message_bytes long).
 * Free with plx_ctx_free. */
plx_status plx_ctx_new(const plx_ctx_options *options, plx_ctx **out, char *message,
                       size_t message_bytes);
/* Between runs: adds threads until there are so many, or as many as the platform gives (0: as many
 * as measure worth it), and measures the machine. Plans of this context go over to them at their
 * next run. Fewer than there are is PLX_ERR_ARGUMENT. */
plx_status plx_ctx_set_threads(plx_ctx *ctx, int threads);
void plx_ctx_free(plx_ctx *ctx);

/* The sentence of the last failure in this context; "" when there was none. Valid until the next
 * failure. */
const char *plx_message(const plx_ctx *ctx);

typedef struct plx_ctx_info {
    const char *isa;      /* "avx512" */
    const char *isa_note; /* why not a better one; "" when this is the best */
    const char *gemm;     /* "builtin" or the provider's name */
    int threads;          /* workers including the caller */
    int cpus;             /* what the platform reports */
    int vector_bits;
    bool fma;            /* whether kernels fuse multiply and add */
    bool exact;          /* whether results have the bits of the reproducible family */
    double fork_join_ns; /* a parallel loop that all threads take part in; 0 with one thread */
    bool costs_measured; /* else fork_join_ns is assumed: 5,000, as threads did not come in time */
    double gflops;       /* GEMM micro-kernel, one thread */
    double gbytes;       /* streaming kernel, one thread, GB/s */
} plx_ctx_info;

/* Strings live as long as the context. */
plx_ctx_info plx_ctx_get_info(const plx_ctx *ctx);

/* Runs rounds of independent multiply-adds in registers on threads threads (0: all) at the same
 * time and returns how many floating-point operations those were: timed, the ceiling of this
 * context's arithmetic. 0 when nothing was done, as the system had no processor for one of the
 * threads. */
double plx_peak(plx_ctx *ctx, int threads, int64_t rounds);

typedef enum plx_stream {
    PLX_STREAM_READ = 0, /* sum of all of data */
    PLX_STREAM_COPY,     /* its first half into its second */
    PLX_STREAM_ADD,      /* its third third = first + second */
} plx_stream;

/* Goes rounds times over data [n], each thread over a share of its own, and returns how many bytes
 * were read and written: timed, the bandwidth of what holds n elements. 0 when nothing was done, as
 * for plx_peak, or as there is no such stream or no data. */
double plx_bandwidth(plx_ctx *ctx, plx_stream stream, int64_t n, plx_real *data, int64_t rounds);

/* 64-byte aligned, uninitialised memory, as data is read fastest from; NULL when it is short. Free
 * with plx_free, for which NULL is nothing. */
void *plx_alloc(size_t bytes);
void plx_free(void *memory);

/* Stores a sentence for plx_message, formatted as by printf, and returns status: so code on top of
 * the library fails as the library does. */
plx_status plx_fail(plx_ctx *ctx, plx_status status, const char *format, ...)
    PLX_PRINTF_ARGUMENTS(3, 4);

/* The linked kernel targets this machine can run, best first: name of number i, or NULL past the
 * last. */
const char *plx_isa_name(int i);

/**
 * c = alpha * op(a) * op(b) + beta * c, where op transposes when ta (tb) is set.
 *
 * op(a) is m x k, op(b) is k x n, c is m x n; lda, ldb, ldc are the row strides of the arrays as
 * they lie in memory. c must not overlap a or b. If beta == 0, c is written but never read, so it
 * may hold NaN.
 *
 * Returns PLX_ERR_SHAPE (a stride below its row length, a negative size) or PLX_ERR_MEMORY
 * (packing scratch); on error c is unchanged.
 *
 * With alpha = 1, beta = 0 each element errs by at most k * EPSILON * sum_p |a(i,p) * b(p,j)|.
 */
plx_status plx_gemm(plx_ctx *ctx, bool ta, bool tb, int64_t m, int64_t n, int64_t k, plx_real alpha,
                    const plx_real *a, int64_t lda, const plx_real *b, int64_t ldb, plx_real beta,
                    plx_real *c, int64_t ldc);

/* ---- Random numbers -------------------------------------------------------------------------- */

/* Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter
 * and a key, so the same seed gives the same stream on every platform and position i can be had
 * without the ones before it. A plain value: copy it to fork the stream. */
typedef struct plx_rng {
    uint64_t key;
    uint64_t next; /* index of the next 32-bit word */
} plx_rng;

/* Streams of one seed are independent. */
plx_rng plx_rng_new(uint64_t seed, uint32_t stream);
uint32_t plx_rng_u32(plx_rng *rng);
/* Uniform in [0, 1), 53 bits; two words. */
double plx_rng_uniform(plx_rng *rng);
/* Standard normal by Box and Muller (1958); four words. */
double plx_rng_normal(plx_rng *rng);
/* Uniform in [0, n), without bias; 0 for n < 1. */
int64_t plx_rng_below(plx_rng *rng, int64_t n);
/* order becomes a permutation of 0..n-1 (Fisher and Yates). */
void plx_rng_permute(plx_rng *rng, int64_t n, int64_t *order);

/* -- Elementary functions -- */

/* In double precision from IEEE operations alone, so that seeded data has the same bits wherever it
 * is made: a system's libm differs from the next one's. Errors are below 2e-15 relative (sine and
 * cosine: absolute, for |x| < 1e5); the root is correctly rounded. */
double plx_math_exp(double x);
double plx_math_log(double x);
double plx_math_sin(double x);
double plx_math_cos(double x);
double plx_math_sqrt(double x);

/* ---- Tensors --------------------------------------------------------------------------------- */

/* What elements are: DTYPE(name, value, C type, its name in messages). Reals are float, double in a
 * build with PLX_REAL=double. bfloat16 (the upper half of a float), float16 (IEEE 754 binary16) and
 * the integers of one byte are storage: casts make and read them, what moves elements takes them,
 * and comparisons give uint8; arithmetic is on reals. */
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

/* Zero-filled. dims are >= 0; NULL for rank 0. */
plx_status plx_tensor_new(plx_ctx *ctx, plx_dtype dtype, int rank, const int64_t *dims,
                          plx_tensor **out);
void plx_tensor_free(plx_tensor *tensor);
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
} plx_init;

/* Fills a tensor [..., in, out] of reals: fan_in is the product of all dimensions but the last,
 * fan_out that of all but the one before it. value is finite; rng may be NULL where nothing is
 * drawn. */
plx_status plx_tensor_init(plx_tensor *tensor, plx_init init, double value, plx_rng *rng);

/* ---- Graph ----------------------------------------------------------------------------------- */

/* A directed graph of operations with fixed shapes. Builders check shapes at once and return a
 * handle. After a failure of one that returns a handle the graph keeps the first sentence, later
 * builders return invalid handles silently, and plx_compile (or plx_graph_status) reports it; one
 * that returns a status reports it itself and leaves the graph as it was. */
typedef struct plx_graph plx_graph;

/* A handle, which knows its graph: other graphs, and plans of other graphs, refuse it. */
typedef struct plx_node {
    int64_t id; /* negative: invalid; else the lower 32 bits count the graph's nodes from 0 */
} plx_node;

plx_status plx_graph_new(plx_ctx *ctx, plx_graph **out);
void plx_graph_free(plx_graph *graph);
plx_status plx_graph_status(const plx_graph *graph);
/* Node i, counted from 0 in the order of making; invalid past the last. */
plx_node plx_graph_node(const plx_graph *graph, int i);
/* Rank and dims (may be NULL) of a node; -1 for a handle that is invalid or another graph's. */
int plx_node_shape(const plx_graph *graph, plx_node node, const int64_t **dims);
/* PLX_DTYPE_REAL for such a handle. */
plx_dtype plx_node_dtype(const plx_graph *graph, plx_node node);

/* The name of a node's operation, "matmul"; NULL for such a handle. */
const char *plx_node_op(const plx_graph *graph, plx_node node);
/* Operand i of a node; invalid past the last, for one that was left out, and for such a handle. */
plx_node plx_node_operand(const plx_graph *graph, plx_node node, int i);

/* Data bound before each run. name is one that no other input has, or NULL or "". */
plx_node plx_input(plx_graph *graph, const char *name, plx_dtype dtype, int rank,
                   const int64_t *dims);
/* A tensor that lives beside the graph: plans read it, updates write it. The same tensor always
 * gives the same node. name may be NULL. */
plx_node plx_parameter(plx_graph *graph, const char *name, plx_tensor *tensor);
/* A scalar (rank 0). */
plx_node plx_constant(plx_graph *graph, double value);

/* PLX_LINEAR, PLX_RELU and the others of parallax.def, which has their formulas. */
typedef enum plx_activation {
    PLX_LINEAR = 0,
#define PLX_ACTIVATION(NAME, name, parameter, default_p, begin, about) PLX_##NAME,
#include "parallax.def"
    PLX_ACTIVATIONS_
} plx_activation;

/* "relu", "gelu_tanh"...; NULL past the last. */
const char *plx_activation_name(plx_activation activation);
/* PLX_ACTIVATIONS_ when there is none of that name. */
plx_activation plx_activation_from_name(const char *name);
/* The default p of an activation. */
plx_real plx_activation_default(plx_activation activation);

/* op(a) op(b); a is [..., m, k] (leading dimensions are rows; ta needs rank 2), b is [k, n]. */
plx_node plx_matmul(plx_graph *graph, plx_node a, plx_node b, bool ta, bool tb);
/* x + b along the last dimension. */
plx_node plx_bias(plx_graph *graph, plx_node x, plx_node b);
/* x w + b: x [..., in], w [in, out], b [out]; b may be an invalid handle made by plx_none(). */
plx_node plx_dense(plx_graph *graph, plx_node x, plx_node w, plx_node b);
plx_node plx_none(void);
plx_node plx_activate(plx_graph *graph, plx_node x, plx_activation activation, plx_real p);

/* Elementwise with NumPy broadcasting: dimensions are aligned at the last and are equal or 1. */
plx_node plx_add(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_sub(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_mul(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_div(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_max(plx_graph *graph, plx_node a,
                 plx_node b); /* NaN if either is; ties: gradient to a */
plx_node plx_min(plx_graph *graph, plx_node a, plx_node b);
/* a^b as C's pow: a negative a takes whole b only (else NaN), a^0 = 1^b = 1. The gradient for b
 * takes log a as that of the smallest normal number where a is not above it. */
plx_node plx_pow(plx_graph *graph, plx_node a, plx_node b);
/* 1 where it holds and 0 elsewhere, as uint8. a and b hold both reals or both int32. Every
 * comparison with a NaN is 0, but for not_equal, which is 1 (IEEE 754). No gradient. */
plx_node plx_equal(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_not_equal(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_less(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_less_equal(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_greater(plx_graph *graph, plx_node a, plx_node b);
plx_node plx_greater_equal(plx_graph *graph, plx_node a, plx_node b);
/* a where the condition (uint8 or int32) is not 0, else b; a and b are of one dtype, which the
 * result has. What is not taken does not matter, NaN and infinity included; its gradient is 0. */
plx_node plx_where(plx_graph *graph, plx_node condition, plx_node a, plx_node b);
/* x > 0 ? x : slope x with a slope that is learnt: He et al., ICCV 2015 */
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

/* Along one axis; negative counts from the last, PLX_ALL_AXES is all elements. */
plx_node plx_softmax(plx_graph *graph, plx_node x, int axis);
plx_node plx_log_softmax(plx_graph *graph, plx_node x, int axis);

/* Over one axis (negative counts from the last), which is removed; PLX_ALL_AXES gives a scalar.
 * The mean of nothing is NaN, the maximum of nothing -infinity. */
enum { PLX_ALL_AXES = 1000 };
plx_node plx_reduce_sum(plx_graph *graph, plx_node x, int axis);
plx_node plx_reduce_mean(plx_graph *graph, plx_node x, int axis);
plx_node plx_reduce_max(plx_graph *graph, plx_node x,
                        int axis); /* first of equals has the gradient */
/* log(sum(exp(x))), without overflow. */
plx_node plx_log_sum_exp(plx_graph *graph, plx_node x, int axis);

/* Inverted dropout (Srivastava et al., JMLR 2014): keeps with probability 1 - rate and divides by
 * it. 0 <= rate < 1. The mask depends on the seed and the plan's step number alone. */
plx_node plx_dropout(plx_graph *graph, plx_node x, double rate, uint64_t seed);

/* x in its shape with elements of another dtype; x itself where it has that one. To reals, bfloat16
 * and float16: the nearest, half to even; overflow is infinity, subnormals are kept, a NaN stays
 * one. To integers: cut off at the point, the nearest that there is beyond the range, 0 for a NaN.
 * The same bits on every target. Gradients are reals and pass through bfloat16 and float16 as they
 * are (the rounding counts as the identity), not through integers. */
plx_node plx_cast(plx_graph *graph, plx_node x, plx_dtype dtype);

/* -- Shapes: up to gather they take every dtype, and give what they take -- */

/* The same elements in another shape, at no cost; one size may be -1 and follows from the others.
 */
plx_node plx_reshape(plx_graph *graph, plx_node x, int rank, const int64_t *dims);
/* Axis i of the result is axis axes[i] of x; axes is a permutation of x's axes. */
plx_node plx_transpose(plx_graph *graph, plx_node x, const int *axes);
/* Elements begin, begin + step, ... before end of one axis. Negative begin and end count from the
 * end; step is not 0, and negative steps go backwards (end -1 - size: past the first). */
plx_node plx_slice(plx_graph *graph, plx_node x, int axis, int64_t begin, int64_t end,
                   int64_t step);
/* One after the other along an axis; other sizes are equal. */
plx_node plx_concat(plx_graph *graph, int count, const plx_node *x, int axis);
/* The reverse: count parts of these sizes, or equal ones (sizes NULL), into out. */
plx_status plx_split(plx_graph *graph, plx_node x, int axis, int count, const int64_t *sizes,
                     plx_node *out);
/* before and after: how many elements of value to add at each axis, >= 0. Among integers the value
 * is one that the dtype has; bfloat16 and float16 round it. */
plx_node plx_pad(plx_graph *graph, plx_node x, const int64_t *before, const int64_t *after,
                 double value);
/* Repeats axes of size 1, and new leading ones, as NumPy does. */
plx_node plx_broadcast(plx_graph *graph, plx_node x, int rank, const int64_t *dims);
/* Slices of one axis by i32 index: the axis is replaced by the shape of indices. The gradient adds
 * up where an index comes twice. An index outside the axis makes the run fail. */
plx_node plx_gather(plx_graph *graph, plx_node x, plx_node indices, int axis);
/* Index of the first largest element along an axis (PLX_ALL_AXES: of all), which is removed: i32.
 * NaN counts as largest.
 */
plx_node plx_argmax(plx_graph *graph, plx_node x, int axis);
/* The k largest of the last axis in descending order, the first of equals first, and their i32
 * indices; either pointer may be NULL. Values pass gradients on. */
plx_status plx_top_k(plx_graph *graph, plx_node x, int64_t k, plx_node *values, plx_node *indices);
/* Values limited to [low, high]; the gradient is 0 outside. */
plx_node plx_clip(plx_graph *graph, plx_node x, double low, double high);

/* -- Convolution, pooling: images are [n, height, width, channels] -- */

typedef struct plx_conv2d_options {
    int64_t stride[2];  /* rows, columns; >= 1 */
    int64_t padding[4]; /* top, bottom, left, right; zeros; >= 0 */
    int64_t dilation[2];
    int64_t groups; /* divides both numbers of channels; as many as channels in: depthwise */
} plx_conv2d_options;

/* Stride 1, no padding, dilation 1, one group. */
plx_conv2d_options plx_conv2d_default(void);
/* Sets padding so that the result has ceil(size / stride) rows and columns ("same"). Sizes that the
 * builder refuses leave it as it is. */
void plx_conv2d_same(plx_conv2d_options *options, int64_t height, int64_t width,
                     int64_t kernel_height, int64_t kernel_width);
/* Cross-correlation: x [n, h, w, in], weights [kh, kw, in / groups, out], bias [out] or none; the
 * result is [n, (h + padding - dilation (kh - 1) - 1) / stride + 1, ..., out]. options NULL:
 * default. 3 x 3 at stride 1 from 8 channels on runs by Winograd's method (Lavin and Gray, CVPR
 * 2016): up to 4 times fewer products, and about 7 times the rounding error of a plain sum,
 * relative to the largest values near: what a pixel holds, an infinity too, reaches all 4 x 4
 * results of its tiles. */
plx_node plx_conv2d(plx_graph *graph, plx_node x, plx_node weights, plx_node bias,
                    const plx_conv2d_options *options);
/* The transpose of a convolution (its gradient): x [n, h, w, in], weights [kh, kw, out / groups,
 * in], result [n, (h - 1) stride - padding + dilation (kh - 1) + 1 + extra, ..., out]; extra (rows,
 * columns; NULL: 0, below stride) tells apart sizes that a strided convolution maps to the same
 * one. */
plx_node plx_conv2d_transpose(plx_graph *graph, plx_node x, plx_node weights, plx_node bias,
                              const plx_conv2d_options *options, const int64_t *extra);

typedef struct plx_pool2d_options {
    int64_t size[2], stride[2];
    int64_t padding[4]; /* top, bottom, left, right; below size */
    bool count_padding; /* whether averages divide by size, padding included */
} plx_pool2d_options;

/* Square windows side by side: that size, a stride as large, no padding (nor counted). */
plx_pool2d_options plx_pool2d_default(int64_t size);
plx_node plx_max_pool2d(plx_graph *graph, plx_node x, const plx_pool2d_options *options);
plx_node plx_avg_pool2d(plx_graph *graph, plx_node x, const plx_pool2d_options *options);
/* Mean over rows and columns: [n, channels]. */
plx_node plx_global_avg_pool2d(plx_graph *graph, plx_node x);
typedef enum plx_upsampling { PLX_NEAREST = 0, PLX_BILINEAR } plx_upsampling;
/* Rows and columns times whole factors; bilinear samples at pixel centres (half-pixel). */
plx_node plx_upsample2d(plx_graph *graph, plx_node x, int64_t rows, int64_t columns,
                        plx_upsampling method);

/* -- Normalisation: scale and shift [channels] may be none -- */

/* (x - mean) / sqrt(variance + epsilon) scale + shift over the last axis: Ba et al., 2016. */
plx_node plx_layer_norm(plx_graph *graph, plx_node x, plx_node scale, plx_node shift,
                        double epsilon);
/* x / sqrt(mean(x^2) + epsilon) scale over the last axis: Zhang and Sennrich, NeurIPS 2019. */
plx_node plx_rms_norm(plx_graph *graph, plx_node x, plx_node scale, double epsilon);
/* Over groups of channels and all axes between the first and the last: Wu and He, ECCV 2018. */
plx_node plx_group_norm(plx_graph *graph, plx_node x, int64_t groups, plx_node scale,
                        plx_node shift, double epsilon);
/* Per channel (last axis) over all else: Ioffe and Szegedy, ICML 2015. running_mean and
 * running_variance are parameters [channels]. training: normalises by the batch and moves the
 * running values by momentum towards the batch's (variance unbiased) at every run; else normalises
 * by them. */
plx_node plx_batch_norm(plx_graph *graph, plx_node x, plx_node scale, plx_node shift,
                        plx_node running_mean, plx_node running_variance, bool training,
                        double momentum, double epsilon);

/* -- Embedding, attention -- */

/* Rows of table [vocabulary, width] by i32 ids [...]: [..., width]. An id outside the vocabulary
 * makes the run fail. */
plx_node plx_embedding(plx_graph *graph, plx_node table, plx_node ids);

/* All 0 is the default, but for heads, which is at least 1. */
typedef struct plx_attention_options {
    int64_t heads;    /* of queries */
    int64_t kv_heads; /* of keys and values; divides heads (Ainslie et al., EMNLP 2023); 0: heads */
    bool causal;      /* query i sees keys up to i + (keys - queries) */
    double scale;     /* of the scores; 0: 1 / sqrt(width of a head) */
} plx_attention_options;

/* softmax(scale q k^T + mask) v, head by head (Vaswani et al., NeurIPS 2017), tile by tile: no
 * matrix of scores is stored, neither here nor for the gradient (Dao et al., NeurIPS 2022). q [b,
 * s, heads d], k and v [b, t, kv_heads d]; mask none or [b or 1, s or 1, t], added to the scores
 * (-infinity: not seen; a query that sees no key gives 0); no gradient flows into it. Result [b, s,
 * heads d]. */
plx_node plx_attention(plx_graph *graph, plx_node q, plx_node k, plx_node v, plx_node mask,
                       const plx_attention_options *options);
/* Rotary position embedding (Su et al., 2021) of x [b, s, heads d], d even: element i of a head
 * turns with element i + d / 2 by the angle (first + position) base^(-2 i / d). */
plx_node plx_rope(plx_graph *graph, plx_node x, int64_t heads, double base, int64_t first);
/* silu(gate) up, gelu(gate) up: Shazeer, 2020. */
plx_node plx_swiglu(plx_graph *graph, plx_node gate, plx_node up);
plx_node plx_geglu(plx_graph *graph, plx_node gate, plx_node up);

/* -- Losses: scalars; means over all elements, or rows where said -- */

/* Mean of |prediction - target|. */
plx_node plx_l1(plx_graph *graph, plx_node prediction, plx_node target);
/* Half squares within delta, straight beyond: Huber, 1964. delta > 0. */
plx_node plx_huber(plx_graph *graph, plx_node prediction, plx_node target, double delta);
/* Binary cross-entropy of sigmoid(logits) against targets in [0, 1], without overflow. */
plx_node plx_binary_cross_entropy(plx_graph *graph, plx_node logits, plx_node target);
/* Rows of the last axis divided by their length (at least epsilon). */
plx_node plx_l2_normalize(plx_graph *graph, plx_node x, double epsilon);
/* Mean over rows of 1 - cos(a, b). */
plx_node plx_cosine_loss(plx_graph *graph, plx_node a, plx_node b);
/* Contrastive: a and b [n, width] are pairs row by row; the logits are scale (a scalar node, learnt
 * or constant) times the cosines of all rows, the loss the mean of the cross-entropies both ways
 * (van den Oord et al., 2018; Radford et al., ICML 2021). */
plx_node plx_info_nce(plx_graph *graph, plx_node a, plx_node b, plx_node scale);

/* Mean squared error over all elements: a scalar. */
plx_node plx_mse(plx_graph *graph, plx_node prediction, plx_node target);
/* Mean over rows of -log softmax(logits)[label]; logits [..., classes], labels i32 [...]. Rows with
 * the label PLX_IGNORED_LABEL are left out of the mean and have no gradient; where all are, the
 * loss is 0. Another label outside the classes makes the run fail with PLX_ERR_ARGUMENT. */
enum { PLX_IGNORED_LABEL = -100 };
plx_node plx_cross_entropy(plx_graph *graph, plx_node logits, plx_node labels);
/* The same against 1 - smoothing at the label plus smoothing spread evenly over all classes; 0 <=
 * smoothing < 1: Szegedy et al., CVPR 2016. */
plx_node plx_cross_entropy_smooth(plx_graph *graph, plx_node logits, plx_node labels,
                                  double smoothing);

/* ---- Training -------------------------------------------------------------------------------- */

/* Emits nodes for d loss / d wrt[i] into grads[i], which may equal wrt; loss holds one real. A node
 * that loss does not depend on makes this fail. */
plx_status plx_gradients(plx_graph *graph, plx_node loss, int count, const plx_node *wrt,
                         plx_node *grads);

/* Scales gradients together so that the length of all of them is at most largest (Pascanu et al.,
 * ICML 2013), above 0 and finite; clipped may equal grads. */
plx_status plx_clip_by_norm(plx_graph *graph, int count, const plx_node *grads, double largest,
                            plx_node *clipped);

/* PLX_SGD, PLX_ADAM and the others of parallax.def. */
typedef enum plx_optimizer_kind {
#define PLX_OPTIMIZER(NAME, name, rate, beta1, beta2, epsilon, weight_decay) PLX_##NAME,
#include "parallax.def"
    PLX_OPTIMIZERS_
} plx_optimizer_kind;

typedef struct plx_optimizer_options {
    plx_optimizer_kind kind;
    double rate;         /* learning rate */
    double momentum;     /* SGD, RMSprop */
    bool nesterov;       /* SGD: Sutskever et al., ICML 2013 */
    double beta1, beta2; /* Adam: Kingma and Ba, ICLR 2015; Lion; RMSprop: beta2 alone, its alpha */
    double epsilon;      /* Adam, RMSprop: outside the root */
    double weight_decay; /* SGD, Adam, RMSprop: added to the gradient; AdamW (Loshchilov and Hutter,
                            ICLR 2019) and Lion: decoupled, weight -= rate weight_decay weight */
} plx_optimizer_options;

/* The papers' defaults: SGD rate 0.01, momentum 0; Adam 1e-3, 0.9, 0.999, 1e-8; AdamW with
 * weight decay 0.01; Lion 1e-4, 0.9, 0.99; RMSprop (PyTorch's) 0.01, alpha 0.99, 1e-8. */
plx_optimizer_options plx_optimizer_default(plx_optimizer_kind kind);
/* "sgd", "adam", "adamw", "lion", "rmsprop"; NULL past the last. */
const char *plx_optimizer_name(plx_optimizer_kind kind);

/* Holds the state (moments) for a list of parameters, of which none comes twice. */
typedef struct plx_optimizer plx_optimizer;
plx_status plx_optimizer_new(plx_ctx *ctx, const plx_optimizer_options *options, int count,
                             plx_tensor *const *parameters, plx_optimizer **out);
void plx_optimizer_free(plx_optimizer *optimizer);
/* From 0 to below 1e30, else PLX_ERR_ARGUMENT; takes effect at the next step. */
plx_status plx_optimizer_set_rate(plx_optimizer *optimizer, double rate);
/* Parameter number i of the list takes this weight decay in place of the options', and learns at
 * rate_factor times the rate. Both are >= 0 and finite (else PLX_ERR_ARGUMENT); at the next step.
 */
plx_status plx_optimizer_set_group(plx_optimizer *optimizer, int parameter, double rate_factor,
                                   double weight_decay);
/* The decay alone. */
plx_status plx_optimizer_set_decay(plx_optimizer *optimizer, int parameter, double weight_decay);
/* One sweep over all parameters; grads in the order of the optimizer's parameters. The node has no
 * value: name it as an output when compiling. Where a gradient is finite but its square, which
 * Adam, AdamW and RMSprop take the mean of, is not, the run is PLX_ERR_DIVERGED and changes no
 * parameter. */
plx_node plx_update(plx_graph *graph, plx_optimizer *optimizer, const plx_node *grads);

/* ---- Plan ------------------------------------------------------------------------------------ */

/* The passes that make a plan, in the order in which they run: PASS(FLAG, name, bit, what it
 * changes, what a plan is like without it). */
#define PLX_PASSES(PASS)                                                                           \
    PASS(DEAD_CODE, dead_code, 3, NODES, "what no output needs is run as well")                    \
    PASS(FUSE, fuse, 0, NODES, "one step per node")                                                \
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

/* Row number i of the table, in the order in which passes run; NULL past the last. */
const plx_pass_info *plx_pass_at(int i);

typedef struct plx_plan_options {
    int passes;        /* plx_pass bits; default all. A pass changes nothing of what is computed,
                          but for rounding by PLX_PASS_FUSE */
    int threads;       /* at most so many per step; 0: the context's */
    int64_t alignment; /* of values in their buffers, in bytes: a power of two from 16; 0: 64 */
    int64_t largest_buffer; /* in bytes, a multiple of the alignment; 0: no limit. A single value
                               that is larger is PLX_ERR_MEMORY */
} plx_plan_options;

/* All passes, all of the context's threads. */
plx_plan_options plx_plan_default(void);

/* A fixed sequence of steps with all of its memory. */
typedef struct plx_plan plx_plan;

/* options NULL: default. Later nodes of the graph are not in the plan. */
plx_status plx_compile(plx_graph *graph, int count, const plx_node *outputs,
                       const plx_plan_options *options, plx_plan **out);
void plx_plan_free(plx_plan *plan);

/* Data for an input: read where it lies at every run until bound anew, so it must stay. */
plx_status plx_plan_bind(plx_plan *plan, plx_node input, const void *data);
/* The same for data that does not lie together: element (i, j, ...) is data[i strides[0] + j
 * strides[1] + ...]; strides count elements and may be negative (data is element 0, 0, ...) or 0.
 * Each run copies it into memory of the plan's, taken at the first such bind. */
plx_status plx_plan_bind_strided(plx_plan *plan, plx_node input, const void *data,
                                 const int64_t *strides);
/* Runs all steps; an unbound input is PLX_ERR_STATE. Allocates nothing, but for the first run after
 * plx_ctx_set_threads. */
plx_status plx_plan_run(plx_plan *plan);
/* The values of an output after a run, valid until the next; NULL when it is not an output of the
 * plan, or holds no reals. */
const plx_real *plx_plan_output(const plx_plan *plan, plx_node output);
/* The same for any type of elements, NULL when it holds others: indices, as argmax and top_k give
 * them, are PLX_DTYPE_I32, which an int32_t pointer takes. */
const void *plx_plan_output_as(const plx_plan *plan, plx_node output, plx_dtype dtype);
/* The number that dropout draws from; each run adds one. */
void plx_plan_set_step(plx_plan *plan, uint64_t step);

/* Bytes, exact. gradients: what updates take of the plan's own memory; kept: copies of weights that
 * a trainer may put back. */
typedef struct plx_memory {
    int64_t parameters, gradients, optimizer, activations, workspace, inputs, kept;
} plx_memory;
plx_memory plx_plan_memory(const plx_plan *plan);

typedef struct plx_step_info {
    const char *op;    /* "dense" */
    const char *name;  /* of the node, or "" */
    const char *fused; /* "matmul+bias+relu", or "" */
    int rank;
    int64_t dims[PLX_MAX_RANK];
    double flops; /* that are done */
    double
        direct_flops; /* by the operation's definition: more where Winograd's convolution is used */
    double bytes;     /* each operand read or written once */
    int threads;
    int64_t arena_offset; /* -1: not in the arena */
    double nanoseconds;   /* mean since profiling was switched on; 0 without */
} plx_step_info;

int plx_plan_steps(const plx_plan *plan);
/* Strings live as long as the plan. */
plx_step_info plx_plan_step(const plx_plan *plan, int step);
void plx_plan_profile(plx_plan *plan, bool on);
/* Floating-point operations that one run does. */
double plx_plan_flops(const plx_plan *plan);
/* The row count at which step i would first use all threads: the measured fork-join cost and the
 * step's own cost per row imply it. 0: never. */
double plx_plan_threshold_rows(const plx_plan *plan, int step);

/* -- A plan as data, for others to run -- */

typedef enum plx_buffer_kind {
    PLX_BUFFER_TENSOR = 0, /* a parameter, which outlives the plan */
    PLX_BUFFER_INPUT,      /* what is bound */
    PLX_BUFFER_CONSTANT,   /* one real that never changes */
    PLX_BUFFER_SLAB,       /* values of the plan's own, which share its bytes over time */
} plx_buffer_kind;

typedef struct plx_buffer {
    plx_buffer_kind kind;
    const char *name; /* of the parameter or input; "" */
    int64_t bytes;
    void *data; /* where this plan has it; of an input what is bound now, to be read only, or NULL.
                   What is bound with strides lies here from the next run on */
} plx_buffer;

/* A value of a step: contiguous, from offset bytes on in a buffer. */
typedef struct plx_operand {
    int buffer; /* number in the table; -1: none */
    int64_t offset;
    plx_dtype dtype;
    int rank;
    int64_t dims[PLX_MAX_RANK];
    bool written; /* an input that the step also writes: state, or memory for later steps */
} plx_operand;

/* count values, of which one pointer is NULL. */
typedef struct plx_attribute {
    const char *name; /* "stride" */
    int count;
    const int64_t *whole;
    const double *real;
} plx_attribute;

typedef struct plx_step {
    const char *op; /* a row of src/ops/ops.def */
    int inputs_count;
    const plx_operand *inputs;
    plx_operand output; /* no buffer: the step has no value, but writes inputs */
    int attributes_count;
    const plx_attribute *attributes;
    plx_optimizer *optimizer; /* whose state an update takes and changes, else NULL: borrowed */
    bool once;                /* in the first run only: its output stays */
    int threads;
    int64_t workspace; /* bytes of scratch that this library's own kernel takes */
} plx_step;

/* One run is all steps in order. The output of a step may be memory of an input of the same size,
 * at the same place (in place); else none of its operands overlap what it writes. */
typedef struct plx_plan_table {
    int buffers_count;
    const plx_buffer *buffers;
    int steps_count; /* as plx_plan_step counts them */
    const plx_step *steps;
    int outputs_count; /* in the order of plx_compile */
    const plx_operand *outputs;
} plx_plan_table;

/* The same steps, places and order as plx_plan_run has. All that the table points to lives as long
 * as the plan. Data of buffers change by plx_plan_bind; threads and workspace by this call, after
 * threads have joined. */
plx_status plx_plan_describe(plx_plan *plan, plx_plan_table *out);

/* ---- Files ----------------------------------------------------------------------------------- */

/* An IDX array of unsigned bytes (LeCun, "The MNIST database"), pointing into the bytes given. */
typedef struct plx_idx {
    int rank;
    int64_t dims[PLX_MAX_RANK];
    const uint8_t *data;
    int64_t size;
} plx_idx;

/* bytes are the uncompressed file. Every size is checked against the number of bytes. */
plx_status plx_idx_parse(plx_ctx *ctx, const void *bytes, size_t size, plx_idx *out);

/* A table of numbers. */
typedef struct plx_csv {
    int64_t rows, columns;
    double *values; /* [rows, columns]; in double, so that a table of time stamps keeps seconds */
    bool names;     /* the first line named the columns, and is no row */
} plx_csv;

/* Reads RFC 4180: cells between commas, quotes around any of them, lines that end in CR LF, LF or
 * CR. Beyond that: blanks around cells, blank lines and the byte order mark of UTF-8 are passed
 * over; with a semicolon in the first line, semicolons separate cells and decimal commas are
 * allowed. A line "sep=;" or "sep=," before all others, as Excel writes it, settles what separates
 * cells and is passed over. A first line without any number names the columns, unless it has
 * nothing but missing values (NA, N/A, null, None). What is empty, missing or not a finite number,
 * a row of another length and another encoding are PLX_ERR_FORMAT with line and column. Free with
 * plx_csv_free. */
plx_status plx_csv_parse(plx_ctx *ctx, const char *text, size_t size, plx_csv *out);
void plx_csv_free(plx_csv *csv);

PLX_END_EXPORTS

#ifdef __cplusplus
}
#endif

#endif
