/* Persistent tensors and their initialisation. */
#include "graph/graph.h"

#include "base/alloc.h"
#include "base/platform.h"
#include "base/rng.h"
#include "base/sizes.h"
#include "parallax.h"

#include <assert.h>
#include <string.h>

enum { SLAB_ALIGNMENT = 16 }; /* in elements */

plx_status plx_tensor_new(plx_ctx *ctx, plx_dtype dtype, int rank, const int64_t *dims,
                          plx_tensor **out) {
    plx__message *message = &ctx->message;
    if (!plx__is_dtype(dtype))
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "tensor: there is no dtype number %d; it must be 0 to %d", (int)dtype,
                         PLX_DTYPES_ - 1);
    if (rank > 0) PLX_TRY(plx__need(message, "tensor", "dims", dims));
    PLX_TRY(plx__need(message, "tensor", "out", out));
    PLX_TRY(plx__check_dims(message, "tensor", rank, dims));
    const int64_t size = plx__product(rank, dims);
    const size_t bytes = (size_t)size * plx__element_bytes(dtype);
    void *data = NULL;
    PLX_TRY(plx__alloc(&ctx->message, "tensor", (int64_t)bytes, &data));
    plx_tensor *tensor = plx_platform_alloc(sizeof *tensor);
    if (!tensor) {
        plx_platform_free(data);
        return plx__fail(&ctx->message, PLX_ERR_MEMORY, "tensor: no memory");
    }
    memset(data, 0, bytes);
    *tensor = (plx_tensor){.ctx = plx__ctx_hold(ctx),
                           .holders = 1,
                           .version = 1,
                           .dtype = dtype,
                           .rank = rank,
                           .size = size,
                           .data = data};
    for (int i = 0; i < rank; ++i) tensor->dims[i] = dims[i];
    *out = tensor;
    return PLX_OK;
}

void plx_tensor_free(plx_tensor *tensor) {
    if (!tensor || --tensor->holders > 0) return;
    plx_ctx_free(tensor->ctx);
    if (tensor->slab)
        plx_tensor_free(tensor->slab);
    else
        plx_platform_free(tensor->data);
    plx_platform_free(tensor);
}

static plx_status share_slab(plx_tensor *slab, int count, plx_tensor *const *like,
                             plx_tensor **out) {
    plx_real *next = slab->data;
    for (int i = 0; i < count; ++i) {
        plx_tensor *part = plx_platform_alloc(sizeof *part);
        if (!part) return plx__fail(&slab->ctx->message, PLX_ERR_MEMORY, "tensor: no memory");
        *part = (plx_tensor){.ctx = plx__ctx_hold(slab->ctx),
                             .holders = 1,
                             .version = 1,
                             .dtype = PLX_DTYPE_REAL,
                             .rank = like[i]->rank,
                             .size = like[i]->size,
                             .slab = plx__tensor_hold(slab),
                             .data = next};
        memcpy(part->dims, like[i]->dims, sizeof part->dims);
        out[i] = part;
        next += plx__round_up(part->size, SLAB_ALIGNMENT);
    }
    return PLX_OK;
}

plx_status plx__tensors_like(plx_ctx *ctx, int count, plx_tensor *const *like, plx_tensor **out) {
    int64_t size = 0;
    plx_tensor *slab = NULL;
    for (int i = 0; i < count; ++i) size += plx__round_up(like[i]->size, SLAB_ALIGNMENT);
    PLX_TRY(plx_tensor_new(ctx, PLX_DTYPE_REAL, 1, &size, &slab));
    assert(slab);
    const plx_status status = share_slab(slab, count, like, out);
    plx_tensor_free(slab);
    return status;
}

void *plx_tensor_data(plx_tensor *tensor) {
    plx__tensor_changed(tensor);
    return tensor->data;
}

int plx_tensor_rank(const plx_tensor *tensor) {
    return tensor->rank;
}

const int64_t *plx_tensor_dims(const plx_tensor *tensor) {
    return tensor->dims;
}

int64_t plx_tensor_size(const plx_tensor *tensor) {
    return tensor->size;
}

/* The number of elements that one output, or one input, is connected to. */
static double fan(const plx_tensor *tensor, int axis) {
    const bool has = axis >= 0 && tensor->rank > axis && tensor->dims[axis] > 0;
    const int64_t all = tensor->size ? tensor->size : 1,
                  each = has ? all / tensor->dims[axis] : all;
    return (double)each;
}

/* The standard deviation of an initialisation by fans. */
static double spread_of(const plx_tensor *tensor, plx_init init) {
    const double fan_in = fan(tensor, tensor->rank - 1), fan_out = fan(tensor, tensor->rank - 2);
    const bool he = init == PLX_INIT_HE_UNIFORM || init == PLX_INIT_HE_NORMAL;
    const double fans = init == PLX_INIT_HE_FAN_OUT ? fan_out : he ? fan_in : fan_in + fan_out;
    return plx_math_sqrt(2 / fans);
}

/* Parameters of a random initialisation: each element draws from its own place in the stream. */
typedef struct draws {
    plx_real *data;
    plx_rng rng;
    bool uniform;
    double factor; /* times draws from [-1, 1), or normal ones */
} draws;

