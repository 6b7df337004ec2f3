#include "weights_file.h"

#include "command.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The keys by which the package's load() knows the model; see wasm/src/model_file.ts. */
static const char MODEL_KEY[] = "parallax.model", FORMAT_KEY[] = "parallax.format", FORMAT[] = "1";
/* Of a table that was standardised: pairs of mean and deviation, the target's last. */
static const char SCALES_KEY[] = "parallax.scales";

static bool refuse(const char *verb, const char *name, const char *why) {
    report(EXIT_FAILED, "cannot %s \"%s\": %s.", verb, name, why);
    return false;
}

/* ---- Writing --------------------------------------------------------------------------------- */

bool weights_out_open(weights_out *out, const char *name) {
    struct stat status;
    *out = (weights_out){.name = name};
    if (!name) return true;
    if (stat(name, &status) == 0 && !S_ISREG(status.st_mode))
        return refuse("write", name, "it is no regular file");
    text_add(&out->part, "%s.part", name);
    out->file = fopen(out->part, "wb");
    return out->file || refuse("write", name, strerror(errno));
}

static bool write_bytes(void *user, const void *bytes, size_t size) {
    return fwrite(bytes, 1, size, user) == size;
}

/* As JSON, which it frees. Free the result. */
static char *text_of(cJSON *json) {
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

static char *model_text(const weights_about *about) {
    cJSON *model = cJSON_CreateObject();
    cJSON_AddStringToObject(model, "name", about->model);
    cJSON_AddNumberToObject(model, "seed", (double)about->seed);
    return text_of(model);
}

static char *scales_text(const weights_about *about) {
    cJSON *scales = cJSON_CreateArray();
    for (int64_t i = 0; i < about->columns; ++i)
        cJSON_AddItemToArray(scales, cJSON_CreateDoubleArray(&about->scales[2 * i], 2));
    return text_of(scales);
}

/* A rename lasts only when the folder is on the disk, too. */
static bool sync_folder(const char *name) {
    const char *slash = strrchr(name, '/');
    char *folder = slash ? strndup(name, (size_t)(slash - name) + 1) : strdup(".");
    const int handle = folder ? open(folder, O_RDONLY) : -1;
    free(folder);
    if (handle < 0) return false;
    /* Some file systems cannot sync a folder. */
    const bool ok = fsync(handle) == 0 || errno == EINVAL;
    close(handle);
    return ok;
}

static const char *sync_file(weights_out *out) {
    const bool ok = fflush(out->file) == 0 && fsync(fileno(out->file)) == 0;
    const int failed = errno;
    const bool closed = fclose(out->file) == 0;
    out->file = NULL;
    return ok && closed ? NULL : strerror(ok ? errno : failed);
}

const char *weights_out_fill(weights_out *out, const plx_ctx *ctx, weights_writer *writer,
                             const void *of, const weights_about *about) {
    char *source = model_text(about), *scales = scales_text(about);
    const char *failure = source && scales ? NULL : "there is not enough memory";
    const plx_metadata metadata[] = {
        {FORMAT_KEY, FORMAT}, {MODEL_KEY, source}, {SCALES_KEY, scales}};
    errno = 0;
    if (!failure && writer(of, about->columns ? 3 : 2, metadata, write_bytes, out->file) != PLX_OK)
        failure = errno ? strerror(errno) : plx_message(ctx);
    cJSON_free(source);
    cJSON_free(scales);
    return failure ? failure : sync_file(out);
}

const char *weights_out_rename(weights_out *out) {
    const bool ok = rename(out->part, out->name) == 0 && sync_folder(out->name);
    return ok ? NULL : strerror(errno);
}

static plx_status write_model(const void *of, int count, const plx_metadata *metadata,
                              plx_write *write, void *user) {
    return plx_weights_save(plx_model_weights(of), count, metadata, write, user);
}

bool weights_out_save(weights_out *out, const plx_ctx *ctx, const plx_model *model,
                      const weights_about *about) {
    if (!out->name) return true;
    const char *failure = weights_out_fill(out, ctx, write_model, model, about);
    if (!failure) failure = weights_out_rename(out);
    return !failure || refuse("write", out->name, failure);
}

void weights_out_close(weights_out *out) {
    if (out->file) fclose(out->file);
    if (out->part) unlink(out->part);
    free(out->part);
    *out = (weights_out){0};
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* Returns NULL or what went wrong. */
static const char *map(weights_in *in, const char *name) {
    struct stat status;
    const int handle = open(name, O_RDONLY);
    if (handle < 0) return strerror(errno);
    const char *failure = fstat(handle, &status) != 0 ? strerror(errno)
                          : S_ISDIR(status.st_mode)   ? "it is a folder"
                          : !S_ISREG(status.st_mode)  ? "it is no regular file"
                                                      : NULL;
    if (!failure && status.st_size > 0) {
        in->size = (size_t)status.st_size;
        in->bytes = mmap(NULL, in->size, PROT_READ, MAP_PRIVATE, handle, 0);
        if (in->bytes == MAP_FAILED) {
            in->bytes = NULL;
            failure = strerror(errno);
        }
    }
    close(handle);
    return failure;
}

const char *weights_in_try(weights_in *in, plx_ctx *ctx, const char *name) {
    *in = (weights_in){0};
    const char *failure = map(in, name);
    if (!failure && plx_safetensors_open(ctx, in->bytes, in->size, &in->file) != PLX_OK)
        failure = plx_message(ctx);
    return failure;
}

bool weights_in_open(weights_in *in, plx_ctx *ctx, const char *name) {
    const char *failure = weights_in_try(in, ctx, name);
    return !failure || refuse("read", name, failure);
}

void weights_in_close(weights_in *in) {
    plx_safetensors_free(in->file);
    if (in->bytes) munmap(in->bytes, in->size);
    *in = (weights_in){0};
}

static const char *value_of(const weights_in *in, const char *key) {
    plx_metadata pair;
    for (int i = 0; (pair = plx_safetensors_metadata(in->file, i)).key; ++i)
        if (!strcmp(pair.key, key)) return pair.value;
    return NULL;
}

char *weights_in_model(const weights_in *in) {
    const char *text = value_of(in, MODEL_KEY);
    cJSON *source = text ? cJSON_Parse(text) : NULL;
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(source, "name");
    char *found = cJSON_IsString(name) ? strdup(name->valuestring) : NULL;
    cJSON_Delete(source);
    return found;
}

/* A pair [mean, deviation]. */
static bool read_pair(const cJSON *pair, double *out) {
    const cJSON *mean = cJSON_GetArrayItem(pair, 0), *deviation = cJSON_GetArrayItem(pair, 1);
    if (!cJSON_IsNumber(mean) || !cJSON_IsNumber(deviation)) return false;
    out[0] = mean->valuedouble;
    out[1] = deviation->valuedouble;
    return isfinite(out[0]) && isfinite(out[1]) && out[1] > 0;
}

bool weights_in_scales(const weights_in *in, int64_t columns, double **out) {
    const char *text = value_of(in, SCALES_KEY);
    *out = NULL;
    if (!text) return true;
    cJSON *scales = cJSON_Parse(text);
    const cJSON *pair;
    int64_t i = 0;
    bool ok = cJSON_IsArray(scales) && cJSON_GetArraySize(scales) == columns;
    double *pairs = ok ? calloc((size_t)columns, 2 * sizeof *pairs) : NULL;
    cJSON_ArrayForEach(pair, scales) {
        ok = ok && pairs && read_pair(pair, &pairs[2 * i]);
        i += 1;
    }
    cJSON_Delete(scales);
    if (ok)
        *out = pairs;
    else
        free(pairs);
    if (!ok)
        report(EXIT_FAILED,
               "the metadata \"%s\" must have a mean and a deviation above 0 for each of the "
               "model's %lld inputs and its output.",
               SCALES_KEY, (long long)columns - 1);
    return ok;
}
