/* Where rows go when nobody says where. */
#ifndef PLX_CLI_DEFAULT_FILE_H
#define PLX_CLI_DEFAULT_FILE_H

/* A name that no file has yet, of the time, in the folder parallax-results of the current one,
 * which is made: "parallax-results/bench-20260131-235959.jsonl". NULL, with the sentence printed,
 * when that cannot be. Free it. */
char *default_file_name(const char *command_name);
/* Removes the folder again, if it is empty. */
void default_file_end(void);

#endif
