#include "ops/copy.h"

#include <string.h>

/* Elements of a piece of rows, and the side of the square that is transposed at a time: its lines
 * stay in the L2 cache, and its pages are few enough for the TLB. */
enum { PIECE = 16384, TILE = 128, SHORT_ROW = 16 };

/* All loops but the two innermost, plus two over the tiles of those. */
typedef struct copy_job {
    const plx_kernels *kernels;
    const plx_real *x;
    plx_real *y;
    int rank;
    int64_t dims[PLX_MAX_RANK + 2], from[PLX_MAX_RANK + 2], to[PLX_MAX_RANK + 2];
    int64_t rows, columns;         /* of the two innermost */
    int64_t row_tile, column_tile; /* of one unit */
    int64_t row_from, row_to, column_from, column_to;
    bool add, transposed;
} copy_job;

static int64_t magnitude(int64_t stride) {
    return stride < 0 ? -stride : stride;
}

static void swap_axes(plx__copy *c, int a, int b) {
    const int64_t kept[] = {c->dims[a], c->from[a], c->to[a]};
    c->dims[a] = c->dims[b];
    c->from[a] = c->from[b];
    c->to[a] = c->to[b];
    c->dims[b] = kept[0];
    c->from[b] = kept[1];
    c->to[b] = kept[2];
}

/* Drops axes of size 1, orders the others by the memory layout of y, and merges those on which x
 * and y agree. */
static plx__copy simplified(const plx__copy *copy) {
    plx__copy c = {.add = copy->add};
    for (int axis = 0; axis < copy->rank; ++axis) {
        if (copy->dims[axis] == 1) continue;
        c.dims[c.rank] = copy->dims[axis];
        c.from[c.rank] = copy->from[axis];
        c.to[c.rank] = copy->to[axis];
        c.rank += 1;
    }
    for (int i = 1; i < c.rank; ++i)
        for (int j = i; j > 0 && magnitude(c.to[j - 1]) < magnitude(c.to[j]); --j)
            swap_axes(&c, j - 1, j);
    int last = -1;
    for (int i = 0; i < c.rank; ++i) {
        if (last >= 0 && c.from[last] == c.from[i] * c.dims[i] &&
            c.to[last] == c.to[i] * c.dims[i]) {
            c.dims[last] *= c.dims[i];
            c.from[last] = c.from[i];
            c.to[last] = c.to[i];
            continue;
        }
        last += 1;
        c.dims[last] = c.dims[i];
        c.from[last] = c.from[i];
        c.to[last] = c.to[i];
    }
    c.rank = last + 1;
    return c;
}

/* Gives the copy at least two axes; a unit runs over the last two. */
static plx__copy with_plane(plx__copy c, bool *transposed) {
    while (c.rank < 2) {
        for (int i = c.rank; i > 0; --i) swap_axes(&c, i, i - 1);
        c.dims[0] = 1;
        c.from[0] = c.to[0] = 0;
        c.rank += 1;
        if (c.rank == 1) c.from[0] = c.to[0] = 1;
    }
    const int last = c.rank - 1;
    *transposed = false;
    if (c.add || c.to[last] != 1 || c.from[last] == 1 || c.from[last] == 0) return c;
    for (int axis = 0; axis < last; ++axis) {
        if (c.from[axis] != 1) continue;
        for (int i = axis; i < last - 1; ++i) swap_axes(&c, i, i + 1);
        *transposed = true;
        break;
    }
    return c;
}

static void transpose_plane(const copy_job *job, const plx_real *x, plx_real *y, int64_t rows,
                            int64_t columns) {
    job->kernels->transpose(columns, rows, x, job->column_from, y, job->row_to);
}

static void copy_rows(const copy_job *job, const plx_real *x, plx_real *y, int64_t rows,
                      int64_t columns) {
    for (int64_t i = 0; i < rows; ++i) {
        const plx_real *from = x + i * job->row_from;
        plx_real *to = y + i * job->row_to;
        if (columns > SHORT_ROW)
            memcpy(to, from, (size_t)columns * sizeof *to);
        else
            for (int64_t j = 0; j < columns; ++j) to[j] = from[j];
    }
}

