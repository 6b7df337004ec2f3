/* Files of rows, as the command and the page write them. */
#ifndef PLX_CLI_ROW_FILE_H
#define PLX_CLI_ROW_FILE_H

#include <cjson/cJSON.h>

/* An array of rows; NULL, with the sentence printed, when the file cannot be read, a line is not a
 * row, or rows are of another schema. Free with cJSON_Delete. */
cJSON *row_file_read(const char *name);

#endif
