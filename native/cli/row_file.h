/* Files of rows, as the command and the page write them. */
#ifndef PLX_CLI_ROW_FILE_H
#define PLX_CLI_ROW_FILE_H

#include <cjson/cJSON.h>

/* An array of rows; NULL, with the sentence printed, when the file cannot be read, a line is not a
 * row, rows are of another schema, or one that is not void has figures that cannot be. Free with
 * cJSON_Delete. */
cJSON *row_file_read(const char *name);

#endif