static void copy_plane(const copy_job *job, const plx_real *x, plx_real *y, int64_t rows,
                       int64_t columns) {
    const int64_t from = job->column_from, to = job->column_to;
    if (job->transposed) {
        transpose_plane(job, x, y, rows, columns);
    } else if (from == 1 && to == 1 && !job->add) {
        copy_rows(job, x, y, rows, columns);
    } else {
        for (int64_t i = 0; i < rows; ++i) {
            const plx_real *a = x + i * job->row_from;
            plx_real *b = y + i * job->row_to;
            if (!from && to == 1 && !job->add)
                for (int64_t j = 0; j < columns; ++j) b[j] = *a;
            else if (job->add)
                for (int64_t j = 0; j < columns; ++j) b[j * to] += a[j * from];
            else
                for (int64_t j = 0; j < columns; ++j) b[j * to] = a[j * from];
        }
    }
}

static int64_t at_most(int64_t value, int64_t limit) {
    return value < limit ? value : limit;
}

static void copy_units(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const copy_job *job = arg;
    int64_t index[PLX_MAX_RANK + 2], x = 0, y = 0, unit = begin;
    for (int i = job->rank - 1; i >= 0; --i) {
        index[i] = unit % job->dims[i];
        unit /= job->dims[i];
        x += index[i] * job->from[i];
        y += index[i] * job->to[i];
    }
    const int column = job->rank - 1, row = job->rank - 2;
    for (unit = begin; unit < end; ++unit) {
        copy_plane(job, job->x + x, job->y + y,
                   at_most(job->rows - index[row] * job->row_tile, job->row_tile),
                   at_most(job->columns - index[column] * job->column_tile, job->column_tile));
        for (int i = column; i >= 0; --i) {
            x += job->from[i];
            y += job->to[i];
            if (++index[i] < job->dims[i]) break;
            x -= job->dims[i] * job->from[i];
            y -= job->dims[i] * job->to[i];
            index[i] = 0;
        }
    }
}

/* Chooses how much of the two innermost loops is one unit. */
static void choose_tiles(copy_job *job, int threads) {
    if (job->transposed) {
        job->row_tile = at_most(job->rows, TILE);
        job->column_tile = at_most(job->columns, TILE);
        return;
    }
    /* One thread leaves a long row whole: memcpy handles it best. */
    const int64_t share = threads > 1 ? job->columns / (4 * (int64_t)threads) + 1 : job->columns;
    job->column_tile = at_most(job->columns, share > PIECE ? share : PIECE);
    job->row_tile = at_most(job->rows, PIECE / job->column_tile + 1);
}

/* Elements narrower than reals, copied by rows of the innermost loop. */
typedef struct narrow_job {
    const char *x;
    char *y;
    size_t bytes; /* of an element */
    plx__copy copy;
} narrow_job;

#define COPY_EACH(bytes)                                                                           \
    for (int64_t i = 0; i < n; ++i, x += from, y += to) memcpy(y, x, bytes)

/* Copies one row; strides are in bytes. */
static void copy_narrow_row(size_t bytes, int64_t n, const char *x, int64_t from, char *y,
                            int64_t to) {
    if (from == to && from == (int64_t)bytes)
        memcpy(y, x, (size_t)n * bytes);
    else if (bytes == 1)
        COPY_EACH(1);
    else if (bytes == 2)
        COPY_EACH(2);
    else
        COPY_EACH(4);
}

static void copy_narrow_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const narrow_job *job = arg;
    const plx__copy *c = &job->copy;
    const int last = c->rank - 1;
    const int64_t bytes = (int64_t)job->bytes;
    for (int64_t row = begin; row < end; ++row) {
        int64_t index = row, from = 0, to = 0;
        for (int axis = last - 1; axis >= 0; --axis) {
            from += index % c->dims[axis] * c->from[axis];
            to += index % c->dims[axis] * c->to[axis];
            index /= c->dims[axis];
        }
        copy_narrow_row(job->bytes, c->dims[last], job->x + from * bytes, c->from[last] * bytes,
                        job->y + to * bytes, c->to[last] * bytes);
    }
}