enum { DRAWS_AT_ONCE = 256 };

static void draw(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const draws *job = arg;
    double values[DRAWS_AT_ONCE];
    plx_rng rng = job->rng;
    rng.next += (uint64_t)begin * (job->uniform ? 2 : 4);
    for (int64_t done = begin; done < end; done += DRAWS_AT_ONCE) {
        const int64_t n = end - done < DRAWS_AT_ONCE ? end - done : DRAWS_AT_ONCE;
        plx_real *data = job->data + done;
        if (job->uniform)
            plx__rng_uniforms(&rng, n, values);
        else
            plx__rng_normals(&rng, n, values);
        for (int64_t i = 0; i < n; ++i)
            data[i] = (plx_real)(job->factor * (job->uniform ? 2 * values[i] - 1 : values[i]));
    }
}

/* The scalar product of vectors whose elements are a stride apart. Eight sums do not wait for each
 * other. */
static double product_of(int64_t n, int64_t stride, const plx_real *a, const plx_real *b) {
    enum { LANES = 8 };
    double sums[LANES] = {0}, total = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; ++k)
            sums[k] += (double)a[(i + k) * stride] * (double)b[(i + k) * stride];
    for (; i < n; ++i) total += (double)a[i * stride] * (double)b[i * stride];
    for (int k = 0; k < LANES; ++k) total += sums[k];
    return total;
}

/* Makes random vectors orthonormal by the modified Gram-Schmidt process, which leaves their
 * directions evenly distributed. The bits are the same on every target. */
static void orthonormalise(plx_tensor *tensor) {
    const int64_t columns = plx__columns(tensor->rank, tensor->dims);
    const int64_t rows = columns ? tensor->size / columns : 0;
    const bool by_rows = rows <= columns;
    const int64_t count = by_rows ? rows : columns, n = by_rows ? columns : rows;
    const int64_t step = by_rows ? columns : 1, stride = by_rows ? 1 : columns;
    plx_real *data = tensor->data;
    for (int64_t i = 0; i < count; ++i) {
        plx_real *v = data + i * step;
        for (const plx_real *before = data; before < v; before += step) {
            const plx_real part = (plx_real)product_of(n, stride, before, v);
            for (int64_t j = 0; j < n; ++j) v[j * stride] -= part * before[j * stride];
        }
        const double length = plx_math_sqrt(product_of(n, stride, v, v));
        for (int64_t j = 0; j < n && length > 0; ++j)
            v[j * stride] = (plx_real)((double)v[j * stride] / length);
    }
}

void plx__tensor_fill(plx_ctx *ctx, plx_tensor *tensor, plx_init init, double value, plx_rng *rng) {
    plx_real *data = tensor->data;
    plx__tensor_changed(tensor);
    if (init == PLX_INIT_ZERO || init == PLX_INIT_CONSTANT) {
        const plx_real all = init == PLX_INIT_ZERO ? 0 : (plx_real)value;
        for (int64_t i = 0; i < tensor->size; ++i) data[i] = all;
        return;
    }
    draws job = {.data = data, .rng = *rng};
    job.uniform = init == PLX_INIT_HE_UNIFORM || init == PLX_INIT_XAVIER_UNIFORM;
    job.factor = init == PLX_INIT_NORMAL       ? value
                 : init == PLX_INIT_ORTHOGONAL ? 1
                                               : spread_of(tensor, init);
    if (job.uniform) job.factor *= plx_math_sqrt(3);
    if (ctx)
        plx__parallel_for(ctx->pool, ctx->threads, tensor->size, 64 * DRAWS_AT_ONCE, draw, &job);
    else
        draw(&job, 0, tensor->size, 0);
    rng->next += (uint64_t)tensor->size * (job.uniform ? 2 : 4);
    if (init == PLX_INIT_ORTHOGONAL) orthonormalise(tensor);
}

plx_status plx__check_init(plx__message *message, const char *what, plx_init init, double value) {
    const plx_real kept = (plx_real)value;
    const bool valued = init == PLX_INIT_NORMAL || init == PLX_INIT_CONSTANT;
    if ((int)init < 0 || init > PLX_INIT_ORTHOGONAL)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "%s: there is no initialisation number %d; it must be 0 to %d", what,
                         (int)init, PLX_INIT_ORTHOGONAL);
    if (valued && kept - kept != 0)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "%s: the initial value is %g; it must be finite", what, value);
    return PLX_OK;
}

plx_status plx_tensor_init(plx_tensor *tensor, plx_init init, double value, plx_rng *rng) {
    plx__message *message = &tensor->ctx->message;
    const bool drawn = init != PLX_INIT_ZERO && init != PLX_INIT_CONSTANT;
    PLX_TRY(plx__check_init(message, "tensor", init, value));
    if (tensor->dtype != PLX_DTYPE_REAL)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "tensor: it holds %s; only %s can be initialised",
                         plx__dtype_name(tensor->dtype), plx__dtype_name(PLX_DTYPE_REAL));
    if (drawn && !rng)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "tensor: rng is NULL; only zeros and a constant need no random numbers");
    plx__tensor_fill(NULL, tensor, init, value, rng);
    return PLX_OK;
}
