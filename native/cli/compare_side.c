#include "compare_side.h"

#include "command.h"
#include "row_file.h"
#include "rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool same_texts(const cJSON *a, const cJSON *b, const char *const *paths, size_t count) {
    for (size_t i = 0; i < count; ++i)
        if (strcmp(row_text(a, paths[i]), row_text(b, paths[i])) != 0) return false;
    return true;
}

bool same_names(const cJSON *a, const cJSON *b) {
    /* The most frequent differences come first. */
    static const char *const paths[] = {"case", "metric", "suite", "unit"};
    return same_texts(a, b, paths, sizeof paths / sizeof *paths);
}

bool same_parameters(const cJSON *a, const cJSON *b) {
    const cJSON *of_a = row_get(a, "parameters"), *of_b = row_get(b, "parameters");
    const bool none_a = !of_a || !of_a->child, none_b = !of_b || !of_b->child;
    return none_a || none_b ? none_a && none_b : cJSON_Compare(of_a, of_b, true);
}

bool same_engine(const cJSON *a, const cJSON *b) {
    static const char *const paths[] = {"engine.kind", "engine.name", "engine.isa",
                                        "engine.gemm", "engine.tier", "engine.runtime"};
    const double of_a = row_number(a, "engine.threads"), of_b = row_number(b, "engine.threads");
    return same_texts(a, b, paths, sizeof paths / sizeof *paths) &&
           (of_a == of_b || (isnan(of_a) && isnan(of_b)));
}

bool is_yardstick(const cJSON *row) {
    return !strcmp(row_text(row, "suite"), "machine") &&
           !strcmp(row_text(row, "case"), "yardstick");
}

static measurement *find(const side *s, const cJSON *row) {
    for (int i = 0; i < s->count; ++i) {
        measurement *m = &s->list[i];
        if (same_names(m->row, row) && same_parameters(m->row, row) &&
            (is_yardstick(row) || same_engine(m->row, row)))
            return m;
    }
    return NULL;
}

static bool out_of_memory(void) {
    report(EXIT_FAILED, "there is not enough memory for the rows.");
    return false;
}

static measurement *add_measurement(side *s, const cJSON *row) {
    if (s->count == s->room) {
        const int room = s->room ? 2 * s->room : 64;
        measurement *moved = realloc(s->list, (size_t)room * sizeof *moved);
        if (!moved) return NULL;
        s->list = moved;
        s->room = room;
    }
    s->list[s->count] = (measurement){.row = row};
    return &s->list[s->count++];
}

/* Whether the measurement already has this row: two runs never agree in every sample. */
static bool is_repeated(const measurement *m, const cJSON *row) {
    static const char *const paths[] = {"samples", "engine", "machine", "data", "checks"};
    for (int i = 0; i < m->count; ++i) {
        const cJSON *other = m->runs[i].row;
        bool same = !strcmp(row_text(other, "date"), row_text(row, "date"));
        for (size_t k = 0; k < sizeof paths / sizeof *paths && same; ++k) {
            const cJSON *of_row = row_get(row, paths[k]), *of_other = row_get(other, paths[k]);
            same = of_row && of_other ? cJSON_Compare(of_row, of_other, true) : of_row == of_other;
        }
        if (same) return true;
    }
    return false;
}

static bool add_run(side *s, measurement *m, const cJSON *row, int file) {
    if (m->count == RUNS_MOST) {
        report(EXIT_FAILED, "%s \"%s\" has more than %d runs on one side; name fewer files.",
               row_text(row, "suite"), row_text(row, "case"), RUNS_MOST);
        return false;
    }
    if (m->count == m->room) {
        const int room = m->room ? 2 * m->room : s->files + 1;
        run_row *moved = realloc(m->runs, (size_t)room * sizeof *moved);
        if (!moved) return out_of_memory();
        m->runs = moved;
        m->room = room;
    }
    if (!m->count) m->row = row;
    int occurrence = 0;
    for (int i = 0; i < m->count; ++i) occurrence += m->runs[i].file == file;
    m->runs[m->count++] = (run_row){row, file, occurrence};
    return true;
}

static bool add_row(side *s, const cJSON *row, int file) {
    measurement *m = find(s, row);
    if (!m && !(m = add_measurement(s, row))) return out_of_memory();
    if (is_repeated(m, row)) {
        s->repeated += 1;
        return true;
    }
    if (!cJSON_IsFalse(row_get(row, "checks.passed"))) return add_run(s, m, row, file);
    m->voided += 1;
    return true;
}

static bool wanted(const cJSON *row, bool all) {
    if (is_yardstick(row)) return true;
    const bool speed = cJSON_IsTrue(row_get(row, "primary"));
    return (speed || all) && strcmp(row_text(row, "better"), "none") != 0;
}

static void estimate_measurement(measurement *m) {
    const cJSON *rows[RUNS_MOST];
    m->positive = m->count > 0;
    for (int i = 0; i < m->count; ++i) {
        rows[i] = m->runs[i].row;
        m->positive = m->positive && row_positive(rows[i]);
    }
    if (m->positive) m->estimate = estimate_runs(m->count, rows);
}

bool side_take(side *s, const cJSON *rows, int file, bool all) {
    const cJSON *row;
    cJSON_ArrayForEach(row, rows) {
        if (wanted(row, all) && !add_row(s, row, file)) return false;
    }
    return true;
}

bool side_read(side *s, const char **names, int files, bool all) {
    *s = (side){.names = names, .files = files, .rows = calloc((size_t)files, sizeof *s->rows)};
    if (!s->rows) return out_of_memory();
    for (int i = 0; i < files; ++i) {
        if (!(s->rows[i] = row_file_read(names[i]))) return false;
        if (!side_take(s, s->rows[i], i, all)) return false;
    }
    for (int i = 0; i < s->count; ++i) estimate_measurement(&s->list[i]);
    return true;
}

void side_free(side *s) {
    for (int i = 0; i < s->files && s->rows; ++i) cJSON_Delete(s->rows[i]);
    for (int i = 0; i < s->count; ++i) free(s->list[i].runs);
    free(s->rows);
    free(s->list);
    *s = (side){0};
}
