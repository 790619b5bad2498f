#include "store/results_parts.h"

const struct column variant_columns[VARIANT_COLUMNS] = {
    {"id", COLUMN_TEXT},          {"model", COLUMN_TEXT},     {"method", COLUMN_TEXT},
    {"parameters", COLUMN_TEXT},  {"sparsity", COLUMN_TEXT},  {"calibration", COLUMN_TEXT},
    {"samples", COLUMN_INTEGER},  {"length", COLUMN_INTEGER}, {"draw", COLUMN_INTEGER},
    {"status", COLUMN_TEXT},      {"error", COLUMN_TEXT},     {"achieved_sparsity", COLUMN_REAL},
    {"seconds", COLUMN_REAL},     {"ranks", COLUMN_INTEGER},  {"propagate", COLUMN_TEXT},
    {"position", COLUMN_INTEGER}, /* old files lack one or both */
};
const struct column metric_columns[METRIC_COLUMNS] = {
    {"variant", COLUMN_TEXT},  {"dataset", COLUMN_TEXT}, {"kind", COLUMN_TEXT},
    {"metric", COLUMN_TEXT},   {"value", COLUMN_REAL},   {"stderr", COLUMN_REAL},
    {"items", COLUMN_INTEGER},
};
const struct column cell_columns[CELL_COLUMNS] = {
    {"variant", COLUMN_TEXT}, {"dataset", COLUMN_TEXT}, {"status", COLUMN_TEXT},
    {"error", COLUMN_TEXT},   {"seconds", COLUMN_REAL}, {"id", COLUMN_TEXT}, /* old files lack it */
};
const struct column dataset_columns[DATASET_COLUMNS] = {
    {"name", COLUMN_TEXT},
    {"kind", COLUMN_TEXT},
};
const struct column layer_columns[LAYER_COLUMNS] = {
    {"variant", COLUMN_TEXT},  {"layer", COLUMN_INTEGER},       {"linear", COLUMN_TEXT},
    {"sparsity", COLUMN_REAL}, {"relative_error", COLUMN_REAL}, {"damp", COLUMN_REAL},
    {"seconds", COLUMN_REAL},
};
