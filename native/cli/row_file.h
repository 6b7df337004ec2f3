/* Files of rows, as written by the command and the page. */
#ifndef PLX_CLI_ROW_FILE_H
#define PLX_CLI_ROW_FILE_H

#include <cjson/cJSON.h>

/* Returns an array of rows; NULL, with the sentence printed, when the file cannot be read, a line
 * is not a row, rows are of another schema, or a row that is not void has impossible figures. Free
 * with cJSON_Delete. */
cJSON *row_file_read(const char *name);

#endif
