/* The file that rows go to by default. */
#ifndef PLX_CLI_DEFAULT_FILE_H
#define PLX_CLI_DEFAULT_FILE_H

/* A file name not in use yet, made from the time, in parallax-results below the current folder,
 * which is created: "parallax-results/bench-20260131-235959.jsonl". Returns NULL, with the sentence
 * printed, on failure. Free it. */
char *default_file_name(const char *command_name);
/* Removes the folder again if it is empty. */
void default_file_end(void);

#endif