static void copy_narrow(plx_ctx *ctx, int threads, narrow_job job) {
    plx__copy *c = &job.copy;
    if (!c->rank) *c = (plx__copy){.rank = 1, .dims = {1}};
    const int64_t rows = plx__product(c->rank - 1, c->dims);
    const bool whole = c->from[c->rank - 1] == 1 && c->to[c->rank - 1] == 1;
    ctx->method = whole ? "rows" : "elements";
    plx__parallel_for(ctx->pool, threads, rows, plx__grain(rows, c->dims[c->rank - 1], threads),
                      copy_narrow_rows, &job);
}

void plx__copy_strided(plx_ctx *ctx, int threads, plx_dtype dtype, const void *x, void *y,
                       const plx__copy *copy) {
    for (int axis = 0; axis < copy->rank; ++axis)
        if (!copy->dims[axis]) return;
    const plx__copy simple = simplified(copy);
    /* Elements as wide as reals are moved as reals: loads and stores keep all bits. */
    const size_t bytes = plx__element_bytes(dtype);
    if (bytes != sizeof(plx_real)) {
        copy_narrow(ctx, threads, (narrow_job){x, y, bytes, simple});
        return;
    }
    copy_job job = {.kernels = ctx->kernels, .x = x, .y = y, .add = copy->add};
    const plx__copy c = with_plane(simple, &job.transposed);
    const int column = c.rank - 1, row = c.rank - 2;
    const bool whole = c.to[column] == 1 && c.from[column] <= 1 && c.from[column] >= 0;
    ctx->method = job.transposed ? "tiles" : whole && !job.add ? "rows" : "elements";
    job.rows = c.dims[row];
    job.columns = c.dims[column];
    job.row_from = c.from[row];
    job.row_to = c.to[row];
    job.column_from = c.from[column];
    job.column_to = c.to[column];
    if (copy->add) threads = 1; /* elements of y may coincide */
    choose_tiles(&job, threads);
    job.rank = c.rank;
    for (int i = 0; i < c.rank; ++i) {
        const int64_t tile = i == column ? job.column_tile : i == row ? job.row_tile : 1;
        job.dims[i] = (c.dims[i] + tile - 1) / tile;
        job.from[i] = c.from[i] * tile;
        job.to[i] = c.to[i] * tile;
    }
    const int64_t units = plx__product(job.rank, job.dims), each = job.row_tile * job.column_tile;
    const int64_t by_balance = units / (4 * (int64_t)threads) + 1, by_size = PIECE / each + 1;
    plx__parallel_for(ctx->pool, threads, units, by_balance > by_size ? by_balance : by_size,
                      copy_units, &job);
}

typedef struct fill_job {
    plx_real value;
    plx_real *y;
} fill_job;

static void fill_piece(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const fill_job *job = arg;
    const plx_real value = job->value;
    plx_real *y = job->y;
    const plx_real zero = 0;
    if (!memcmp(&value, &zero, sizeof value))
        memset(y + begin, 0, (size_t)(end - begin) * sizeof *y);
    else
        for (int64_t i = begin; i < end; ++i) y[i] = value;
}

void plx__fill(plx_ctx *ctx, int threads, int64_t n, plx_real value, plx_real *y) {
    fill_job job = {value, y};
    plx__parallel_for(ctx->pool, threads, n, plx__grain(n, 1, threads), fill_piece, &job);
}

void plx__contiguous_strides(int rank, const int64_t *dims, int64_t *strides) {
    int64_t stride = 1;
    for (int axis = rank - 1; axis >= 0; --axis) {
        strides[axis] = stride;
        stride *= dims[axis];
    }
}
